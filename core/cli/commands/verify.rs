//! `convwise arch verify`: an architecture against a fixture of its reference implementation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use convwise_advisor::find_runner;
use convwise_graph::Graph;
use convwise_host::{DType, RunnerEntry, Tensor};
use convwise_onnx::{ExportOptions, Golden, export, golden};
use convwise_zoo::verify::{Fixture, OutputCheck, VerifyReport, compare_graph, compare_outputs};
use convwise_zoo::{BuildOptions, Variant};

use crate::context::Context;
use crate::error::CliError;
use crate::screen::{BAD, GOOD, styled};
use crate::weights::{Fitting, Weighted, weighted};

/// What an architecture is compared with.
pub(crate) struct Reference<'a> {
    /// Fixture file.
    pub(crate) fixture: &'a Path,
    /// The weights behind its outputs, where they are not filled by its rule.
    pub(crate) weights: Option<&'a str>,
}

pub(crate) fn run(
    context: &Context,
    id: &str,
    reference: &Reference<'_>,
    runner: &str,
    as_json: bool,
) -> Result<(), CliError> {
    let variant = context.zoo().find(id)?;
    let fixture = read(reference.fixture)?;
    let world = context.world()?;
    let runner = find_runner(&world, runner)?;
    let report = verify(context, variant, &fixture, reference.weights, runner)?;
    if as_json {
        context.screen.json(&report)?;
    } else {
        context.screen.result(&shown(id, &report))?;
    }
    if report.ok { Ok(()) } else { Err(CliError::Reported(1)) }
}

/// Largest fixture that is read.
const MAX_BYTES: u64 = 64 << 20;

fn read(path: &Path) -> Result<Fixture, CliError> {
    let name = path.display().to_string();
    let problem = |e: std::io::Error| CliError::invalid(format!("cannot read the fixture {name}: {e}"));
    if std::fs::metadata(path).map_err(problem)?.len() > MAX_BYTES {
        return Err(CliError::invalid(format!("{name} is too large for a fixture")));
    }
    Ok(Fixture::parse(&name, &std::fs::read_to_string(path).map_err(problem)?)?)
}

fn verify(
    context: &Context,
    variant: &Variant,
    fixture: &Fixture,
    weights: Option<&str>,
    runner: &RunnerEntry,
) -> Result<VerifyReport, CliError> {
    let graph = fixture.build(context.zoo(), variant)?;
    let report = compare_graph(fixture, &graph).map_err(CliError::failed)?;
    if !report.ok {
        // The fixture's numbers say nothing about a network with other tensors.
        return Ok(report);
    }
    let weighted = match weights {
        None => filled(graph, fixture),
        Some(file) => {
            let options = BuildOptions { input: Some(fixture.input_shape()?), ..BuildOptions::default() };
            weighted(context.zoo(), variant, &options, file)?
        }
    };
    for remark in weighted.fitting.remarks() {
        context.screen.remark(remark);
    }
    let outputs = infer(context, &weighted, fixture, runner)?;
    let comparable = outputs.iter().filter(|(name, _)| !fixture.order_sensitive.contains(name));
    let checks = comparable.map(|(name, values)| compare_outputs(fixture, name, values)).collect();
    Ok(report.with_outputs(checks, fixture))
}

/// The network under the weights of the fixture's rule.
fn filled(graph: Graph, fixture: &Fixture) -> Weighted {
    Weighted { graph, weights: Box::new(Golden::new(fixture.fillings())), fitting: Fitting::default() }
}

/// The outputs of the network under the fixture's input, by name.
fn infer(
    context: &Context,
    weighted: &Weighted,
    fixture: &Fixture,
    runner: &RunnerEntry,
) -> Result<Vec<(String, Vec<f32>)>, CliError> {
    let model = export(&weighted.graph, weighted.weights.as_ref(), &ExportOptions::default())
        .map_err(CliError::failed)?;
    let folder = tempfile::Builder::new().prefix("convwise-").tempdir().map_err(CliError::failed)?;
    let path = folder.path().join("fixture.onnx");
    model.save(&path).map_err(CliError::failed)?;
    drop(model);
    let mut worker = context.worker(runner)?;
    let options: BTreeMap<_, _> = Context::runner_options(runner);
    let loaded = worker.load(&path, &options).map_err(CliError::failed)?;
    for (index, input) in fixture.inputs.iter().enumerate() {
        let mut values = vec![0.0; input.shape.iter().product()];
        golden::fill_input(&input.name, &mut values);
        let tensor = Tensor::from_f32(&input.shape, &values).map_err(CliError::failed)?;
        worker.set_input(index, &tensor.view()).map_err(CliError::failed)?;
    }
    worker.run(1).map_err(CliError::failed)?;
    let mut outputs = Vec::new();
    for (index, output) in loaded.io.outputs.iter().enumerate() {
        let tensor = worker.output(index).map_err(CliError::failed)?;
        if tensor.dtype() != DType::F32 {
            return Err(CliError::failed(format!("output {} is not fp32", output.name)));
        }
        outputs.push((output.name.clone(), tensor.to_f32().map_err(CliError::failed)?));
    }
    Ok(outputs)
}

fn shown(id: &str, report: &VerifyReport) -> String {
    let mark = |ok: bool| if ok { styled(GOOD, "✓") } else { styled(BAD, "✗") };
    let mut out = format!("{} {id}\n", mark(report.ok));
    for (what, count) in [("parameters", &report.params), ("MACs", &report.macs)] {
        let ok = count.expected == count.actual;
        let _ = writeln!(out, "  {} {what}: {} expected, {} built", mark(ok), count.expected, count.actual);
    }
    let tensors = &report.tensors;
    for (what, names) in [("missing", &tensors.missing), ("extra", &tensors.extra), ("shape", &tensors.shape)]
    {
        for name in names {
            let _ = writeln!(out, "  {} {what}: {name}", mark(false));
        }
    }
    for OutputCheck { name, max_abs, max_rel, ok } in &report.outputs {
        let _ = writeln!(
            out,
            "  {} output {name}: differs by {max_abs:.3e}, {max_rel:.3e} of the largest value",
            mark(*ok)
        );
    }
    out
}
