//! TensorRT as a runner: the shared library of [`convwise_ort::TensorRt`].

convwise_sdk::export_runner!(convwise_ort::TensorRt);
