//! What others state of a network: counts, latencies, and what its design can find.

use serde::{Deserialize, Serialize};

use crate::architecture::InputShape;
use crate::ids::RunnerName;
use crate::precision::Precision;
use crate::units::{Macs, Millis, Params};

/// What the reference implementation of a network costs, as somebody else counted it: all that is known of a network
/// that convwise has no layer graph of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedCost {
    /// Trained parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Params>,
    /// Multiply-accumulates at batch 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macs: Option<StatedMacs>,
    /// Whose count it is.
    pub source: String,
    /// What it does or does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Multiply-accumulates and the input that they hold for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedMacs {
    /// How many.
    pub count: Macs,
    /// At which input.
    pub input: InputShape,
}

/// What the design of a detector lets it find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Pixels of the input from one place to the next on its finest level of predictions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<u64>,
    /// Most objects in one image; absent where only a setting limits them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_objects: Option<u64>,
}

/// A latency that somebody published, with what it was measured on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishedLatency {
    /// Id of a known device, else its name as the source writes it.
    pub device: String,
    /// Inference engine, with its version where the source states one.
    pub runtime: String,
    /// Number format.
    pub precision: Precision,
    /// Threads, where the source states them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// Images a batch.
    pub batch: u64,
    /// Input.
    pub input: InputShape,
    /// Time of one batch.
    pub latency: Millis,
    /// What the source says is in it: `network`, `network and suppression`, `not stated`.
    pub includes: String,
    /// URL of the source.
    pub source: String,
}

impl PublishedLatency {
    /// Whether it was measured with the engine that a runner drives.
    #[must_use]
    pub fn is_of(&self, runner: &RunnerName) -> bool {
        let plain =
            |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let engine = plain(&self.runtime);
        let names = match plain(runner.as_str()).as_str() {
            "libtorch" => ["libtorch", "pytorch", "torchscript"].map(str::to_owned).to_vec(),
            name => vec![name.to_owned()],
        };
        names.iter().any(|name| engine.starts_with(name))
    }
}
