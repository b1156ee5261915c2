//! An architecture with one of its weights as a candidate, for queries: what is published, nothing measured.

use std::sync::Arc;

use convwise_types::{
    Accuracy, Architecture, Candidate, CandidateKey, ComparisonSet, Evidence, Fact, Grade, LicenceTerms,
    MemoryModel, Missing, Precision, PublishedResult, RunnerName, Task, Weights,
};

/// The candidate of a query row. Its latency and throughput are unknown: they belong to a runner and a device.
pub(crate) fn published_candidate(architecture: &Arc<Architecture>, weights: Option<&Weights>) -> Candidate {
    let result = weights.and_then(|w| best_result(architecture.task, w));
    let input = result.map_or(architecture.input, |r| architecture.input.resized(r.input_size));
    let need = "it belongs to a device and a runner; query the measurements or run `convwise bench`";
    Candidate {
        key: CandidateKey {
            architecture: architecture.id.clone(),
            weights: weights.map(|w| w.tag.clone()),
            input,
            precision: Precision::Fp32,
            runner: RunnerName::from(""),
        },
        architecture: Arc::clone(architecture),
        graph: graph(architecture),
        accuracy: result.map_or_else(|| no_accuracy(architecture, weights), accuracy),
        latency: unknown("latency", need),
        throughput: unknown("throughput", need),
        size: size(architecture),
        ram: memory(architecture, "ram_bytes", |g| {
            (g.input == input).then(|| g.peak_bytes(MemoryModel::InPlace, Precision::Fp32)).flatten()
        }),
        weights_licence: licence(weights.and_then(|w| w.licence.as_ref()), "weights_licence"),
        code_licence: licence(architecture.code_licence.as_ref(), "licence"),
        failure: unknown("failure", "no failure is recorded"),
    }
}

fn unknown<T>(fact: &str, need: &str) -> Fact<T> {
    Fact::Unknown(Missing::new(fact, need))
}

/// The highest of the full-precision results that networks of the task are compared by.
fn best_result(task: Task, weights: &Weights) -> Option<&PublishedResult> {
    let comparison = ComparisonSet::of(task);
    let comparable = |r: &&PublishedResult| r.precision == Precision::Fp32 && comparison.covers(r);
    weights.results.iter().filter(comparable).max_by(|a, b| a.value.0.total_cmp(&b.value.0))
}

fn accuracy(r: &PublishedResult) -> Fact<Accuracy> {
    let accuracy = Accuracy { value: r.value, metric: r.metric.clone(), dataset: r.dataset.clone() };
    Fact::Known(accuracy, Evidence::new(Grade::Published, r.source.as_str()))
}

fn no_accuracy(architecture: &Architecture, weights: Option<&Weights>) -> Fact<Accuracy> {
    let comparison = ComparisonSet::of(architecture.task);
    let need = weights.map(|w| comparison.lack(w, Precision::Fp32));
    unknown("accuracy", need.as_deref().unwrap_or("no weights of it are published; train and evaluate it"))
}

fn graph(architecture: &Architecture) -> Fact<convwise_types::GraphFacts> {
    match &architecture.graph {
        Some(facts) => Fact::Known(facts.clone(), Evidence::new(Grade::Estimated, "layer graph")),
        None => Fact::Unknown(architecture.no_graph("graph")),
    }
}

fn size(architecture: &Architecture) -> Fact<convwise_types::Bytes> {
    match architecture.stated_size(Precision::Fp32) {
        Some((bytes, source)) => Fact::Known(bytes, Evidence::new(Grade::Published, source)),
        None => memory(architecture, "size_bytes", |g| g.weight_bytes.get(&Precision::Fp32).copied()),
    }
}

fn memory(
    architecture: &Architecture,
    fact: &str,
    bytes: impl FnOnce(&convwise_types::GraphFacts) -> Option<convwise_types::Bytes>,
) -> Fact<convwise_types::Bytes> {
    match architecture.graph.as_ref().and_then(bytes) {
        Some(value) => Fact::Known(value, Evidence::new(Grade::Estimated, "layer graph")),
        None => Fact::Unknown(architecture.no_graph(fact)),
    }
}

fn licence(terms: Option<&LicenceTerms>, fact: &str) -> Fact<LicenceTerms> {
    match terms {
        Some(terms) => {
            let source = terms.source.clone().unwrap_or_else(|| "family definition".to_owned());
            Fact::Known(terms.clone(), Evidence::new(Grade::Published, source))
        }
        None => unknown(fact, "no licence is recorded; look it up before shipping"),
    }
}
