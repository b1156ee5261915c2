//! The order of rules, of files and of candidates never matters.

use std::collections::BTreeMap;

use crate::support::{Made, budget, mobilenet, request, resnet50, shipped};
use convwise_judge::{Inquiry, Judgement, RuleFolder, RuleSet};
use convwise_types::{
    Bytes, Candidate, Deploy, Domain, Effort, Finding, Grade, LicenceDemand, Limits, Params, Percent,
    Priority, Situation, Task,
};

/// Orders that differ from seed to seed and are the same every time.
struct Shuffle(u64);

impl Shuffle {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn of<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// The shipped rules with the declarations of each file in another order, in files whose names sort otherwise.
fn reordered(shuffle: &mut Shuffle) -> RuleSet {
    let mut by_file: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in shipped().list() {
        by_file.entry(rule.file.trim_start_matches("rules/").to_owned()).or_default().push(rule.text);
    }
    let folder = RuleFolder::shipped();
    let mut files: Vec<(String, String)> = Vec::new();
    for (name, mut declarations) in by_file {
        let mut rest = folder.files[&name].to_string();
        for text in &declarations {
            rest = rest.replace(text, "");
        }
        shuffle.of(&mut declarations);
        let prefix = char::from(b'a' + u8::try_from(shuffle.below(26)).unwrap());
        files.push((format!("{prefix}-{name}"), format!("{rest}\n{}", declarations.join("\n"))));
    }
    shuffle.of(&mut files);
    let texts = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let (rules, problems) = RuleSet::load_layers(&[RuleFolder::of_texts("other", texts)]);
    assert_eq!(problems, []);
    rules
}

fn candidates() -> Vec<Candidate> {
    let grades = [Grade::Measured, Grade::Calibrated, Grade::Published, Grade::Estimated];
    let one = |i: u32| {
        let ms = 8.0 * f64::from(i % 11 + 1);
        let base = if i.is_multiple_of(3) { mobilenet() } else { resnet50() };
        Made {
            id: format!("net{i}"),
            family: ["ResNet", "MobileNetV3", "EfficientNet", "ConvNeXt"][i as usize % 4].into(),
            params: 2_000_000 + u64::from(i) * 3_000_000,
            top1: (i % 7 != 3).then(|| 66.0 + f64::from(i % 13)),
            latency: (i % 5 != 4).then(|| (ms, ms * 0.9, ms * 1.1, grades[i as usize % 4])),
            ..base
        }
        .candidate()
    };
    (0..24).map(one).collect()
}

/// Requests that between them open every kind of rule.
fn inquiries() -> Vec<Inquiry> {
    let limits = Limits {
        max_size: Some(Bytes(60_000_000)),
        max_params: Some(Params(30_000_000)),
        min_accuracy: Some(Percent(70.0)),
        licence: LicenceDemand::Permissive,
        real_time: true,
        ..Limits::default()
    };
    let situated = |deploy, priority, domain, images| {
        let mut inquiry = request(Limits::default());
        inquiry.request.deploy = deploy;
        inquiry.request.priority = priority;
        inquiry.request.situation = Situation {
            train_images: Some(images),
            classes: Some(20),
            domain: Some(domain),
            effort: Some(Effort::Low),
            ..Situation::default()
        };
        inquiry
    };
    let mut detect = request(Limits::default());
    detect.request.task = Task::Detect;
    vec![
        budget(40.0),
        request(limits),
        detect,
        situated(Deploy::GpuServer, Priority::Accuracy, Domain::Medical, 2_000_000),
        situated(Deploy::Mobile, Priority::Speed, Domain::Natural, 500),
        situated(Deploy::Edge, Priority::Size, Domain::Satellite, 30_000),
        situated(Deploy::CpuServer, Priority::Simplicity, Domain::Industrial, 700_000),
    ]
}

/// A finding without the place of its rule, which is what the other order changes.
fn placeless(finding: &Finding) -> Finding {
    Finding { file: String::new(), line: 0, ..finding.clone() }
}

/// Everything that rules make of candidates, by candidate.
fn answer(rules: &RuleSet, inquiry: &Inquiry, candidates: &[Candidate]) -> Vec<String> {
    let judged = rules.judge(inquiry, candidates);
    let written = |j: &Judgement| {
        let findings: Vec<_> = j.findings.iter().map(placeless).collect();
        format!("{:?}", Judgement { findings, ..j.clone() })
    };
    let mut said: Vec<String> = Vec::new();
    for (candidate, judgement) in candidates.iter().zip(&judged) {
        let plan = rules.steps(inquiry, candidate).unwrap();
        let steps: Vec<_> =
            plan.train.iter().chain(&plan.optimise).chain(&plan.open).map(placeless).collect();
        let explained = rules.explain(inquiry, candidate);
        said.push(format!("{} {} {} {steps:?}", candidate.key, written(judgement), written(&explained)));
    }
    said.sort();
    let pairs: Vec<_> = candidates.iter().zip(&judged).collect();
    let order = rules.rank(inquiry, &pairs);
    said.extend(order.iter().map(|r| format!("{} {:?}", candidates[r.index].key, r.score)));
    said
}

#[test]
fn the_order_of_rules_and_files_never_matters() {
    let (rules, candidates) = (shipped(), candidates());
    let expected: Vec<_> = inquiries().iter().map(|i| answer(&rules, i, &candidates)).collect();
    for seed in 0..12 {
        let other = reordered(&mut Shuffle(seed));
        assert_eq!(other.len(), rules.len());
        for (inquiry, expected) in inquiries().iter().zip(&expected) {
            assert_eq!(&answer(&other, inquiry, &candidates), expected, "seed {seed}, {inquiry:?}");
        }
    }
}

#[test]
fn the_order_of_candidates_never_matters() {
    let (rules, mut candidates) = (shipped(), candidates());
    let expected: Vec<_> = inquiries().iter().map(|i| answer(&rules, i, &candidates)).collect();
    for seed in 0..12 {
        Shuffle(seed).of(&mut candidates);
        for (inquiry, expected) in inquiries().iter().zip(&expected) {
            assert_eq!(&answer(&rules, inquiry, &candidates), expected, "seed {seed}, {inquiry:?}");
        }
    }
}

#[test]
fn another_order_is_another_order() {
    let names = |rules: &RuleSet| -> Vec<_> {
        rules
            .list()
            .into_iter()
            .map(|r| (r.id, r.file.rsplit('-').next().map(str::to_owned), r.line))
            .collect()
    };
    assert_ne!(names(&reordered(&mut Shuffle(1))), names(&reordered(&mut Shuffle(2))));
}
