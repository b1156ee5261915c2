//! ONNX Runtime as a runner.
//!
//! Owns the translation between the runner contract and ONNX Runtime's C API (through `ort`). The library itself is not
//! part of the build: it is looked for at run time, so that this plugin builds and loads without it and `probe` can say
//! what is missing. It must not know how that library gets onto the machine.
//!
//! Only the CPU execution provider is offered: ONNX Runtime falls back to the CPU without a word when another provider
//! does not take a node, and a number that was measured elsewhere than it says is worse than none.

mod engine;
mod error;
mod library;
mod session;
mod settings;
mod tensor;

use std::path::Path;

use convwise_sdk::{Description, OptionDoc, Options, Probe, Runner, RunnerError, Session};

use engine::Engine;
use library::{Located, locate};
use session::OrtSession;
use settings::Settings;

/// The runner.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnnxRuntime;

impl Runner for OnnxRuntime {
    fn describe(&self) -> Description {
        Description {
            formats: vec!["onnx".into()],
            precisions: vec!["fp32".into(), "int8".into()],
            options: settings::OPTIONS
                .iter()
                .map(|(name, default, doc)| OptionDoc::new(name, default, doc))
                .collect(),
            concurrent: true,
            deterministic: true,
            ..Description::new("onnxruntime", env!("CARGO_PKG_VERSION"))
        }
    }

    fn probe(&self, options: &Options) -> Result<Probe, RunnerError> {
        let settings = Settings::read(options)?;
        let problem = match locate(settings.library.as_deref()) {
            Located::At(path) => match Engine::get(&path) {
                Ok(engine) => return Ok(Probe { backend: Some(engine.title()), ..Probe::cpu() }),
                Err(error) => error.message,
            },
            Located::Missing(what) => what,
        };
        Ok(Probe::missing(problem, library::REMEDY))
    }

    fn load(&self, model: &Path, options: &Options) -> Result<Box<dyn Session>, RunnerError> {
        let settings = Settings::read(options)?;
        let path = locate(settings.library.as_deref()).path()?;
        Ok(Box::new(OrtSession::load(Engine::get(&path)?, model, &settings)?))
    }
}

convwise_sdk::export_runner!(OnnxRuntime);
