//! A runner whose times, outputs and misbehaviour come from the request, so that the whole pipeline can be tested
//! without a clock and every failure of a runner can be provoked.
//!
//! Owns the test double and nothing that a real runner would share. Its description says `simulated`, so that its
//! measurements are never taken for evidence.
//!
//! Options come with the call; those in the environment variable `CONVWISE_MOCK` (`key=value;key=value`) stand in where
//! a call has none, since `describe` takes no options.

mod mischief;
mod script;
mod session;

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use convwise_sdk::{Description, OptionDoc, Options, Probe, Runner, RunnerError, Session};

use mischief::Phase;
use script::Script;
use session::MockSession;

pub use mischief::crash_in_constructor_if_told;

/// The test double.
#[derive(Clone, Copy, Debug, Default)]
pub struct MockRunner;

impl Runner for MockRunner {
    fn describe(&self) -> Description {
        if let Ok(script) = Script::read(&Options::default()) {
            script.mischief.strike(Phase::Describe, 1);
        }
        Description {
            backend: Some("none: times come from the request".into()),
            formats: vec!["onnx".into()],
            precisions: ["fp32", "fp16", "int8"].map(String::from).to_vec(),
            options: script::OPTIONS
                .iter()
                .map(|(name, default, doc)| OptionDoc::new(name, default, doc))
                .collect(),
            concurrent: true,
            deterministic: true,
            simulated: true,
            extensions: ["convwise.clock/1", "convwise.profile/1"].map(String::from).to_vec(),
            ..Description::new("mock", env!("CARGO_PKG_VERSION"))
        }
    }

    fn probe(&self, options: &Options) -> Result<Probe, RunnerError> {
        let script = Script::read(options)?;
        script.mischief.strike(Phase::Probe, 1);
        Ok(match &script.missing {
            Some(what) => Probe::missing(what, format!("convwise runner install {what}")),
            None => Probe::cpu(),
        })
    }

    fn load(&self, model: &Path, options: &Options) -> Result<Box<dyn Session>, RunnerError> {
        let script = Script::read(options)?;
        script.mischief.strike(Phase::Load, 1);
        script.refuse(Phase::Load)?;
        look_at(model)?;
        Ok(Box::new(MockSession::new(script)))
    }
}

/// First byte of every ONNX file: field 1 (`ir_version`) of the message ModelProto, a number.
const ONNX_BEGINS: u8 = 0x08;

/// Even a pretence refuses what is plainly no model.
fn look_at(model: &Path) -> Result<(), RunnerError> {
    let problem = |why: &dyn Display| RunnerError::model(format!("{}: {why}", model.display()));
    let mut first = [0];
    File::open(model).and_then(|mut file| file.read_exact(&mut first)).map_err(|error| problem(&error))?;
    if first == [ONNX_BEGINS] { Ok(()) } else { Err(problem(&"this is no ONNX file")) }
}

convwise_sdk::runner_table!(MockRunner);
