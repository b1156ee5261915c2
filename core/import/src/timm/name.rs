//! What the names of timm's files say.

use convwise_types::nearest;

/// The evaluations of timm's `results` folder by the part of the name behind `results-`.
const DATASETS: &[(&str, &str)] = &[
    ("imagenet", "imagenet-1k/val"),
    ("imagenet-real", "imagenet-real/val"),
    ("imagenet-a", "imagenet-a/test"),
    ("imagenet-a-clean", "imagenet-1k/val-classes-of-a"),
    ("imagenet-r", "imagenet-r/test"),
    ("imagenet-r-clean", "imagenet-1k/val-classes-of-r"),
    ("imagenetv2-matched-frequency", "imagenet-v2/matched-frequency"),
    ("inv2-matched-frequency", "imagenet-v2/matched-frequency"),
    ("sketch", "imagenet-sketch/test"),
];

/// The dataset of a table of accuracies.
pub(super) fn dataset(file: &str) -> Result<&'static str, String> {
    let part = stem(file).strip_prefix("results-").unwrap_or(stem(file));
    if let Some((_, id)) = DATASETS.iter().find(|(name, _)| *name == part) {
        return Ok(id);
    }
    let hint = nearest(part, DATASETS.iter().map(|(name, _)| *name));
    let hint = hint.map(|name| format!(" (timm has `results-{name}.csv`)")).unwrap_or_default();
    Err(format!(
        "its name does not say which dataset the accuracies are of{hint}; say it: --dataset imagenet-1k/val"
    ))
}

/// What the name of a table of timings says of the set-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SetUp {
    pub precision: Option<String>,
    pub layout: Option<String>,
    pub runtime: Option<String>,
    pub device: Option<String>,
    /// CUDA's version, and words such as `dynamo`.
    pub options: Vec<String>,
}

/// Reads `benchmark-infer-amp-nchw-pt240-cu124-rtx3090-dynamo.csv`: number format, layout, PyTorch, CUDA or `cpu`, device,
/// other words. The device is the first word that is nothing else.
pub(super) fn set_up(file: &str) -> SetUp {
    let mut found = SetUp::default();
    let words = stem(file).split('-').filter(|word| !word.is_empty());
    for word in words.skip_while(|word| *word != "benchmark").skip(1) {
        match word {
            "infer" | "train" | "cpu" => {}
            "nchw" | "nhwc" => found.layout = Some(word.to_owned()),
            _ if is_precision(word) => found.precision = Some(word.to_owned()),
            _ => take_word(&mut found, word),
        }
    }
    found
}

fn take_word(found: &mut SetUp, word: &str) {
    if let Some(version) = digits_behind("pt", word) {
        found.runtime = Some(format!("pytorch {}", pytorch(version)));
    } else if let Some(version) = digits_behind("cu", word) {
        found.options.push(format!("cuda {}", cuda(version)));
    } else if word.chars().any(|c| c.is_ascii_digit()) && found.device.is_none() {
        found.device = Some(word.to_owned());
    } else {
        found.options.push(word.to_owned());
    }
}

fn stem(file: &str) -> &str {
    file.strip_suffix(".csv").unwrap_or(file)
}

fn is_precision(word: &str) -> bool {
    let formats = ["fp32", "fp16", "bf16", "tf32", "int8", "amp", "float32", "float16", "bfloat16"];
    formats
        .iter()
        .any(|format| word == *format || word.strip_prefix(format).is_some_and(|w| w.starts_with('_')))
}

fn digits_behind<'a>(prefix: &str, word: &'a str) -> Option<&'a str> {
    let digits = word.strip_prefix(prefix)?;
    (digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// `240` is 2.4.0; of PyTorch 1 the names have no third number: `112` is 1.12.
fn pytorch(digits: &str) -> String {
    let (major, rest) = digits.split_at(1);
    if major == "1" {
        return format!("1.{rest}");
    }
    let (minor, patch) = rest.split_at(rest.len() - 1);
    if minor.is_empty() { format!("{major}.{patch}") } else { format!("{major}.{minor}.{patch}") }
}

/// `124` is 12.4.
fn cuda(digits: &str) -> String {
    let (major, minor) = digits.split_at(digits.len() - 1);
    format!("{major}.{minor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expect: [Option<&str>; 4], options: &[&str]) {
        let found = set_up(file);
        let seen = [&found.precision, &found.layout, &found.runtime, &found.device];
        assert_eq!(seen.map(Option::as_deref), expect, "{file}");
        assert_eq!(found.options, options, "{file}");
    }

    #[test]
    fn names_say_the_set_up() {
        check(
            "benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv",
            [Some("amp"), Some("nchw"), Some("pytorch 2.4.0"), Some("rtx3090")],
            &["cuda 12.4"],
        );
        check(
            "benchmark-infer-fp32-nchw-pt240-cpu-i9_10940x-dynamo.csv",
            [Some("fp32"), Some("nchw"), Some("pytorch 2.4.0"), Some("i9_10940x")],
            &["dynamo"],
        );
        check(
            "benchmark-train-amp-nhwc-pt112-cu113-rtx3090.csv",
            [Some("amp"), Some("nhwc"), Some("pytorch 1.12"), Some("rtx3090")],
            &["cuda 11.3"],
        );
        check(
            "benchmark-infer-amp_bf16-nchw-pt2101-cu130-4090-dynamo.csv",
            [Some("amp_bf16"), Some("nchw"), Some("pytorch 2.10.1"), Some("4090")],
            &["cuda 13.0", "dynamo"],
        );
        check("mine.csv", [None; 4], &[]);
        check("benchmark-infer-.csv", [None; 4], &[]);
    }

    #[test]
    fn names_say_the_dataset() {
        assert_eq!(dataset("results-imagenet-a-clean.csv"), Ok("imagenet-1k/val-classes-of-a"));
        assert_eq!(dataset("results-sketch.csv"), Ok("imagenet-sketch/test"));
        let refused = dataset("results-imagnet.csv").unwrap_err();
        assert!(refused.contains("`results-imagenet.csv`") && refused.contains("--dataset"), "{refused}");
        assert!(dataset("mine.csv").unwrap_err().contains("--dataset"));
    }
}
