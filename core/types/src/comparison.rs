//! Which published accuracies may be compared with each other.

use crate::architecture::PublishedResult;
use crate::request::Task;

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

    /// Whether a published result may be compared with others of this set.
    #[must_use]
    pub fn covers(self, result: &PublishedResult) -> bool {
        result.dataset == self.dataset && result.metric == self.metric
    }
}
