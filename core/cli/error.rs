//! Everything that ends a command, with its exit code and the text a person reads.

use std::fmt;

use convwise_types::Diagnostic;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum CliError {
    /// Something went wrong: exit code 1.
    Failed(String),
    /// Nothing fits the request; the answer is already printed: exit code 2.
    NothingFits,
    /// The input is wrong: exit code 3.
    Invalid(String),
    /// A text file is wrong, with the places: exit code 3.
    Source(Vec<Diagnostic>),
    /// The answer is printed and says itself what failed: the given exit code.
    Reported(u8),
}

impl CliError {
    pub(crate) fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    pub(crate) fn invalid(error: impl fmt::Display) -> Self {
        Self::Invalid(error.to_string())
    }

    /// 0 done, 1 failed, 2 nothing fits the request, 3 invalid input.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::NothingFits => 2,
            Self::Invalid(_) | Self::Source(_) => 3,
            Self::Reported(code) => *code,
        }
    }
}
