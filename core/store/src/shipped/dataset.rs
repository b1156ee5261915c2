//! Datasets: what a published accuracy was computed on, and how far chance alone moves it.

use convwise_types::{DataTerms, Percent, Task};
use serde::{Deserialize, Serialize};

/// One way to score a network on a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// As results name it, e.g. `top1`.
    pub name: String,
    /// What it says.
    pub meaning: String,
    /// What a sampling error means for it.
    pub sampling: String,
    /// It is the share of images that were right, so that the binomial interval is exact in its assumptions.
    pub share_of_images: bool,
}

/// A dataset and the split that results are published for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Name and split, e.g. `imagenet-1k/val`.
    pub id: String,
    /// As people write it.
    pub title: String,
    /// What it tests.
    pub task: Task,
    /// Images in the split.
    pub images: u64,
    /// Classes.
    pub classes: u64,
    /// How networks are scored; they are compared by the first.
    pub metrics: Vec<Metric>,
    /// Whether networks are compared on it only where somebody asks for it.
    #[serde(default)]
    pub on_request: bool,
    /// Where these figures are stated.
    pub source: String,
}

/// Data that weights are trained on, and what its owner permits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corpus {
    /// As `trained_on` names it, e.g. `imagenet-1k`.
    pub id: String,
    /// As people write it.
    pub title: String,
    /// Its terms.
    pub terms: DataTerms,
}

/// The file `datasets.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Datasets {
    #[serde(default)]
    pub dataset: Vec<Dataset>,
    #[serde(default)]
    pub corpus: Vec<Corpus>,
}

impl Dataset {
    /// Half the width of the 95 % interval of a score that is a share of the images: `1.96 * sqrt(p (1 - p) / n)`, the
    /// normal approximation of the binomial distribution, in percentage points.
    ///
    /// For metrics that are not a share of images (average precision, intersection over union) it is only the order
    /// of magnitude, see [`Metric::share_of_images`].
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "datasets have far fewer than 2^52 images")]
    pub fn half_width(&self, value: Percent) -> Percent {
        let share = (value.0 / 100.0).clamp(0.0, 1.0);
        Percent(100.0 * 1.96 * (share * (1.0 - share) / self.images.max(1) as f64).sqrt())
    }

    /// The metric of a name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}
