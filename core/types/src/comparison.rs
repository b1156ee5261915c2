//! Which published accuracies may be compared with each other.

use crate::precision::Precision;
use crate::request::Task;
use crate::weights::{Coverage, PublishedResult, Weights};

/// Dataset and metric on which architectures of a task are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparisonSet {
    /// Dataset and split.
    pub dataset: &'static str,
    /// Metric.
    pub metric: &'static str,
}

impl ComparisonSet {
    /// The one that covers a task.
    #[must_use]
    pub fn of(task: Task) -> Self {
        match task {
            Task::Classify => Self { dataset: "imagenet-1k/val", metric: "top1" },
            Task::Detect => Self { dataset: "coco/val2017", metric: "box_ap" },
            Task::Segment => Self { dataset: "cityscapes/val", metric: "miou" },
        }
    }

    /// Why weights have no accuracy that may be compared, and what would give one. Figures on other datasets are
    /// named, never converted.
    #[must_use]
    pub fn lack(self, weights: &Weights, precision: Precision) -> String {
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
    pub fn covers(self, result: &PublishedResult) -> bool {
        result.dataset == self.dataset && result.metric == self.metric
    }
}
