//! What a person asks: task, deployment, limits, situation, priority.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::architecture::MemoryModel;
use crate::comparison::ComparisonSet;
use crate::ids::{DeviceId, RunnerName};
use crate::precision::Precision;
use crate::units::{Bytes, Millis, Params, PerSecond, Percent};

/// A word that is not one of the accepted ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a {what}; use one of {known}{hint}")]
pub struct UnknownWord {
    /// What the user wrote.
    pub word: String,
    /// What was expected.
    pub what: &'static str,
    /// The accepted words.
    pub known: String,
    /// "did you mean".
    pub hint: String,
}

/// A closed set of words: enum, text form, parsing with "did you mean", serde.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word that is typed and printed.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::request::UnknownWord;
            fn from_str(text: &str) -> Result<Self, crate::request::UnknownWord> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| {
                    let known = Self::ALL.iter().map(|v| v.as_str());
                    crate::request::UnknownWord {
                        word: text.to_owned(),
                        what: $what,
                        known: known.clone().collect::<Vec<_>>().join(", "),
                        hint: crate::suggest::did_you_mean(text, known),
                    }
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What the network must do.
    pub enum Task, "task" {
        /// One label an image.
        Classify = "classify",
        /// Boxes with labels.
        Detect = "detect",
        /// A label a pixel.
        Segment = "segment",
    }
}

words! {
    /// Where the network will run.
    pub enum Deploy, "deployment" {
        /// A server with a GPU.
        GpuServer = "gpu-server",
        /// A server without one.
        CpuServer = "cpu-server",
        /// A phone or tablet.
        Mobile = "mobile",
        /// A microcontroller or other embedded device.
        Edge = "edge",
    }
}

words! {
    /// What the images show.
    pub enum Domain, "domain" {
        /// Photographs like ImageNet's.
        Natural = "natural",
        /// Medical images.
        Medical = "medical",
        /// Satellite and aerial images.
        Satellite = "satellite",
        /// Industrial inspection.
        Industrial = "industrial",
        /// Scanned documents and text.
        Document = "document",
        /// Microscopy.
        Microscopy = "microscopy",
        /// Drawings, renderings and games.
        Synthetic = "synthetic",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// How much engineering the team can spend.
    pub enum Effort, "effort" {
        /// Days.
        Low = "low",
        /// Weeks.
        Medium = "medium",
        /// Months.
        High = "high",
    }
}

words! {
    /// What matters most once every limit holds.
    pub enum Priority, "priority" {
        /// A compromise.
        Balanced = "balanced",
        /// Accuracy.
        Accuracy = "accuracy",
        /// Latency.
        Speed = "speed",
        /// Size of the weights.
        Size = "size",
        /// Little engineering, a mature ecosystem.
        Simplicity = "simplicity",
    }
}

words! {
    /// Which licences are acceptable.
    pub enum LicenceDemand, "licence" {
        /// Any.
        Any = "any",
        /// Only permissive ones, for code and weights.
        Permissive = "permissive",
    }
}

/// Hard limits. `None` means that no limit was stated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest acceptable latency of one batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Millis>,
    /// Images that must be handled a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<PerSecond>,
    /// Lowest acceptable accuracy in the task's metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_accuracy: Option<Percent>,
    /// Largest acceptable weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<Bytes>,
    /// Most parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_params: Option<Params>,
    /// Working memory of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram: Option<Bytes>,
    /// Program memory of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flash: Option<Bytes>,
    /// Acceptable licences.
    pub licence: LicenceDemand,
    /// The network must keep up with a live stream.
    pub real_time: bool,
}

/// The situation of the team: data and effort.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Situation {
    /// Labelled training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_images: Option<u64>,
    /// Classes to tell apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<u64>,
    /// What the images show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// Engineering effort available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// Most objects that must be found in one image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Side in pixels of the smallest objects that matter, in the network's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size: Option<u64>,
}

/// A complete request: flags and request file merged, defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What the network must do.
    pub task: Task,
    /// Where it will run.
    pub deploy: Deploy,
    /// Hard limits.
    pub limits: Limits,
    /// Data and effort.
    pub situation: Situation,
    /// What matters most among what fits.
    pub priority: Priority,
    /// The target device, when it is not simply this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The machine at hand is the target, although the deployment would not say so.
    pub here: bool,
    /// Images a batch.
    pub batch: u64,
    /// Threads a run may use.
    pub threads: u64,
    /// Runner whose latency counts.
    pub runner: RunnerName,
    /// Number formats to consider.
    pub precisions: Vec<Precision>,
    /// What the target's runtime does with the memory of activations.
    #[serde(default)]
    pub memory_model: MemoryModel,
    /// The latency covers what turns the network's predictions into answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub postprocess: bool,
    /// Dataset on which accuracies are compared, when the request names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Dataset and metric on which accuracies are compared, once they are settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<ComparisonSet>,
    /// Which fields came from where: `flag`, a file's name, or `default`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub origins: BTreeMap<String, String>,
}

impl Request {
    /// Dataset and metric on which accuracies are compared: those that were settled, else what is usual for the task.
    #[must_use]
    pub fn comparison(&self) -> Cow<'_, ComparisonSet> {
        self.comparison.as_ref().map_or_else(|| Cow::Owned(ComparisonSet::of(self.task)), Cow::Borrowed)
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the words macro writes the enum, so its default cannot be marked in place"
)]
impl Default for LicenceDemand {
    fn default() -> Self {
        Self::Any
    }
}
