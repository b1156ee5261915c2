//! What a runner must be able to do, tried out in a worker process.

use convwise_host::{RunnerEntry, Worker, WorkerError};
use convwise_onnx::{ExportOptions, Seeded, export};
use convwise_types::InputShape;
use convwise_zoo::BuildOptions;
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;

/// One requirement and what was found.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) requirement: &'static str,
    pub(crate) ok: bool,
    pub(crate) found: String,
}

/// The network that is tried: small, with every common operation.
const NETWORK: &str = "mobilenet_v3_small";
const SIDE: u64 = 64;

/// Tries one requirement after the other; the first that fails ends the examination.
pub(crate) fn examine(context: &Context, runner: &RunnerEntry) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut note = |requirement, outcome: Result<String, String>| {
        let ok = outcome.is_ok();
        steps.push(Step { requirement, ok, found: outcome.unwrap_or_else(|e| e) });
        ok
    };
    let mut worker = match context.worker(runner) {
        Ok(worker) => worker,
        Err(error) => {
            let why = match error {
                CliError::Failed(why) | CliError::Invalid(why) => why,
                _ => "it cannot be started".to_owned(),
            };
            note("starts in a worker process", Err(why));
            return steps;
        }
    };
    note("starts in a worker process", Ok("yes".to_owned()));
    let options = Context::runner_options(runner);
    let described = worker.describe().map(|d| format!("{} {}", d.name, d.version)).map_err(|e| e.to_string());
    if !note("describes itself", described) {
        return steps;
    }
    let usable = match worker.probe(&options) {
        Ok(probe) if probe.usable => Ok(count_of(probe.devices.len(), "device")),
        Ok(probe) => Err(probe
            .missing
            .iter()
            .map(|m| format!("{}; try `{}`", m.what, m.how))
            .collect::<Vec<_>>()
            .join("; ")),
        Err(error) => Err(error.to_string()),
    };
    if !note("can run here", usable) {
        return steps;
    }
    let folder = match tempfile::Builder::new().prefix("convwise-").tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            note("a model file can be written for it", Err(error.to_string()));
            return steps;
        }
    };
    let refused = refuses_rubbish(&mut worker, &folder.path().join("broken.onnx"), &options);
    if !note("refuses a file that is no model, and lives on", refused) {
        return steps;
    }
    let path = folder.path().join("network.onnx");
    let made = make_network(context, &path);
    if !note("a small network can be exported for it", made) {
        return steps;
    }
    note("runs it, with finite outputs, the same twice", run_twice(&mut worker, &path, &options));
    note("releases and closes cleanly", worker.close().map(|()| "yes".to_owned()).map_err(|e| e.to_string()));
    steps
}

fn make_network(context: &Context, path: &std::path::Path) -> Result<String, String> {
    let zoo = context.zoo();
    let variant = zoo.find(NETWORK).map_err(|e| e.to_string())?;
    let options = BuildOptions { classes: Some(10), input: Some(InputShape::square(SIDE)), like: None };
    let graph = zoo.build(variant, &options).map_err(|e| e.to_string())?;
    let model = export(&graph, &Seeded(0), &ExportOptions::default()).map_err(|e| e.to_string())?;
    model.save(path).map_err(|e| e.to_string())?;
    Ok(format!("{NETWORK} at {SIDE} pixels"))
}

/// A refusal is a reply; a crash or a hang over a bad file is not.
fn refuses_rubbish(
    worker: &mut Worker,
    path: &std::path::Path,
    options: &std::collections::BTreeMap<String, String>,
) -> Result<String, String> {
    std::fs::write(path, b"this is no model").map_err(|e| e.to_string())?;
    match worker.load(path, options) {
        Ok(_) => Err("it accepted a file that is no model".to_owned()),
        Err(error @ WorkerError::Refused { .. }) => Ok(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn run_twice(
    worker: &mut Worker,
    path: &std::path::Path,
    options: &std::collections::BTreeMap<String, String>,
) -> Result<String, String> {
    let text = |e: WorkerError| e.to_string();
    worker.load(path, options).map_err(text)?;
    worker.fill_inputs(1, 7).map_err(text)?;
    worker.run(1).map_err(text)?;
    let first = worker.output(0).map_err(text)?;
    worker.run(1).map_err(text)?;
    let second = worker.output(0).map_err(text)?;
    let finite = worker.check_outputs().map_err(text)?.iter().all(convwise_host::OutputCheck::is_finite);
    match (finite, first == second) {
        (false, _) => Err("an output is not a finite number".to_owned()),
        (true, false) => Err("two runs on one input gave different outputs".to_owned()),
        (true, true) => Ok("yes".to_owned()),
    }
}
