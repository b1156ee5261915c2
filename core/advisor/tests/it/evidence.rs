//! What a latency rests on: a measurement of that very setting, a calibrated model or a prior.

use convwise_advisor::Place;
use convwise_types::{
    Candidate, Deploy, Grade, InputShape, Interval, Latency, Measurement, Millis, Precision, Quality,
    RecordId, Scenario,
};

use crate::samples::{Scene, architecture, device, measurement};

fn latency(candidate: &Candidate) -> (&Latency, Grade) {
    let (latency, evidence) = candidate.latency.known().unwrap();
    (latency, evidence.grade)
}

fn width(interval: Interval) -> f64 {
    interval.high / interval.low
}

/// Two networks, `small` and `large`, and the given measurements.
fn pair(measurements: Vec<Measurement>) -> Scene {
    Scene::of(vec![architecture("small"), architecture("large")]).measured(measurements)
}

fn source(candidate: &Candidate) -> &str {
    &candidate.latency.known().unwrap().1.source
}

#[test]
fn a_measurement_of_the_very_setting_is_the_latency() {
    let net = Scene::plain().measured(vec![measurement("r1", "net@224", 40.0)]).only("net");
    let (latency, grade) = latency(&net);
    assert_eq!(grade, Grade::Measured);
    assert_eq!(latency.median, Millis(40.0));
    assert_eq!(latency.interval, Interval { low: 40.0 * 0.95, high: 40.0 * 1.05 });
    assert_eq!(latency.record, Some(RecordId::from("r1")));
    assert_eq!(net.throughput.value().unwrap().0, 25.0);
    assert_eq!(net.throughput.grade(), Some(Grade::Measured));
}

#[test]
fn noisy_and_throttled_measurements_count() {
    for verdict in [Quality::Noisy, Quality::Throttled] {
        let m = Measurement { verdict, ..measurement("r1", "net@224", 40.0) };
        assert_eq!(latency(&Scene::plain().measured(vec![m]).only("net")).1, Grade::Measured, "{verdict}");
    }
}

#[test]
fn a_measurement_in_any_other_setting_changes_nothing() {
    type Change = fn(&mut Measurement);
    let others: [(&str, Change); 11] = [
        ("device", |m| m.device = device("elsewhere")),
        ("runner", |m| m.runner.name = "onnxruntime".into()),
        ("threads", |m| m.threads = 4),
        ("batch", |m| m.subject.batch = 8),
        ("input", |m| m.subject.input = InputShape::square(320)),
        ("precision", |m| m.subject.precision = Precision::Int8),
        ("graph", |m| m.subject.graph = Some("other@224".to_owned())),
        ("no graph", |m| m.subject.graph = None),
        ("scenario", |m| m.scenario = Scenario::Throughput),
        ("simulated", |m| m.runner.simulated = true),
        ("insufficient", |m| m.verdict = Quality::Insufficient),
    ];
    let alone = Scene::plain().only("net");
    assert_eq!(latency(&alone).1, Grade::Estimated);
    for (what, change) in others {
        let mut other = measurement("r1", "net@224", 40.0);
        change(&mut other);
        assert_eq!(Scene::plain().measured(vec![other]).only("net"), alone, "{what}");
    }
}

#[test]
fn a_measurement_counts_on_a_machine_whose_records_were_merged() {
    let m = Measurement { device: device("board"), ..measurement("r1", "net@224", 40.0) };
    let mut scene = Scene::plain().measured(vec![m]);
    scene.place = Place::Elsewhere(device("board"));
    assert_eq!(latency(&scene.only("net")).1, Grade::Measured);
    scene.place = Place::Unspecified(Deploy::Mobile);
    assert_eq!(latency(&scene.only("net")).1, Grade::Estimated);
}

#[test]
fn an_int8_measurement_is_that_of_the_int8_candidate_alone() {
    let mut int8 = measurement("r1", "net@224", 10.0);
    int8.subject.precision = Precision::Int8;
    let scene = Scene::plain().precisions(&[Precision::Fp32, Precision::Int8]).measured(vec![int8]);
    let grades: Vec<_> = scene.candidates().iter().map(|c| (c.key.precision, latency(c).1)).collect();
    assert_eq!(grades, [(Precision::Fp32, Grade::Estimated), (Precision::Int8, Grade::Measured)]);
}

#[test]
fn the_newest_measurement_wins_in_whatever_order_they_come() {
    let at = |id: &str, day: u32, ms: f64| Measurement {
        taken: format!("2026-01-{day:02}T00:00:00Z"),
        ..measurement(id, "net@224", ms)
    };
    let check = |expect: f64, records: Vec<Measurement>| {
        let mut reversed = records.clone();
        reversed.reverse();
        for order in [records, reversed] {
            assert_eq!(latency(&Scene::plain().measured(order).only("net")).0.median, Millis(expect));
        }
    };
    check(30.0, vec![at("r9", 1, 40.0), at("r1", 3, 30.0), at("r5", 2, 50.0)]);
    check(50.0, vec![at("r1", 2, 30.0), at("r2", 2, 50.0)]);
}

#[test]
fn without_measurements_the_latency_is_a_wide_estimate() {
    let scene = Scene::plain();
    let net = scene.only("net");
    let (latency, grade) = latency(&net);
    assert_eq!(grade, Grade::Estimated);
    assert!(latency.interval.low < latency.median.0 && latency.median.0 < latency.interval.high);
    assert!(width(latency.interval) > 4.0, "{latency:?}");
    assert_eq!((latency.record.as_ref(), latency.device.as_str()), (None, "here"));
    assert_eq!(source(&net), "layer graph, prior for a processor with AVX2");
}

#[test]
fn another_network_measured_makes_the_estimate_calibrated_narrower_and_like_the_machine() {
    let before = pair(Vec::new()).only("large");
    let (prior, _) = latency(&before);
    let expected = pair(Vec::new()).only("small").latency.value().unwrap().median.0;
    for factor in [0.5, 2.0] {
        let after = pair(vec![measurement("r1", "small@224", expected * factor)]).only("large");
        let (calibrated, grade) = latency(&after);
        assert_eq!(grade, Grade::Calibrated);
        assert_eq!(source(&after), "layer graph, 1 network measured on this device");
        assert!(width(calibrated.interval) < width(prior.interval) / 2.0, "{calibrated:?} after {prior:?}");
        let moved = calibrated.median.0 / prior.median.0;
        assert!(
            (moved.ln() / factor.ln() - 1.0).abs() < 0.35,
            "moved by {moved} where it runs {factor} times"
        );
    }
}

#[test]
fn a_network_measured_twice_is_one_network_and_its_newest_measurement() {
    let old = measurement("r1", "small@224", 90.0);
    let new =
        Measurement { taken: "2026-01-02T00:00:00Z".to_owned(), ..measurement("r2", "small@224", 30.0) };
    let twice = pair(vec![old, new.clone()]).only("large");
    assert_eq!(source(&twice), "layer graph, 1 network measured on this device");
    assert_eq!(twice, pair(vec![new]).only("large"));
}

#[test]
fn the_order_of_measurements_does_not_matter() {
    let names = ["a", "b", "c", "d"];
    let records: Vec<_> = names
        .iter()
        .zip([17.0, 31.0, 67.0])
        .map(|(n, ms)| measurement(&format!("r-{n}"), &format!("{n}@224"), ms))
        .collect();
    let scene = Scene::of(names.map(architecture).to_vec()).measured(records);
    let mut reversed = scene.clone();
    reversed.measurements.reverse();
    assert_eq!(source(&scene.only("d")), "layer graph, 3 networks measured on this device");
    assert_eq!(scene.candidates(), reversed.candidates());
}

#[test]
fn throughput_counts_the_images_of_a_batch() {
    let mut m = measurement("r1", "net@224", 40.0);
    m.subject.batch = 8;
    let mut scene = Scene::plain().measured(vec![m]);
    scene.request.batch = 8;
    assert_eq!(scene.only("net").throughput.value().unwrap().0, 200.0);
}

#[test]
fn estimates_follow_the_setting() {
    let median = |change: fn(&mut Scene)| {
        let mut scene = Scene::plain();
        change(&mut scene);
        latency(&scene.only("net")).0.clone()
    };
    let usual = median(|_| ());
    assert!(median(|s| s.request.batch = 8).median > usual.median);
    assert!(median(|s| s.request.threads = 4).median < usual.median);
    let int8 = median(|s| s.request.precisions = vec![Precision::Int8]);
    assert!(int8.median < usual.median && width(int8.interval) > width(usual.interval));
    let phone = median(|s| s.place = Place::Unspecified(Deploy::Mobile));
    let board = median(|s| s.place = Place::Unspecified(Deploy::Edge));
    assert!(usual.median < phone.median && phone.median < board.median);
}
