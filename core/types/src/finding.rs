//! What rules say about a candidate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evidence::{Grade, Missing};
use crate::ids::RuleId;

/// What one rule found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FindingKind {
    /// A requirement does not hold.
    Rejected,
    /// A requirement holds.
    Passed,
    /// A preference with its score (0 to 1) and weight.
    Preferred {
        /// 0 to 1.
        score: f64,
        /// Weight of the rule.
        weight: f64,
    },
    /// A remark.
    Noted,
    /// Training or optimisation advice.
    Step(Step),
    /// A fact that the rule needs is unknown.
    Undecided(Missing),
    /// The script raised an error.
    Failed {
        /// What the script engine said.
        error: String,
    },
}

/// Whether training or optimisation is advised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// How to train.
    Train,
    /// How to make it faster or smaller afterwards.
    Optimise,
}

/// One step to take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Training or optimisation.
    pub step: StepKind,
    /// Settings by key, e.g. `epochs = 60`. Two rules may not set one key differently at one priority.
    pub settings: BTreeMap<String, String>,
    /// What to do, as sentences in order.
    pub actions: Vec<String>,
    /// Higher comes first and overrides.
    pub priority: i64,
    /// Expected effect by quantity as a factor or difference interval, e.g. `latency = [0.25, 0.5]`.
    pub expect: BTreeMap<String, [f64; 2]>,
    /// Steps that come first.
    pub after: Vec<RuleId>,
    /// Steps that this one rules out.
    pub excludes: Vec<RuleId>,
    /// The command that verifies or carries out the step, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A value that a rule read, as it printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Field as the rule names it: `net.latency.high_ms`.
    pub field: String,
    /// The value, or `unknown`.
    pub value: String,
    /// Its evidence grade, when the field carries evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
}

/// A finding with its place and reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// What it found.
    #[serde(flatten)]
    pub kind: FindingKind,
    /// Why, in the rule's words.
    pub reason: String,
    /// File of the rule.
    pub file: String,
    /// Line of the rule.
    pub line: u64,
    /// What it read.
    pub observed: Vec<Observed>,
    /// Signed slack of a requirement in the unit of the limit: negative means missed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
}

/// All findings of one candidate, combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every requirement was decided and passed on evidence that can carry it.
    #[default]
    Proven,
    /// No requirement failed, but one is undecided, failed to run, or rests on evidence that cannot carry it.
    Unproven,
    /// A requirement failed.
    Rejected,
}
