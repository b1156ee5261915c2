//! "Did you mean": the nearest known name to a misspelt one.

/// The known name nearest to `typed`, if one is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = typed.to_lowercase();
    known
        .into_iter()
        .map(|name| (score(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= 0.72)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// Similarity that ignores separators, so that `mobilenetv3large` finds `mobilenet_v3_large`.
fn score(a: &str, b: &str) -> f64 {
    let plain = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    strsim::normalized_damerau_levenshtein(&plain(a), &plain(b))
        .max(strsim::normalized_damerau_levenshtein(a, b))
}

/// `; did you mean `x`?` when a near name exists, else nothing.
#[must_use]
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, expect: Option<&str>) {
        let known = ["resnet50", "resnet101", "mobilenet_v3_large", "convnext_tiny"];
        assert_eq!(nearest(typed, known), expect, "{typed}");
    }

    #[test]
    fn finds_what_was_meant() {
        check("resnet5", Some("resnet50"));
        check("ResNet50", Some("resnet50"));
        check("mobilenetv3large", Some("mobilenet_v3_large"));
        check("convnext_tiy", Some("convnext_tiny"));
        check("yolo", None);
    }
}
