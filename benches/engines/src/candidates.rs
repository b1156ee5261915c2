//! The situation that all engines judge: one request and many candidates, the same values for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convwise_judge::{Inquiry, QueryRow, Target};
use convwise_types::{
    Accuracy, Architecture, ArchitectureId, Bytes, Candidate, CandidateKey, Deploy, DeviceId, Effort, Evidence, Fact,
    Grade, GraphFacts, InputShape, Interval, Latency, LicenceDemand, LicenceTerms, Limits, Macs, Maturity, MemoryModel,
    Millis, Missing, Origin, Params, PerSecond, Percent, Precision, Priority, Request, RunnerName, Situation as Team,
    Task, Weights, WeightsTag,
};
use serde_json::{Value, json};

pub struct Situation {
    pub inquiry: Inquiry,
    pub candidates: Vec<Candidate>,
}

const FAMILIES: [&str; 12] = [
    "ResNet", "VGG", "AlexNet", "MobileNetV2", "MobileNetV3", "MNASNet", "ShuffleNetV2", "EfficientNet", "EfficientNetV2",
    "ConvNeXt", "RegNet", "DenseNet",
];

impl Situation {
    pub fn new(count: u64) -> Self {
        Self { inquiry: inquiry(), candidates: (0..count).map(candidate).collect() }
    }

    /// What the other engines take for each candidate: the same request and the same facts.
    pub fn documents(&self) -> Vec<Value> {
        let need = need(&self.inquiry.request);
        let document = |c: &Candidate| json!({"need": need, "net": QueryRow::candidate(c).to_json()});
        self.candidates.iter().map(document).collect()
    }
}

fn need(request: &Request) -> Value {
    let limits = &request.limits;
    json!({
        "task": request.task, "deploy": request.deploy, "priority": request.priority,
        "latency_ms": limits.latency.map(|l| l.0), "max_size_bytes": limits.max_size.map(|s| s.0),
        "max_params": limits.max_params.map(|p| p.0), "min_accuracy": limits.min_accuracy.map(|a| a.0),
        "ram_bytes": limits.ram.map(|r| r.0), "licence": limits.licence,
        "train_images": request.situation.train_images, "classes": request.situation.classes,
        "effort": request.situation.effort, "batch": request.batch, "threads": request.threads,
    })
}

fn inquiry() -> Inquiry {
    let limits = Limits {
        latency: Some(Millis(140.0)),
        max_size: Some(Bytes(300_000_000)),
        max_params: Some(Params(70_000_000)),
        min_accuracy: Some(Percent(62.0)),
        ram: Some(Bytes(40_000_000)),
        licence: LicenceDemand::Permissive,
        ..Limits::default()
    };
    let situation =
        Team { train_images: Some(5000), classes: Some(20), effort: Some(Effort::Low), ..Team::default() };
    let request = Request {
        task: Task::Classify,
        deploy: Deploy::CpuServer,
        limits,
        situation,
        priority: Priority::Balanced,
        device: None,
        here: false,
        batch: 2,
        threads: 1,
        runner: RunnerName::from("rten"),
        precisions: vec![Precision::Fp32],
        memory_model: MemoryModel::default(),
        origins: BTreeMap::new(),
    };
    Inquiry { request, target: Target::undescribed(Deploy::CpuServer) }
}

/// Figures that vary independently of each other and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn candidate(number: u64) -> Candidate {
    let mut dice = Dice(number + 1);
    let params = 1_000_000 + dice.below(90_000_000);
    let ms = 4.0 + dice.below(1700) as f64 / 10.0;
    let architecture = Arc::new(architecture(number, params, &mut dice));
    let known = |grade| Evidence::new(grade, "made for the comparison");
    let accuracy = Accuracy {
        value: Percent(60.0 + dice.below(2600) as f64 / 100.0),
        metric: "top1".into(),
        dataset: "imagenet-1k/val".into(),
    };
    let latency = Latency {
        median: Millis(ms),
        interval: Interval { low: ms * 0.95, high: ms * 1.05 },
        device: DeviceId::from("server"),
        runner: RunnerName::from("rten"),
        record: None,
    };
    Candidate {
        key: CandidateKey {
            architecture: architecture.id.clone(),
            weights: architecture.weights.first().map(|w| w.tag.clone()),
            input: InputShape::square(224),
            precision: Precision::Fp32,
            runner: RunnerName::from("rten"),
        },
        graph: Fact::Known(architecture.graph.clone().expect("made with one"), known(Grade::Estimated)),
        accuracy: Fact::Known(accuracy, known(Grade::Published)),
        latency: Fact::Known(latency, known(Grade::Measured)),
        throughput: Fact::Known(PerSecond(1000.0 / ms), known(Grade::Measured)),
        size: Fact::Known(Bytes(params * 4), known(Grade::Estimated)),
        ram: Fact::Known(Bytes(4_000_000 + dice.below(40_000_000)), known(Grade::Estimated)),
        weights_licence: Fact::Known(licence(&mut dice), known(Grade::Published)),
        code_licence: Fact::Known(licence(&mut Dice(7)), known(Grade::Published)),
        failure: Fact::Unknown(Missing::new("failure", "no failure is recorded")),
        architecture,
    }
}

fn licence(dice: &mut Dice) -> LicenceTerms {
    let spdx = if dice.below(10) == 3 { "AGPL-3.0" } else { "BSD-3-Clause" };
    LicenceTerms { spdx: spdx.to_owned(), source: None }
}

fn architecture(number: u64, params: u64, dice: &mut Dice) -> Architecture {
    let macs = params * (20 + dice.below(400));
    let graph = GraphFacts {
        input: InputShape::square(224),
        params: Params(params),
        macs: Macs(macs),
        depthwise_macs: Macs(macs / 100 * dice.below(95)),
        activations: 11_114_984,
        peak_elements: BTreeMap::from([(MemoryModel::InPlace, 2_408_448)]),
        weight_bytes: BTreeMap::from([(Precision::Fp32, Bytes(params * 4))]),
        ops: BTreeMap::from([("conv".to_owned(), 53), ("relu".to_owned(), 49)]),
        outputs: Vec::new(),
        graph: format!("digest{number}"),
    };
    let maturity = [Maturity::Experimental, Maturity::Established, Maturity::Established, Maturity::Ubiquitous];
    let family = FAMILIES[dice.below(FAMILIES.len() as u64) as usize];
    let weights = Weights {
        tag: WeightsTag::from("torchvision/IMAGENET1K_V2"),
        licence: None,
        url: None,
        found_as: None,
        preprocessing: None,
        results: Vec::new(),
    };
    Architecture {
        id: ArchitectureId::from(format!("net{number}").as_str()),
        family: family.to_owned(),
        title: format!("{family} {number}"),
        task: Task::Classify,
        paper: None,
        code_licence: None,
        maturity: Some(maturity[dice.below(4) as usize]),
        tags: BTreeSet::from(["residual".to_owned()]),
        input: InputShape::square(224),
        weights: if dice.below(12) == 5 { Vec::new() } else { vec![weights] },
        elsewhere: BTreeMap::new(),
        graph: Some(graph),
        origin: Origin::Shipped,
        plugin: "digest".into(),
    }
}
