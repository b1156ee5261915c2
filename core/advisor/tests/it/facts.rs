//! Which candidates an architecture gives, and what is known about them without running them.

use convwise_advisor::gather::inputs_of;
use convwise_types::{
    Bytes, Coverage, Evidence, Fact, Grade, InputShape, LicenceTerms, Macs, Missing, Params, Precision,
    PublishedResult, StatedCost, StatedMacs, Task, Weights,
};

use crate::samples::{Scene, architecture, top1, weights};

use Precision::{Fp16, Fp32, Int8};

fn with_weights(sets: Vec<Weights>) -> Scene {
    let mut net = architecture("net");
    net.weights = sets;
    Scene::of(vec![net])
}

fn check_keys(scene: &Scene, expect: &[&str]) {
    let keys: Vec<_> = scene.candidates().iter().map(|c| c.key.to_string()).collect();
    assert_eq!(keys, expect);
}

#[test]
fn one_candidate_for_every_weights_input_and_precision() {
    let scene = with_weights(vec![
        weights("V1", vec![top1(70.0, 224, Fp32)]),
        weights("V2", vec![top1(72.0, 224, Fp32), top1(74.0, 320, Fp32)]),
    ])
    .precisions(&[Fp32, Fp16]);
    check_keys(
        &scene,
        &[
            "net (V1) 3x224x224 fp32 on rten",
            "net (V1) 3x224x224 fp16 on rten",
            "net (V2) 3x224x224 fp32 on rten",
            "net (V2) 3x224x224 fp16 on rten",
            "net (V2) 3x320x320 fp32 on rten",
            "net (V2) 3x320x320 fp16 on rten",
        ],
    );
    let accuracies: Vec<_> =
        scene.candidates().iter().filter_map(|c| c.accuracy.value().map(|a| a.value.0)).collect();
    assert_eq!(
        accuracies,
        [70.0, 72.0, 74.0],
        "each fp32 candidate has the accuracy of its own weights and input"
    );
}

#[test]
fn published_int8_accuracy_is_that_of_the_int8_candidate() {
    let scene = with_weights(vec![weights(
        "V1",
        vec![top1(70.0, 224, Fp32), top1(71.0, 320, Fp32), top1(69.0, 224, Int8)],
    )])
    .precisions(&[Int8]);
    check_keys(&scene, &["net (V1) 3x224x224 int8 on rten"]);
    let net = scene.only("net");
    assert_eq!(net.accuracy.value().unwrap().value.0, 69.0);
    assert_eq!(net.accuracy.grade(), Some(Grade::Published));
}

#[test]
fn int8_accuracy_that_nobody_published_is_unknown() {
    let net = Scene::plain().precisions(&[Int8]).only("net");
    let need = "no int8 top1 on imagenet-1k/val is published for V1; evaluate the converted network";
    assert_eq!(net.accuracy, Fact::Unknown(Missing::new("accuracy", need)));
}

#[test]
fn weights_published_only_in_int8_are_no_fp32_candidate() {
    let quantised = || weights("V1_INT8", vec![top1(69.0, 224, Int8)]);
    let both = with_weights(vec![weights("V1", vec![top1(70.0, 224, Fp32)]), quantised()]);
    check_keys(&both, &["net (V1) 3x224x224 fp32 on rten"]);

    let alone = with_weights(vec![quantised()]);
    check_keys(&alone, &["net 3x224x224 fp32 on rten"]);
    let need = "no weights of this architecture are published; train and evaluate it";
    assert_eq!(alone.only("net").accuracy, Fact::Unknown(Missing::new("accuracy", need)));
    check_keys(&alone.precisions(&[Int8]), &["net (V1_INT8) 3x224x224 int8 on rten"]);
}

#[test]
fn results_outside_the_comparison_set_are_no_accuracy() {
    let elsewhere = |dataset: &str, metric: &str| PublishedResult {
        dataset: dataset.to_owned(),
        metric: metric.to_owned(),
        ..top1(99.0, 320, Fp32)
    };
    let results = vec![elsewhere("imagenet-1k/val", "top5"), elsewhere("imagenet-real", "top1")];
    let scene = with_weights(vec![weights("V1", results)]);
    check_keys(&scene, &["net (V1) 3x224x224 fp32 on rten"]);
    assert_eq!(scene.only("net").accuracy.value(), None);
}

#[test]
fn an_architecture_is_costed_at_its_own_and_every_published_input_once() {
    let mut net = architecture("net");
    net.weights = vec![
        weights("V2", vec![top1(74.0, 320, Fp32), top1(73.0, 224, Fp32)]),
        weights(
            "V1",
            vec![top1(71.0, 320, Fp32), PublishedResult { metric: "top5".into(), ..top1(9.0, 96, Fp32) }],
        ),
    ];
    // Which of them are compared is the request's to say.
    assert_eq!(inputs_of(&net), [96, 224, 320].map(InputShape::square));
}

#[test]
fn networks_for_another_task_are_no_candidates() {
    let mut detector = architecture("detector");
    detector.task = Task::Detect;
    check_keys(&Scene::of(vec![detector, architecture("net")]), &["net (V1) 3x224x224 fp32 on rten"]);
}

#[test]
fn the_order_of_architectures_does_not_matter() {
    let scene = Scene::of(["b", "c", "a"].map(architecture).to_vec());
    let mut reversed = scene.clone();
    reversed.architectures.reverse();
    assert_eq!(scene.candidates(), reversed.candidates());
    check_keys(
        &scene,
        &["a (V1) 3x224x224 fp32 on rten", "b (V1) 3x224x224 fp32 on rten", "c (V1) 3x224x224 fp32 on rten"],
    );
}

#[test]
fn sizes_are_those_of_the_number_format() {
    let size = |precision| {
        let net = Scene::plain().precisions(&[precision]).only("net");
        (net.size.value().unwrap().0, net.ram.value().unwrap().0)
    };
    assert_eq!(size(Fp32), (20_000_000, 4_000_000));
    assert_eq!(size(Int8), (5_000_000, 1_000_000));
}

#[test]
fn a_network_that_cannot_be_built_has_known_accuracy_and_unknown_costs() {
    let mut scene = Scene::plain();
    let why = "the network cannot be built: layer 3 has no input";
    scene.graphs.values_mut().for_each(|g| *g = Fact::Unknown(Missing::new("graph", why)));
    let net = scene.only("net");
    assert_eq!(net.latency, Fact::Unknown(Missing::new("latency", why)));
    assert_eq!(net.throughput, Fact::Unknown(Missing::new("throughput", why)));
    assert_eq!(net.size, Fact::Unknown(Missing::new("size", why)));
    assert_eq!(net.ram, Fact::Unknown(Missing::new("ram", why)));
    assert_eq!(net.accuracy.value().unwrap().value.0, 70.0);

    scene.graphs.clear();
    let need = "its layer graph has not been built at this input size";
    assert_eq!(scene.only("net").latency, Fact::Unknown(Missing::new("latency", need)));
}

#[test]
fn a_network_without_a_graph_has_the_costs_that_are_stated_of_it() {
    let stated = StatedCost {
        params: Some(Params(3_000_000)),
        macs: Some(StatedMacs { count: Macs(4_000), input: InputShape::square(224) }),
        source: "https://example.org/zoo".to_owned(),
        note: None,
    };
    let mut scene = Scene::plain();
    scene.graphs.clear();
    scene.architectures[0].stated = Some(stated.clone());
    let net = scene.only("net");
    let published = Evidence::new(Grade::Published, "https://example.org/zoo");
    assert_eq!(net.params(), Fact::Known(Params(3_000_000), published.clone()));
    assert_eq!(net.macs(), Fact::Known(Macs(4_000), published.clone()));
    assert_eq!(net.size, Fact::Known(Bytes(12_000_000), published));
    let Fact::Unknown(missing) = &net.latency else { panic!("{:?}", net.latency) };
    assert!(missing.need.contains("no layer graph to count, export or measure"), "{}", missing.need);
    assert_eq!(net.ram.value(), None);

    // A count holds for its input alone.
    let elsewhere = StatedMacs { count: Macs(4_000), input: InputShape::square(320) };
    scene.architectures[0].stated = Some(StatedCost { macs: Some(elsewhere), ..stated });
    assert_eq!(scene.only("net").macs().value(), None);
}

#[test]
fn figures_on_other_data_are_named_and_never_compared() {
    let other = PublishedResult { dataset: "imagenet-v2".to_owned(), ..top1(61.5, 224, Fp32) };
    let net = with_weights(vec![weights("V1", vec![other])]).only("net");
    let Fact::Unknown(missing) = &net.accuracy else { panic!("{:?}", net.accuracy) };
    assert!(
        missing.need.contains("only 61.5 % top1 on imagenet-v2, which cannot be compared"),
        "{}",
        missing.need
    );
    let backbone = Weights { covers: Coverage::Backbone, ..weights("V1", Vec::new()) };
    let net = with_weights(vec![backbone]).only("net");
    let Fact::Unknown(missing) = &net.accuracy else { panic!("{:?}", net.accuracy) };
    assert!(missing.need.contains("fills the backbone alone"), "{}", missing.need);
}

#[test]
fn a_licence_is_known_with_where_it_is_stated_or_unknown() {
    let terms = |source: Option<&str>| LicenceTerms { spdx: "MIT".into(), source: source.map(str::to_owned) };
    let source = |licence, url: Option<&str>| {
        let set = Weights { licence, url: url.map(str::to_owned), ..weights("V1", Vec::new()) };
        let net = with_weights(vec![set]).only("net");
        net.weights_licence.known().map(|(_, evidence)| evidence.source.clone()).ok()
    };
    assert_eq!(source(Some(terms(Some("LICENSE"))), Some("https://w")).as_deref(), Some("LICENSE"));
    assert_eq!(source(Some(terms(None)), Some("https://w")).as_deref(), Some("https://w"));
    assert_eq!(source(Some(terms(None)), None).as_deref(), Some("family.toml"));
    assert_eq!(source(None, Some("https://w")), None);
}
