//! ONNX Runtime behind the runner contract, as two runners: [`OnnxRuntime`], and [`TensorRt`], which is ONNX Runtime with
//! NVIDIA's TensorRT as its execution provider. Each is exported by a crate of its own that does nothing else.
//!
//! Owns the translation between the runner contract and ONNX Runtime's C API (through `ort`). No library is part of the
//! build, neither ONNX Runtime's nor NVIDIA's: they are looked for at run time, so that the plugins build and load without
//! them and `probe` can say what is missing. It must not know how the libraries get onto the machine.
//!
//! ONNX Runtime falls back to the CPU without a word when a provider does not take a node. Here every node is counted, and
//! one that runs elsewhere than was asked for is an error unless the option `fallback` allows it.

mod cache;
mod device;
mod elf;
mod engine;
mod error;
mod library;
mod needs;
mod nvidia;
mod placement;
mod probe;
mod profile;
mod provider;
mod session;
mod settings;
mod tensor;

use std::path::Path;

use convwise_sdk::{Description, Options, Probe, Runner, RunnerError, Session};

use session::OrtSession;
use settings::{Flavour, Settings};

/// The extension for times per layer.
const PROFILE: &str = "convwise.profile/1";

/// ONNX Runtime, with an execution provider of one's choice.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnnxRuntime;

/// ONNX Runtime with TensorRT.
#[derive(Clone, Copy, Debug, Default)]
pub struct TensorRt;

impl Runner for OnnxRuntime {
    fn describe(&self) -> Description {
        Description {
            formats: vec!["onnx".into()],
            precisions: vec!["fp32".into(), "int8".into()],
            options: Flavour::OnnxRuntime.documentation(),
            concurrent: true,
            deterministic: true,
            extensions: vec![PROFILE.into()],
            ..Description::new("onnxruntime", env!("CARGO_PKG_VERSION"))
        }
    }

    fn probe(&self, options: &Options) -> Result<Probe, RunnerError> {
        probe::probe(&Settings::read(Flavour::OnnxRuntime, options)?)
    }

    fn load(&self, model: &Path, options: &Options) -> Result<Box<dyn Session>, RunnerError> {
        Ok(Box::new(OrtSession::load(model, Settings::read(Flavour::OnnxRuntime, options)?)?))
    }
}

impl Runner for TensorRt {
    fn describe(&self) -> Description {
        Description {
            formats: vec!["onnx".into()],
            precisions: vec!["fp32".into(), "fp16".into(), "int8".into()],
            options: Flavour::TensorRt.documentation(),
            concurrent: true,
            // The builder picks kernels by timing them: two builds of one model may differ in the last bits.
            deterministic: false,
            ..Description::new("tensorrt", env!("CARGO_PKG_VERSION"))
        }
    }

    fn probe(&self, options: &Options) -> Result<Probe, RunnerError> {
        probe::probe(&Settings::read(Flavour::TensorRt, options)?)
    }

    fn load(&self, model: &Path, options: &Options) -> Result<Box<dyn Session>, RunnerError> {
        Ok(Box::new(OrtSession::load(model, Settings::read(Flavour::TensorRt, options)?)?))
    }
}
