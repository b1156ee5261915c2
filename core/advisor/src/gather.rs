//! From architectures and measurements to candidates with their facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use convwise_types::{
    Accuracy, Architecture, Bytes, Candidate, CandidateKey, ComparisonSet, Evidence, Fact, Grade, GraphFacts,
    InputShape, Interval, Latency, Measurement, Millis, Missing, PerSecond, Precision, PublishedResult,
    Quality, Request, RunFailure, Scenario, Weights, WeightsTag,
};

use crate::faults::Faults;
use crate::imported::is_of_same;
use crate::place::Place;
use crate::predict::{Prediction, Predictor, Work};
use crate::published;

/// Graph facts by architecture and input, for the classes of the request.
pub type GraphTable = BTreeMap<(String, InputShape), Fact<GraphFacts>>;

/// Everything that facts about candidates are made of.
#[derive(Debug)]
pub struct Evidences<'a> {
    /// What is asked.
    pub request: &'a Request,
    /// Where it will run.
    pub place: &'a Place,
    /// Graph facts at every input that occurs.
    pub graphs: &'a GraphTable,
    /// Measurements of any network on any device.
    pub measurements: &'a [Measurement],
    /// Failures of the request's runner on the target that still stand.
    pub faults: &'a Faults,
}

/// Inputs at which an architecture must be costed to gather its candidates.
#[must_use]
pub fn inputs_of(architecture: &Architecture) -> Vec<InputShape> {
    let results = architecture.weights.iter().flat_map(|weights| &weights.results);
    let evaluated = results.map(|result| architecture.input.resized(result.input_size));
    let mut inputs: Vec<_> = evaluated.chain([architecture.input]).collect();
    inputs.sort_unstable();
    inputs.dedup();
    inputs
}

/// All candidates of the architectures that do the request's task, in a fixed order.
#[must_use]
pub fn gather(architectures: &[Arc<Architecture>], evidences: &Evidences<'_>) -> Vec<Candidate> {
    let oracle = LatencyOracle::new(evidences);
    let comparison = evidences.request.comparison();
    let mut candidates = Vec::new();
    for architecture in architectures.iter().filter(|a| a.task == evidences.request.task) {
        for &precision in &evidences.request.precisions {
            for (weights, input) in deployments(architecture, precision, &comparison) {
                candidates.push(candidate(architecture, weights, input, precision, &oracle));
            }
        }
    }
    candidates.sort_by(|a, b| a.key.cmp(&b.key));
    candidates
}

/// One candidate at an input and in a number format of the caller's choice; its graph must be among those of the
/// evidence.
#[must_use]
pub fn variation(
    architecture: &Arc<Architecture>,
    weights: Option<&WeightsTag>,
    input: InputShape,
    precision: Precision,
    evidences: &Evidences<'_>,
) -> Candidate {
    let weights = weights.and_then(|tag| architecture.weights.iter().find(|w| w.tag == *tag));
    candidate(architecture, weights, input, precision, &LatencyOracle::new(evidences))
}

/// Weights and inputs that an architecture can be deployed with. Weights that were published only
/// in a quantised form are no candidate in another format.
fn deployments<'a>(
    architecture: &'a Architecture,
    precision: Precision,
    comparison: &ComparisonSet,
) -> Vec<(Option<&'a Weights>, InputShape)> {
    let mut found = Vec::new();
    for weights in architecture.weights.iter().filter(|w| !is_outdone(w, architecture, comparison)) {
        let results: Vec<_> = weights.results.iter().filter(|r| comparison.covers(r)).collect();
        let exact = results.iter().any(|r| r.precision == precision);
        let from_float = results.is_empty() || results.iter().any(|r| r.precision == Precision::Fp32);
        if !exact && !from_float {
            continue;
        }
        let mut inputs: Vec<_> = results
            .iter()
            .filter(|r| r.precision == precision || !exact)
            .map(|r| architecture.input.resized(r.input_size))
            .collect();
        if inputs.is_empty() {
            inputs.push(architecture.input);
        }
        inputs.sort_unstable();
        inputs.dedup();
        found.extend(inputs.into_iter().map(|input| (Some(weights), input)));
    }
    if found.is_empty() {
        found.push((None, architecture.input));
    }
    found
}

/// Whether weights say nothing that can be compared while others of the same network and licence do: those trained for another
/// dataset are no second way to deploy it.
fn is_outdone(weights: &Weights, architecture: &Architecture, comparison: &ComparisonSet) -> bool {
    let comparable = |w: &Weights| w.results.iter().any(|r| comparison.covers(r));
    let licence = |w: &Weights| w.licence.as_ref().map(|l| l.spdx.clone());
    let better = |w: &Weights| comparable(w) && licence(w) == licence(weights);
    !weights.results.is_empty() && !comparable(weights) && architecture.weights.iter().any(better)
}

fn candidate(
    architecture: &Arc<Architecture>,
    weights: Option<&Weights>,
    input: InputShape,
    precision: Precision,
    oracle: &LatencyOracle<'_>,
) -> Candidate {
    let graph = oracle.graph(architecture, input);
    let latency = oracle.latency(architecture, &graph, input, precision);
    Candidate {
        key: CandidateKey {
            architecture: architecture.id.clone(),
            weights: weights.map(|w| w.tag.clone()),
            input,
            precision,
            runner: oracle.evidences.request.runner.clone(),
        },
        accuracy: accuracy(&oracle.evidences.request.comparison(), weights, input, precision),
        throughput: throughput(&latency, oracle.evidences.request.batch),
        size: size(architecture, &graph, precision),
        ram: of_graph(&graph, "ram", |g| g.peak_bytes(oracle.evidences.request.memory_model, precision)),
        weights_licence: licence(
            "weights_licence",
            weights.and_then(|w| w.licence.as_ref().map(|l| (l, w.url.as_deref()))),
        ),
        code_licence: licence("licence", architecture.code_licence.as_ref().map(|l| (l, None))),
        failure: failure(&graph, precision, oracle.evidences),
        architecture: Arc::clone(architecture),
        graph,
        latency,
    }
}

/// The failure that is recorded for the network at the request's batch.
fn failure(graph: &Fact<GraphFacts>, precision: Precision, evidences: &Evidences<'_>) -> Fact<String> {
    let facts = graph.value();
    let concerns = |f: &RunFailure| {
        let s = &f.subject;
        facts.is_some_and(|facts| s.graph.as_ref() == Some(&facts.graph) && s.input == facts.input)
            && (s.batch, s.precision) == (evidences.request.batch, precision)
    };
    match evidences.faults.newest(concerns) {
        Some(failure) => {
            Fact::Known(failure.summary(), Evidence::new(Grade::Measured, format!("record {}", failure.id())))
        }
        None => Fact::Unknown(Missing::new("failure", "no failure is recorded")),
    }
}

fn accuracy(
    comparison: &ComparisonSet,
    weights: Option<&Weights>,
    input: InputShape,
    precision: Precision,
) -> Fact<Accuracy> {
    let Some(weights) = weights else {
        return Fact::Unknown(Missing::new(
            "accuracy",
            "no weights of this architecture are published; train and evaluate it",
        ));
    };
    let result = weights
        .results
        .iter()
        .find(|r| comparison.covers(r) && r.precision == precision && r.input_size == input.height);
    match result {
        Some(result) => Fact::Known(
            Accuracy { value: result.value, metric: result.metric.clone(), dataset: result.dataset.clone() },
            Evidence::new(Grade::Published, source(result, weights)),
        ),
        None => Fact::Unknown(Missing::new("accuracy", comparison.lack(weights, precision))),
    }
}

/// Where a result is published, and what else is published of the same.
fn source(result: &PublishedResult, weights: &Weights) -> String {
    let others = weights.results.iter().filter(|other| *other != result && is_of_same(result, other));
    let others: Vec<_> = others.map(|r| format!("{} by {}", r.value, r.source)).collect();
    match others.is_empty() {
        true => result.source.clone(),
        false => format!("{}; also published: {}", result.source, others.join(", ")),
    }
}

fn licence(
    fact: &str,
    terms: Option<(&convwise_types::LicenceTerms, Option<&str>)>,
) -> Fact<convwise_types::LicenceTerms> {
    match terms {
        Some((terms, url)) => {
            let source = terms
                .source
                .clone()
                .or_else(|| url.map(str::to_owned))
                .unwrap_or_else(|| "family.toml".to_owned());
            Fact::Known(terms.clone(), Evidence::new(Grade::Published, source))
        }
        None => Fact::Unknown(Missing::new(fact, "no licence is stated; ask the authors")),
    }
}

/// Weights as deployed: of the layer graph, else of the parameters that somebody else counted.
fn size(architecture: &Architecture, graph: &Fact<GraphFacts>, precision: Precision) -> Fact<Bytes> {
    match architecture.stated_size(precision) {
        Some((bytes, source)) => Fact::Known(bytes, Evidence::new(Grade::Published, source)),
        None => of_graph(graph, "size", |g| g.weight_bytes.get(&precision).copied()),
    }
}

fn of_graph(graph: &Fact<GraphFacts>, fact: &str, get: impl Fn(&GraphFacts) -> Option<Bytes>) -> Fact<Bytes> {
    match graph {
        Fact::Known(facts, evidence) => match get(facts) {
            Some(bytes) => Fact::Known(bytes, evidence.clone()),
            None => {
                Fact::Unknown(Missing::new(fact, "the layer graph gives no figure in this number format"))
            }
        },
        Fact::Unknown(missing) => Fact::Unknown(Missing::new(fact, &missing.need)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 4096")]
fn throughput(latency: &Fact<Latency>, batch: u64) -> Fact<PerSecond> {
    match latency {
        Fact::Known(latency, evidence) => {
            Fact::Known(PerSecond(1000.0 * batch as f64 / latency.median.0), evidence.clone())
        }
        Fact::Unknown(missing) => Fact::Unknown(Missing::new("throughput", &missing.need)),
    }
}

/// Answers how long a network takes: from a measurement, else from the model.
#[derive(Debug)]
pub struct LatencyOracle<'a> {
    evidences: &'a Evidences<'a>,
    predictor: Predictor,
    basis: String,
    usable: BTreeMap<Deployed<'a>, &'a Measurement>,
}

/// What one latency belongs to: the digest of a graph, its input and number format.
type Deployed<'a> = (&'a str, InputShape, Precision);

/// int8 against fp32 on the same device and runtime: median speed-up 2.61, p10 to p90 1.10 to
/// 5.35 (1,178 pairs of networks of the AI Hub Models collection, its perf.yaml tables).
const INT8_SPEED_UP: f64 = 2.61;
const INT8_SPREAD: f64 = 0.6;
/// Threads share memory and caches: t threads do the work of about t^0.8.
const THREAD_SCALING: f64 = 0.8;

impl<'a> LatencyOracle<'a> {
    /// Fits the latency model to what was measured on the target in the request's own setting.
    #[must_use]
    pub fn new(evidences: &'a Evidences<'a>) -> Self {
        let usable = newest(evidences.measurements.iter().filter(|m| comparable(m, evidences)));
        let observed: Vec<_> = usable
            .values()
            .filter(|m| m.subject.precision == Precision::Fp32)
            .filter_map(|m| evidences.observed(m))
            .collect();
        let (prior, basis) = evidences.place.prior();
        Self { evidences, predictor: Predictor::fit(&prior, &observed), basis, usable }
    }

    fn graph(&self, architecture: &Architecture, input: InputShape) -> Fact<GraphFacts> {
        self.evidences
            .graphs
            .get(&(architecture.id.to_string(), input))
            .cloned()
            .unwrap_or_else(|| Fact::Unknown(architecture.no_graph("graph")))
    }

    /// The newest usable measurement of this very graph, else a prediction from what was measured on the device, else what
    /// somebody published for it, else an estimate.
    fn latency(
        &self,
        architecture: &Architecture,
        graph: &Fact<GraphFacts>,
        input: InputShape,
        precision: Precision,
    ) -> Fact<Latency> {
        let published = || published::latency(architecture, input, precision, self.evidences);
        let facts = match graph {
            Fact::Known(facts, _) => facts,
            Fact::Unknown(missing) => {
                return published().unwrap_or_else(|| Fact::Unknown(Missing::new("latency", &missing.need)));
            }
        };
        if let Some(measured) = self.measured(facts, precision) {
            return measured;
        }
        match self.predictor.observations() {
            0 => published().unwrap_or_else(|| self.predicted(facts, precision)),
            _ => self.predicted(facts, precision),
        }
    }

    fn measured(&self, facts: &GraphFacts, precision: Precision) -> Option<Fact<Latency>> {
        let newest = self.usable.get(&(facts.graph.as_str(), facts.input, precision))?;
        let s = &newest.statistics;
        Some(Fact::Known(
            Latency {
                median: s.median,
                interval: Interval { low: s.ci_low.0, high: s.ci_high.0 },
                device: newest.device.id.clone(),
                runner: newest.runner.name.clone(),
                record: Some(newest.id.clone()),
            },
            Evidence::new(Grade::Measured, format!("record {}", newest.id)),
        ))
    }

    /// The model's answer for a graph, with the spread of a change of number format.
    #[must_use]
    pub fn prediction(&self, facts: &GraphFacts, precision: Precision) -> Prediction {
        let request = self.evidences.request;
        let p = self.predictor.predict(&scaled(Work::of(facts, request.batch), request.threads));
        match precision {
            Precision::Int8 => {
                Prediction { median_ms: p.median_ms / INT8_SPEED_UP, spread: p.spread.hypot(INT8_SPREAD) }
            }
            Precision::Fp32 | Precision::Fp16 => p,
        }
    }

    fn predicted(&self, facts: &GraphFacts, precision: Precision) -> Fact<Latency> {
        let prediction = self.prediction(facts, precision);
        let known = self.predictor.observations();
        let evidence = if known == 0 {
            Evidence::new(Grade::Estimated, format!("layer graph, prior for {}", self.basis))
        } else {
            let networks = if known == 1 { "network" } else { "networks" };
            Evidence::new(
                Grade::Calibrated,
                format!("layer graph, {known} {networks} measured on this device"),
            )
        };
        Fact::Known(
            Latency {
                median: Millis(prediction.median_ms),
                interval: prediction.interval(),
                device: self.evidences.place.id(),
                runner: self.evidences.request.runner.clone(),
                record: None,
            },
            evidence,
        )
    }
}

impl Evidences<'_> {
    /// The work that a measurement did and its time, when its graph is one of ours.
    fn observed(&self, measurement: &Measurement) -> Option<(Work, f64)> {
        let digest = measurement.subject.graph.as_deref()?;
        let facts = self
            .graphs
            .values()
            .filter_map(Fact::value)
            .find(|facts| facts.graph == digest && facts.input == measurement.subject.input)?;
        let work = scaled(Work::of(facts, measurement.subject.batch), measurement.threads);
        Some((work, measurement.statistics.median.0))
    }
}

/// Whether a measurement was made on the target as the request would run: device, runner, batch,
/// threads and scenario; never a simulated or an insufficient one. Results in different settings
/// are not mixed.
fn comparable(m: &Measurement, evidences: &Evidences<'_>) -> bool {
    let request = evidences.request;
    m.device.id == evidences.place.id()
        && m.runner.name == request.runner
        && m.threads == request.threads
        && m.subject.batch == request.batch
        && m.scenario == Scenario::Latency
        && m.verdict != Quality::Insufficient
        && !m.runner.simulated
}

/// The newest measurement of each network: a repetition replaces the one before, and is no second
/// network to learn from.
fn newest<'a>(
    measurements: impl Iterator<Item = &'a Measurement>,
) -> BTreeMap<Deployed<'a>, &'a Measurement> {
    let mut newest = BTreeMap::new();
    for m in measurements {
        let Some(graph) = m.subject.graph.as_deref() else { continue };
        let kept = newest.entry((graph, m.subject.input, m.subject.precision)).or_insert(m);
        if (&m.taken, &m.id) > (&kept.taken, &kept.id) {
            *kept = m;
        }
    }
    newest
}

#[expect(clippy::cast_precision_loss, reason = "at most 1024")]
fn scaled(work: Work, threads: u64) -> Work {
    let share = (threads.max(1) as f64).powf(THREAD_SCALING);
    let [dense, depthwise, activations, operations] = work.0;
    Work([dense / share, depthwise / share, activations / share, operations])
}
