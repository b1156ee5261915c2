//! An immutable record of a benchmark that a runner did not survive, or that gave no numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, RecordId, RunnerName};
use crate::measurement::{Subject, Tool};

/// Format of [`RunFailure`].
pub const FAILURE_SCHEMA: u32 = 1;

/// Failures that belong to the pair of network and runner. Others are refusals, or say something about the machine.
const FAULTS: [&str; 5] = ["crashed", "hung", "out-of-memory", "protocol", "not-a-number"];

/// How a runner failed with a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFailure {
    /// [`FAILURE_SCHEMA`].
    pub schema: u32,
    /// What was to run.
    pub subject: Subject,
    /// With what.
    pub runner: RunnerName,
    /// Version by the runner's manifest, or of the program for a built-in one: a runner that failed may not say more.
    pub version: String,
    /// Options it was given.
    pub options: BTreeMap<String, String>,
    /// Threads.
    pub threads: u64,
    /// Where.
    pub device: DeviceId,
    /// How it failed, in a word: `crashed`, `hung`, `out-of-memory`, `protocol`, `not-a-number`, `refused`, ...
    pub kind: String,
    /// What it was asked to do, in a word: `load`, `run`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What happened, for a person.
    pub reason: String,
    /// RFC 3339, UTC.
    pub taken: String,
    /// Who recorded it.
    pub tool: Tool,
}

impl RunFailure {
    /// Whether the runner is at fault with this network, so that trying again is not worth while unasked.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        let of_runner = matches!(self.phase.as_deref(), Some("open" | "describe" | "probe"));
        FAULTS.contains(&self.kind.as_str()) && !of_runner
    }

    /// Whether it is about this pair of network and runner.
    #[must_use]
    pub fn concerns(&self, subject: &Subject, runner: &RunnerName) -> bool {
        let (ours, s) = (&self.subject, subject);
        let same_network = match (&ours.graph, &s.graph) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => ours.artifact == s.artifact,
        };
        let same_setting = (ours.input, ours.batch, ours.precision) == (s.input, s.batch, s.precision);
        same_network && same_setting && self.runner == *runner
    }

    /// Digest of its content.
    #[must_use]
    pub fn id(&self) -> RecordId {
        crate::content::content_id(self)
    }

    /// The failure in one line, with the record that has the rest.
    #[must_use]
    pub fn summary(&self) -> String {
        let day = self.taken.get(..10).unwrap_or(&self.taken);
        let (first, id) = (self.reason.lines().next().unwrap_or_default(), self.id());
        let short = id.as_str().get(..8).unwrap_or_default().to_owned();
        format!("{first} ({day}, record {short})")
    }
}
