//! Columns: what the index answers with is what the records say, however they arrived.

use std::path::Path;

use convwise_store::{MeasurementFilter, Record, RecordKind, Store};
use convwise_types::listing::{Columns, Item, MEASUREMENT_FIELDS};
use convwise_types::{Measurement, Millis, Quality};

use crate::support::{fact, index, measurement, open};

/// Appends that leave records in the tail, fold it, end a block and go over several at once.
const APPENDS: [u64; 7] = [1, 30, 2017, 1, 5000, 2046, 700];

fn filled(home: &Path) -> (Store, Vec<Measurement>) {
    let store = open(home);
    let mut all = Vec::new();
    for (round, count) in APPENDS.iter().enumerate() {
        let seeds = all.len() as u64..all.len() as u64 + count;
        let records: Vec<Measurement> = seeds.map(measurement).collect();
        let mut batch: Vec<Record> = records.iter().cloned().map(Record::from).collect();
        batch.push(fact(round as u64));
        store.append(&batch).unwrap();
        all.extend(records);
    }
    (store, all)
}

fn check(store: &Store, expected: &[Measurement]) {
    let names: Vec<&str> = MEASUREMENT_FIELDS.iter().map(|field| field.name).chain(["id"]).collect();
    let found = store.columns(RecordKind::Measurement, &names).unwrap();
    let wanted = Columns::of(MEASUREMENT_FIELDS, expected);
    assert_eq!(found.rows(), expected.len());
    for (row, m) in expected.iter().enumerate() {
        for field in MEASUREMENT_FIELDS {
            assert_eq!(
                found.item(field.name, row),
                wanted.item(field.name, row),
                "{} of row {row}",
                field.name
            );
        }
        assert_eq!(found.item("id", row), Item::from(m.id.as_str()), "row {row}");
    }
}

#[test]
fn columns_say_what_the_records_say() {
    let home = tempfile::tempdir().unwrap();
    let (store, all) = filled(home.path());
    check(&store, &all);
    drop(store);
    check(&open(home.path()), &all);
    std::fs::remove_dir_all(index(home.path())).unwrap();
    let store = open(home.path());
    check(&store, &all);
    assert_eq!(store.columns(RecordKind::Fact, &["name"]).unwrap().rows(), APPENDS.len());
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn rows_lead_to_their_records() {
    let home = tempfile::tempdir().unwrap();
    let (store, all) = filled(home.path());
    let rows: Vec<usize> = (0..all.len()).step_by(613).chain([all.len() - 1]).collect();
    let found = store.records_at(RecordKind::Measurement, &rows).unwrap();
    assert_eq!(found.len(), rows.len());
    for (row, (id, record)) in rows.iter().zip(found) {
        assert_eq!(id, all[*row].id);
        assert_eq!(record, all[*row].clone().into());
    }
    assert!(store.records_at(RecordKind::Measurement, &[all.len()]).is_err());
}

#[test]
fn every_id_is_found_by_its_beginning_and_known_when_it_comes_again() {
    let home = tempfile::tempdir().unwrap();
    let (store, all) = filled(home.path());
    let session = store.session().unwrap();
    for m in all.iter().step_by(97) {
        assert_eq!(store.record(m.id.as_str()).unwrap(), m.clone().into());
        assert_eq!(store.record(&m.id.as_str()[..16]).unwrap(), m.clone().into());
    }
    let message = store.record("0").unwrap_err().to_string();
    assert!(message.contains("several"), "{message}");
    drop(session);
    let again: Vec<Record> = all.iter().rev().step_by(3).cloned().map(Record::from).collect();
    let appended = store.append(&again).unwrap();
    assert_eq!((appended.new.len(), appended.known.len()), (0, again.len()));
}

#[test]
fn filters_agree_with_the_records() {
    let home = tempfile::tempdir().unwrap();
    let (store, all) = filled(home.path());
    let filters = [
        MeasurementFilter { architecture: Some("resnet50".into()), batch: Some(2), ..Default::default() },
        MeasurementFilter {
            device: Some("device-1".into()),
            runner: Some("rten".into()),
            ..Default::default()
        },
        MeasurementFilter { graph: Some("graph-2".to_owned()), threads: Some(2), ..Default::default() },
        MeasurementFilter { input: Some(convwise_types::InputShape::square(224)), ..Default::default() },
        MeasurementFilter { artifact: Some("no such".to_owned()), ..Default::default() },
    ];
    for filter in filters {
        let mut wanted: Vec<_> = all.iter().filter(|m| filter.matches(m)).map(|m| m.id.clone()).collect();
        wanted.sort();
        let found: Vec<_> = store.measurements(&filter).unwrap().into_iter().map(|m| m.id).collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
}

#[test]
fn the_newest_usable_measurement_of_each_network_is_found() {
    let at = |seed: u64, taken: &str, verdict: Quality| {
        Measurement { taken: taken.to_owned(), verdict, id: "".into(), ..measurement(seed) }.sealed()
    };
    // Seeds 0 and 3 have one graph, 1 another.
    let made = [
        at(0, "2026-11-01T00:00:00Z", Quality::Trusted),
        at(3, "2026-11-03T00:00:00Z", Quality::Trusted),
        at(6, "2026-11-04T00:00:00Z", Quality::Insufficient),
        at(1, "2026-10-01T00:00:00Z", Quality::Noisy),
    ];
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    store.append(&made.clone().map(Record::from)).unwrap();
    let filter = MeasurementFilter { usable: true, ..Default::default() };
    let mut found: Vec<_> = store.newest_measurements(&filter).unwrap().into_iter().map(|m| m.id).collect();
    let mut wanted = [made[1].id.clone(), made[3].id.clone()];
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

/// Numbers at the ends of what a column can hold, and text that is longer than what the index keeps of it.
#[test]
fn extreme_values_survive() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    let long = "é".repeat(3000);
    let mut made = Vec::new();
    for seed in 0..2100 {
        let mut m = measurement(seed);
        m.id = "".into();
        m.statistics.samples = if seed % 2 == 0 { u64::MAX } else { 0 };
        m.statistics.median = Millis(if seed % 3 == 0 { 1e-9 } else { 8e8 });
        m.subject.file = Some(long.clone());
        made.push(m.sealed());
    }
    store.append(&made.iter().cloned().map(Record::from).collect::<Vec<_>>()).unwrap();
    let columns = store.columns(RecordKind::Measurement, &["samples", "median_ms", "file"]).unwrap();
    for (row, m) in made.iter().enumerate() {
        assert_eq!(columns.item("median_ms", row), Item::Real(m.statistics.median.0));
        assert_eq!(columns.item("samples", row), m.statistics.samples.into());
    }
    let Item::Text(kept) = columns.item("file", 0) else { panic!("no text") };
    assert!(long.starts_with(&kept) && kept.len() == 1000, "{}", kept.len());
    let record = store.records_at(RecordKind::Measurement, &[2099]).unwrap().remove(0).1;
    assert_eq!(record, made[2099].clone().into(), "the record itself is whole");
}
