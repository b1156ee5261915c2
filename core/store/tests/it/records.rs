//! Storing and finding.

use std::collections::BTreeMap;

use convwise_store::{KnownDevice, MeasurementFilter, OpenOptions, Record, Store, StoreError};
use convwise_types::{
    Architecture, InputShape, LicenceTerms, Origin, Precision, PublishedResult, RecordId, Task, content_id,
};

use crate::support::{fact, home_with, ids, ids_of, measurement, open, records};

#[test]
fn what_was_appended_is_found_again_unchanged() {
    let home = tempfile::tempdir().unwrap();
    let appended = open(home.path()).append(&records(0..7)).unwrap();
    assert_eq!((appended.new.len(), appended.known.len()), (7, 0));
    let mut expected: Vec<_> = (0..7).map(measurement).collect();
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(open(home.path()).all_measurements().unwrap(), expected);
}

#[test]
fn adding_the_same_again_changes_nothing() {
    let home = home_with(0..3);
    let store = open(home.path());
    let version = store.version();
    let again = store.append(&records([2, 5, 5, 0])).unwrap();
    assert_eq!(again.new, [measurement(5).id]);
    assert_eq!(again.known, [measurement(2).id, measurement(5).id, measurement(0).id]);
    assert_ne!(store.version(), version);
    assert_eq!(store.stats().unwrap().measurements, 4);
}

fn found(store: &Store, filter: MeasurementFilter) -> Vec<RecordId> {
    let found = store.measurements(&filter).unwrap();
    assert!(found.iter().all(|m| filter.matches(m)));
    found.into_iter().map(|m| m.id).collect()
}

#[test]
fn every_field_of_the_filter_finds_the_same_as_reading_everything() {
    let home = home_with(0..12);
    let store = open(home.path());
    let none = MeasurementFilter::default();
    let filters = [
        MeasurementFilter { architecture: Some("resnet50".into()), ..none.clone() },
        MeasurementFilter { artifact: Some("artifact-3".to_owned()), ..none.clone() },
        MeasurementFilter { graph: Some("graph-2".to_owned()), ..none.clone() },
        MeasurementFilter { device: Some("device-1".into()), ..none.clone() },
        MeasurementFilter { batch: Some(2), ..none.clone() },
        MeasurementFilter { runner: Some("rten".into()), threads: Some(1), ..none.clone() },
        MeasurementFilter { precision: Some(Precision::Int8), ..none.clone() },
        MeasurementFilter {
            input: Some(InputShape::square(224)),
            device: Some("device-0".into()),
            ..none.clone()
        },
        MeasurementFilter { architecture: Some("resnet18".into()), batch: Some(1), ..none.clone() },
        MeasurementFilter { architecture: Some("resnet19".into()), ..none },
    ];
    for filter in filters {
        let all = store.all_measurements().unwrap();
        let expected: Vec<_> = all.into_iter().filter(|m| filter.matches(m)).map(|m| m.id).collect();
        assert_eq!(found(&store, filter.clone()), expected, "{filter:?}");
    }
}

#[test]
fn a_record_is_found_by_the_beginning_of_its_id() {
    let home = home_with(0..40);
    let store = open(home.path());
    let wanted = measurement(7);
    let expected = Record::from(wanted.clone());
    assert_eq!(store.record(wanted.id.as_str()).unwrap(), expected);
    assert_eq!(store.record(&wanted.id.as_str()[..9]).unwrap(), expected);
    assert_eq!(store.record(&wanted.id.as_str()[..10].to_uppercase()).unwrap(), expected);
    // Forty ids share sixteen first digits, so one of them starts at least two.
    let digits = "0123456789abcdef".chars();
    let ambiguous =
        digits.filter(|d| matches!(store.record(&d.to_string()), Err(StoreError::Ambiguous { .. })));
    assert!(ambiguous.count() >= 1);
    assert!(matches!(store.record("0123456789abcdef"), Err(StoreError::NoRecord { .. })));
    assert!(matches!(store.record("resnet"), Err(StoreError::NotAnId { .. })));
}

#[test]
fn the_version_depends_on_the_content_and_not_on_its_order() {
    let (forward, backward) = (home_with(0..6), home_with((0..6).rev()));
    let (one, other) = (open(forward.path()), open(backward.path()));
    assert_eq!(one.version(), other.version());
    let mut seen = vec![one.version()];
    for seed in 6..9 {
        one.append(&records([seed])).unwrap();
        assert!(!seen.contains(&one.version()));
        seen.push(one.version());
    }
    other.append(&records((6..9).rev())).unwrap();
    assert_eq!(one.version(), other.version());
}

#[test]
fn the_id_is_the_digest_of_the_content() {
    let sealed = measurement(1);
    assert_eq!(sealed.id.as_str().len(), 32);
    assert_eq!(content_id(&sealed), sealed.id);
    let mut changed = sealed.clone();
    changed.launches[0].samples_ns[3] += 1;
    assert_ne!(content_id(&changed), sealed.id);
    // Digits that a careless float parser would round differently.
    let mut awkward = sealed;
    awkward.statistics.mad = convwise_types::Millis(0.1 + 0.2);
    awkward.statistics.mean = convwise_types::Millis(47.906_090_101_240_31);
    let awkward = awkward.sealed();
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    store.append(&[awkward.clone().into()]).unwrap();
    assert_eq!(store.all_measurements().unwrap(), [awkward]);
}

#[test]
fn results_and_facts_are_kept_beside_measurements() {
    let home = home_with(0..2);
    let store = open(home.path());
    let result = convwise_types::AddedResult {
        package: None,
        architecture: "resnet50".into(),
        weights: Some("torchvision/IMAGENET1K_V2".into()),
        result: PublishedResult {
            dataset: "imagenet-1k/val".to_owned(),
            metric: "top1".to_owned(),
            value: convwise_types::Percent(80.858),
            input_size: 224,
            precision: Precision::Fp32,
            source: "https://docs.pytorch.org/vision/stable/models.html".to_owned(),
        },
        note: None,
    };
    store.append(&[result.clone().into(), fact(1)]).unwrap();
    assert_eq!(store.results(Some(&"resnet50".into())).unwrap(), std::slice::from_ref(&result));
    assert_eq!(store.results(None).unwrap(), [result]);
    assert!(store.results(Some(&"resnet18".into())).unwrap().is_empty());
    assert_eq!(store.facts().unwrap().len(), 1);
    assert_eq!(ids(&store), ids_of(0..2));
    let stats = store.stats().unwrap();
    assert_eq!((stats.measurements, stats.results, stats.facts, stats.devices), (2, 1, 1, 2));
}

#[test]
fn devices_are_those_seen_and_those_described() {
    let home = home_with(0..4);
    let devices = open(home.path()).devices().unwrap();
    let seen: Vec<_> =
        devices.iter().filter(|d| matches!(d, KnownDevice::Seen(_))).map(|d| d.id().as_str()).collect();
    assert_eq!(seen, ["device-0", "device-1"]);
    assert!(devices.iter().any(|d| d.id().as_str() == "stm32f746"));
}

#[test]
fn simulated_timings_are_never_evidence() {
    let mut simulated = measurement(1);
    simulated.runner.simulated = true;
    let record = Record::from(simulated.sealed());
    let home = tempfile::tempdir().unwrap();
    let refused = open(home.path()).append(&[fact(1), record.clone()]);
    assert!(matches!(refused, Err(StoreError::Simulated { .. })));
    assert!(open(home.path()).facts().unwrap().is_empty(), "nothing of the transaction may be stored");
    let options = OpenOptions { allow_simulated: true, ..OpenOptions::default() };
    Store::open(home.path(), &options).unwrap().append(&[record]).unwrap();
}

#[test]
fn records_that_break_a_rule_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let refuse = |change: &dyn Fn(&mut convwise_types::Measurement)| {
        let mut m = measurement(1);
        change(&mut m);
        match store.append(&[Record::from(m)]) {
            Err(StoreError::Invalid { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(refuse(&|m| m.statistics.median.0 = f64::NAN).contains("median is NaN"));
    assert!(refuse(&|m| m.statistics.mad.0 = f64::INFINITY).contains("not a number"));
    assert!(refuse(&|m| m.statistics.min.0 = -1.0).contains("min is -1"));
    assert!(refuse(&|m| m.launches[0].load.0 = 1e300).contains("load is"));
    assert!(refuse(&|m| m.subject.batch = 0).contains("batch is 0"));
    assert!(refuse(&|m| m.threads = 3).contains("digest"));
    assert_eq!(store.stats().unwrap().measurements, 0);
}

fn architecture(id: &str, plugin: &str) -> Architecture {
    Architecture {
        id: id.into(),
        family: "ResNet".to_owned(),
        title: id.to_owned(),
        task: Task::Classify,
        paper: None,
        code_licence: Some(LicenceTerms { spdx: "BSD-3-Clause".to_owned(), source: None }),
        maturity: None,
        tags: ["residual".to_owned()].into(),
        input: InputShape::square(224),
        weights: Vec::new(),
        elsewhere: BTreeMap::new(),
        graph: None,
        reach: None,
        latencies: Vec::new(),
        stated: None,
        stated_macs: Vec::new(),
        origin: Origin::Shipped,
        plugin: plugin.to_owned(),
    }
}

#[test]
fn architectures_follow_their_plugins() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let first = [architecture("a", "1"), architecture("b", "1"), architecture("c", "1")];
    assert_eq!(store.sync_architectures(&first).unwrap(), 3);
    assert_eq!(store.sync_architectures(&first).unwrap(), 0);
    let second = [architecture("a", "1"), architecture("b", "2")];
    assert_eq!(open(home.path()).sync_architectures(&second).unwrap(), 2);
    assert_eq!(store.architectures().unwrap(), second);
    assert_eq!(store.architecture(&"b".into()).unwrap(), Some(architecture("b", "2")));
    assert_eq!(store.architecture(&"c".into()).unwrap(), None);
}

#[test]
fn cached_values_are_found_by_kind_and_key() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let (one, two) = (r#"{"params": 25557032}"#, "not JSON: \"é\"\n");
    store.cache_put_many("facts/1", &[("a", one), ("b", two)]).unwrap();
    let found = open(home.path()).cache_get_many("facts/1", &["b", "none", "a"]).unwrap();
    assert_eq!(found, [Some(two.to_owned()), None, Some(one.to_owned())]);
    assert_eq!(store.cache_get("facts/", "1a").unwrap(), None);
    assert_eq!(
        store.version(),
        open(tempfile::tempdir().unwrap().path()).version(),
        "the cache is not content"
    );
}

#[test]
fn a_session_serves_many_calls() {
    let home = home_with(0..2);
    let store = open(home.path());
    {
        let _outer = store.session().unwrap();
        let _inner = store.session().unwrap();
        store.append(&records([2])).unwrap();
        assert_eq!(ids(&store), ids_of(0..3));
    }
    assert_eq!(ids(&open(home.path())), ids_of(0..3));
}
