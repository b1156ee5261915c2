//! Small architectures, devices, measurements and candidates, legal in every field, for tests to vary.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convwise_advisor::faults::Faults;
use convwise_advisor::gather::{Evidences, GraphTable, gather, inputs_of};
use convwise_advisor::{Place, Standing};
use convwise_types::{
    Accuracy, Architecture, Bytes, Candidate, CandidateKey, Coverage, Deploy, Device, DeviceKind, Evidence,
    Fact, Grade, GraphFacts, InputShape, Interval, Latency, Limits, Macs, Maturity, Measurement, MemoryModel,
    Millis, Missing, Origin, Paper, Params, PerSecond, Percent, Precision, Priority, PublishedResult,
    Quality, RecordId, Request, RunnerStamp, Scenario, Situation, Statistics, Subject, Task, Tool, Verdict,
    Weights,
};

/// A classifier with one set of fp32 weights.
pub fn architecture(id: &str) -> Architecture {
    Architecture {
        id: id.into(),
        family: "family".to_owned(),
        title: id.to_uppercase(),
        task: Task::Classify,
        paper: None,
        code_licence: None,
        maturity: Some(Maturity::Established),
        tags: BTreeSet::new(),
        input: InputShape::square(224),
        weights: vec![weights("V1", vec![top1(70.0, 224, Precision::Fp32)])],
        elsewhere: BTreeMap::new(),
        graph: None,
        reach: None,
        latencies: Vec::new(),
        stated: None,
        stated_macs: Vec::new(),
        origin: Origin::Shipped,
        plugin: "family.toml".to_owned(),
    }
}

pub fn weights(tag: &str, results: Vec<PublishedResult>) -> Weights {
    Weights {
        tag: tag.into(),
        covers: Coverage::Whole,
        trained_on: Vec::new(),
        licence: None,
        url: None,
        found_as: None,
        preprocessing: None,
        results,
    }
}

/// A result on the dataset that classifiers are compared on.
pub fn top1(value: f64, side: u64, precision: Precision) -> PublishedResult {
    PublishedResult {
        dataset: "imagenet-1k/val".to_owned(),
        metric: "top1".to_owned(),
        value: Percent(value),
        input_size: side,
        precision,
        source: "https://example.org/results".to_owned(),
    }
}

pub fn paper(year: u32) -> Paper {
    Paper { title: "A network".to_owned(), url: "https://example.org".to_owned(), year }
}

/// Facts of a network of so many thousand million multiply-accumulates; its digest is `id@side`.
pub fn graph(id: &str, input: InputShape, gmacs: u64) -> GraphFacts {
    let bytes = |scale: u64| Precision::ALL.iter().map(|p| (*p, Bytes(p.bytes() * scale))).collect();
    GraphFacts {
        input,
        params: Params(5_000_000 * gmacs),
        macs: Macs(1_000_000_000 * gmacs),
        depthwise_macs: Macs(0),
        activations: 5_000_000 * gmacs,
        peak_elements: [(MemoryModel::InPlace, 1_000_000)].into(),
        bounded: BTreeSet::new(),
        weight_bytes: bytes(5_000_000 * gmacs),
        ops: BTreeMap::from([("conv".to_owned(), 50), ("relu".to_owned(), 50)]),
        outputs: Vec::new(),
        graph: format!("{id}@{}", input.height),
    }
}

pub fn device(id: &str) -> Device {
    Device {
        id: id.into(),
        kind: DeviceKind::Cpu,
        cpu: "Processor 9000".to_owned(),
        gpu: None,
        cores: 4,
        isa: BTreeSet::from(["avx2".to_owned()]),
        ram: Bytes(8_000_000_000),
        platform: "linux-x86_64".to_owned(),
        virtual_machine: false,
    }
}

pub fn request() -> Request {
    Request {
        task: Task::Classify,
        deploy: Deploy::CpuServer,
        limits: Limits::default(),
        situation: Situation::default(),
        priority: Priority::Balanced,
        device: None,
        here: false,
        batch: 1,
        threads: 1,
        runner: "rten".into(),
        precisions: vec![Precision::Fp32],
        memory_model: MemoryModel::default(),
        postprocess: false,
        dataset: None,
        comparison: None,
        origins: BTreeMap::new(),
    }
}

/// A measurement of the graph `digest` at 3x224x224, as [`request`] would run it on device `here`.
pub fn measurement(id: &str, digest: &str, ms: f64) -> Measurement {
    Measurement {
        schema: 1,
        id: id.into(),
        subject: Subject {
            architecture: None,
            file: None,
            artifact: "artifact".to_owned(),
            graph: Some(digest.to_owned()),
            weights: "random:0".to_owned(),
            input: InputShape::square(224),
            batch: 1,
            precision: Precision::Fp32,
            postprocess: false,
        },
        runner: RunnerStamp {
            name: "rten".into(),
            version: "1".to_owned(),
            options: BTreeMap::new(),
            simulated: false,
        },
        threads: 1,
        scenario: Scenario::Latency,
        rate: None,
        device: device("here"),
        launches: Vec::new(),
        statistics: statistics(ms),
        verdict: Quality::Trusted,
        remarks: Vec::new(),
        conditions: BTreeMap::new(),
        taken: "2026-01-01T00:00:00Z".to_owned(),
        tool: Tool { version: "1".to_owned(), command: "convwise bench".to_owned() },
    }
}

fn statistics(ms: f64) -> Statistics {
    Statistics {
        samples: 100,
        median: Millis(ms),
        ci_low: Millis(ms * 0.95),
        ci_high: Millis(ms * 1.05),
        min: Millis(ms * 0.9),
        mean: Millis(ms),
        p90: None,
        p99: None,
        mad: Millis(ms * 0.01),
        outliers: 0,
    }
}

/// All that candidates are gathered from.
#[derive(Clone)]
pub struct Scene {
    pub request: Request,
    pub place: Place,
    pub architectures: Vec<Architecture>,
    pub graphs: GraphTable,
    pub measurements: Vec<Measurement>,
}

impl Scene {
    /// Architectures on device `here`; the n-th costs n thousand million multiply-accumulates.
    pub fn of(architectures: Vec<Architecture>) -> Self {
        let mut graphs = GraphTable::new();
        for (architecture, gmacs) in architectures.iter().zip(1..) {
            for input in inputs_of(architecture) {
                let facts = graph(architecture.id.as_str(), input, gmacs);
                let evidence = Evidence::new(Grade::Estimated, "layer graph");
                graphs.insert((architecture.id.to_string(), input), Fact::Known(facts, evidence));
            }
        }
        let place = Place::Here(device("here"));
        Self { request: request(), place, architectures, graphs, measurements: Vec::new() }
    }

    /// With a single plain architecture `net`.
    pub fn plain() -> Self {
        Self::of(vec![architecture("net")])
    }

    pub fn precisions(mut self, precisions: &[Precision]) -> Self {
        self.request.precisions = precisions.to_vec();
        self
    }

    pub fn measured(mut self, measurements: Vec<Measurement>) -> Self {
        self.measurements = measurements;
        self
    }

    pub fn candidates(&self) -> Vec<Candidate> {
        let architectures: Vec<_> = self.architectures.iter().cloned().map(Arc::new).collect();
        gather(
            &architectures,
            &Evidences {
                request: &self.request,
                place: &self.place,
                graphs: &self.graphs,
                measurements: &self.measurements,
                faults: &Faults::default(),
            },
        )
    }

    /// The only candidate of an architecture.
    pub fn only(&self, id: &str) -> Candidate {
        let mut found: Vec<_> =
            self.candidates().into_iter().filter(|c| c.key.architecture.as_str() == id).collect();
        assert_eq!(found.len(), 1, "{id} is one candidate");
        found.remove(0)
    }
}

/// A candidate whose accuracy is published, latency estimated and size that of a small graph.
pub fn candidate(id: &str, accuracy: f64, ms: f64) -> Candidate {
    let input = InputShape::square(224);
    let evidence = || Evidence::new(Grade::Estimated, "layer graph");
    Candidate {
        key: CandidateKey {
            architecture: id.into(),
            weights: Some("V1".into()),
            input,
            precision: Precision::Fp32,
            runner: "rten".into(),
        },
        architecture: Arc::new(architecture(id)),
        graph: Fact::Known(graph(id, input, 1), evidence()),
        accuracy: Fact::Known(
            Accuracy {
                value: Percent(accuracy),
                metric: "top1".to_owned(),
                dataset: "imagenet-1k/val".to_owned(),
            },
            Evidence::new(Grade::Published, "https://example.org/results"),
        ),
        latency: Fact::Known(
            Latency {
                median: Millis(ms),
                interval: Interval { low: ms / 1.1, high: ms * 1.1 },
                device: "here".into(),
                runner: "rten".into(),
                record: None,
            },
            evidence(),
        ),
        throughput: Fact::Known(PerSecond(1000.0 / ms), evidence()),
        size: Fact::Known(Bytes(20_000_000), evidence()),
        ram: Fact::Known(Bytes(4_000_000), evidence()),
        weights_licence: unknown("weights_licence"),
        code_licence: unknown("licence"),
        failure: unknown("failure"),
    }
}

pub fn unknown<T>(fact: &str) -> Fact<T> {
    Fact::Unknown(Missing::new(fact, "ask somebody"))
}

/// The candidate after a measurement that came out as expected.
pub fn measured(mut candidate: Candidate) -> Candidate {
    if let Fact::Known(latency, evidence) = &mut candidate.latency {
        latency.record = Some(RecordId::from("r1"));
        *evidence = Evidence::new(Grade::Measured, "record r1");
    }
    candidate
}

pub fn changed(mut candidate: Candidate, change: impl FnOnce(&mut Architecture)) -> Candidate {
    change(Arc::make_mut(&mut candidate.architecture));
    candidate
}

/// Standings of candidates with their scores, in that order: measured ones proven, others unproven.
pub fn standings<'a>(candidates: &'a [(Candidate, f64)]) -> Vec<Standing<'a>> {
    let stand = |(index, (candidate, score)): (usize, &'a (Candidate, f64))| {
        let proven = candidate.latency.grade() == Some(Grade::Measured);
        let verdict = if proven { Verdict::Proven } else { Verdict::Unproven };
        Standing { index, candidate, verdict, score: *score, preference: *score }
    };
    candidates.iter().enumerate().map(stand).collect()
}
