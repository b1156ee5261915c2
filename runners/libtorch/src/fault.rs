//! What goes wrong inside an operator, before it is known in which node.

use convwise_sdk::{ErrorCode, RunnerError};
use tch::TchError;

/// A failure, in words that need only the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    code: ErrorCode,
    what: String,
}

impl Fault {
    /// The model is fine, but this is not done here.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self { code: ErrorCode::Unsupported, what: what.into() }
    }

    /// The model is not what it should be.
    pub(crate) fn model(what: impl Into<String>) -> Self {
        Self { code: ErrorCode::Model, what: what.into() }
    }

    /// The error for the caller, which says where.
    pub(crate) fn at(self, place: &str) -> RunnerError {
        RunnerError::new(self.code, format!("{place}: {}", self.what))
    }
}

impl From<TchError> for Fault {
    fn from(error: TchError) -> Self {
        let said = first_line(&error);
        let code = if out_of_memory(&said) { ErrorCode::OutOfMemory } else { ErrorCode::Model };
        Self { code, what: format!("libtorch refuses: {said}") }
    }
}

fn out_of_memory(said: &str) -> bool {
    ["not enough memory", "out of memory", "bad_alloc", "can't allocate"]
        .iter()
        .any(|words| said.contains(words))
}

/// What happened, without the C++ stack that libtorch appends.
pub(crate) fn first_line(error: &TchError) -> String {
    let text = error.to_string();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.trim_start_matches("Internal torch error: ").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_is_left_out_and_memory_has_its_own_code() {
        let error = TchError::Torch("mat1 and mat2 do not fit.\nException raised from x\nframe #0".into());
        let error = Fault::from(error).at("node a (Gemm)");
        assert_eq!(error.to_string(), "bad model: node a (Gemm): libtorch refuses: mat1 and mat2 do not fit");
        let error = TchError::Torch("DefaultCPUAllocator: not enough memory: you tried".into());
        assert_eq!(Fault::from(error).code, ErrorCode::OutOfMemory);
    }
}
