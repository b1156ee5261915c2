//! What others published: whose network a record is about, and what becomes of networks that are not ours.

use convwise_advisor::Place;
use convwise_advisor::gather::inputs_of;
use convwise_advisor::imported::{Published, Records};
use convwise_store::shipped::Shipped;
use convwise_types::{
    AddedCost, AddedResult, AddedTiming, Architecture, Evidence, Fact, Grade, InputShape, Macs, Millis,
    Origin, Params, PerSecond, Percent, Precision, PublishedResult, StatedCost, StatedMacs, Task, Workload,
};

use crate::place::board;
use crate::samples::{Scene, architecture, top1, weights};

/// A variant that is `net_100` in timm, with weights that timm has too.
fn ours() -> Architecture {
    let mut net = architecture("net");
    net.elsewhere = [("timm".to_owned(), "net_100".to_owned())].into();
    net.weights = vec![weights("V1", vec![top1(70.0, 224, Precision::Fp32)]), {
        let mut known = weights("timm/in1k", vec![top1(71.0, 224, Precision::Fp32)]);
        known.found_as = Some("timm/net_100.in1k".to_owned());
        known
    }];
    net
}

fn result(model: &str, tag: Option<&str>, value: f64, side: u64, line: u64) -> AddedResult {
    AddedResult {
        package: Some("timm".to_owned()),
        architecture: model.into(),
        weights: tag.map(Into::into),
        result: PublishedResult {
            source: format!("results-imagenet.csv, line {line}"),
            ..top1(value, side, Precision::Fp32)
        },
        note: None,
    }
}

fn timing(model: &str, ms: f64) -> AddedTiming {
    AddedTiming {
        package: Some("timm".to_owned()),
        architecture: model.into(),
        weights: None,
        workload: Workload::Inference,
        device: board().id.to_string(),
        runtime: "pytorch 2.4.0".to_owned(),
        options: Some("dynamo".to_owned()),
        precision: "fp32".to_owned(),
        layout: Some("nchw".to_owned()),
        threads: None,
        batch: 1,
        input: InputShape::square(224),
        latency: Some(Millis(ms)),
        throughput: None,
        source: "benchmark-infer.csv, line 2".to_owned(),
    }
}

fn cost(model: &str, params: u64, macs: Option<(u64, u64)>) -> AddedCost {
    let macs = macs.map(|(count, side)| StatedMacs { count: Macs(count), input: InputShape::square(side) });
    AddedCost {
        package: Some("timm".to_owned()),
        architecture: model.into(),
        task: Task::Classify,
        cost: StatedCost { params: Some(Params(params)), macs, source: "a table".to_owned(), note: None },
    }
}

/// All architectures that are known with these records.
fn known(results: &[AddedResult], timings: &[AddedTiming], costs: &[AddedCost]) -> Vec<Architecture> {
    let mut all = vec![ours(), architecture("other")];
    let records = Records { results, timings, costs };
    let published = Published::from_records(&records, &all, &Shipped::default());
    published.tell(&mut all);
    all.extend(published.into_others());
    all
}

fn ids(all: &[Architecture]) -> Vec<&str> {
    all.iter().map(|a| a.id.as_str()).collect()
}

#[test]
fn a_variant_is_meant_where_its_family_says_so() {
    let all = known(&[result("net_100", Some("a1_in1k"), 72.0, 288, 5)], &[timing("net_100", 3.0)], &[]);
    assert_eq!(ids(&all), ["net", "other"]);
    let net = &all[0];
    let more = net.weights.last().unwrap();
    assert_eq!((more.tag.as_str(), &more.licence), ("timm/a1_in1k", &None));
    assert_eq!(more.found_as.as_deref(), Some("timm/net_100.a1_in1k"));
    assert_eq!(more.results[0].value, Percent(72.0));
    assert_eq!(inputs_of(net), [224, 288].map(InputShape::square), "it is costed where it was evaluated");
    assert_eq!(net.latencies[0].runtime, "pytorch 2.4.0, dynamo, nchw");
}

#[test]
fn a_name_alone_ties_nothing() {
    let all = known(&[result("other", None, 80.0, 224, 2), result("net", None, 81.0, 224, 3)], &[], &[]);
    let all_but = |all: &[Architecture]| ids(all)[2..].iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(all[1], architecture("other"));
    let costs = [cost("other", 1, None), cost("net", 2, None)];
    let with_costs = known(&[result("other", None, 80.0, 224, 2)], &[], &costs);
    assert_eq!(all_but(&all), ["timm/net", "timm/other"]);
    assert_eq!(
        all_but(&with_costs),
        ["timm/other"],
        "a network of which no input is known is left to its records"
    );
}

#[test]
fn names_of_two_packages_are_kept_apart() {
    let mut theirs = result("twin", None, 80.0, 224, 2);
    let ours = theirs.clone();
    theirs.package = Some("another".to_owned());
    assert_eq!(ids(&known(&[theirs, ours], &[], &[]))[2..], ["another/twin", "timm/twin"]);
}

#[test]
fn records_without_a_package_speak_of_our_ids() {
    let mut added = result("net", Some("V1"), 70.5, 320, 1);
    added.package = None;
    let mut stranger = result("stranger", None, 60.0, 224, 1);
    stranger.package = None;
    let all = known(&[added, stranger], &[], &[]);
    assert_eq!(ids(&all), ["net", "other", "stranger"]);
    assert_eq!(all[0].weights[0].results.len(), 2, "figures are added to weights that are there");
    assert_eq!(all[2].weights[0].tag.as_str(), "unnamed");
}

#[test]
fn a_duplicate_is_dropped_and_a_conflicting_figure_kept_beside() {
    let results = [
        result("net_100", Some("in1k"), 71.0002, 224, 9),
        result("net_100", Some("in1k"), 71.4, 224, 7),
        result("net_100", Some("in1k"), 71.4, 224, 8),
    ];
    let all = known(&results, &[], &[]);
    let known = &all[0].weights[1];
    let values: Vec<_> = known.results.iter().map(|r| r.value.0).collect();
    assert_eq!((all[0].weights.len(), values), (2, vec![71.0, 71.4]));

    let mut scene = Scene::of(vec![all[0].clone()]);
    scene.request.precisions = vec![Precision::Fp32];
    let found = scene.candidates().into_iter().find(|c| c.key.weights == Some("timm/in1k".into())).unwrap();
    let Fact::Known(accuracy, evidence) = &found.accuracy else { panic!("it is known") };
    assert_eq!(accuracy.value, Percent(71.0), "what its own definition says is used");
    let both = "https://example.org/results; also published: 71.4 % by results-imagenet.csv, line 7";
    assert_eq!(evidence, &Evidence::new(Grade::Published, both));
}

#[test]
fn a_network_of_nobody_has_no_family_and_no_graph() {
    let results = [
        result("vit", Some("a"), 80.0, 384, 2),
        result("vit", Some("b"), 81.0, 224, 3),
        result("vit", Some("c"), 79.0, 224, 4),
    ];
    let costs = [
        cost("vit", 5_720_000, Some((1_260_000_000, 224))),
        cost("vit", 5_790_000, Some((4_000_000_000, 384))),
        cost("vit", 5_720_000, None),
    ];
    let all = known(&results, &[], &costs);
    let vit = &all[2];
    assert!(!vit.is_buildable() && vit.tags.is_empty() && vit.family.is_empty());
    assert_eq!((vit.task, vit.input), (Task::Classify, InputShape::square(224)));
    assert_eq!((vit.params(), vit.macs()), (Some(Params(5_720_000)), Some(Macs(1_260_000_000))));
    assert_eq!(vit.stated_macs_at(InputShape::square(384)), Some(Macs(4_000_000_000)));
    assert_eq!(vit.origin, Origin::Published("timm".to_owned()));
    assert_eq!(
        vit.weights.iter().map(|w| w.tag.as_str()).collect::<Vec<_>>(),
        ["timm/a", "timm/b", "timm/c"]
    );
}

#[test]
fn the_order_of_records_does_not_matter() {
    let mut results = vec![
        result("net_100", Some("in1k"), 71.4, 224, 7),
        result("net_100", Some("in1k"), 71.2, 224, 6),
        result("vit", None, 80.0, 224, 2),
    ];
    let mut costs = vec![cost("vit", 5, Some((7, 224))), cost("vit", 6, Some((7, 224)))];
    let first = known(&results, &[], &costs);
    results.reverse();
    costs.reverse();
    assert_eq!(first, known(&results, &[], &costs));
}

/// The latency of a network without a graph for which one timing is published.
fn grade(timing: AddedTiming, change: fn(&mut Scene)) -> Option<Grade> {
    let all = known(&[result("vit", None, 80.0, 224, 2)], &[timing], &[]);
    let mut scene = Scene::of(vec![all[2].clone()]);
    scene.graphs.clear();
    scene.place = Place::Described(board());
    scene.request.runner = "libtorch".into();
    change(&mut scene);
    scene.only("vit").latency.grade()
}

#[test]
fn a_timing_is_evidence_for_its_own_setting_alone() {
    let published = Some(Grade::Published);
    assert_eq!(grade(timing("vit", 3.0), |_| {}), published);
    assert_eq!(grade(timing("vit", 3.0), |s| s.request.runner = "onnxruntime".into()), None);
    assert_eq!(grade(timing("vit", 3.0), |s| s.request.batch = 2), None);
    assert_eq!(grade(timing("vit", 3.0), |s| s.place = Scene::plain().place), None);
    let other = |change: fn(&mut AddedTiming)| {
        let mut other = timing("vit", 3.0);
        change(&mut other);
        grade(other, |s| s.request.threads = 2)
    };
    assert_eq!(other(|t| t.threads = Some(2)), published);
    assert_eq!(other(|t| t.threads = Some(4)), None);
    assert_eq!(other(|t| t.precision = "amp".to_owned()), None, "mixed is neither fp32 nor fp16");
    assert_eq!(other(|t| t.workload = Workload::Training), None);
    assert_eq!(other(|t| (t.latency, t.throughput) = (None, Some(PerSecond(250.0)))), published);
    assert_eq!(other(|t| t.latency = None), None);
}

#[test]
fn of_two_set_ups_all_networks_have_the_same_one() {
    let eager = AddedTiming { options: None, ..timing("vit", 9.0) };
    let latency = |timings: &[AddedTiming]| {
        let all = known(&[result("vit", None, 80.0, 224, 2)], timings, &[]);
        let mut scene = Scene::of(vec![all[2].clone()]);
        scene.place = Place::Described(board());
        scene.request.runner = "libtorch".into();
        scene.only("vit").latency.value().unwrap().median
    };
    let both = [eager.clone(), timing("vit", 3.0)];
    assert_eq!(latency(&both), latency(&[both[1].clone(), both[0].clone()]));
    assert_eq!(latency(&[eager]), Millis(9.0));
}
