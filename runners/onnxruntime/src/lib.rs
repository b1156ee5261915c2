//! ONNX Runtime as a runner: the shared library of [`convwise_ort::OnnxRuntime`].

convwise_sdk::export_runner!(convwise_ort::OnnxRuntime);
