//! Export and merge: a set union, all or nothing.

use std::fs;
use std::io::Cursor;

use convwise_store::{Store, StoreError};

use crate::support::{fact, home_with, ids, ids_of, journal, open, records};

fn export(store: &Store) -> String {
    let mut out = Vec::new();
    store.export(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn merging_is_a_set_union() {
    let (left, right) = (home_with(0..6), home_with(4..9));
    let (one, other) = (open(left.path()), open(right.path()));
    let (text_one, text_other) = (export(&one), export(&other));
    let report = one.merge(Cursor::new(&text_other)).unwrap();
    assert_eq!((report.records, report.new, report.known), (5, 3, 2));
    assert_eq!(one.merge(Cursor::new(&text_other)).unwrap().new, 0);
    other.merge(Cursor::new(text_one.lines().rev().collect::<Vec<_>>().join("\n"))).unwrap();
    assert_eq!(ids(&one), ids_of(0..9));
    assert_eq!(one.version(), other.version());
    assert_eq!(export(&one), export(&other));
}

#[test]
fn a_journal_can_be_merged_too() {
    let (left, right) = (home_with(0..3), home_with(3..5));
    open(right.path()).append(&[fact(1), fact(2)]).unwrap();
    let report = open(left.path()).merge(Cursor::new(fs::read(journal(right.path())).unwrap())).unwrap();
    assert_eq!(report.new, 4);
    assert_eq!(open(left.path()).facts().unwrap().len(), 2);
}

#[test]
fn one_hostile_line_refuses_the_file() {
    let source = home_with(0..3);
    let good = export(&open(source.path()));
    let line = good.lines().next().unwrap();
    let hostile = [
        "{".to_owned(),
        "[]".to_owned(),
        "\u{0}".repeat(100),
        line.replace("\"batch\":1", "\"batch\":7").replace("\"batch\":2", "\"batch\":7"),
        line.replace("\"schema\":1,\"kind\"", "\"schema\":2,\"kind\""),
        line.replace("\"measurement\"", "\"rumour\""),
        line.replace("\"min\":", "\"min\":NaN,\"min2\":"),
        line.replace("\"min\":", "\"min\":1e999,\"min2\":"),
        line.replace("\"id\":\"", "\"id\":\"zz"),
        line.get(..line.len() / 2).unwrap().to_owned(),
        "[".repeat(100_000),
        format!("{{\"schema\":1,\"kind\":\"{}", "x".repeat(17 << 20)),
    ];
    for bad in hostile {
        let home = home_with(7..8);
        let store = open(home.path());
        let version = store.version();
        let before = fs::read(journal(home.path())).unwrap();
        let file = format!("{good}{bad}\n");
        match store.merge(Cursor::new(file)) {
            Err(StoreError::Refused { refusals, total }) => {
                assert_eq!((refusals[0].line, total), (4, 1), "{refusals:?}");
            }
            other => panic!("{other:?} for {}", bad.chars().take(80).collect::<String>()),
        }
        assert_eq!(store.version(), version);
        assert_eq!(fs::read(journal(home.path())).unwrap(), before);
    }
}

#[test]
fn compacting_keeps_every_record() {
    let home = home_with(0..5);
    let store = open(home.path());
    let text = fs::read_to_string(journal(home.path())).unwrap();
    let first = text.lines().next().unwrap();
    fs::write(journal(home.path()), format!("{text}{first}\nrubbish\n")).unwrap();
    let compacted = store.compact().unwrap();
    assert_eq!(compacted.dropped, 2);
    assert_eq!(ids(&store), ids_of(0..5));
    assert!(store.check().unwrap().is_sound());
    store.append(&records([5])).unwrap();
    assert_eq!(ids(&open(home.path())), ids_of(0..6));
}
