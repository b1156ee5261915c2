//! The answer, and its JSON form: the decision record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evidence::Grade;
use crate::ids::{ArchitectureId, RecordId, RuleId, RunnerName, WeightsTag};
use crate::precision::Precision;
use crate::request::{Request, words};

/// Name of the JSON format of [`Advice`].
pub const ADVICE_SCHEMA: &str = "convwise.advice/1";

words! {
    /// What a pick is best at among the feasible.
    pub enum Label, "label" {
        /// Highest accuracy.
        HighestAccuracy = "highest-accuracy",
        /// Best balance of accuracy and latency.
        BestTradeOff = "best-trade-off",
        /// Lowest latency.
        Fastest = "fastest",
        /// Smallest weights.
        Smallest = "smallest",
        /// Most mature ecosystem.
        MostEstablished = "most-established",
    }
}

/// Which knowledge base answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnowledgeBaseStamp {
    /// Changes with every accepted record.
    pub version: String,
    /// Architectures known.
    pub architectures: u64,
    /// Measurements known.
    pub measurements: u64,
}

/// Which rules answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSetStamp {
    /// Digest of all rule files.
    pub fingerprint: String,
    /// Rules in the set.
    pub rules: u64,
    /// What replaces, extends or switches off what, one sentence each.
    pub overrides: Vec<String>,
    /// Packs beside the shipped rules, the weakest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<PackStamp>,
    /// Rules that a pack switches off, so that nothing of them is in the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disabled: Vec<RuleId>,
}

/// A pack of rules that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackStamp {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it lies: `project`, `user` or `named`.
    pub layer: String,
    /// Why its rules were not used, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Accuracy as printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccuracyCell {
    /// Percent.
    pub value: f64,
    /// Metric.
    pub metric: String,
    /// Dataset and split.
    pub dataset: String,
    /// Grade of the evidence.
    pub grade: Grade,
    /// Where it comes from.
    pub source: String,
}

/// Latency as printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyCell {
    /// Median in milliseconds.
    pub ms: f64,
    /// Lower end of the 95 % interval.
    pub low_ms: f64,
    /// Upper end of the 95 % interval.
    pub high_ms: f64,
    /// Grade of the evidence.
    pub grade: Grade,
    /// Runner.
    pub runner: RunnerName,
    /// Device.
    pub device: String,
    /// Measurement behind it.
    pub record: Option<RecordId>,
    /// How it was obtained.
    pub source: String,
}

/// A finding as printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingLine {
    /// The rule.
    pub rule: RuleId,
    /// `passed`, `preferred`, `noted`, `undecided`, `failed`, `rejected`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// File of the rule.
    pub file: String,
    /// Line of the rule.
    pub line: u64,
    /// Values compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

/// One recommended candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pick {
    /// The variant.
    pub architecture: ArchitectureId,
    /// As people write it.
    pub title: String,
    /// Family; empty where only published figures are known.
    pub family: String,
    /// Whether it can be exported and measured here. Stated only where it cannot: then its figures are published ones.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub buildable: bool,
    /// The weights.
    pub weights: Option<WeightsTag>,
    /// Side of the input in pixels.
    pub input_size: u64,
    /// Number format.
    pub precision: Precision,
    /// The runner.
    pub runner: RunnerName,
    /// Whether every requirement was decided and passed on evidence that can carry it.
    pub proven: bool,
    /// What it is best at.
    pub labels: Vec<Label>,
    /// 0 to 1, from the rank formula.
    pub score: f64,
    /// Accuracy, or `None` if nobody published one.
    pub accuracy: Option<AccuracyCell>,
    /// Latency.
    pub latency: Option<LatencyCell>,
    /// Trained parameters.
    pub params: Option<u64>,
    /// Multiply-accumulates.
    pub macs: Option<u64>,
    /// Weights in bytes at this precision.
    pub weight_bytes: Option<u64>,
    /// Peak activations in bytes at this precision.
    pub peak_activation_bytes: Option<u64>,
    /// Why.
    pub findings: Vec<FindingLine>,
    /// Commands that reproduce its numbers.
    pub reproduce: Vec<String>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

/// A candidate that does not fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejection {
    /// The variant.
    pub architecture: ArchitectureId,
    /// The weights.
    pub weights: Option<WeightsTag>,
    /// Side of the input in pixels.
    pub input_size: u64,
    /// Number format.
    pub precision: Precision,
    /// First requirement that failed.
    pub rule: RuleId,
    /// Every requirement that failed.
    pub rules: Vec<RuleId>,
    /// Why.
    pub reason: String,
    /// What would change it.
    pub counterfactual: Option<String>,
}

/// A training or optimisation step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLine {
    /// What to do.
    pub step: String,
    /// Why.
    pub reason: String,
    /// The rule.
    pub rule: RuleId,
    /// File of the rule.
    pub file: String,
    /// Line of the rule.
    pub line: u64,
    /// Expected effect, in words, with its evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// The command that carries it out or verifies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A fact that would make the answer firmer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// The fact.
    pub fact: String,
    /// Candidates it would decide.
    pub architectures: Vec<ArchitectureId>,
    /// What would decide it.
    pub need: String,
    /// The command that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// Picks that cannot be told apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tie {
    /// `accuracy` or `latency`.
    pub on: String,
    /// Candidates.
    pub architectures: Vec<ArchitectureId>,
    /// Why they are a tie.
    pub reason: String,
}

/// A candidate as it is named beside another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    /// The variant.
    pub architecture: ArchitectureId,
    /// The weights.
    pub weights: Option<WeightsTag>,
    /// Side of the input in pixels.
    pub input_size: u64,
    /// Number format.
    pub precision: Precision,
    /// Accuracy, or `None` if nobody published one.
    pub accuracy: Option<AccuracyCell>,
    /// Latency with its interval and the record behind it.
    pub latency: Option<LatencyCell>,
}

/// A preference of the guide that measured evidence contradicts, and so overrules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overruled {
    /// The rule that passes the preference on.
    pub rule: RuleId,
    /// File of the rule.
    pub file: String,
    /// Line of the rule.
    pub line: u64,
    /// What the guide prefers.
    pub preferred: Contender,
    /// What the evidence prefers: measured faster, intervals apart, at no less accuracy.
    pub better: Contender,
    /// How many times faster it is, by the medians.
    pub speed_up: f64,
    /// By how many points it is more accurate.
    pub accuracy_gain: f64,
    /// Whether the preferred one would stand in front if the preference had counted.
    pub changed_the_order: bool,
    /// The same in one sentence.
    pub remark: String,
}

/// On what the accuracies of an answer are compared, and which networks that leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Dataset and split.
    pub dataset: String,
    /// Metric.
    pub metric: String,
    /// Whether the request names the dataset.
    pub asked: bool,
    /// Networks that fit and have a figure on it.
    pub networks: Vec<ArchitectureId>,
    /// Networks that fit and have none.
    pub left_out: Vec<ArchitectureId>,
    /// Other datasets on which networks that fit have figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<ComparedElsewhere>,
}

/// Another dataset on which networks could be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedElsewhere {
    /// Dataset and split.
    pub dataset: String,
    /// Networks that fit and have a figure on it.
    pub networks: Vec<ArchitectureId>,
}

/// A command worth running.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandLine {
    /// What it does.
    pub purpose: String,
    /// The command.
    pub command: String,
}

/// Why nothing fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoFit {
    /// The nearest misses, nearest first.
    pub nearest: Vec<Rejection>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// [`ADVICE_SCHEMA`].
    pub schema: String,
    /// The merged request.
    pub request: Request,
    /// Which knowledge base answered.
    pub kb: KnowledgeBaseStamp,
    /// Which rules answered.
    pub rules: RuleSetStamp,
    /// On what accuracies are compared.
    #[serde(default)]
    pub compared: Compared,
    /// Best first, then every other labelled candidate.
    pub picks: Vec<Pick>,
    /// What did not fit.
    pub rejected: Vec<Rejection>,
    /// How to train the first pick.
    pub training: Vec<StepLine>,
    /// How to optimise the first pick afterwards.
    pub optimisation: Vec<StepLine>,
    /// What is not known yet.
    pub needs: Vec<Need>,
    /// Picks that cannot be told apart.
    pub ties: Vec<Tie>,
    /// Where measured evidence contradicts a preference of the guide. Evidence wins.
    #[serde(default)]
    pub evidence_over_guide: Vec<Overruled>,
    /// Remarks on the answer as a whole: what is simulated, what overrides what, what failed.
    pub notes: Vec<String>,
    /// Why nothing fits, when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing_fits: Option<NoFit>,
    /// Commands that reproduce or extend the answer.
    pub commands: Vec<CommandLine>,
}
