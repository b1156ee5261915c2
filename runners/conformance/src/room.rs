//! Where a runner is examined: its own answers, model files, and workers under limits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use convwise_graph::Graph;
use convwise_host::{Deadlines, Description, Probe, Worker, WorkerSpec};
use convwise_onnx::{ExportOptions, export};
use tempfile::TempDir;

use crate::graphs::{self, Lively};
use crate::verdict::{Failing, broken, here, not_examined};

/// A runner to examine.
#[derive(Clone, Debug)]
pub struct Subject {
    /// How a worker for it is started.
    pub spec: WorkerSpec,
    /// Options for `probe` and `load`.
    pub options: BTreeMap<String, String>,
    /// Name and version as its manifest has them, if it has one.
    pub manifest: Option<(String, String)>,
}

/// The most private memory that a runner may take while it is examined.
const MEMORY: u64 = 6 << 30;

/// The examination of one runner.
pub(crate) struct Room<'s> {
    pub(crate) subject: &'s Subject,
    folder: Result<TempDir, String>,
    described: Result<Description, String>,
    probed: Result<Probe, String>,
}

impl<'s> Room<'s> {
    /// Asks the runner who it is and what it needs, and makes a folder for its models.
    pub(crate) fn for_subject(subject: &'s Subject) -> Self {
        let folder = tempfile::Builder::new().prefix("convwise-").tempdir();
        let folder = folder.map_err(|error| format!("there is no folder for model files: {error}"));
        let nothing = || "it could not be started".to_owned();
        let mut room = Self { subject, folder, described: Err(nothing()), probed: Err(nothing()) };
        if let Ok(mut worker) = room.worker() {
            room.described = worker.describe().map_err(|error| error.to_string());
            room.probed = worker.probe(&subject.options).map_err(|error| error.to_string());
        }
        room
    }

    /// A worker of its own, under limits.
    pub(crate) fn worker(&self) -> Result<Worker, Failing> {
        Ok(Worker::spawn(&self.spec())?)
    }

    pub(crate) fn spec(&self) -> WorkerSpec {
        let seconds = Duration::from_secs;
        let usual = self.subject.spec.deadlines;
        let deadlines = Deadlines { load: seconds(120), run: seconds(60), other: seconds(60), ..usual };
        WorkerSpec { threads: Some(1), memory_limit: Some(MEMORY), deadlines, ..self.subject.spec.clone() }
    }

    /// What the runner says it is.
    pub(crate) fn description(&self) -> Result<&Description, Failing> {
        self.described
            .as_ref()
            .map_err(|why| Failing::NotExamined(format!("it did not describe itself: {why}")))
    }

    /// What the runner says it needs.
    pub(crate) fn probe(&self) -> Result<&Probe, Failing> {
        self.probed.as_ref().map_err(|why| Failing::Broken(why.clone()))
    }

    /// Whether it can run anything here.
    pub(crate) fn must_be_usable(&self) -> Result<(), Failing> {
        match &self.probed {
            Ok(probe) if probe.usable => Ok(()),
            Ok(_) => not_examined("something that it needs is missing here"),
            Err(_) => not_examined("it cannot be probed"),
        }
    }

    /// Whether it reads the models that this program writes.
    pub(crate) fn must_read_onnx(&self) -> Result<(), Failing> {
        self.must_be_usable()?;
        match self.description()?.formats.iter().any(|format| format == "onnx") {
            true => Ok(()),
            false => not_examined("it reads no ONNX"),
        }
    }

    /// Whether its outputs and times are more than a pretence.
    pub(crate) fn must_be_real(&self) -> Result<(), Failing> {
        self.must_read_onnx()?;
        if self.description()?.simulated { not_examined("it only pretends to compute") } else { Ok(()) }
    }

    /// Options of the runner, at one thread.
    pub(crate) fn options(&self) -> BTreeMap<String, String> {
        let mut options = self.subject.options.clone();
        options.entry("threads".to_owned()).or_insert_with(|| "1".to_owned());
        options
    }

    /// The same with another value.
    pub(crate) fn options_with(&self, key: &str, value: &str) -> BTreeMap<String, String> {
        let mut options = self.options();
        options.insert(key.to_owned(), value.to_owned());
        options
    }

    /// A path in the examination's folder.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf, Failing> {
        match &self.folder {
            Ok(folder) => Ok(folder.path().join(name)),
            Err(why) => Err(here(why)),
        }
    }

    /// A file with this content.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failing> {
        let path = self.path(name)?;
        std::fs::write(&path, bytes).map_err(here)?;
        Ok(path)
    }

    /// A graph as a model file.
    pub(crate) fn model(&self, graph: &Graph, options: &ExportOptions) -> Result<PathBuf, Failing> {
        let model = export(graph, &Lively, options).map_err(here)?;
        self.file("model.onnx", &model.to_bytes())
    }

    /// The plain model as a file.
    pub(crate) fn plain(&self) -> Result<PathBuf, Failing> {
        self.model(&graphs::plain().map_err(here)?, &ExportOptions::default())
    }

    /// A worker with the plain model loaded and its inputs filled.
    pub(crate) fn ready(&self) -> Result<Worker, Failing> {
        let mut worker = self.worker()?;
        self.load(&mut worker, &self.plain()?)?;
        worker.fill_inputs(1, 0)?;
        Ok(worker)
    }

    /// Loads a model that every runner is expected to take.
    pub(crate) fn load(&self, worker: &mut Worker, model: &Path) -> Result<(), Failing> {
        match worker.load(model, &self.options()) {
            Ok(_) => Ok(()),
            Err(error) => broken(format!("a plain model is not loaded: {error}")),
        }
    }
}
