//! The options that make the mock play a part.

use std::fmt::Display;
use std::str::FromStr;

use convwise_sdk::{DType, Dim, LayerTime, Options, RunnerError, TensorInfo};

use crate::mischief::{Mischief, Moment, Phase};

/// Every option: name, default, documentation.
pub(crate) const OPTIONS: [(&str, &str, &str); 16] = [
    ("threads", "1", "accepted and ignored"),
    ("times_ns", "1000000", "times of the runs in nanoseconds, over and over: 900,1100 or 3x900,1x5000"),
    ("load_ns", "5000000", "time of loading in nanoseconds"),
    (
        "kernels",
        "model Model 1000000",
        "what a profile says: name, operator and nanoseconds of each kernel, with commas between",
    ),
    ("input", "N,3,224,224", "shape of the input; a letter is a dimension that the input decides"),
    ("outputs", "N,1000", "shapes of the outputs, separated by ;"),
    ("dtype", "f32", "element type of the input: f32, f16, u8 or i8"),
    ("nan", "0", "1: one element of every output is not a number"),
    ("lie", "", "shape or dtype: outputs are not what io says; input: the input is not"),
    ("missing", "", "a library that probe reports as missing"),
    ("refuse", "", "a phase that returns an error, such as load or run@3"),
    ("crash", "", "a phase that crashes, such as describe, load, run@3 or exit"),
    ("how", "segfault", "how: segfault, abort, exit or panic"),
    ("hang", "", "a phase that never returns"),
    ("garbage", "", "a phase that prints and writes to sockets it does not own"),
    ("leak_bytes", "0", "bytes that every run takes and keeps"),
];

/// A part to play.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) times_ns: Vec<u64>,
    pub(crate) load_ns: u64,
    pub(crate) kernels: Vec<LayerTime>,
    pub(crate) input: TensorInfo,
    pub(crate) outputs: Vec<TensorInfo>,
    pub(crate) nan: bool,
    pub(crate) lie: Option<Lie>,
    pub(crate) missing: Option<String>,
    pub(crate) mischief: Mischief,
    refuse: Option<Moment>,
}

/// How outputs differ from what `io` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    Shape,
    Type,
    Input,
}

impl FromStr for Lie {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "shape" => Ok(Self::Shape),
            "dtype" => Ok(Self::Type),
            "input" => Ok(Self::Input),
            _ => Err("use shape, dtype or input".into()),
        }
    }
}

impl Script {
    /// The part that `options` describe, on top of those in the environment.
    pub(crate) fn read(options: &Options) -> Result<Self, RunnerError> {
        let environment = std::env::var("CONVWISE_MOCK").unwrap_or_default();
        Self::from_options(&over(&environment, options))
    }

    fn from_options(options: &Options) -> Result<Self, RunnerError> {
        options.expect_known(&OPTIONS.map(|(name, ..)| name))?;
        options.parse("threads", std::num::NonZeroUsize::MIN)?;
        let text = |name: &str| options.get(name).filter(|text| !text.is_empty()).unwrap_or(default_of(name));
        let fits = |name: &str, error: String| RunnerError::invalid(format!("option {name}: {error}"));
        let dtype = dtype(text("dtype")).map_err(|error| fits("dtype", error))?;
        let input = tensor("input", dtype, text("input")).map_err(|error| fits("input", error))?;
        let outputs = text("outputs").split(';').enumerate();
        let outputs = outputs.map(|(index, shape)| tensor(&format!("output{index}"), DType::F32, shape));
        Ok(Self {
            times_ns: times(text("times_ns")).map_err(|error| fits("times_ns", error))?,
            load_ns: options.parse("load_ns", 5_000_000)?,
            kernels: kernels(text("kernels")).map_err(|error| fits("kernels", error))?,
            input,
            outputs: outputs.collect::<Result<_, _>>().map_err(|error| fits("outputs", error))?,
            nan: options.parse("nan", 0_u8)? != 0,
            lie: optional(options, "lie")?,
            missing: options.get("missing").filter(|what| !what.is_empty()).map(str::to_owned),
            refuse: optional(options, "refuse")?,
            mischief: Mischief {
                crash: optional(options, "crash")?,
                how: optional(options, "how")?.unwrap_or_default(),
                hang: optional(options, "hang")?,
                garbage: optional(options, "garbage")?,
                leak_bytes: options.parse("leak_bytes", 0)?,
            },
        })
    }

    /// Returns the error that is due in the first call of `phase`.
    pub(crate) fn refuse(&self, phase: Phase) -> Result<(), RunnerError> {
        self.refuse_in(phase, 1)
    }

    /// Returns the error that is due in this call of `phase`.
    pub(crate) fn refuse_in(&self, phase: Phase, call: u64) -> Result<(), RunnerError> {
        if self.refuse == Some(Moment::new(phase, call)) {
            return Err(RunnerError::unsupported(
                "operator Frobnicate (node \"head/frob\") is not implemented",
            ));
        }
        Ok(())
    }
}

/// `options` with those of `environment` (`key=value;key=value`) where they have none. A list in a value, as `outputs`
/// has, goes on to the next `key=`.
fn over(environment: &str, options: &Options) -> Options {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in environment.split(';').filter(|piece| !piece.is_empty()) {
        match (piece.split_once('='), pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key.into(), value.into())),
            (None, Some((_, value))) => *value = format!("{value};{piece}"),
            (None, None) => {}
        }
    }
    pairs.extend(options.iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
    pairs.into_iter().collect()
}

fn default_of(name: &str) -> &'static str {
    OPTIONS.iter().find(|option| option.0 == name).map_or("", |option| option.1)
}

fn optional<T>(options: &Options, name: &str) -> Result<Option<T>, RunnerError>
where
    T: FromStr,
    T::Err: Display,
{
    match options.get(name) {
        None | Some("") => Ok(None),
        Some(_) => options.parse_optional(name),
    }
}

/// `900,1100` or `3x900,1x5000`.
fn times(text: &str) -> Result<Vec<u64>, String> {
    const MOST: usize = 1 << 20;
    let mut times = Vec::new();
    for part in text.split(',') {
        let (count, ns) = part.trim().split_once('x').unwrap_or(("1", part.trim()));
        let number =
            |text: &str| text.parse::<u64>().map_err(|_| format!("\"{text}\" is not a whole number"));
        let count = usize::try_from(number(count)?).unwrap_or(MOST);
        if times.len() + count > MOST {
            return Err(format!("more than {MOST} times"));
        }
        times.extend(std::iter::repeat_n(number(ns)?, count));
    }
    if times.is_empty() { Err("there is no time in it".into()) } else { Ok(times) }
}

/// `conv1 Conv 900, relu Relu 100`.
fn kernels(text: &str) -> Result<Vec<LayerTime>, String> {
    let kernel = |part: &str| match part.split_whitespace().collect::<Vec<_>>().as_slice() {
        [node, op, ns] => Ok(LayerTime {
            node: (*node).to_owned(),
            op: (*op).to_owned(),
            provider: "MockExecutionProvider".to_owned(),
            ns: ns.parse().map_err(|_| format!("\"{ns}\" is not a whole number"))?,
        }),
        _ => Err(format!("\"{part}\" is not a name, an operator and a time")),
    };
    text.split(',').map(kernel).collect()
}

fn dtype(text: &str) -> Result<DType, String> {
    match text {
        "f32" => Ok(DType::F32),
        "f16" => Ok(DType::F16),
        "u8" => Ok(DType::U8),
        "i8" => Ok(DType::I8),
        _ => Err("use f32, f16, u8 or i8".into()),
    }
}

fn tensor(name: &str, dtype: DType, shape: &str) -> Result<TensorInfo, String> {
    let shape = shape.split(',').map(|dim| match dim.trim() {
        "" => Err("a dimension is empty".to_owned()),
        name if name.chars().all(char::is_alphabetic) => Ok(Dim::Dynamic(name.into())),
        size => size.parse().map(Dim::Fixed).map_err(|_| format!("\"{size}\" is not a size")),
    });
    Ok(TensorInfo { name: name.into(), dtype, shape: shape.collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_times_are_written_out() {
        assert_eq!(times("900, 1100"), Ok(vec![900, 1100]));
        assert_eq!(times("3x900,5000"), Ok(vec![900, 900, 900, 5000]));
        assert!(times("0x900").is_err());
        assert!(times("99999999x1").is_err());
        assert!(times("fast").is_err());
    }

    #[test]
    fn kernels_have_a_name_an_operator_and_a_time() {
        let found = kernels("relu:3_nchwc Conv 900, fc Gemm 100").unwrap();
        assert_eq!(
            (found[0].node.as_str(), found[1].op.as_str(), found[1].ns),
            ("relu:3_nchwc", "Gemm", 100)
        );
        assert!(kernels("fc Gemm").is_err());
        assert!(kernels("fc Gemm long").is_err());
    }

    #[test]
    fn the_call_wins_over_the_environment() {
        let call: Options = [("nan", "1")].into_iter().collect();
        let merged = over("nan=0;outputs=N,2;N,3;load_ns=7", &call);
        assert_eq!(merged.get("nan"), Some("1"));
        assert_eq!(merged.get("outputs"), Some("N,2;N,3"));
        let script = Script::from_options(&merged).unwrap();
        assert_eq!((script.outputs.len(), script.load_ns, script.nan), (2, 7, true));
    }

    #[test]
    fn every_default_is_a_legal_value() {
        let defaults: Options = OPTIONS.iter().map(|(name, default, _)| (*name, *default)).collect();
        let script = Script::from_options(&defaults).unwrap();
        assert_eq!(script.times_ns, [1_000_000]);
        let unknown: Options = [("time_ns", "1")].into_iter().collect();
        assert!(Script::from_options(&unknown).unwrap_err().message.contains("there is no option time_ns"));
    }
}
