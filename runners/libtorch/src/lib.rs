//! libtorch as a runner.
//!
//! Owns the translation from ONNX models to libtorch's operators, and TorchScript files. A model becomes a plan once, when
//! it is loaded: constants are folded, weights laid out, and every step knows what it may overwrite and what dies with it,
//! so that a run does nothing but call operators. It must not know how libtorch gets onto the machine: it is linked.

mod convert;
mod cuda;
mod device;
mod fault;
mod model;
mod ops;
mod plan;
mod script;
mod session;
mod settings;
mod threads;

use std::path::Path;

use convwise_sdk::{Description, OptionDoc, Options, Probe, Runner, RunnerError, Session};

use session::TorchSession;
use settings::Settings;

/// What it is built for: tch 0.26 takes this libtorch and no other.
const BACKEND: &str = "libtorch 2.13.0";

/// The runner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Libtorch;

impl Runner for Libtorch {
    fn describe(&self) -> Description {
        Description {
            backend: Some(BACKEND.into()),
            formats: ["onnx", "pt", "torchscript"].map(String::from).to_vec(),
            precisions: ["fp32", "fp16", "bf16", "int8"].map(String::from).to_vec(),
            options: settings::OPTIONS
                .iter()
                .map(|(name, default, doc)| OptionDoc::new(name, default, doc))
                .collect(),
            // The number of threads belongs to the process.
            concurrent: false,
            deterministic: true,
            extensions: vec!["convwise.profile/1".into()],
            ..Description::new("libtorch", env!("CARGO_PKG_VERSION"))
        }
    }

    fn probe(&self, options: &Options) -> Result<Probe, RunnerError> {
        Settings::read(options)?;
        Ok(Probe { backend: Some(BACKEND.into()), devices: device::present(), ..Probe::cpu() })
    }

    fn load(&self, model: &Path, options: &Options) -> Result<Box<dyn Session>, RunnerError> {
        let settings = Settings::read(options)?;
        device::check(settings.device)?;
        Ok(Box::new(TorchSession::load(model, &settings)?))
    }
}

convwise_sdk::export_runner!(Libtorch);
