//! What follows from a layer graph alone.

use std::collections::BTreeMap;

use convwise_graph::memory::{self, Depthwise, MemoryOptions};
use convwise_graph::{Cost, Graph, GraphError, Shapes, cost, fingerprint, infer};
use convwise_types::{Bytes, GraphFacts, InputShape, MemoryModel, NamedShape, Precision};

/// Parameters, work, memory and outputs of a graph at batch 1.
///
/// # Errors
/// The graph is not valid; graphs that the zoo built are.
pub fn facts(graph: &Graph, input: InputShape) -> Result<GraphFacts, GraphError> {
    let shapes = infer(graph, 1)?;
    let cost = cost(graph, &shapes);
    Ok(GraphFacts {
        input,
        params: cost.params,
        macs: cost.macs,
        depthwise_macs: cost.depthwise_macs,
        activations: cost.activations,
        peak_elements: peaks(graph, &shapes, &cost),
        weight_bytes: by_precision(|p| cost.weight_bytes(p)),
        ops: ops(&cost),
        outputs: outputs(graph, &shapes),
        graph: fingerprint(graph),
    })
}

fn peaks(graph: &Graph, shapes: &Shapes, cost: &Cost) -> BTreeMap<MemoryModel, u64> {
    let peak = |model| {
        let options = options_of(model);
        let known = options == MemoryOptions::default();
        let plan = (!known).then(|| memory::plan(graph, shapes, options));
        (model, plan.map_or(cost.memory.peak_elements, |p| p.peak_elements))
    };
    MemoryModel::ALL.iter().copied().map(peak).collect()
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
