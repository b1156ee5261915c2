//! `convwise bench`: measures networks or files on this machine.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use convwise_advisor::agreement::agreements;
use convwise_advisor::catalogue::Form;
use convwise_advisor::faults::{Stand, failure_of};
use convwise_advisor::measure::{Artifact, MeasureError, Setting, digest_of, make_artifact, plan, plan_for};
use convwise_advisor::recorded::faults;
use convwise_advisor::{World, find_buildable, find_runner};
use convwise_bench::{Agreement, BenchError, BenchPlan, Effort, Progress, Update, measure_many};
use convwise_host::RunnerEntry;
use convwise_onnx::{ModelInfo, inspect_file};
use convwise_store::Record;
use convwise_types::{InputShape, InputSize, Measurement, RunFailure, Scenario, Subject};
use serde::Serialize;

use super::advise::{Reporter, duration, summary};
use super::profile::{self, Able, Profiler};
use super::{command_line, interruptible};
use crate::args::BenchArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::render::bench::{Benched, Failure, RecordLine, shown};
use crate::render::postprocess::{Tail, tails};
use crate::render::profile::ProfileLine;
use crate::screen::Screen;
use convwise_advisor::draft::DEFAULT_RUNNER;

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    records: Vec<RecordLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    postprocessing: Vec<Tail>,
    failures: &'a [Failure],
}

pub(crate) fn run(context: &Context, args: &BenchArgs) -> Result<(), CliError> {
    if args.scenario != Scenario::Latency {
        return Err(CliError::invalid(format!(
            "scenario {} is not available yet; use latency",
            args.scenario
        )));
    }
    let world = context.world()?;
    let runners = runners(&world, args)?;
    let able = if args.profile { profile::able(context, &runners)? } else { Able::new() };
    let setting = setting(context, args);
    let mut subjects = Vec::new();
    for name in &args.subjects {
        subjects.extend(works(&world, name, args, &setting)?);
    }
    let plans = plans(&world, &subjects, &runners, args, &setting)?;
    let (plans, mut failures) = if args.retry { (plans, Vec::new()) } else { untried(&world, plans)? };
    let cancel = interruptible();
    let mut keeper = Keeper {
        reporter: Reporter::watching(context.screen),
        world: &world,
        plans: &plans,
        screen: context.screen,
        failed: None,
    };
    let results = measure_many(&plans, &mut keeper, &cancel);
    let trouble = keeper.failed.take();
    drop(keeper);
    let ranked = ranked(&subjects);
    let is_comparable = |plan: &BenchPlan| !ranked.contains(plan.subject.artifact.as_str());
    let agreements = agreements(&world, DEFAULT_RUNNER, &is_comparable, &plans, &results, &cancel);
    let profiler = Profiler { screen: context.screen, able, zoo: world.zoo, classes: args.classes };
    let profiles = profiler.profiles(&plans, &results);
    let (mut records, failed) = sorted(&plans, results, agreements);
    for work in &subjects {
        work.tell(&mut records);
    }
    failures.extend(failed);
    if args.output.json {
        let line = |b: &Benched| {
            let profile = profiles.get(&b.measurement.id).and_then(|made| made.as_ref().ok());
            RecordLine::of(b).with_profile(profile.map(ProfileLine::of))
        };
        let lines = records.iter().map(line).collect();
        let document = Document {
            schema: "convwise.bench/1",
            records: lines,
            postprocessing: tails(&records),
            failures: &failures,
        };
        context.screen.json(&document)?;
    } else {
        let measured = records.iter().map(|b| &b.measurement);
        let profiled = render::profile::shown(measured, &profiles, args.top);
        context.screen.result(&(shown(&records, &failures) + profiled.as_str()))?;
    }
    match trouble {
        Some(error) => Err(error),
        None if failures.is_empty() && profile::all_well(&profiles) => Ok(()),
        None => Err(CliError::Reported(1)),
    }
}

fn runners<'a>(world: &World<'a>, args: &BenchArgs) -> Result<Vec<&'a RunnerEntry>, CliError> {
    let default = [DEFAULT_RUNNER.to_owned()];
    let names = if args.runner.is_empty() { &default[..] } else { &args.runner };
    names.iter().map(|name| find_runner(world, name).map_err(CliError::from)).collect()
}

fn setting(context: &Context, args: &BenchArgs) -> Setting {
    Setting {
        batch: args.batch,
        threads: args.threads.unwrap_or(context.here().cores),
        form: Form { classes: args.classes, postprocess: false },
        precision: args.precision,
        memory_limit: args.memory_limit.map(|bytes| bytes.0),
        command: command_line(),
    }
}

/// What is measured: a network of ours, made into a file, or somebody's file.
enum Work {
    Ours { variant: String, artifact: Box<Artifact>, setting: Box<Setting> },
    File { path: std::path::PathBuf, subject: Box<Subject> },
}

/// A file, or a network: with `--postprocess` as it is and then with its answers, whose times are compared.
fn works(world: &World<'_>, name: &str, args: &BenchArgs, setting: &Setting) -> Result<Vec<Work>, CliError> {
    if Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx"))
        || Path::new(name).is_file()
    {
        return file(Path::new(name), args).map(|work| vec![work]);
    }
    let forms = if args.postprocess { &[false, true][..] } else { &[false][..] };
    let form = |postprocess| Form { postprocess, ..setting.form };
    forms
        .iter()
        .map(|tail| network(world, name, args, Setting { form: form(*tail), ..setting.clone() }))
        .collect()
}

fn network(world: &World<'_>, name: &str, args: &BenchArgs, setting: Setting) -> Result<Work, CliError> {
    let variant = find_buildable(world, name)?;
    let default = world.zoo.architecture(variant).input;
    let input = args.input_size.map_or(default, |size| size.of(default));
    let artifact = make_artifact(world, variant, input, &setting).map_err(refused)?;
    let variant = variant.id().to_string();
    Ok(Work::Ours { variant, artifact: Box::new(artifact), setting: Box::new(setting) })
}

/// Files whose outputs stand in an order of scores: where two are nearly equal, runners that compute the same to the last
/// digit but one put them in another order, and all that follows differs.
fn ranked(subjects: &[Work]) -> BTreeSet<&str> {
    subjects.iter().filter_map(Work::ranked).collect()
}

impl Work {
    /// The digest of its file, if its outputs stand in such an order.
    fn ranked(&self) -> Option<&str> {
        let Self::Ours { artifact, setting, .. } = self else { return None };
        let ranks = setting.form.postprocess || artifact.facts.ops.contains_key("kept");
        ranks.then_some(artifact.digest.as_str())
    }

    /// Completes the records of its file by what follows from its graph.
    fn tell(&self, records: &mut [Benched]) {
        let Self::Ours { artifact, .. } = self else { return };
        for record in records.iter_mut().filter(|b| b.measurement.subject.artifact == artifact.digest) {
            record.facts = Some(artifact.facts.clone());
        }
    }
}

fn refused(error: MeasureError) -> CliError {
    match error {
        MeasureError::Write { .. } | MeasureError::Bench { .. } | MeasureError::Unusable { .. } => {
            CliError::failed(error)
        }
        _ => CliError::invalid(error),
    }
}

fn file(path: &Path, args: &BenchArgs) -> Result<Work, CliError> {
    let input = match is_script(path) {
        true => script_input(path, args)?,
        false => input_of(path, &inspect_file(path).map_err(CliError::invalid)?, args)?,
    };
    let digest =
        digest_of(path).map_err(|e| CliError::failed(format!("cannot read {}: {e}", path.display())))?;
    let subject = Subject {
        architecture: None,
        file: Some(
            path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned()),
        ),
        weights: digest.clone(),
        artifact: digest,
        graph: None,
        input,
        batch: args.batch,
        precision: args.precision,
        postprocess: false,
    };
    Ok(Work::File { path: path.to_path_buf(), subject: Box::new(subject) })
}

/// Endings of TorchScript files, which say nothing of what they take.
const SCRIPTS: [&str; 2] = ["pt", "torchscript"];

/// The ending of a model file, by which runners name what they read.
fn format_of(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn is_script(path: &Path) -> bool {
    SCRIPTS.contains(&format_of(path).as_str())
}

fn script_input(path: &Path, args: &BenchArgs) -> Result<InputShape, CliError> {
    args.input_size.map(InputSize::image).ok_or_else(|| {
        let path = path.display();
        CliError::invalid(format!(
            "{path}: a TorchScript file does not say what it takes; state the size of its images with --input-size"
        ))
    })
}

/// Whether the runner reads such files, and what it must be told about this one.
fn told_of(path: &Path, subject: &Subject, runner: &RunnerEntry) -> Result<Vec<(String, String)>, CliError> {
    if !is_script(path) {
        return Ok(Vec::new());
    }
    let (format, manifest) = (format_of(path), runner.manifest.as_ref());
    if !manifest.is_some_and(|manifest| manifest.formats.contains(&format)) {
        let (path, name) = (path.display(), &runner.name);
        return Err(CliError::invalid(format!(
            "{path}: runner {name} reads no .{format}; use --runner libtorch"
        )));
    }
    let InputShape { channels, height, width } = subject.input;
    Ok(vec![("input_shape".to_owned(), format!("{}x{channels}x{height}x{width}", subject.batch))])
}

/// The image that a file takes: its first input of rank 4; symbolic sides need `--input-size`.
fn input_of(path: &Path, info: &ModelInfo, args: &BenchArgs) -> Result<InputShape, CliError> {
    let problem = |why: &str| CliError::invalid(format!("{}: {why}", path.display()));
    let dims = info.inputs.iter().find_map(|i| i.dims.as_ref().filter(|d| d.len() == 4));
    let Some([batch, channels, height, width]) = dims.map(Vec::as_slice) else {
        return Err(problem("no input of the model is a batch of images (rank 4)"));
    };
    if batch.is_some_and(|b| b != args.batch) {
        return Err(problem(&format!(
            "the model is fixed at a batch of {}; add --batch {}",
            batch.unwrap_or(1),
            batch.unwrap_or(1)
        )));
    }
    let asked = args.input_size.map(InputSize::image);
    let side = |fixed: &Option<u64>, asked: Option<u64>| {
        fixed.or(asked).ok_or_else(|| problem("the input has no fixed size; state one with --input-size"))
    };
    let shape = InputShape {
        channels: channels.unwrap_or(3),
        height: side(height, asked.map(|a| a.height))?,
        width: side(width, asked.map(|a| a.width))?,
    };
    match asked {
        Some(asked) if (shape.height, shape.width) != (asked.height, asked.width) => {
            Err(problem(&format!("the model is fixed at {shape}; leave --input-size out")))
        }
        _ => Ok(shape),
    }
}

fn plans(
    world: &World<'_>,
    subjects: &[Work],
    runners: &[&RunnerEntry],
    args: &BenchArgs,
    setting: &Setting,
) -> Result<Vec<BenchPlan>, CliError> {
    let effort = if args.quick { Effort::Screening } else { Effort::Full };
    let mut plans = Vec::new();
    for work in subjects {
        for runner in runners {
            let mut made = match work {
                Work::Ours { variant, artifact, setting } => {
                    plan_for(world, artifact, world.zoo.find(variant)?, runner, setting, effort)
                }
                Work::File { path, subject } => told_of(path, subject, runner).map(|told| {
                    let made = plan(world, (**subject).clone(), path, runner, setting, effort);
                    made.map(|mut plan| {
                        plan.options.extend(told);
                        plan
                    })
                })?,
            }
            .map_err(refused)?;
            made.scenario = args.scenario;
            made.max_time = made.max_time.min(limit(args));
            made.options.extend(options(&args.options)?);
            plans.push(made);
        }
    }
    Ok(plans)
}

fn limit(args: &BenchArgs) -> Duration {
    duration(args.max_time)
}

fn options(given: &[String]) -> Result<Vec<(String, String)>, CliError> {
    let pair = |text: &String| {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            CliError::invalid(format!("`{text}` is not an option; write --option KEY=VALUE"))
        })?;
        Ok((key.to_owned(), value.to_owned()))
    };
    given.iter().map(pair).collect()
}

/// The plans that are worth measuring, and those whose runner has failed with this network before.
fn untried(world: &World<'_>, plans: Vec<BenchPlan>) -> Result<(Vec<BenchPlan>, Vec<Failure>), CliError> {
    let (mut fresh, mut failures) = (Vec::new(), Vec::new());
    for plan in plans {
        let runner = find_runner(world, &plan.worker.name)?;
        let at = Stand::of(world, runner, world.here.id.clone());
        let faults = faults(world.store, &at, None).map_err(CliError::failed)?;
        match faults.of(&plan.subject) {
            Some(fault) => failures.push(Failure {
                subject: plan.title(),
                runner: plan.worker.name.clone(),
                reason: format!("not run, for it failed before; add --retry to run it: {}", fault.summary()),
                record: Some(fault.id()),
            }),
            None => fresh.push(plan),
        }
    }
    Ok((fresh, failures))
}

/// Keeps every record as soon as it is there, so that a later failure loses nothing.
struct Keeper<'a> {
    reporter: Reporter,
    world: &'a World<'a>,
    plans: &'a [BenchPlan],
    screen: Screen,
    failed: Option<CliError>,
}

impl Progress for Keeper<'_> {
    fn update(&mut self, update: &Update<'_>) {
        self.reporter.update(update);
    }

    fn finished(&mut self, index: usize, result: &Result<Measurement, BenchError>) {
        match result {
            Ok(m) if m.runner.simulated => {}
            Ok(m) => self.keep(Record::from(m.clone()), &summary(m)),
            Err(error) => {
                self.screen.remark(format!("failed: {error}"));
                if let Some(failure) = self.failure(index, error) {
                    let subject = format!("the failure of {}", failure.runner);
                    self.keep(Record::from(failure), &subject);
                }
            }
        }
    }
}

impl Keeper<'_> {
    fn keep(&mut self, record: Record, what: &str) {
        if let Err(error) = self.world.store.append(&[record]) {
            self.screen.warning(format!("the record of {what} could not be kept: {error}"));
            self.failed = Some(CliError::failed(error));
        }
    }

    fn failure(&self, index: usize, error: &BenchError) -> Option<RunFailure> {
        let plan = self.plans.get(index)?;
        failure_of(self.world, find_runner(self.world, &plan.worker.name).ok()?, plan, error)
    }
}

/// Records and failures, in the order of the plans.
fn sorted(
    plans: &[BenchPlan],
    results: Vec<Result<Measurement, BenchError>>,
    agreements: Vec<Option<Agreement>>,
) -> (Vec<Benched>, Vec<Failure>) {
    let (mut records, mut failures) = (Vec::new(), Vec::new());
    for ((plan, result), agreement) in plans.iter().zip(results).zip(agreements) {
        match result {
            Ok(measurement) => records.push(Benched { measurement, agreement, facts: None }),
            Err(error) => failures.push(Failure {
                subject: plan.title(),
                runner: plan.worker.name.clone(),
                reason: error.to_string(),
                record: None,
            }),
        }
    }
    (records, failures)
}
