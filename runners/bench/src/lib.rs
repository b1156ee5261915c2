//! Measures: schedule, samples, statistics, record.
//!
//! Owns what a trustworthy latency is: when a model is warm, when enough was sampled, what the samples support, what
//! disturbed them. It must not know how a worker process is started or spoken to (that is `host`), where records are
//! kept, or what is decided from them.
//!
//! ```text
//! BenchPlan -> launches in random order -> Schedule -> samples -> statistics + conditions -> verdict -> Measurement
//! ```

mod agreement;
mod conditions;
pub mod device;
mod error;
mod launch;
mod measure;
pub mod order;
mod plan;
mod progress;
mod record;
pub mod schedule;
pub mod stats;
mod verdict;
mod watch;
mod worker;

pub use agreement::{Agreement, agreement, outputs, outputs_of};
pub use error::BenchError;
pub use measure::{measure, measure_many, now};
pub use plan::{BenchPlan, FULL_TIME, SCREENING_TIME};
pub use progress::{Progress, Silent, Update};
pub use schedule::{Effort, Phase};

#[cfg(test)]
mod sample;
