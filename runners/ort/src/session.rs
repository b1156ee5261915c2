//! A loaded model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use convwise_sdk::{Build, Dim, Io, Missing, Profile, RunnerError, Session, TensorInfo, TensorView};
use ort::session::builder::{AutoDevicePolicy, SessionBuilder};
use ort::session::{Session as Model, SessionInputValue};
use ort::value::{DynTensor, DynTensorValueType, Outlet};

use crate::cache::{Caches, Platform};
use crate::device::Bound;
use crate::engine::Engine;
use crate::error::from_ort;
use crate::library::locate;
use crate::provider::{Provider, chain};
use crate::settings::Settings;
use crate::tensor::{copy_in, describe, view};
use crate::{needs, nvidia, placement, probe, profile};

/// A model in ONNX Runtime with its inputs and the outputs of the last run.
pub(crate) struct OrtSession {
    model: Model,
    io: Io,
    inputs: Inputs,
    outputs: Outputs,
    again: Again,
}

/// What it takes to load the model once more.
struct Again {
    engine: &'static Engine,
    settings: Settings,
    path: PathBuf,
}

/// Inputs as they are set.
struct Inputs {
    set: Vec<Option<SessionInputValue<'static>>>,
    /// All in order, once they are all set.
    ready: Vec<SessionInputValue<'static>>,
}

/// Where the outputs of a run are.
enum Outputs {
    /// In the memory of the CPU, made by each run.
    Made(Vec<DynTensor>),
    /// In memory that they are bound to.
    Bound(Box<Bound>),
}

impl OrtSession {
    /// Loads and optimises the model at `path`.
    pub(crate) fn load(path: &Path, settings: Settings) -> Result<Self, RunnerError> {
        let library = locate(settings.library.as_deref(), settings.provider).path(settings.provider)?;
        let engine = Engine::get(&library, settings.provider)?;
        if settings.provider != Provider::Cpu {
            available(&probe::absent(engine, &settings))?;
        }
        let Made { model, build } = make(engine, &settings, path)?;
        let io = io(&model, &settings, build)?;
        let inputs = Inputs { set: io.inputs.iter().map(|_| None).collect(), ready: Vec::new() };
        let outputs = match settings.binding {
            true => {
                Outputs::Bound(Box::new(Bound::new(&model, settings.provider.memory(), settings.device)?))
            }
            false => Outputs::Made(Vec::new()),
        };
        let again = Again { engine, settings, path: path.to_owned() };
        Ok(Self { model, io, inputs, outputs, again })
    }

    fn missing_input(&self) -> RunnerError {
        let unset = self.inputs.set.iter().zip(&self.io.inputs).find(|(value, _)| value.is_none());
        let name = unset.map_or("", |(_, info)| info.name.as_str());
        RunnerError::state(format!("input {name} is not set"))
    }

    fn is_ready(&self) -> bool {
        self.inputs.ready.len() == self.io.inputs.len()
    }
}

/// The error that names all that is missing, with what gets it.
fn available(missing: &[Missing]) -> Result<(), RunnerError> {
    if missing.is_empty() {
        return Ok(());
    }
    let each: Vec<_> = missing.iter().map(|m| format!("{} [{}]", m.what, m.how)).collect();
    Err(RunnerError::unavailable(format!("missing: {}", each.join("; "))))
}

/// A model, and what compiling it for the device took.
struct Made {
    model: Model,
    build: Option<Build>,
}

fn make(engine: &Engine, settings: &Settings, path: &Path) -> Result<Made, RunnerError> {
    if settings.provider != Provider::TensorRt {
        return Ok(Made { model: commit(engine, settings, None, path)?, build: None });
    }
    let caches = Caches::open(settings, &platform(engine), path)?;
    let (started, mut cached) = (Instant::now(), caches.as_ref().is_some_and(|caches| caches.found));
    let model = match (commit(engine, settings, caches.as_ref(), path), &caches) {
        // An engine that was kept and cannot be read is built anew, once.
        (Err(_), Some(kept)) if cached => {
            cached = false;
            let emptied = kept.clone().emptied().map_err(|error| RunnerError::internal(error.to_string()))?;
            commit(engine, settings, Some(&emptied), path)?
        }
        (model, _) => model?,
    };
    let ns = nanos(started.elapsed());
    if let Some(caches) = &caches {
        caches.complete();
    }
    Ok(Made { model, build: Some(Build { ns, cached }) })
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What engines depend on beside the model and the options, as far as it can be found out.
fn platform(engine: &Engine) -> Platform {
    let nvidia = nvidia::look().unwrap_or_default();
    let tensorrt = needs::tensorrt_soname(engine.path()).and_then(|name| nvidia::tensorrt_version(&name));
    let gpus: Vec<_> = nvidia.gpus.iter().map(|gpu| format!("{} {}", gpu.name, gpu.uuid)).collect();
    Platform {
        versions: format!("{}, TensorRT {}", engine.title(), tensorrt.unwrap_or_default()),
        driver: nvidia.driver.unwrap_or_default(),
        gpu: gpus.join(", "),
    }
}

fn commit(
    engine: &Engine,
    settings: &Settings,
    caches: Option<&Caches>,
    path: &Path,
) -> Result<Model, RunnerError> {
    let what = format!("load {}", path.display());
    let mut builder = builder(engine, settings, caches)?;
    builder.commit_from_file(path).map_err(|error| from_ort(&what, &error))
}

/// A session to be, with its execution providers started.
pub(crate) fn builder(
    engine: &Engine,
    settings: &Settings,
    caches: Option<&Caches>,
) -> Result<SessionBuilder, RunnerError> {
    let plain = plain(engine, settings).map_err(|error| from_ort("set up a session", &error))?;
    let started = plain.with_execution_providers(chain(settings, caches));
    started.map_err(|error| {
        let said = from_ort(&format!("start {}", settings.provider.name()), &error).message;
        RunnerError::unavailable(said)
    })
}

fn plain(engine: &Engine, settings: &Settings) -> ort::Result<SessionBuilder> {
    Ok(Model::builder(&engine.environment)?
        .with_intra_threads(settings.threads)?
        .with_inter_threads(1)?
        .with_parallel_execution(false)?
        .with_intra_op_spinning(settings.spinning)?
        .with_inter_op_spinning(settings.spinning)?
        .with_optimization_level(settings.optimisation)?
        // Nothing is to choose a device by itself.
        .with_auto_device(AutoDevicePolicy::PreferCPU)?
        .with_config_entry(placement::CONFIG, "1")?)
}

/// Inputs and outputs, and where the nodes are; nodes that fell back are an error unless that was asked for.
fn io(model: &Model, settings: &Settings, build: Option<Build>) -> Result<Io, RunnerError> {
    let nodes = placement::placed(model)?;
    let (provider, counts) = (settings.provider.name(), placement::count(&nodes));
    let refused = if settings.fallback { None } else { placement::refusal(&nodes, provider) };
    if let Some(refusal) = refused {
        return Err(refusal);
    }
    let infos = |outlets: &[Outlet]| outlets.iter().map(describe).collect::<Result<Vec<_>, _>>();
    let mut io = Io::new(infos(model.inputs())?, infos(model.outputs())?);
    io.notes = notes(&io, &counts, settings, build);
    io.placement = counts;
    io.build = build;
    Ok(io)
}

fn notes(io: &Io, counts: &BTreeMap<String, u64>, settings: &Settings, build: Option<Build>) -> Vec<String> {
    let open = |info: &TensorInfo| info.shape.iter().any(|dim| matches!(dim, Dim::Dynamic(_)));
    let late = build.is_some() && io.inputs.iter().any(open);
    let late = late.then(|| {
        "the model leaves sizes open: TensorRT builds its engine in the first run, which counts as that"
            .to_owned()
    });
    placement::note(counts, settings.provider.name()).into_iter().chain(late).collect()
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

impl Inputs {
    /// Moves the inputs to where a run reads them once they are all there, so that a run does nothing but run.
    fn put(&mut self, index: usize, value: SessionInputValue<'static>) {
        if let Some(place) = self.ready.get_mut(index) {
            *place = value;
        } else if let Some(place) = self.set.get_mut(index) {
            *place = Some(value);
            if self.set.iter().all(Option::is_some) {
                self.ready = self.set.drain(..).flatten().collect();
            }
        }
    }
}

impl Outputs {
    fn forget(&mut self) {
        match self {
            Self::Made(outputs) => outputs.clear(),
            Self::Bound(bound) => bound.forget(),
        }
    }
}

fn run(
    model: &mut Model,
    inputs: &[SessionInputValue<'static>],
    outputs: &mut Vec<DynTensor>,
) -> Result<(), RunnerError> {
    outputs.clear();
    for (_, value) in model.run(inputs).map_err(|error| from_ort("run the model", &error))? {
        let tensor = value.downcast::<DynTensorValueType>();
        outputs.push(tensor.map_err(|error| from_ort("hand out an output", &error))?);
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
        let info = self.io.inputs.get(index).ok_or_else(wrong)?;
        check(info, &tensor)?;
        let copy = copy_in(&tensor)?;
        match &mut self.outputs {
            Outputs::Made(outputs) => outputs.clear(),
            Outputs::Bound(bound) => bound.set(&info.name, &copy)?,
        }
        self.inputs.put(index, SessionInputValue::from(copy));
        Ok(())
    }

    fn run(&mut self) -> Result<(), RunnerError> {
        if !self.is_ready() {
            return Err(self.missing_input());
        }
        match &mut self.outputs {
            Outputs::Made(outputs) => run(&mut self.model, &self.inputs.ready, outputs),
            Outputs::Bound(bound) => bound.run(&mut self.model),
        }
    }

    fn output(&mut self, index: usize) -> Result<TensorView<'_>, RunnerError> {
        let count = self.io.outputs.len();
        let wrong = || RunnerError::invalid(format!("there is no output {index}; the model has {count}"));
        let unmade = || RunnerError::state("run the model first");
        match &mut self.outputs {
            Outputs::Made(outputs) if outputs.is_empty() => Err(unmade()),
            Outputs::Bound(bound) if !bound.has_run() => Err(unmade()),
            Outputs::Made(outputs) => outputs.get(index).map(view).unwrap_or_else(|| Err(wrong())),
            Outputs::Bound(bound) => bound.output(index).unwrap_or_else(|| Err(wrong())),
        }
    }

    fn profile(&mut self, runs: u32) -> Result<Profile, RunnerError> {
        if runs == 0 {
            return Err(RunnerError::invalid("a profile takes one run at least"));
        }
        if !self.is_ready() {
            return Err(self.missing_input());
        }
        self.outputs.forget();
        self.again.profile(&self.inputs.ready, runs)
    }
}

impl Again {
    /// Runs a second session of the model under ONNX Runtime's profiler: that of the timed runs stays as it is.
    fn profile(&self, inputs: &[SessionInputValue<'static>], runs: u32) -> Result<Profile, RunnerError> {
        self.waits_for_kernels()?;
        let failed =
            |error: std::io::Error| RunnerError::internal(format!("a folder for the profile: {error}"));
        let folder = tempfile::Builder::new().prefix("convwise-profile-").tempdir().map_err(failed)?;
        let builder = builder(self.engine, &self.settings, None)?;
        let builder = builder.with_profiling(folder.path().join("profile"));
        let mut builder = builder.map_err(|error| from_ort("profile", &error))?;
        let model = builder.commit_from_file(&self.path);
        let mut model = model.map_err(|error| from_ort("load the model again", &error))?;
        let mut outputs = Vec::new();
        for _ in 0..u64::from(runs) + profile::WARM_UP as u64 {
            run(&mut model, inputs, &mut outputs)?;
        }
        let written = model.end_profiling().map_err(|error| from_ort("write its profile", &error))?;
        profile::read(Path::new(&written))
    }

    /// A kernel on a GPU is queued and not waited for: its time would be that of queuing it.
    fn waits_for_kernels(&self) -> Result<(), RunnerError> {
        let blocking = std::env::var_os("CUDA_LAUNCH_BLOCKING").is_some_and(|value| value == "1");
        if self.settings.provider.memory().is_none() || blocking {
            return Ok(());
        }
        Err(RunnerError::unsupported(format!(
            "{} queues its kernels, and ONNX Runtime's profiler would time the queuing; set CUDA_LAUNCH_BLOCKING=1 to have \
             each waited for",
            self.settings.provider.name()
        )))
    }
}
