//! A loaded model with its inputs and the outputs of its last run.

use std::path::Path;

use convwise_sdk::{Io, Profile, RunnerError, SCHEMA, Session, TensorInfo, TensorView};
use tch::{Device, Tensor};

use crate::convert::{Output, copy_in};
use crate::device;
use crate::model::Model;
use crate::plan::{Plan, compile};
use crate::script::Script;
use crate::settings::Settings;
use crate::threads;

/// A session of libtorch.
pub(crate) struct TorchSession {
    program: Program,
    io: Io,
    set: Vec<bool>,
    outputs: Vec<Output>,
    threads: usize,
    device: Device,
}

/// What is run.
enum Program {
    Onnx(Plan),
    Script(Script),
}

impl TorchSession {
    /// Loads a model and prepares all that can be prepared.
    pub(crate) fn load(path: &Path, settings: &Settings) -> Result<Self, RunnerError> {
        threads::state(settings.threads);
        let _guard = tch::no_grad_guard();
        let program = Program::load(path, settings)?;
        let io = program.io();
        let set = vec![false; io.inputs.len()];
        device::finish(settings.device);
        Ok(Self { program, io, set, outputs: vec![], threads: settings.threads, device: settings.device })
    }
}

impl TorchSession {
    /// Whether every input is set.
    fn ready(&self) -> Result<(), RunnerError> {
        match self.io.inputs.iter().zip(&self.set).find(|(_, set)| !**set) {
            Some((info, _)) => Err(RunnerError::state(format!("input {} is not set", info.name))),
            None => Ok(()),
        }
    }
}

impl Program {
    fn load(path: &Path, settings: &Settings) -> Result<Self, RunnerError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("pt" | "pth" | "ts" | "torchscript") => Ok(Self::Script(Script::load(path, settings)?)),
            _ => Ok(Self::Onnx(compile(Model::read(path)?, settings)?)),
        }
    }

    fn io(&self) -> Io {
        match self {
            Self::Onnx(plan) => Io { notes: plan.notes(), ..Io::new(plan.inputs(), plan.outputs()) },
            Self::Script(script) => script.io(),
        }
    }

    fn set(&mut self, index: usize, tensor: Tensor) -> Result<(), RunnerError> {
        match self {
            Self::Onnx(plan) => plan.set(index, tensor),
            Self::Script(script) => script.set(index, tensor),
        }
    }

    fn run(&mut self) -> Result<Vec<Tensor>, RunnerError> {
        match self {
            Self::Onnx(plan) => plan.run(),
            Self::Script(script) => script.run(),
        }
    }
}

impl Session for TorchSession {
    fn io(&self) -> Result<Io, RunnerError> {
        Ok(self.io.clone())
    }

    fn set_input(&mut self, index: usize, tensor: TensorView<'_>) -> Result<(), RunnerError> {
        let count = self.io.inputs.len();
        let wrong = || RunnerError::invalid(format!("there is no input {index}; the model has {count}"));
        check(self.io.inputs.get(index).ok_or_else(wrong)?, &tensor)?;
        let _guard = tch::no_grad_guard();
        self.program.set(index, copy_in(&tensor, self.device)?)?;
        device::finish(self.device);
        self.outputs.clear();
        if let Some(set) = self.set.get_mut(index) {
            *set = true;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), RunnerError> {
        self.ready()?;
        threads::state(self.threads);
        let _guard = tch::no_grad_guard();
        // Freed before the run, not during it: a second set of outputs would count as memory of the model.
        self.outputs.clear();
        let made = self.program.run()?;
        device::finish(self.device);
        self.outputs = made.iter().map(Output::of).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn profile(&mut self, runs: u32) -> Result<Profile, RunnerError> {
        self.ready()?;
        let Program::Onnx(plan) = &mut self.program else {
            return Err(RunnerError::unsupported(
                "the parts of a TorchScript file cannot be timed; use ONNX",
            ));
        };
        threads::state(self.threads);
        let _guard = tch::no_grad_guard();
        self.outputs.clear();
        Ok(Profile { schema: SCHEMA, runs, layers: plan.profile(runs, self.device)? })
    }

    fn output(&mut self, index: usize) -> Result<TensorView<'_>, RunnerError> {
        match self.outputs.get(index) {
            Some(output) => output.view(),
            None if self.outputs.is_empty() => Err(RunnerError::state("run the model first")),
            None => Err(RunnerError::invalid(format!("there is no output {index}"))),
        }
    }
}

/// Whether the tensor is one that the input takes.
fn check(info: &TensorInfo, tensor: &TensorView<'_>) -> Result<(), RunnerError> {
    let (wanted, found) = (info.dtype, tensor.dtype());
    if found != wanted {
        return Err(RunnerError::invalid(format!("input {} takes {wanted}, not {found}", info.name)));
    }
    if !info.accepts(&tensor.shape()) {
        let (shape, given) = (&info.shape, tensor.shape());
        return Err(RunnerError::invalid(format!(
            "input {} takes shape {shape:?}, not {given:?}",
            info.name
        )));
    }
    Ok(())
}
