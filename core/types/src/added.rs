//! What was taken over from elsewhere or added by hand: accuracies, timings, costs and single facts, each with its source.
//!
//! A record says what its source says, in the source's own names. Which of our networks is meant is decided when records
//! are read, so that they stay true when the program learns of more networks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::architecture::InputShape;
use crate::ids::{ArchitectureId, WeightsTag};
use crate::request::{Task, words};
use crate::stated::StatedCost;
use crate::units::{Millis, PerSecond};
use crate::weights::PublishedResult;

/// An accuracy that somebody published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedResult {
    /// The package whose names are used: `timm`. Without one they are ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The variant it is about.
    pub architecture: ArchitectureId,
    /// The weights that were evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsTag>,
    /// The figure and its source.
    pub result: PublishedResult,
    /// Anything worth knowing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

words! {
    /// What was timed.
    pub enum Workload, "workload" {
        /// Forward passes.
        Inference = "inference",
        /// Training steps.
        Training = "training",
    }
}

/// A timing that somebody published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedTiming {
    /// The package whose names are used: `timm`. Without one they are ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The variant that ran.
    pub architecture: ArchitectureId,
    /// Its weights, where the source names them; they do not matter for the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsTag>,
    /// What was timed.
    pub workload: Workload,
    /// Id of a known device, else its name as the source writes it.
    pub device: String,
    /// Inference engine with its version: `pytorch 2.4.0`.
    pub runtime: String,
    /// What else the source says of the set-up, e.g. `cuda 12.4`, `dynamo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    /// Number format as the source calls it: `fp32`, `amp`. A mixed one is neither `fp32` nor `fp16`.
    pub precision: String,
    /// Order of the axes of tensors in memory: `nchw`, `nhwc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// Threads, where the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// Images a batch.
    pub batch: u64,
    /// Input.
    pub input: InputShape,
    /// Time of one batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Millis>,
    /// Images a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<PerSecond>,
    /// URL, citation, or file with its line: `results-imagenet.csv, line 2`.
    pub source: String,
}

/// What a network costs, as somebody else counted it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedCost {
    /// The package whose names are used: `timm`. Without one they are ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The variant.
    pub architecture: ArchitectureId,
    /// What it does.
    pub task: Task,
    /// The counts and their source.
    pub cost: StatedCost,
}

/// One fact about an architecture or a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedFact {
    /// What it is about: `architecture:resnet50`, `device:stm32f746`.
    pub about: String,
    /// Name of the fact as rules call it.
    pub name: String,
    /// Its value: a number, a text, a truth value.
    pub value: Value,
    /// Unit of a number, e.g. `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where it is stated: a URL or a citation.
    pub source: String,
}
