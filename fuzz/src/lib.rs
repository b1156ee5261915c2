//! What the targets have in common: a folder of rules written as one text, and something to judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convwise_judge::{Inquiry, Target};
use convwise_types::{
    Accuracy, Architecture, ArchitectureId, Bytes, Candidate, CandidateKey, Deploy, DeviceId, Effort, Evidence, Fact,
    Grade, GraphFacts, InputShape, Interval, Latency, LicenceTerms, Limits, Macs, Maturity, MemoryModel, Millis,
    Missing, Origin, Params, PerSecond, Percent, Precision, Priority, Request, RunnerName, Situation, Task,
};

/// What begins a line that names the next file.
const FILE: &str = "//// ";

/// The files of a folder written one after the other, each under a line `//// name`. What stands before the first
/// such line is a rule file.
pub fn folder(text: &str) -> Vec<(&str, String)> {
    let mut files = vec![("fuzzed.rhai", String::new())];
    for line in text.lines() {
        match line.strip_prefix(FILE) {
            Some(name) => files.push((name.trim(), String::new())),
            None => {
                let (_, text) = files.last_mut().expect("there is a first one");
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    files
}

/// One network of which everything is known and one of which nothing is.
pub fn candidates() -> Vec<Candidate> {
    vec![candidate("resnet50", true), candidate("unheard_of", false)]
}

/// Requests that between them open most rules.
pub fn inquiries() -> Vec<Inquiry> {
    let limits = Limits { latency: Some(Millis(20.0)), max_params: Some(Params(30_000_000)), ..Limits::default() };
    vec![inquiry(Task::Classify, Deploy::CpuServer, limits), inquiry(Task::Detect, Deploy::Edge, Limits::default())]
}

fn inquiry(task: Task, deploy: Deploy, limits: Limits) -> Inquiry {
    let situation = Situation { train_images: Some(500), classes: Some(7), domain: None, effort: Some(Effort::Low) };
    let request = Request {
        task,
        deploy,
        limits,
        situation,
        priority: Priority::Balanced,
        device: None,
        here: false,
        batch: 1,
        threads: 1,
        runner: RunnerName::from("rten"),
        precisions: vec![Precision::Fp32],
        memory_model: MemoryModel::default(),
        origins: BTreeMap::new(),
    };
    Inquiry { request, target: Target::undescribed(deploy) }
}

fn fact<T>(value: T, name: &str, known: bool) -> Fact<T> {
    if known {
        Fact::Known(value, Evidence::new(Grade::Measured, "made up"))
    } else {
        Fact::Unknown(Missing::new(name, "nobody knows"))
    }
}

fn candidate(id: &str, known: bool) -> Candidate {
    let graph = GraphFacts {
        input: InputShape::square(224),
        params: Params(25_557_032),
        macs: Macs(4_089_184_256),
        depthwise_macs: Macs(0),
        activations: 11_114_984,
        peak_elements: BTreeMap::from([(MemoryModel::InPlace, 2_408_448)]),
        weight_bytes: BTreeMap::from([(Precision::Fp32, Bytes(102_228_128))]),
        ops: BTreeMap::from([("conv".to_owned(), 53)]),
        outputs: Vec::new(),
        graph: "digest".into(),
    };
    let licence = LicenceTerms { spdx: "BSD-3-Clause".into(), source: None };
    let architecture = Arc::new(Architecture {
        id: ArchitectureId::from(id),
        family: "ResNet".into(),
        title: "ResNet-50".into(),
        task: Task::Classify,
        paper: None,
        code_licence: known.then(|| licence.clone()),
        maturity: known.then_some(Maturity::Ubiquitous),
        tags: BTreeSet::from(["residual".to_owned()]),
        input: InputShape::square(224),
        weights: Vec::new(),
        elsewhere: BTreeMap::new(),
        graph: known.then(|| graph.clone()),
        origin: Origin::Shipped,
        plugin: "digest".into(),
    });
    let accuracy = Accuracy { value: Percent(80.858), metric: "top1".into(), dataset: "imagenet-1k/val".into() };
    let latency = Latency {
        median: Millis(36.8),
        interval: Interval { low: 36.5, high: 37.1 },
        device: DeviceId::from("server"),
        runner: RunnerName::from("rten"),
        record: None,
    };
    Candidate {
        key: CandidateKey {
            architecture: architecture.id.clone(),
            weights: None,
            input: InputShape::square(224),
            precision: Precision::Fp32,
            runner: RunnerName::from("rten"),
        },
        graph: fact(graph, "graph", known),
        accuracy: fact(accuracy, "accuracy", known),
        latency: fact(latency, "latency", known),
        throughput: fact(PerSecond(27.2), "throughput", known),
        size: fact(Bytes(102_228_128), "size", known),
        ram: fact(Bytes(9_633_792), "ram", known),
        weights_licence: fact(licence.clone(), "weights_licence", known),
        code_licence: fact(licence, "licence", known),
        failure: fact(String::new(), "failure", false),
        architecture,
    }
}
