//! The error a runner returns: a code for programs, a sentence for people.

use convwise_abi::error_code;
use serde::{Deserialize, Serialize};

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// An argument or option value is wrong.
    Invalid,
    /// The model is fine, but this runner cannot run it.
    Unsupported,
    /// The model file is missing, damaged, or not what its name says.
    Model,
    /// Something is missing on this machine.
    Unavailable,
    /// Host or device memory is exhausted.
    OutOfMemory,
    /// Not allowed in the session's state.
    State,
    /// Everything else.
    Internal,
}

impl ErrorCode {
    /// The number that crosses the ABI.
    #[must_use]
    pub const fn to_abi(self) -> u32 {
        match self {
            Self::Invalid => error_code::INVALID,
            Self::Unsupported => error_code::UNSUPPORTED,
            Self::Model => error_code::MODEL,
            Self::Unavailable => error_code::UNAVAILABLE,
            Self::OutOfMemory => error_code::OUT_OF_MEMORY,
            Self::State => error_code::STATE,
            Self::Internal => error_code::INTERNAL,
        }
    }

    /// The code behind a number; one that is not known counts as [`ErrorCode::Internal`].
    #[must_use]
    pub const fn from_abi(code: u32) -> Self {
        match code {
            error_code::INVALID => Self::Invalid,
            error_code::UNSUPPORTED => Self::Unsupported,
            error_code::MODEL => Self::Model,
            error_code::UNAVAILABLE => Self::Unavailable,
            error_code::OUT_OF_MEMORY => Self::OutOfMemory,
            error_code::STATE => Self::State,
            _ => Self::Internal,
        }
    }

    /// The words for it, as they stand in front of a message.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Invalid => "invalid argument",
            Self::Unsupported => "not supported",
            Self::Model => "bad model",
            Self::Unavailable => "not available here",
            Self::OutOfMemory => "out of memory",
            Self::State => "called too early",
            Self::Internal => "internal error",
        }
    }
}

/// A runner's failure. The message is one lower-case sentence: what happened, to what, and what to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{}: {message}", code.label())]
pub struct RunnerError {
    /// The kind of failure.
    pub code: ErrorCode,
    /// The sentence.
    pub message: String,
}

impl RunnerError {
    /// An error of any kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A wrong argument or option.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    /// Something this runner cannot run; names the operator and the node.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unsupported, message)
    }

    /// A missing or damaged model file.
    pub fn model(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Model, message)
    }

    /// Something missing on this machine; says how to get it.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unavailable, message)
    }

    /// A call out of order.
    pub fn state(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::State, message)
    }

    /// Anything else.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }
}

impl From<crate::TensorError> for RunnerError {
    fn from(error: crate::TensorError) -> Self {
        Self::invalid(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_abi() {
        for number in 1..=7 {
            assert_eq!(ErrorCode::from_abi(number).to_abi(), number);
        }
        assert_eq!(ErrorCode::from_abi(0), ErrorCode::Internal);
        assert_eq!(ErrorCode::from_abi(99), ErrorCode::Internal);
    }
}
