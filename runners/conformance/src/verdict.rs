//! What trying a requirement gives.

use convwise_host::WorkerError;

/// What was found where the requirement is met, else why not.
pub(crate) type Verdict = Result<String, Failing>;

/// A requirement that is not met, or was not tried.
#[derive(Debug)]
pub(crate) enum Failing {
    /// The runner breaks it; how.
    Broken(String),
    /// It could not be tried; why.
    NotExamined(String),
}

impl From<WorkerError> for Failing {
    fn from(error: WorkerError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The requirement is broken: `how`.
pub(crate) fn broken<T>(how: impl Into<String>) -> Result<T, Failing> {
    Err(Failing::Broken(how.into()))
}

/// The requirement was not tried: `why`.
pub(crate) fn not_examined<T>(why: impl Into<String>) -> Result<T, Failing> {
    Err(Failing::NotExamined(why.into()))
}

/// This machine, and not the runner, is in the way.
pub(crate) fn here(error: impl std::fmt::Display) -> Failing {
    Failing::NotExamined(error.to_string())
}
