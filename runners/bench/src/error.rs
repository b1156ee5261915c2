//! Why a benchmark gave no record, and the words for it. Every error concerns one benchmark and nothing else.

use std::fmt;

use convwise_host::{Missing, OutputCheck, WorkerError};
use convwise_types::Scenario;

/// A benchmark without a record.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The worker could not be started, crashed, hung, ran out of memory, or refused.
    #[error("{subject}: {source}")]
    Worker {
        /// What was measured.
        subject: String,
        /// What happened.
        source: Box<WorkerError>,
    },
    /// The runner is there, and what it needs is not.
    #[error("runner {runner} cannot run here: {}", Needs(missing))]
    Unusable {
        /// The runner.
        runner: String,
        /// What is missing, and how to get it.
        missing: Vec<Missing>,
    },
    /// The outputs of a run are not numbers.
    #[error(
        "{subject}: runner {runner} returned not-a-number values: {} of {} elements of output {} are NaN and {} \
         infinite; check the weights, or try another runner",
        check.nan, check.elements, check.name, check.infinite
    )]
    NotANumber {
        /// What was measured.
        subject: String,
        /// The runner.
        runner: String,
        /// The first output that is not fine.
        check: Box<OutputCheck>,
    },
    /// The runner answered a request for runs with none.
    #[error(
        "{subject}: runner {runner} reported no times for the runs it was asked for; report it to whoever made it"
    )]
    NoTimes {
        /// What was measured.
        subject: String,
        /// The runner.
        runner: String,
    },
    /// Not in this version.
    #[error("scenario {scenario} is not available yet; use latency")]
    ScenarioNotAvailable {
        /// The scenario asked for.
        scenario: Scenario,
    },
    /// A number that must not be zero.
    #[error("{subject}: {what} must be at least 1")]
    Zero {
        /// What was to be measured.
        subject: String,
        /// Which number.
        what: &'static str,
    },
    /// The caller asked to stop before anything was sampled.
    #[error("{subject}: stopped before anything was measured")]
    Cancelled {
        /// What was to be measured.
        subject: String,
    },
}

/// What is missing, one after the other, each with the command that mends it.
struct Needs<'a>(&'a [Missing]);

impl fmt::Display for Needs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("it does not say why");
        }
        for (index, missing) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}; try `{}`", missing.what, missing.how)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_reads() {
        let missing = |what: &str, how: &str| Missing { what: what.into(), how: how.into() };
        let check = |error: BenchError, expect: &str| assert_eq!(error.to_string(), expect);
        check(
            BenchError::Unusable {
                runner: "onnxruntime".into(),
                missing: vec![missing(
                    "libonnxruntime.so is not installed",
                    "convwise runner install onnxruntime",
                )],
            },
            "runner onnxruntime cannot run here: libonnxruntime.so is not installed; try `convwise runner install onnxruntime`",
        );
        check(
            BenchError::ScenarioNotAvailable { scenario: Scenario::Rate },
            "scenario rate is not available yet; use latency",
        );
        check(
            BenchError::NotANumber {
                subject: "resnet18".into(),
                runner: "rten".into(),
                check: Box::new(OutputCheck {
                    name: "logits".into(),
                    dtype: convwise_host::DType::F32,
                    shape: vec![1, 1000],
                    elements: 1000,
                    nan: 3,
                    infinite: 1,
                    min: None,
                    max: None,
                }),
            },
            "resnet18: runner rten returned not-a-number values: 3 of 1000 elements of output logits are NaN and 1 \
             infinite; check the weights, or try another runner",
        );
    }
}
