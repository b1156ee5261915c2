//! ONNX Runtime's errors in the runner's terms.

use convwise_sdk::{ErrorCode, RunnerError};

/// An error of ONNX Runtime while it was to `what`: its code decides the kind, its own message is kept.
pub(crate) fn from_ort<R>(what: &str, error: &ort::Error<R>) -> RunnerError {
    let (code, said) = (error.code(), error.message());
    RunnerError::new(
        kind(code, said),
        format!("ONNX Runtime could not {what}: {} ({})", tidy(said), name(code)),
    )
}

fn kind(code: ort::ErrorCode, said: &str) -> ErrorCode {
    use ort::ErrorCode as Ort;
    match code {
        _ if out_of_memory(said) => ErrorCode::OutOfMemory,
        Ort::NotImplemented => ErrorCode::Unsupported,
        // The checker of models and the loader have their own words for an operator that they do not know.
        _ if unknown_operator(said) => ErrorCode::Unsupported,
        Ort::NoSuchFile | Ort::NoModel | Ort::InvalidProtobuf | Ort::InvalidGraph => ErrorCode::Model,
        Ort::InvalidArgument => ErrorCode::Invalid,
        // Loading reports a graph of unknown operators or opsets as a general failure.
        Ort::GenericFailure if said.contains("opset") || said.contains("Load model") => ErrorCode::Model,
        _ => ErrorCode::Internal,
    }
}

fn unknown_operator(said: &str) -> bool {
    said.contains("No Op registered for") || said.contains("is not a registered function/op")
}

fn out_of_memory(said: &str) -> bool {
    ["Failed to allocate memory", "bad_alloc", "bad allocation"].iter().any(|words| said.contains(words))
}

/// The names of `OrtErrorCode` in onnxruntime_c_api.h.
fn name(code: ort::ErrorCode) -> &'static str {
    use ort::ErrorCode as Ort;
    match code {
        Ort::Ok => "ORT_OK",
        Ort::GenericFailure => "ORT_FAIL",
        Ort::InvalidArgument => "ORT_INVALID_ARGUMENT",
        Ort::NoSuchFile => "ORT_NO_SUCHFILE",
        Ort::NoModel => "ORT_NO_MODEL",
        Ort::EngineError => "ORT_ENGINE_ERROR",
        Ort::RuntimeException => "ORT_RUNTIME_EXCEPTION",
        Ort::InvalidProtobuf => "ORT_INVALID_PROTOBUF",
        Ort::ModelLoaded => "ORT_MODEL_LOADED",
        Ort::NotImplemented => "ORT_NOT_IMPLEMENTED",
        Ort::InvalidGraph => "ORT_INVALID_GRAPH",
        Ort::ExecutionProviderFailure => "ORT_EP_FAIL",
        Ort::ModelLoadCanceled => "ORT_MODEL_LOAD_CANCELED",
        Ort::CompilationRequired => "ORT_MODEL_REQUIRES_COMPILATION",
        Ort::NotFound => "ORT_NOT_FOUND",
        Ort::DeviceReset => "ORT_DEVICE_RESET",
        _ => "a code of a newer version",
    }
}

/// One line without the closing stop.
fn tidy(said: &str) -> String {
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_kinds() {
        use ort::ErrorCode as Ort;
        let check = |code, said, expect| assert_eq!(kind(code, said), expect, "{said}");
        check(Ort::InvalidProtobuf, "Protobuf parsing failed.", ErrorCode::Model);
        check(Ort::NotImplemented, "Could not find an implementation for Foo(1)", ErrorCode::Unsupported);
        check(Ort::RuntimeException, "std::bad_alloc", ErrorCode::OutOfMemory);
        check(Ort::GenericFailure, "Load model from x.onnx failed", ErrorCode::Model);
        let unknown = "Load model from x.onnx failed: In Node (\"odd\", Odd, \"\", -1): No Op registered for Odd with domain_version of 17";
        check(Ort::InvalidGraph, unknown, ErrorCode::Unsupported);
        check(Ort::RuntimeException, "something else", ErrorCode::Internal);
        assert_eq!(tidy("Protobuf  parsing\nfailed."), "Protobuf parsing failed");
    }
}
