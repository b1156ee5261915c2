//! A loaded model.

use std::path::Path;

use convwise_sdk::{Io, RunnerError, Session, TensorInfo, TensorView};
use ort::ep::CPU;
use ort::session::builder::SessionBuilder;
use ort::session::{Session as Model, SessionInputValue};
use ort::value::{DynTensor, DynTensorValueType, Outlet};

use crate::engine::Engine;
use crate::error::from_ort;
use crate::settings::Settings;
use crate::tensor::{copy_in, describe, view};

/// A model in ONNX Runtime with its inputs and the outputs of the last run.
pub(crate) struct OrtSession {
    model: Model,
    io: Io,
    set: Vec<Option<SessionInputValue<'static>>>,
    /// All inputs in order, once they are all set.
    ready: Vec<SessionInputValue<'static>>,
    outputs: Vec<DynTensor>,
}

impl OrtSession {
    /// Loads and optimises the model at `path`.
    pub(crate) fn load(engine: &Engine, path: &Path, settings: &Settings) -> Result<Self, RunnerError> {
        let what = format!("load {}", path.display());
        let mut builder = builder(engine, settings).map_err(|error| from_ort("set up a session", &error))?;
        let model = builder.commit_from_file(path).map_err(|error| from_ort(&what, &error))?;
        let infos = |outlets: &[Outlet]| outlets.iter().map(describe).collect::<Result<Vec<_>, _>>();
        let io = Io::new(infos(model.inputs())?, infos(model.outputs())?);
        let set = io.inputs.iter().map(|_| None).collect();
        Ok(Self { model, io, set, ready: Vec::new(), outputs: Vec::new() })
    }

    /// Moves the inputs to where a run reads them, so that a run does nothing but run.
    fn complete(&mut self) {
        if self.set.iter().all(Option::is_some) {
            self.ready = self.set.drain(..).flatten().collect();
        }
    }

    fn missing_input(&self) -> RunnerError {
        let unset = self.set.iter().zip(&self.io.inputs).find(|(value, _)| value.is_none());
        let name = unset.map_or("", |(_, info)| info.name.as_str());
        RunnerError::state(format!("input {name} is not set"))
    }
}

fn builder(engine: &Engine, settings: &Settings) -> ort::Result<SessionBuilder> {
    let cpu = CPU::default().with_arena_allocator(settings.arena).build().error_on_failure();
    Ok(Model::builder(&engine.environment)?
        .with_intra_threads(settings.threads)?
        .with_inter_threads(1)?
        .with_parallel_execution(false)?
        .with_intra_op_spinning(settings.spinning)?
        .with_inter_op_spinning(settings.spinning)?
        .with_optimization_level(settings.optimisation)?
        .with_execution_providers([cpu])?)
}

/// Whether the tensor is one that the input takes.
fn check(info: &TensorInfo, tensor: &TensorView<'_>) -> Result<(), RunnerError> {
    if tensor.dtype() != info.dtype {
        let (wanted, found) = (info.dtype, tensor.dtype());
        return Err(RunnerError::invalid(format!("input {} takes {wanted}, not {found}", info.name)));
    }
    if !info.accepts(&tensor.shape()) {
        return Err(RunnerError::invalid(format!(
            "input {} takes shape {:?}, not {:?}",
            info.name,
            info.shape,
            tensor.shape()
        )));
    }
    Ok(())
}

impl Session for OrtSession {
    fn io(&self) -> Result<Io, RunnerError> {
        Ok(self.io.clone())
    }

    fn set_input(&mut self, index: usize, tensor: TensorView<'_>) -> Result<(), RunnerError> {
        let count = self.io.inputs.len();
        let wrong = || RunnerError::invalid(format!("there is no input {index}; the model has {count}"));
        check(self.io.inputs.get(index).ok_or_else(wrong)?, &tensor)?;
        let value = SessionInputValue::from(copy_in(&tensor)?);
        self.outputs.clear();
        if let Some(place) = self.ready.get_mut(index) {
            *place = value;
        } else if let Some(place) = self.set.get_mut(index) {
            *place = Some(value);
            self.complete();
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), RunnerError> {
        if self.ready.len() != self.io.inputs.len() {
            return Err(self.missing_input());
        }
        self.outputs.clear();
        let outputs =
            self.model.run(self.ready.as_slice()).map_err(|error| from_ort("run the model", &error))?;
        for (_, value) in outputs {
            let tensor = value.downcast::<DynTensorValueType>();
            self.outputs.push(tensor.map_err(|error| from_ort("hand out an output", &error))?);
        }
        Ok(())
    }

    fn output(&mut self, index: usize) -> Result<TensorView<'_>, RunnerError> {
        let (made, count) = (self.outputs.len(), self.io.outputs.len());
        match self.outputs.get(index) {
            Some(tensor) => view(tensor),
            None if made == 0 => Err(RunnerError::state("run the model first")),
            None => Err(RunnerError::invalid(format!("there is no output {index}; the model has {count}"))),
        }
    }
}
