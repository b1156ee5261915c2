//! Taking over many records: all or none, repetitions recognised, contradictions kept and named.

use convwise_store::{Record, Store, StoreError, TakenOver};
use convwise_types::{
    AddedResult, AddedTiming, InputShape, Millis, Percent, Precision, PublishedResult, Workload,
};

use crate::support::{journal, measurement, open};

fn result(network: &str, value: f64, source: &str) -> Record {
    AddedResult {
        package: Some("timm".to_owned()),
        architecture: network.into(),
        weights: Some("a1_in1k".into()),
        result: PublishedResult {
            dataset: "imagenet-1k/val".to_owned(),
            metric: "top1".to_owned(),
            value: Percent(value),
            input_size: 224,
            precision: Precision::Fp32,
            source: source.to_owned(),
        },
        note: None,
    }
    .into()
}

fn timing(batch: u64, ms: f64, line: u64) -> Record {
    AddedTiming {
        package: None,
        architecture: "resnet50".into(),
        weights: None,
        workload: Workload::Inference,
        device: "d".to_owned(),
        runtime: "pytorch 2.4.0".to_owned(),
        options: None,
        precision: "amp".to_owned(),
        layout: None,
        threads: None,
        batch,
        input: InputShape::square(224),
        latency: Some(Millis(ms)),
        throughput: None,
        source: format!("times.csv, line {line}"),
    }
    .into()
}

fn take(store: &Store, records: Vec<Record>) -> TakenOver {
    store
        .take_over::<StoreError>(false, |intake| {
            records.into_iter().for_each(|record| intake.take(record).unwrap());
            Ok(())
        })
        .unwrap()
}

fn counts(taken: &TakenOver) -> [u64; 4] {
    [taken.new, taken.known, taken.repeated, taken.conflicting]
}

#[test]
fn the_same_figure_from_another_source_is_recognised_and_another_figure_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let first = take(&store, vec![result("a", 80.0, "x, line 1"), result("b", 70.0, "x, line 2")]);
    assert_eq!(counts(&first), [2, 0, 0, 0]);
    let again = take(&store, vec![result("a", 80.0, "x, line 1"), result("a", 80.0, "y, line 9")]);
    assert_eq!(counts(&again), [0, 1, 1, 0]);
    let other = take(&store, vec![result("a", 81.5, "z, line 1"), result("c", 60.0, "z, line 2")]);
    assert_eq!(counts(&other), [2, 0, 0, 1]);
    let conflict = &other.conflicts[0];
    assert_eq!(
        (&conflict.known, &conflict.new),
        (&result("a", 80.0, "x, line 1"), &result("a", 81.5, "z, line 1"))
    );
    assert_eq!(store.results(Some(&"a".into())).unwrap().len(), 2, "both are kept");
}

#[test]
fn one_takeover_may_repeat_and_contradict_itself() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let taken = take(
        &store,
        vec![
            result("a", 80.0, "x, line 1"),
            timing(1, 5.0, 1),
            result("a", 80.0, "x, line 2"),
            result("a", 79.0, "x, line 3"),
            timing(1, 5.0, 2),
            timing(2, 5.0, 3),
            timing(1, 6.0, 4),
            result("a", 80.0, "x, line 1"),
        ],
    );
    assert_eq!(counts(&taken), [5, 1, 2, 2]);
    let named: Vec<_> = taken.conflicts.iter().map(|c| (c.known.clone(), c.new.clone())).collect();
    assert_eq!(
        named,
        [
            (result("a", 80.0, "x, line 1"), result("a", 79.0, "x, line 3")),
            (timing(1, 5.0, 1), timing(1, 6.0, 4)),
        ]
    );
}

#[test]
fn a_dry_run_says_the_same_and_stores_nothing() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    take(&store, vec![result("a", 80.0, "x, line 1")]);
    let before = std::fs::read(journal(home.path())).unwrap();
    let records = || vec![result("a", 81.0, "y"), result("b", 1.0, "y"), result("a", 80.0, "y")];
    let dry = store
        .take_over::<StoreError>(true, |intake| {
            records().into_iter().for_each(|record| intake.take(record).unwrap());
            Ok(())
        })
        .unwrap();
    assert_eq!(before, std::fs::read(journal(home.path())).unwrap());
    assert_eq!(dry, take(&store, records()));
}

#[test]
fn nothing_is_stored_of_a_takeover_that_fails() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let version = store.version();
    let outcome = store.take_over::<StoreError>(false, |intake| {
        for seed in 0..5000 {
            intake.take(measurement(seed).into()).unwrap();
        }
        let why = intake.take(result("a", 101.0, "x")).unwrap_err();
        assert!(why.contains("101"), "{why}");
        Err(StoreError::NotAnId { prefix: "stop".to_owned() })
    });
    assert!(outcome.is_err());
    assert_eq!((store.version(), std::fs::read(journal(home.path())).unwrap().len()), (version, 0));
    let left = std::fs::read_dir(home.path().join("kb")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.starts_with("incoming")), "{left:?}");
}

/// More than is kept in memory goes through a file, and arrives all the same.
#[test]
fn many_records_arrive_whole() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let count = 12_000;
    let taken = take(&store, (0..count).map(|seed| measurement(seed).into()).collect());
    assert_eq!(counts(&taken), [count, 0, 0, 0]);
    assert!(std::fs::metadata(journal(home.path())).unwrap().len() > 12 << 20);
    assert!(open(home.path()).check().unwrap().is_sound());
    assert_eq!(
        open(home.path()).record(measurement(11_999).id.as_str()).unwrap(),
        measurement(11_999).into()
    );
}

/// A line that the journal could not read back must not enter it, whichever way it comes.
#[test]
fn what_no_line_has_room_for_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let mut long = measurement(1);
    long.id = "".into();
    long.tool.command = "x".repeat((16 << 20) - 1600);
    let fits = long.clone().sealed();
    assert_eq!(take(&store, vec![fits.clone().into()]).new, 1);
    assert!(store.check().unwrap().is_sound());
    assert_eq!(store.record(fits.id.as_str()).unwrap(), fits.into());
    long.tool.command = "x".repeat((16 << 20) - 300);
    let record = Record::from(long.sealed());
    let why = store.append(std::slice::from_ref(&record)).unwrap_err().to_string();
    assert!(why.contains("room for"), "{why}");
    let outcome = store.take_over::<StoreError>(false, |intake| {
        assert!(intake.take(record.clone()).unwrap_err().contains("room for"));
        Ok(())
    });
    assert_eq!(outcome.unwrap().new, 0);
}
