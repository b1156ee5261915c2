//! What a fixture and a graph agree on. The form of [`VerifyReport`] is part of the command line's
//! contract.

use std::collections::BTreeMap;

use convwise_graph::{Graph, GraphError, Param, ParamRole, Shape, cost, infer};
use serde::Serialize;

use super::fixture::{Fixture, FixtureOutput, FixtureTensor};

/// The outcome of a verification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VerifyReport {
    /// Whether everything agrees.
    pub ok: bool,
    /// Trained parameters.
    pub params: Count,
    /// Multiply-accumulates at the fixture's input.
    pub macs: Count,
    /// Names, shapes and roles of tensors.
    pub tensors: TensorReport,
    /// Sampled outputs; empty until the network was run.
    pub outputs: Vec<OutputCheck>,
}

/// A count of the reference and of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The reference's.
    pub expected: u64,
    /// The graph's.
    pub actual: u64,
}

/// Differences between the reference's tensors and the graph's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TensorReport {
    /// Names that only the reference has.
    pub missing: Vec<String>,
    /// Names that only the graph has.
    pub extra: Vec<String>,
    /// Tensors of another shape or role, in words.
    pub shape: Vec<String>,
}

/// How near one output is to the reference's samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputCheck {
    /// Name of the output.
    pub name: String,
    /// Largest difference; `null` if a value is not finite.
    pub max_abs: f64,
    /// The same relative to the largest magnitude of the whole output.
    pub max_rel: f64,
    /// Within the fixture's tolerance, and every value finite.
    pub ok: bool,
}

impl VerifyReport {
    /// Adds the checks of the outputs; every output of the fixture must be among them.
    #[must_use]
    pub fn with_outputs(mut self, outputs: Vec<OutputCheck>, fixture: &Fixture) -> Self {
        let mut comparable = fixture.outputs.iter().filter(|o| !fixture.order_sensitive.contains(&o.name));
        let complete = comparable.all(|o| outputs.iter().any(|check| check.name == o.name));
        self.ok = self.ok && complete && outputs.iter().all(|check| check.ok);
        self.outputs = outputs;
        self
    }
}

/// Compares everything that needs no run.
///
/// # Errors
/// The graph is not valid.
pub fn compare_graph(fixture: &Fixture, graph: &Graph) -> Result<VerifyReport, GraphError> {
    let shapes = infer(graph, 1)?;
    let cost = cost(graph, &shapes);
    let params = Count { expected: fixture.params, actual: cost.params.0 };
    let macs = Count { expected: fixture.macs, actual: cost.macs.0 };
    let tensors = compare_tensors(&fixture.tensors, graph);
    let ok = params.agrees() && macs.agrees() && tensors.agrees();
    Ok(VerifyReport { ok, params, macs, tensors, outputs: Vec::new() })
}

impl Count {
    fn agrees(self) -> bool {
        self.expected == self.actual
    }
}

impl TensorReport {
    fn agrees(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.shape.is_empty()
    }
}

fn compare_tensors(expected: &[FixtureTensor], graph: &Graph) -> TensorReport {
    let mut actual: BTreeMap<&str, &Param> = graph.params().map(|p| (p.name.as_str(), p)).collect();
    let mut report = TensorReport::default();
    for tensor in expected.iter().filter(|t| !is_counter(&t.name)) {
        match actual.remove(tensor.name.as_str()) {
            None => report.missing.push(tensor.name.clone()),
            Some(param) => report.shape.extend(difference(tensor, param)),
        }
    }
    report.extra = actual.into_keys().map(str::to_owned).collect();
    report
}

/// Batch norm's count of training steps, which no inference reads.
fn is_counter(name: &str) -> bool {
    name.ends_with("num_batches_tracked")
}

fn difference(expected: &FixtureTensor, actual: &Param) -> Option<String> {
    let shape = Shape(expected.shape.clone());
    if actual.shape != shape {
        return Some(format!("{}: {} here, {shape} in the reference", expected.name, actual.shape));
    }
    let role = role_of(actual.role);
    // `keep` and `table` say how a tensor is filled, not what it is for; and a tensor that stands alone may be called
    // like the weight of a norm.
    let comparable = !matches!(expected.role.as_str(), "keep" | "table")
        && !matches!(actual.role, ParamRole::Scale | ParamRole::Table | ParamRole::Frozen);
    (comparable && expected.role != role)
        .then(|| format!("{}: a {role} here, a {} in the reference", expected.name, expected.role))
}

/// The fixture's word for a role.
fn role_of(role: ParamRole) -> &'static str {
    match role {
        ParamRole::Weight => "weight",
        ParamRole::Bias | ParamRole::NormBias => "bias",
        ParamRole::NormWeight => "norm",
        ParamRole::RunningMean => "mean",
        ParamRole::RunningVar => "var",
        ParamRole::Scale => "scale",
        ParamRole::Table | ParamRole::Frozen => "table",
    }
}

/// Compares one output of a run, row-major, with the fixture's samples. An output that the fixture
/// does not have, or one of another size, is not ok.
#[must_use]
pub fn compare_outputs(fixture: &Fixture, name: &str, values: &[f32]) -> OutputCheck {
    let failed = OutputCheck { name: name.to_owned(), max_abs: f64::NAN, max_rel: f64::NAN, ok: false };
    let Some(output) = fixture.outputs.iter().find(|output| output.name == name) else { return failed };
    let right_size = values.len() as u64 == Shape(output.shape.clone()).elements();
    if !right_size || !values.iter().all(|v| v.is_finite()) {
        return failed;
    }
    let max_abs = output.max_abs_difference(values);
    let max_rel = max_abs / output.magnitude();
    OutputCheck { max_abs, max_rel, ok: max_rel <= fixture.tolerance, ..failed }
}

impl FixtureOutput {
    /// Largest magnitude of the whole output.
    fn magnitude(&self) -> f64 {
        self.min.abs().max(self.max.abs())
    }

    fn max_abs_difference(&self, values: &[f32]) -> f64 {
        let samples = self.indices.iter().map(|i| values.get(*i).copied().map_or(f64::NAN, f64::from));
        samples.zip(&self.values).map(|(actual, expected)| (actual - expected).abs()).fold(0.0, worse)
    }
}

/// The larger, where not-a-number is larger than everything.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}
