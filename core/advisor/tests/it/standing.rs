//! What the best candidates are called, which of them are one choice, and which cannot be told apart.

use std::collections::BTreeMap;

use convwise_advisor::{distinct, labels, ties};
use convwise_types::{
    Accuracy, Bytes, Candidate, Fact, InputShape, Label, Maturity, Missing, Precision, Tie,
};

use crate::samples::{candidate, changed, paper, standings, unknown};

/// The holder of every label, by architecture.
fn holders(candidates: &[(Candidate, f64)]) -> BTreeMap<Label, String> {
    let pool = standings(candidates);
    labels(&pool).into_iter().map(|(l, i)| (l, pool[i].candidate.key.architecture.to_string())).collect()
}

/// The holder of a label in either order of two candidates.
fn check_draw(label: Label, pool: [(Candidate, f64); 2], expect: &str) {
    let [a, b] = pool;
    for pool in [[a.clone(), b.clone()], [b, a]] {
        assert_eq!(holders(&pool).get(&label).map(String::as_str), Some(expect));
    }
}

fn sized(mut candidate: Candidate, bytes: u64) -> Candidate {
    if let Fact::Known(size, _) = &mut candidate.size {
        *size = Bytes(bytes);
    }
    candidate
}

#[test]
fn every_label_goes_to_the_one_that_deserves_it() {
    let pool = [
        (sized(candidate("quick", 70.0, 5.0), 30), 0.9),
        (sized(candidate("middle", 78.0, 8.0), 20), 0.8),
        (sized(candidate("accurate", 80.0, 100.0), 90), 0.7),
        (sized(candidate("tiny", 71.0, 30.0), 10), 0.6),
        (
            changed(sized(candidate("known", 72.0, 31.0), 40), |a| a.maturity = Some(Maturity::Ubiquitous)),
            0.5,
        ),
    ];
    let expect = [
        (Label::HighestAccuracy, "accurate"),
        (Label::BestTradeOff, "middle"),
        (Label::Fastest, "quick"),
        (Label::Smallest, "tiny"),
        (Label::MostEstablished, "known"),
    ]
    .map(|(l, id)| (l, id.to_owned()));
    assert_eq!(holders(&pool), BTreeMap::from(expect));
}

#[test]
fn the_trade_off_weighs_by_how_many_times_one_is_faster() {
    let pool = [
        (candidate("quick", 60.0, 2.0), 0.9),
        (candidate("between", 68.0, 20.0), 0.8),
        (candidate("accurate", 80.0, 100.0), 0.7),
    ];
    assert_eq!(holders(&pool)[&Label::BestTradeOff], "quick", "10 times slower buys 8 of 20 points");
}

#[test]
fn a_label_whose_quantity_nobody_knows_has_no_holder() {
    let ignorant = |id: &str| {
        let mut c = changed(candidate(id, 70.0, 5.0), |a| a.maturity = None);
        (c.accuracy, c.size) = (unknown("accuracy"), unknown("size"));
        (c, 0.5)
    };
    let held = holders(&[ignorant("a"), ignorant("b")]);
    assert_eq!(held, BTreeMap::from([(Label::Fastest, "a".to_owned())]));
    assert_eq!(holders(&[]), BTreeMap::new());
}

#[test]
fn the_unknown_never_beats_the_known() {
    let mut vague = candidate("vague", 99.0, 1.0);
    vague.accuracy = unknown("accuracy");
    let held = holders(&[(vague, 0.9), (candidate("known", 50.0, 50.0), 0.1)]);
    assert_eq!(held[&Label::HighestAccuracy], "known");
    assert_eq!(held[&Label::BestTradeOff], "known");
    // Nobody ever saw that it can do the task.
    assert_eq!(held[&Label::Fastest], "known");
}

#[test]
fn a_draw_goes_to_the_better_score_then_to_the_first_name() {
    let like = |id: &str, score| (candidate(id, 70.0, 5.0), score);
    for label in [Label::HighestAccuracy, Label::BestTradeOff, Label::Fastest, Label::Smallest] {
        check_draw(label, [like("a", 0.4), like("b", 0.6)], "b");
        check_draw(label, [like("a", 0.5), like("b", 0.5)], "a");
    }
}

#[test]
fn establishment_is_maturity_then_the_baseline_tag_then_age() {
    let net = |id: &str, maturity, baseline: bool, year| {
        let c = changed(candidate(id, 70.0, 5.0), |a| {
            a.maturity = Some(maturity);
            a.paper = Some(paper(year));
            a.tags.extend(baseline.then(|| "baseline".to_owned()));
        });
        (c, 0.5)
    };
    let check = |a, b, expect| check_draw(Label::MostEstablished, [a, b], expect);
    let (usual, rare) = (Maturity::Established, Maturity::Experimental);
    check(net("a", rare, true, 1998), net("b", usual, false, 2022), "b");
    check(net("a", usual, false, 1998), net("b", usual, true, 2022), "b");
    check(net("a", usual, true, 2022), net("b", usual, true, 2015), "b");
}

#[test]
fn weights_of_one_network_are_one_choice_and_the_better_placed_stay() {
    let mut better = candidate("net", 75.0, 5.0);
    better.key.weights = Some("V2".into());
    let worse = candidate("net", 70.0, 5.0);
    let mut larger = worse.clone();
    larger.key.input = InputShape::square(320);
    let mut int8 = worse.clone();
    int8.key.precision = Precision::Int8;
    let mut remote = worse.clone();
    remote.key.runner = "onnxruntime".into();
    let pool = [better, worse, larger, int8, remote, candidate("other", 70.0, 5.0)].map(|c| (c, 0.5));
    let kept: Vec<_> = distinct(&standings(&pool)).iter().map(|s| s.index).collect();
    assert_eq!(kept, [0, 2, 3, 4, 5]);
}

/// Ties among candidates, at a sampling error of half a point on ImageNet.
fn tied(candidates: Vec<Candidate>) -> Vec<Tie> {
    let pool: Vec<_> = candidates.into_iter().map(|c| (c, 0.5)).collect();
    ties(&standings(&pool), &|dataset, _| (dataset == "imagenet-1k/val").then_some(0.5))
}

fn tie(on: &str, architectures: &[&str], reason: &str) -> Tie {
    let architectures = architectures.iter().map(|a| (*a).into()).collect();
    Tie { on: on.to_owned(), architectures, reason: reason.to_owned() }
}

const WITHIN: &str = "within 0.50 points, the sampling error of imagenet-1k/val (95 %)";
const OVERLAP: &str = "their 95 % intervals overlap with the fastest one's";

#[test]
fn accuracies_within_the_sampling_error_of_the_best_are_a_tie() {
    let found = tied(vec![
        candidate("chained", 79.3, 90.0),
        candidate("near", 79.6, 30.0),
        candidate("best", 80.0, 10.0),
    ]);
    assert_eq!(found, [tie("accuracy", &["near", "best"], WITHIN)]);
    assert_eq!(tied(vec![candidate("best", 80.0, 10.0), candidate("far", 79.4, 30.0)]), []);
}

#[test]
fn accuracies_that_cannot_be_compared_are_no_tie() {
    let other = |change: fn(&mut Accuracy)| {
        let mut c = candidate("other", 79.9, 30.0);
        if let Fact::Known(accuracy, _) = &mut c.accuracy {
            change(accuracy);
        }
        tied(vec![candidate("best", 80.0, 10.0), c])
    };
    assert_eq!(other(|_| ()).len(), 1);
    assert_eq!(other(|a| a.metric = "top5".to_owned()), []);
    assert_eq!(other(|a| a.dataset = "imagenet-real".to_owned()), []);
    let pool = [candidate("a", 80.0, 10.0), candidate("b", 80.0, 30.0)].map(|c| (c, 0.5));
    assert_eq!(ties(&standings(&pool), &|_, _| None), [], "a dataset of unknown size");
}

#[test]
fn latencies_whose_intervals_overlap_with_the_fastest_are_a_tie() {
    let found = tied(vec![
        candidate("chained", 60.0, 13.0),
        candidate("near", 70.0, 11.5),
        candidate("fastest", 80.0, 10.0),
    ]);
    assert_eq!(found, [tie("latency", &["near", "fastest"], OVERLAP)]);
    assert_eq!(tied(vec![candidate("a", 80.0, 10.0), candidate("b", 70.0, 12.5)]), []);
}

#[test]
fn it_takes_two_known_networks_to_tie() {
    assert_eq!(tied(Vec::new()), []);
    assert_eq!(tied(vec![candidate("alone", 80.0, 10.0)]), []);

    let mut again = candidate("alone", 80.0, 10.0);
    again.key.weights = Some("V2".into());
    assert_eq!(tied(vec![candidate("alone", 80.0, 10.0), again]), [], "two weights of one network");

    let mut vague = candidate("vague", 80.0, 10.0);
    vague.accuracy = unknown("accuracy");
    vague.latency = Fact::Unknown(Missing::new("latency", "measure it"));
    assert_eq!(tied(vec![vague.clone(), candidate("known", 80.0, 10.0)]), []);
    assert_eq!(tied(vec![vague.clone(), vague]), []);
}
