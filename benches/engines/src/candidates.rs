//! The situation that all engines judge: one request and many candidates, the same values for each.

#[expect(dead_code, reason = "the tests of the judge crate use the rest of it")]
#[path = "../../../core/judge/tests/rules/support.rs"]
mod support;

use convwise_judge::{Inquiry, QueryRow};
use convwise_types::{
    Bytes, Candidate, Effort, Fact, Grade, LicenceDemand, Limits, Macs, Maturity, Millis, Params, Percent,
    Request, Situation as Team,
};
use serde_json::{Value, json};
use support::{Made, request};

pub struct Situation {
    pub inquiry: Inquiry,
    pub candidates: Vec<Candidate>,
}

const FAMILIES: [&str; 12] = [
    "ResNet",
    "VGG",
    "AlexNet",
    "MobileNetV2",
    "MobileNetV3",
    "MNASNet",
    "ShuffleNetV2",
    "EfficientNet",
    "EfficientNetV2",
    "ConvNeXt",
    "RegNet",
    "DenseNet",
];

const MATURITIES: [Maturity; 4] =
    [Maturity::Experimental, Maturity::Established, Maturity::Established, Maturity::Ubiquitous];

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
    let mut inquiry = request(limits);
    inquiry.request.batch = 2;
    inquiry.request.situation =
        Team { train_images: Some(5000), classes: Some(20), effort: Some(Effort::Low), ..Team::default() };
    inquiry
}

/// Figures that vary independently of each other and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
}

fn candidate(number: u64) -> Candidate {
    let mut dice = Dice(number + 1);
    let ms = 4.0 + dice.below(1700) as f64 / 10.0;
    let mut candidate = Made {
        id: format!("net{number}"),
        family: dice.one_of(&FAMILIES).to_owned(),
        params: 1_000_000 + dice.below(90_000_000),
        top1: Some(60.0 + dice.below(2600) as f64 / 100.0),
        latency: Some((ms, ms * 0.95, ms * 1.05, Grade::Measured)),
        maturity: Some(dice.one_of(&MATURITIES)),
    }
    .candidate();
    if let Fact::Known(graph, _) = &mut candidate.graph {
        graph.macs = Macs(graph.params.0 * (20 + dice.below(400)));
        graph.depthwise_macs = Macs(graph.macs.0 / 100 * dice.below(95));
    }
    if let Fact::Known(ram, _) = &mut candidate.ram {
        *ram = Bytes(4_000_000 + dice.below(40_000_000));
    }
    if let Fact::Known(licence, _) = &mut candidate.weights_licence {
        licence.spdx = dice.one_of(&["BSD-3-Clause", "MIT", "Apache-2.0", "AGPL-3.0"]).to_owned();
    }
    if dice.below(12) == 5 {
        candidate.key.weights = None;
    }
    candidate
}
