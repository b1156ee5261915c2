//! Names in figures that others published, beside those that are known here.

use convwise_store::shipped::Shipped;
use convwise_types::{PublishedResult, did_you_mean};

/// Why nothing can be compared on the dataset or metric of a result: it is not described.
pub(super) fn undescribed(shipped: &Shipped, result: &PublishedResult) -> Option<String> {
    let Some(dataset) = shipped.dataset(&result.dataset) else {
        let known = shipped.datasets.iter().map(|entry| entry.value.id.as_str());
        let hint = did_you_mean(&result.dataset, known);
        return Some(format!("there is no dataset `{}`{hint}", result.dataset));
    };
    if dataset.metric(&result.metric).is_some() {
        return None;
    }
    let names: Vec<_> = dataset.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let hint = did_you_mean(&result.metric, names.iter().copied());
    Some(format!("{} has no metric `{}`, only {}{hint}", dataset.id, result.metric, names.join(", ")))
}

/// What to do about it.
pub(super) const DESCRIBE: &str =
    "describe it in kb/datasets.toml of your home folder, so that networks can be compared on it";
