//! Published accuracies that contradict each other.

use std::collections::BTreeMap;

use convwise_types::{AddedResult, Precision};
use serde::Serialize;

/// A network as records name it: `resnet50`, `timm/resnet50`.
#[must_use]
pub fn named(package: Option<&str>, architecture: &str) -> String {
    package.map_or_else(|| architecture.to_owned(), |package| format!("{package}/{architecture}"))
}

/// Accuracies that are stated for the same weights in the same setting and differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// What they are stated for.
    #[serde(flatten)]
    pub of: Evaluation,
    /// The different values from the highest on, each with where it is stated.
    pub values: Vec<(f64, String)>,
}

/// What must be equal for two accuracies to be of the same thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[expect(missing_docs, reason = "each is the field of a result of the same name")]
pub struct Evaluation {
    pub network: String,
    pub weights: Option<String>,
    pub dataset: String,
    pub metric: String,
    pub input_size: u64,
    pub precision: Precision,
}

impl Evaluation {
    /// What a result was evaluated on.
    #[must_use]
    pub fn of(r: &AddedResult) -> Self {
        Self {
            network: named(r.package.as_deref(), r.architecture.as_str()),
            weights: r.weights.as_ref().map(ToString::to_string),
            dataset: r.result.dataset.clone(),
            metric: r.result.metric.clone(),
            input_size: r.result.input_size,
            precision: r.result.precision,
        }
    }
}

/// Which of the results contradict each other. Equal values from several sources do not.
pub fn conflicts<'a>(results: impl Iterator<Item = &'a AddedResult>) -> Vec<Conflict> {
    let mut stated: BTreeMap<Evaluation, Vec<(f64, String)>> = BTreeMap::new();
    for result in results {
        let values = stated.entry(Evaluation::of(result)).or_default();
        if values.iter().all(|(value, _)| *value != result.result.value.0) {
            values.push((result.result.value.0, result.result.source.clone()));
        }
    }
    stated.retain(|_, values| values.len() > 1);
    let sorted = |(of, mut values): (Evaluation, Vec<(f64, String)>)| {
        values.sort_by(|a, b| b.0.total_cmp(&a.0));
        Conflict { of, values }
    };
    stated.into_iter().map(sorted).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use convwise_types::{Percent, PublishedResult};

    use super::*;

    pub(crate) fn result(weights: &str, value: f64, source: &str) -> AddedResult {
        AddedResult {
            package: None,
            architecture: "resnet50".into(),
            weights: Some(weights.into()),
            result: PublishedResult {
                dataset: "imagenet-1k/val".to_owned(),
                metric: "top1".to_owned(),
                value: Percent(value),
                input_size: 224,
                precision: Precision::Fp32,
                source: source.to_owned(),
            },
            note: None,
        }
    }

    #[test]
    fn only_different_values_of_the_same_evaluation_conflict() {
        let stated = [
            result("a", 80.1, "first"),
            result("a", 80.1, "second"),
            result("a", 80.4, "third"),
            result("b", 79.0, "first"),
        ];
        let found = conflicts(stated.iter());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].of.weights.as_deref(), Some("a"));
        assert_eq!(found[0].values, [(80.4, "third".to_owned()), (80.1, "first".to_owned())]);
    }
}
