//! An immutable record of one benchmark: what ran, how, where, and every sample.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::architecture::InputShape;
use crate::device::Device;
use crate::ids::{ArchitectureId, RecordId, RunnerName};
use crate::precision::Precision;
use crate::request::words;
use crate::units::{Bytes, Millis, PerSecond};

/// Format of [`Measurement`].
pub const MEASUREMENT_SCHEMA: u32 = 1;

words! {
    /// How requests arrive while measuring.
    pub enum Scenario, "scenario" {
        /// One stream, back to back.
        Latency = "latency",
        /// At the request rate of the deployment.
        Rate = "rate",
        /// Batches and streams, as much as possible.
        Throughput = "throughput",
    }
}

words! {
    /// Whether the samples can be relied on.
    pub enum Quality, "quality verdict" {
        /// Steady, enough samples, quiet machine.
        Trusted = "trusted",
        /// The interval stayed wide, or other work disturbed the run.
        Noisy = "noisy",
        /// The clock dropped while measuring.
        Throttled = "throttled",
        /// Too few samples for the interval.
        Insufficient = "insufficient",
    }
}

/// What ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The variant, when it is one of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<ArchitectureId>,
    /// File name, when a file was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Digest of the model file's bytes.
    pub artifact: String,
    /// Digest of the layer graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<String>,
    /// Where the weights came from: `seed:0` or a file's digest.
    pub weights: String,
    /// Input.
    pub input: InputShape,
    /// Images a batch.
    pub batch: u64,
    /// Number format.
    pub precision: Precision,
    /// Whether it ends in answers: its predictions decoded, doubles suppressed, the best class of each pixel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub postprocess: bool,
}

/// Which runner, and how it was set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerStamp {
    /// Name.
    pub name: RunnerName,
    /// Version of the runner and of the engine behind it.
    pub version: String,
    /// Options it was given.
    pub options: BTreeMap<String, String>,
    /// Timings do not come from a clock. Never evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

/// One fresh process: its samples in nanoseconds, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    /// Time to load and compile the model.
    pub load: Millis,
    /// The part of it that compiled the model for the device, where the engine does that as a step of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Millis>,
    /// First run.
    pub first: Millis,
    /// Runs spent warming up.
    pub warmup_runs: u64,
    /// Steady-state samples in nanoseconds, in order.
    pub samples_ns: Vec<u64>,
    /// High-water mark of resident memory while running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss: Option<Bytes>,
}

/// Statistics over the steady-state samples of all launches, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Steady-state samples.
    pub samples: u64,
    /// Median.
    pub median: Millis,
    /// 95 % interval of the median.
    pub ci_low: Millis,
    /// 95 % interval of the median.
    pub ci_high: Millis,
    /// Fastest.
    pub min: Millis,
    /// Arithmetic mean.
    pub mean: Millis,
    /// Upper bound of the 90th percentile with 99 % confidence; `None` if the sample cannot support it.
    pub p90: Option<Millis>,
    /// Upper bound of the 99th percentile with 99 % confidence; `None` if the sample cannot support it.
    pub p99: Option<Millis>,
    /// Median absolute deviation.
    pub mad: Millis,
    /// Samples beyond 1.5 interquartile ranges, counted, never dropped.
    pub outliers: u64,
}

/// The program that measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its version.
    pub version: String,
    /// Command line that repeats the measurement.
    pub command: String,
}

/// One benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Format of this record.
    pub schema: u32,
    /// Digest of everything below.
    pub id: RecordId,
    /// What ran.
    pub subject: Subject,
    /// Which runner.
    pub runner: RunnerStamp,
    /// Threads the runner was given.
    pub threads: u64,
    /// How requests arrived.
    pub scenario: Scenario,
    /// Rate of arrivals, for [`Scenario::Rate`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<PerSecond>,
    /// Where it ran.
    pub device: Device,
    /// Raw samples.
    pub launches: Vec<Launch>,
    /// What they say.
    pub statistics: Statistics,
    /// Whether they can be relied on.
    pub verdict: Quality,
    /// Why the verdict is not `trusted`, and what else was seen: one sentence each.
    pub remarks: Vec<String>,
    /// Conditions around the run: `governor`, `load`, `steal`, ... as text.
    pub conditions: BTreeMap<String, String>,
    /// When it was taken, RFC 3339, UTC.
    pub taken: String,
    /// What took it.
    pub tool: Tool,
}
