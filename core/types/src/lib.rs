//! The vocabulary of convwise: requests, facts with their evidence, candidates, findings,
//! measurements and advice. Pure data; nothing here reads a file, a clock or the environment.

mod added;
mod advice;
mod architecture;
mod candidate;
mod comparison;
mod content;
mod device;
mod diagnostic;
mod evidence;
mod failure;
mod finding;
mod ids;
pub mod listing;
mod measurement;
mod precision;
mod request;
mod stated;
mod suggest;
mod units;
mod weights;

pub use added::{AddedCost, AddedFact, AddedResult, AddedTiming, Workload};
pub use advice::{
    ADVICE_SCHEMA, AccuracyCell, Advice, CommandLine, Compared, ComparedElsewhere, Contender, FindingLine,
    KnowledgeBaseStamp, Label, LatencyCell, Need, NoFit, Overruled, PackStamp, Pick, Rejection, RuleSetStamp,
    StepLine, Tie,
};
pub use architecture::{
    Architecture, GraphFacts, InputShape, InputSize, Maturity, MemoryModel, NamedShape, Origin, Paper,
};
pub use candidate::{Accuracy, Candidate, CandidateKey, Latency};
pub use comparison::ComparisonSet;
pub use content::{canonical, content_id, id_of};
pub use device::{Device, DeviceKind, ShippedDevice};
pub use diagnostic::{Diagnostic, Label as SourceLabel, Severity, Span};
pub use evidence::{Evidence, Fact, Grade, Interval, Missing};
pub use failure::{FAILURE_SCHEMA, RunFailure};
pub use finding::{Finding, FindingKind, Observed, Step, StepKind, Verdict};
pub use ids::{ArchitectureId, DeviceId, RecordId, RuleId, RunnerName, WeightsTag};
pub use measurement::{
    Launch, MEASUREMENT_SCHEMA, Measurement, Quality, RunnerStamp, Scenario, Statistics, Subject, Tool,
};
pub use precision::Precision;
pub use request::{
    Deploy, Domain, Effort, LicenceDemand, Limits, Priority, Request, Situation, Task, UnknownWord,
};
pub use stated::{PublishedLatency, Reach, StatedCost, StatedMacs};
pub use suggest::{did_you_mean, nearest};
pub use units::{Bytes, Macs, Millis, Params, PerSecond, Percent, UnitError};
pub use weights::{
    Coverage, DataTerms, Fit, LicenceTerms, Preprocessing, PublishedResult, TrainingData, Weights,
};
