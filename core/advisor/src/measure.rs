//! The one stage that meets the world: builds a network, exports it, and has it measured.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use convwise_bench::{BenchError, BenchPlan, Effort, Progress, measure};
use convwise_host::RunnerEntry;
use convwise_onnx::{Batch, ExportError, ExportOptions, Model, Seeded, WeightSource, export};
use convwise_types::{GraphFacts, InputShape, Measurement, Precision, RunFailure, RunnerName, Subject};
use convwise_zoo::{Variant, ZooError, facts};
use tempfile::TempDir;

use crate::catalogue::Form;
use crate::faults::failure_of;
use crate::world::World;

/// Why a network could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The network could not be built.
    #[error(transparent)]
    Build(#[from] ZooError),
    /// The network could not be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The model file could not be written.
    #[error("cannot write the model file {path}: {source}; free some space, or point TMPDIR elsewhere")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The runner is not usable.
    #[error("runner {name} cannot be used: {why}")]
    Unusable {
        /// The runner.
        name: RunnerName,
        /// Why.
        why: String,
    },
    /// Other number formats cannot be exported yet.
    #[error("{precision} networks cannot be exported yet; measure fp32, or an ONNX file of your own")]
    Precision {
        /// What was asked for.
        precision: Precision,
    },
    /// The benchmark failed.
    #[error("{source}")]
    Bench {
        /// Why.
        source: BenchError,
        /// What is to be recorded of it.
        failure: Option<Box<RunFailure>>,
    },
}

/// How networks are run: the same for every one of a comparison.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Images a batch.
    pub batch: u64,
    /// Threads.
    pub threads: u64,
    /// The form of the networks.
    pub form: Form,
    /// Number format.
    pub precision: Precision,
    /// Most memory a worker may have.
    pub memory_limit: Option<u64>,
    /// Command line that the record names.
    pub command: String,
}

/// Weights of measured networks. Their values do not change the time of a dense network.
const WEIGHTS: Seeded = Seeded(0);

/// A model file in a folder that disappears with it.
#[derive(Debug)]
pub struct Artifact {
    /// The file.
    pub path: PathBuf,
    /// Digest of its bytes.
    pub digest: String,
    /// Facts of the graph it was made of.
    pub facts: GraphFacts,
    _folder: TempDir,
}

/// Builds a network and writes it as an ONNX file into a folder of its own.
///
/// # Errors
/// The network cannot be built, exported or written.
pub fn make_artifact(
    world: &World<'_>,
    variant: &Variant,
    input: InputShape,
    setting: &Setting,
) -> Result<Artifact, MeasureError> {
    if setting.precision != Precision::Fp32 {
        return Err(MeasureError::Precision { precision: setting.precision });
    }
    let graph = world.zoo.build(variant, &setting.form.at(input))?;
    let facts = facts(&graph, input).map_err(ZooError::from)?;
    let batch = usize::try_from(setting.batch).unwrap_or(usize::MAX);
    let options = ExportOptions { batch: Batch::Fixed(batch), ..ExportOptions::default() };
    let model = export(&graph, &WEIGHTS, &options)?;
    let folder = tempfile::Builder::new()
        .prefix("convwise-")
        .tempdir()
        .map_err(|source| MeasureError::Write { path: std::env::temp_dir(), source })?;
    let path = folder.path().join(format!("{}.onnx", variant.id()));
    let saved = model.save(&path).and_then(|_| digest(&model));
    let digest = saved.map_err(|source| MeasureError::Write { path: path.clone(), source })?;
    Ok(Artifact { path, digest, facts, _folder: folder })
}

/// Digest of a model's bytes as one file, in however many it stands.
fn digest(model: &Model) -> io::Result<String> {
    let mut hash = blake3::Hasher::new();
    model.write_to(&mut hash)?;
    Ok(hash.finalize().to_hex().to_string())
}

/// The plan that measures an artifact of one of our networks.
///
/// # Errors
/// The runner is not usable.
pub fn plan_for(
    world: &World<'_>,
    artifact: &Artifact,
    variant: &Variant,
    runner: &RunnerEntry,
    setting: &Setting,
    effort: Effort,
) -> Result<BenchPlan, MeasureError> {
    let subject = Subject {
        architecture: Some(variant.id().clone()),
        file: None,
        artifact: artifact.digest.clone(),
        graph: Some(artifact.facts.graph.clone()),
        weights: WEIGHTS.describe(),
        input: artifact.facts.input,
        batch: setting.batch,
        precision: setting.precision,
        postprocess: setting.form.postprocess,
    };
    plan(world, subject, &artifact.path, runner, setting, effort)
}

/// The plan that measures any model file.
///
/// # Errors
/// The runner is not usable.
pub fn plan(
    world: &World<'_>,
    subject: Subject,
    model: &Path,
    runner: &RunnerEntry,
    setting: &Setting,
    effort: Effort,
) -> Result<BenchPlan, MeasureError> {
    let unusable = || MeasureError::Unusable {
        name: RunnerName::from(runner.name.as_str()),
        why: runner.why_not.clone().unwrap_or_else(|| "its library is missing".to_owned()),
    };
    let mut worker = runner.worker(world.program).ok_or_else(unusable)?;
    worker.threads = usize::try_from(setting.threads).ok();
    worker.memory_limit = setting.memory_limit;
    let mut plan = BenchPlan::new(subject, model, worker).with_effort(effort);
    plan.options = runner.options(&std::collections::BTreeMap::new());
    plan.threads = setting.threads;
    plan.command.clone_from(&setting.command);
    Ok(plan)
}

/// Measures one network within a time limit.
///
/// # Errors
/// Anything that keeps it from being measured; nothing else is affected.
#[expect(clippy::too_many_arguments, reason = "the one place where world, network, setting and watch meet")]
pub fn measure_variant(
    world: &World<'_>,
    variant: &Variant,
    input: InputShape,
    runner: &RunnerEntry,
    setting: &Setting,
    effort: Effort,
    time: Duration,
    progress: &mut dyn Progress,
    cancel: &AtomicBool,
) -> Result<Measurement, MeasureError> {
    let artifact = make_artifact(world, variant, input, setting)?;
    let mut plan = plan_for(world, &artifact, variant, runner, setting, effort)?;
    plan.max_time = plan.max_time.min(time);
    measure(&plan, progress, cancel).map_err(|source| {
        let failure = failure_of(world, runner, &plan, &source).map(Box::new);
        MeasureError::Bench { source, failure }
    })
}

/// Digest of a model file's bytes, as records name it.
///
/// # Errors
/// The file cannot be read.
pub fn digest_of(path: &Path) -> io::Result<String> {
    let mut hash = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash.finalize().to_hex().to_string())
}
