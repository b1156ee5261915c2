//! Every text that a person reads, word for word.

use std::fs;
use std::io::Cursor;
use std::time::Duration;

use convwise_store::{Notice, OpenOptions, Record, Refusal, Store, StoreError};

use crate::support::{home_with, measurement, open, without_home};

#[test]
fn a_newer_home_is_refused_by_name() {
    let home = home_with(0..1);
    let format = home.path().join("kb/format.json");
    fs::write(&format, r#"{"format":7,"engine":"redb","shape":[],"created_by":"convwise 9.1.0"}"#).unwrap();
    let error = Store::open(home.path(), &OpenOptions::default()).unwrap_err();
    insta::assert_snapshot!(without_home(&error.to_string(), home.path()));
    assert_eq!(fs::read_to_string(&format).unwrap().len(), 69, "a newer home is left alone");
}

#[test]
fn a_busy_home_names_its_holder() {
    let home = home_with(0..1);
    let store = open(home.path());
    let session = store.session().unwrap();
    let options = OpenOptions { lock_patience: Duration::from_millis(50), ..OpenOptions::default() };
    let error = Store::open(home.path(), &options).unwrap_err();
    let text =
        without_home(&error.to_string(), home.path()).replace(&std::process::id().to_string(), "<pid>");
    insta::assert_snapshot!(text);
    drop(session);
    Store::open(home.path(), &options).unwrap();
}

#[test]
fn errors_about_records() {
    let home = home_with(0..40);
    let store = open(home.path());
    let mut simulated = measurement(1);
    simulated.runner.simulated = true;
    let mut wrong = measurement(1);
    wrong.statistics.median.0 = f64::NAN;
    let errors = [
        store.record("0123456789").unwrap_err(),
        store.record("resnet50").unwrap_err(),
        store.append(&[Record::from(simulated.sealed())]).unwrap_err(),
        store.append(&[Record::from(wrong)]).unwrap_err(),
        store.merge(Cursor::new("{\"schema\":1}\n\n[]\nx\n{\"schema\":1,\"kind\":\"measurement\",\"id\":\"00112233445566778899aabbccddeeff\",\"body\":{\"subject\":3}}\n")).unwrap_err(),
        StoreError::Ambiguous { prefix: "a".to_owned(), ids: vec!["a1".into(), "a2".into()], more: false },
        StoreError::Ambiguous { prefix: "a".to_owned(), ids: vec!["a1".into(), "a2".into()], more: true },
        StoreError::Refused { refusals: vec![Refusal { file: None, line: 3, why: "bad".to_owned() }], total: 5 },
        StoreError::NotRestored {
            file: "x.jsonl".into(),
            refusals: vec![Refusal { file: None, line: 3, why: "bad".to_owned() }],
            total: 1,
        },
        StoreError::NothingToRestore { file: "x.jsonl".into() },
        StoreError::NothingToMerge { path: "x".into() },
        StoreError::MergedIntoItself { path: "<home>/kb".into() },
        StoreError::Index { path: "<home>/kb/index".into(), why: "an entry is empty".to_owned() },
        StoreError::ReadOnly { why: "cannot open <home>/kb/lock: read-only file system".to_owned() },
    ];
    let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(text);
}

#[test]
fn notices() {
    let journal = || "<home>/kb/journal.jsonl".into();
    let kept = || Some("<home>/kb/quarantine/x".into());
    let notices = [
        Notice::TornTail { journal: journal(), bytes: 12, kept: kept() },
        Notice::DamagedLine {
            journal: journal(),
            offset: 9,
            why: "its checksum does not fit".to_owned(),
            kept: kept(),
        },
        Notice::DamagedLine { journal: journal(), offset: 9, why: "it is not text".to_owned(), kept: None },
        Notice::IndexRebuilt { why: "an entry is empty".to_owned(), kept: kept() },
        Notice::IndexRebuilt { why: "an entry is empty".to_owned(), kept: None },
        Notice::WithoutIndex { why: "no space left".to_owned() },
        Notice::ReadOnly { why: "cannot open x: permission denied".to_owned() },
        Notice::InMemory { why: "cannot create x: permission denied".to_owned() },
        Notice::FormatRewritten { path: "<home>/kb/format.json".into(), why: "it was missing".to_owned() },
        Notice::Migrated { from: 1, to: 2, kept: "<home>/kb/backups/format-1-x.jsonl".into() },
        Notice::NewerRecords { count: 3 },
    ];
    let text = notices.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(text);
}

#[test]
fn the_files_in_the_open() {
    let home = home_with(0..1);
    let format = fs::read_to_string(home.path().join("kb/format.json")).unwrap();
    let format = format.replace(env!("CARGO_PKG_VERSION"), "<version>");
    let mut line = fs::read_to_string(home.path().join("kb/journal.jsonl")).unwrap();
    // The hour and what depends on it.
    let digits = |word: &str, from: usize| from..from + word.len();
    let (at, crc) = (line.find("\"at\":").unwrap() + 5, line.rfind("\":\"").unwrap() + 3);
    line.replace_range(digits("00000000", crc), "<crc>");
    line.replace_range(digits("1790000000", at), "<seconds>");
    insta::assert_snapshot!(format!("{format}{line}"));
}
