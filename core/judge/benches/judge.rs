//! Judging 40 requirements x 1,500 candidates, and ranking and explaining what fits.

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/rules/support.rs"]
mod support;

use std::hint::black_box;

use convwise_judge::{RuleFolder, RuleSet};
use convwise_types::{Candidate, Grade};
use criterion::{Criterion, criterion_group, criterion_main};
use support::{Made, budget, resnet50};

/// Forty rules that all apply: the shipped ones are fewer at a time, because a request states few limits.
/// One latency limit rejects a third of the candidates; the others pass or score, as in a real rule set.
fn forty_rules() -> RuleSet {
    let rules: String = (1..40)
        .map(|i| match i % 4 {
            0 => format!("require(#{{ id: \"r{i}\", holds: |net, need| net.size_bytes <= 900000000 && need.batch == 1 }});\n"),
            1 => format!("require(#{{ id: \"r{i}\", when: |need| need.has(\"latency_ms\"), holds: |net| net.params <= 500000000 + {i} }});\n"),
            2 => format!("prefer(#{{ id: \"r{i}\", score: |net| if net.family in [\"MobileNetV3\", \"EfficientNet\"] {{ 1.0 }} else {{ 0.3 }}, weight: 2.0 }});\n"),
            _ => format!("prefer(#{{ id: \"r{i}\", score: |net| clamp(net.accuracy.value / 100.0, 0.0, 1.0) }});\n"),
        })
        .collect();
    let latency = "require(#{ id: \"latency\", holds: |net, need| within(net.latency, need.latency_ms), proof: [\"measured\"], \
                   relax: |net| `--latency ${flag_ms(net.latency.high_ms)}`, because: |net| ms(net.latency.ms) });\n";
    let text = format!("{rules}{latency}rank(#{{ id: \"rank\", score: |net| net.preference }});");
    RuleSet::load_layers(&[RuleFolder::of_texts("bench", [("forty.rhai", text.as_str())])]).0
}

fn candidates() -> Vec<Candidate> {
    (0..1500_u32)
        .map(|i| {
            let ms = 5.0 + f64::from(i) / 10.0;
            let grade = if i % 3 == 0 { Grade::Measured } else { Grade::Estimated };
            let latency = Some((ms, ms * 0.9, ms * 1.1, grade));
            Made { id: format!("net{i}"), latency, top1: Some(60.0 + f64::from(i % 25)), ..resnet50() }
                .candidate()
        })
        .collect()
}

fn judging(c: &mut Criterion) {
    let (forty, (shipped, _)) = (forty_rules(), RuleSet::load(&[]));
    let (inquiry, candidates) = (budget(100.0), candidates());
    c.bench_function("judge/40 rules x 1500 candidates", |b| {
        b.iter(|| black_box(forty.judge(&inquiry, &candidates)))
    });
    c.bench_function("judge/shipped rules x 1500 candidates", |b| {
        b.iter(|| black_box(shipped.judge(&inquiry, &candidates)));
    });
    let judged = shipped.judge(&inquiry, &candidates);
    let pairs: Vec<_> = candidates.iter().zip(&judged).collect();
    c.bench_function("rank/1500 candidates", |b| b.iter(|| black_box(shipped.rank(&inquiry, &pairs))));
    if let Some(first) = candidates.first() {
        c.bench_function("explain/one candidate", |b| b.iter(|| black_box(shipped.explain(&inquiry, first))));
    }
    c.bench_function("load/shipped rules", |b| b.iter(|| black_box(RuleSet::load(&[]))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = judging
}
criterion_main!(benches);
