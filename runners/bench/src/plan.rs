//! What to measure, with what, how thoroughly.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use convwise_host::WorkerSpec;
use convwise_types::{Scenario, Subject};

use crate::error::BenchError;
use crate::schedule::Effort;

/// One benchmark to do. Every field may be set freely; [`BenchPlan::new`] fills in a screening at one thread.
#[derive(Clone, Debug)]
pub struct BenchPlan {
    /// What runs, as the record will say it. `batch` is what the inputs are made for.
    pub subject: Subject,
    /// The model file.
    pub model: PathBuf,
    /// Which runner, in which program, under which limits of time and memory. Its name goes into the record.
    pub worker: WorkerSpec,
    /// Options of the runner, without `threads`.
    pub options: BTreeMap<String, String>,
    /// Threads of compute in one run.
    pub threads: u64,
    /// How thorough.
    pub effort: Effort,
    /// How requests arrive.
    pub scenario: Scenario,
    /// The most time spent warming up and sampling, all launches together. Loading comes on top.
    pub max_time: Duration,
    /// Seed of the input data, and of the order of launches.
    pub seed: u64,
    /// The command line that repeats the measurement, for the record.
    pub command: String,
}

/// Time for warming up and sampling of a screening, unless the caller says otherwise.
pub const SCREENING_TIME: Duration = Duration::from_secs(4);

/// Time for warming up and sampling of a full measurement, unless the caller says otherwise.
pub const FULL_TIME: Duration = Duration::from_secs(30);

impl BenchPlan {
    /// A screening of `model` with one thread, back to back.
    #[must_use]
    pub fn new(subject: Subject, model: impl Into<PathBuf>, worker: WorkerSpec) -> Self {
        Self {
            subject,
            model: model.into(),
            worker,
            options: BTreeMap::new(),
            threads: 1,
            effort: Effort::Screening,
            scenario: Scenario::Latency,
            max_time: SCREENING_TIME,
            seed: 0,
            command: String::new(),
        }
    }

    /// The same plan at another effort, with that effort's usual time.
    #[must_use]
    pub fn with_effort(self, effort: Effort) -> Self {
        let max_time = match effort {
            Effort::Screening => SCREENING_TIME,
            Effort::Full => FULL_TIME,
        };
        Self { effort, max_time, ..self }
    }

    /// What is measured, for messages: the architecture, else the file.
    #[must_use]
    pub fn title(&self) -> String {
        let architecture = self.subject.architecture.as_ref().map(ToString::to_string);
        let file = || self.subject.file.clone().unwrap_or_else(|| self.model.display().to_string());
        architecture.unwrap_or_else(file)
    }

    /// Options as the runner gets them.
    pub(crate) fn all_options(&self) -> BTreeMap<String, String> {
        let mut options = self.options.clone();
        options.insert("threads".to_owned(), self.threads.to_string());
        options
    }

    /// What cannot be measured whatever the runner does.
    pub(crate) fn check(&self) -> Result<(), BenchError> {
        if self.scenario != Scenario::Latency {
            return Err(BenchError::ScenarioNotAvailable { scenario: self.scenario });
        }
        let at_least_one = |what, value| match value {
            0 => Err(BenchError::Zero { subject: self.title(), what }),
            _ => Ok(()),
        };
        at_least_one("threads", self.threads)?;
        at_least_one("batch", self.subject.batch)
    }
}
