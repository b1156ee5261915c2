//! Which published accuracies may be compared with each other.

use serde::{Deserialize, Serialize};

use crate::precision::Precision;
use crate::request::Task;
use crate::weights::{Coverage, PublishedResult, Weights};

/// Dataset and metric on which architectures of a task are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparisonSet {
    /// Dataset and split.
    pub dataset: String,
    /// Metric.
    pub metric: String,
}

impl ComparisonSet {
    /// A metric on a dataset.
    #[must_use]
    pub fn new(dataset: impl Into<String>, metric: impl Into<String>) -> Self {
        Self { dataset: dataset.into(), metric: metric.into() }
    }

    /// The one that a task is usually compared on.
    #[must_use]
    pub fn of(task: Task) -> Self {
        match task {
            Task::Classify => Self::new("imagenet-1k/val", "top1"),
            Task::Detect => Self::new("coco/val2017", "box_ap"),
            Task::Segment => Self::new("cityscapes/val", "miou"),
        }
    }

    /// Why weights have no accuracy that may be compared, and what would give one. Figures on other datasets are
    /// named, never converted.
    #[must_use]
    pub fn lack(&self, weights: &Weights, precision: Precision) -> String {
        let Self { dataset, metric } = self;
        let tag = &weights.tag;
        if weights.covers == Coverage::Backbone {
            return format!("{tag} fills the backbone alone; train the network and evaluate it");
        }
        let others = weights.results.iter().filter(|r| !self.covers(r) && r.precision == precision);
        let others: Vec<_> = others.map(|r| format!("{} {} on {}", r.value, r.metric, r.dataset)).collect();
        if others.is_empty() {
            return format!(
                "no {precision} {metric} on {dataset} is published for {tag}; evaluate the converted network"
            );
        }
        format!(
            "no {precision} {metric} on {dataset} is published for {tag}, only {}, which cannot be compared; evaluate it on {dataset}",
            others.join(", ")
        )
    }

    /// Whether a published result may be compared with others of this set.
    #[must_use]
    pub fn covers(&self, result: &PublishedResult) -> bool {
        result.dataset == self.dataset && result.metric == self.metric
    }
}
