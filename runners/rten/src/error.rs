//! rten's errors in the runner's terms. Its own texts name node and operator, and are kept.

use std::path::Path;

use convwise_sdk::{ErrorCode, RunnerError};
use rten::{LoadError, LoadErrorKind, RunError, RunErrorKind};

/// A model that cannot be loaded.
pub(crate) fn loading(model: &Path, error: &LoadError) -> RunnerError {
    let code = match error.kind() {
        LoadErrorKind::OperatorInvalid | LoadErrorKind::FormatNotEnabled => ErrorCode::Unsupported,
        _ => ErrorCode::Model,
    };
    let hint = match error.kind() {
        LoadErrorKind::OperatorInvalid => "; use a runner that has this operator",
        LoadErrorKind::ParseError => "; it is damaged or no ONNX file",
        LoadErrorKind::UnknownFileType | LoadErrorKind::FormatNotEnabled => "; this runner takes .onnx files",
        _ => "",
    };
    RunnerError::new(code, format!("{}: {error}{hint}", model.display()))
}

/// A run that failed.
pub(crate) fn running(error: &RunError) -> RunnerError {
    let code = match error.kind() {
        RunErrorKind::InvalidInput => ErrorCode::Invalid,
        RunErrorKind::OperatorError => ErrorCode::Unsupported,
        _ => ErrorCode::Internal,
    };
    RunnerError::new(code, error.to_string())
}
