//! The guide's advice is a prior: measured evidence overrules it, and nothing less does.

use std::sync::Arc;

use convwise_advisor::catalogue::Catalogue;
use convwise_advisor::faults::Faults;
use convwise_advisor::{Grounds, Manner};
use convwise_judge::{Inquiry, RuleFolder, RuleSet, Target};
use convwise_store::shipped::Shipped;
use convwise_types::{Advice, Architecture, Device, KnowledgeBaseStamp, Measurement, Precision};

use crate::samples::{Scene, architecture, device, measurement, top1, weights};

const GUIDE: &str = "decision framework, summary: fastest inference";

/// One preference, for the family `Liked`, and a formula that knows nothing else.
fn rules(source: &str) -> RuleSet {
    let text = format!(
        "prefer(#{{ id: \"liked\", doc: \"d\", source: \"{source}\", score: |net| if net.family == \"Liked\" {{ 1.0 }} else {{ 0.0 }} }});\n\
         rank(#{{ id: \"r\", doc: \"d\", source: \"s\", parts: |net| #{{ preference: net.preference }} }});"
    );
    let (rules, problems) =
        RuleSet::load_layers(&[RuleFolder::of_texts("mine", [("r.rhai", text.as_str())])]);
    assert_eq!(problems, []);
    rules
}

fn net(id: &str, family: &str, accuracy: f64) -> Architecture {
    let weights = vec![weights("V1", vec![top1(accuracy, 224, Precision::Fp32)])];
    Architecture { family: family.to_owned(), weights, ..architecture(id) }
}

/// `liked`, of the family that the guide prefers, and `other`, with their accuracies and the given measurements.
fn scene(liked: f64, other: f64, measured: Vec<Measurement>) -> Scene {
    Scene::of(vec![net("liked", "Liked", liked), net("other", "Other", other)]).measured(measured)
}

fn advice(scene: &Scene, rules: &RuleSet) -> Advice {
    let here: Device = device("here");
    let inquiry = Inquiry { request: scene.request.clone(), target: Target::from(&here) };
    let catalogue = Catalogue {
        architectures: scene.architectures.iter().cloned().map(Arc::new).collect(),
        graphs: scene.graphs.clone(),
    };
    let grounds = Grounds {
        rules,
        inquiry: &inquiry,
        place: &scene.place,
        catalogue: &catalogue,
        shipped: &Shipped::default(),
    };
    let assessment = grounds.assess(&scene.measurements, &Faults::default());
    let kb = KnowledgeBaseStamp { version: "v".into(), architectures: 2, measurements: 2 };
    grounds.compose(&assessment, Manner { top: 5, ..Manner::default() }, kb).unwrap()
}

fn first(advice: &Advice) -> &str {
    advice.picks[0].architecture.as_str()
}

fn both(liked: f64, other: f64) -> Vec<Measurement> {
    vec![measurement("r1", "liked@224", liked), measurement("r2", "other@224", other)]
}

#[test]
fn what_is_measured_faster_at_no_less_accuracy_stands_before_what_the_guide_prefers() {
    let found = advice(&scene(75.0, 75.4, both(42.0, 20.0)), &rules(GUIDE));
    assert_eq!(first(&found), "other");
    let [overruled] = found.evidence_over_guide.as_slice() else { panic!("{:?}", found.evidence_over_guide) };
    assert_eq!(overruled.remark, "the guide prefers LIKED; here OTHER is 2.1x faster at +0.4 top1");
    assert_eq!(overruled.rule.as_str(), "liked");
    assert!(overruled.changed_the_order);
    assert_eq!(overruled.preferred.latency.as_ref().unwrap().record.as_ref().unwrap().as_str(), "r1");
    assert_eq!(overruled.better.latency.as_ref().unwrap().record.as_ref().unwrap().as_str(), "r2");
    assert!((overruled.speed_up - 2.1).abs() < 1e-9 && (overruled.accuracy_gain - 0.4).abs() < 1e-9);
}

#[test]
fn the_order_of_the_networks_does_not_matter() {
    let scene = scene(75.0, 75.4, both(42.0, 20.0));
    let mut turned = scene.clone();
    turned.architectures.reverse();
    turned.measurements.reverse();
    assert_eq!(advice(&scene, &rules(GUIDE)), advice(&turned, &rules(GUIDE)));
}

/// The guide's preference stands.
fn stands(scene: &Scene, rules: &RuleSet) {
    let found = advice(scene, rules);
    assert_eq!((first(&found), found.evidence_over_guide.len()), ("liked", 0));
}

#[test]
fn evidence_that_is_not_clear_overrules_nothing() {
    let guide = rules(GUIDE);
    stands(&scene(75.0, 75.4, both(20.0, 42.0)), &guide);
    stands(&scene(75.0, 74.9, both(42.0, 20.0)), &guide);
    // Intervals are 5 % wide on both sides.
    stands(&scene(75.0, 75.4, both(21.0, 20.0)), &guide);
    // Calibrated and estimated latencies are no measurements.
    stands(&scene(75.0, 75.4, vec![measurement("r1", "liked@224", 4200.0)]), &guide);
    stands(&scene(75.0, 75.4, Vec::new()), &guide);
    let mut another = scene(75.0, 75.4, both(42.0, 20.0));
    another.architectures[1].weights[0].results[0].dataset = "elsewhere/val".into();
    stands(&another, &guide);
}

#[test]
fn only_the_guides_preferences_are_overruled() {
    stands(&scene(75.0, 75.4, both(42.0, 20.0)), &rules("our house policy"));
}

#[test]
fn a_preference_that_gave_nothing_to_the_beaten_is_not_told() {
    let mut scene = scene(75.0, 75.4, both(42.0, 20.0));
    scene.architectures[0].family = "Another".into();
    let found = advice(&scene, &rules(GUIDE));
    assert_eq!(found.evidence_over_guide, []);
}
