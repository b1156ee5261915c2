//! What follows from a layer graph alone.

use std::collections::BTreeMap;

use convwise_graph::memory::{self, Depthwise, MemoryOptions, MemoryPlan, Order};
use convwise_graph::{Cost, Graph, GraphError, Shapes, cost, fingerprint, infer};
use convwise_types::{Bytes, GraphFacts, InputShape, MemoryModel, NamedShape, Precision};

/// Parameters, work, memory and outputs of a graph at batch 1.
///
/// # Errors
/// The graph is not valid; graphs that the zoo built are.
pub fn facts(graph: &Graph, input: InputShape) -> Result<GraphFacts, GraphError> {
    let shapes = infer(graph, 1)?;
    let cost = cost(graph, &shapes);
    let plans = plans(graph, &shapes, &cost);
    let of_each = |(model, plan): (&MemoryModel, &MemoryPlan)| (*model, plan.peak_elements);
    let is_bound = |(_, plan): &(&MemoryModel, &MemoryPlan)| plan.order != Order::Optimal;
    Ok(GraphFacts {
        input,
        params: cost.params,
        macs: cost.macs,
        depthwise_macs: cost.depthwise_macs,
        activations: cost.activations,
        peak_elements: plans.iter().map(of_each).collect(),
        bounded: plans.iter().filter(is_bound).map(|(model, _)| *model).collect(),
        weight_bytes: by_precision(|p| cost.weight_bytes(p)),
        ops: ops(&cost),
        outputs: outputs(graph, &shapes),
        graph: fingerprint(graph),
    })
}

/// The best order that was found for each kind of runtime.
fn plans(graph: &Graph, shapes: &Shapes, cost: &Cost) -> BTreeMap<MemoryModel, MemoryPlan> {
    let plan = |model| {
        let options = options_of(model);
        let known = options == MemoryOptions::default();
        (model, if known { cost.memory.clone() } else { memory::plan(graph, shapes, options) })
    };
    MemoryModel::ALL.iter().copied().map(plan).collect()
}

fn options_of(model: MemoryModel) -> MemoryOptions {
    let (in_place_elementwise, depthwise) = match model {
        MemoryModel::Copying => (false, Depthwise::Separate),
        MemoryModel::InPlace => (true, Depthwise::Separate),
        MemoryModel::DepthwiseRows => (true, Depthwise::Rows),
        MemoryModel::DepthwiseChannel => (true, Depthwise::Channel),
    };
    MemoryOptions { in_place_elementwise, depthwise }
}

fn by_precision(bytes: impl Fn(Precision) -> Bytes) -> BTreeMap<Precision, Bytes> {
    [Precision::Fp32, Precision::Fp16, Precision::Int8].into_iter().map(|p| (p, bytes(p))).collect()
}

fn ops(cost: &Cost) -> BTreeMap<String, u64> {
    cost.ops.iter().map(|(name, count)| ((*name).to_owned(), *count as u64)).collect()
}

fn outputs(graph: &Graph, shapes: &Shapes) -> Vec<NamedShape> {
    let extents = |node| shapes.of(node).0.iter().map(|d| *d as u64).collect();
    graph.outputs.iter().map(|o| NamedShape { name: o.name.clone(), shape: extents(o.node) }).collect()
}
