//! A network as one JSON document.

use std::collections::BTreeMap;

use convwise_types::{Architecture, Bytes, GraphFacts, MemoryModel, Precision};
use serde_json::{Map, Value, json};

use super::list::summary;
use super::sources::to_safetensors;

/// Everything that is known of a network.
pub(super) fn document(a: &Architecture) -> Value {
    let results: Vec<_> = a
        .weights
        .iter()
        .flat_map(|w| w.results.iter().map(move |r| (w, r)))
        .map(|(w, r)| {
            json!({
                "weights": w.tag, "dataset": r.dataset, "metric": r.metric, "value": r.value,
                "input_size": r.input_size, "precision": r.precision, "source": r.source,
            })
        })
        .collect();
    let weights: Vec<_> = a
        .weights
        .iter()
        .map(|w| {
            json!({
                "tag": w.tag, "covers": w.covers, "trained_on": w.trained_on, "licence": w.licence, "url": w.url, "found_as": w.found_as,
                "preprocessing": w.preprocessing, "to_safetensors": to_safetensors(a, w),
            })
        })
        .collect();
    let mut document = summary(a);
    let more = json!({
        "schema": "convwise.architecture/1",
        "stated": a.stated,
        "results": results,
        "latencies": a.latencies,
        "reach": a.reach,
        "weights": weights,
        "elsewhere": a.elsewhere,
        "licence": {"code": a.code_licence.as_ref().map(|l| &l.spdx), "weights": weights_licences(a)},
        "paper": a.paper,
        "plugin": a.plugin,
    });
    merge(&mut document, more);
    merge(&mut document, a.graph.as_ref().map_or_else(|| stated_document(a), graph_document));
    document
}

/// What follows from the layer graph.
fn graph_document(facts: &GraphFacts) -> Value {
    json!({
        "input": facts.input,
        "depthwise_macs": facts.depthwise_macs,
        "activations": facts.activations,
        "peak_activation_bytes": peaks(facts, MemoryModel::default()),
        "peak_activation_bytes_by_memory_model": peaks_by_model(facts),
        "peaks_that_are_upper_bounds": facts.bounded,
        "weight_bytes": facts.weight_bytes,
        "outputs": facts.outputs,
        "ops": facts.ops,
        "graph": facts.graph,
    })
}

/// What can be said without a layer graph.
fn stated_document(a: &Architecture) -> Value {
    json!({ "weight_bytes": stated_sizes(a), "peak_activation_bytes": null, "outputs": null, "graph": null })
}

/// Weights in bytes by number format, from stated parameters.
pub(super) fn stated_sizes(a: &Architecture) -> BTreeMap<Precision, Bytes> {
    PRECISIONS.iter().filter_map(|&p| Some((p, a.stated_size(p)?.0))).collect()
}

/// Peak activations by number format, for one kind of runtime.
pub(super) fn peaks(facts: &GraphFacts, model: MemoryModel) -> BTreeMap<Precision, Bytes> {
    PRECISIONS.iter().filter_map(|&p| Some((p, facts.peak_bytes(model, p)?))).collect()
}

fn peaks_by_model(facts: &GraphFacts) -> BTreeMap<MemoryModel, BTreeMap<Precision, Bytes>> {
    facts.peak_elements.keys().map(|&model| (model, peaks(facts, model))).collect()
}

/// In the order in which tables show them.
const PRECISIONS: [Precision; 3] = [Precision::Fp32, Precision::Fp16, Precision::Int8];

fn weights_licences(a: &Architecture) -> Map<String, Value> {
    a.weights.iter().map(|w| (w.tag.to_string(), json!(w.licence.as_ref().map(|l| &l.spdx)))).collect()
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
