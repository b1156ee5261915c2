//! Homes of older formats, as the programs of their time wrote them (`fixtures/`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use convwise_store::{FORMAT, Notice, OpenOptions, Store};

use crate::support::{edit, journal, notices, open, records};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A home as it is in the fixture.
fn old_home(name: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("kb")).unwrap();
    for file in ["format.json", "journal.jsonl"] {
        fs::copy(fixture(name).join(file), home.path().join("kb").join(file)).unwrap();
    }
    home
}

/// Bodies by id, straight from the text of a journal or an export.
fn bodies(text: &str) -> BTreeMap<String, String> {
    let body = |line: &str| {
        let (_, rest) = line.split_once("\"id\":\"").unwrap();
        let (id, rest) = rest.split_once('"').unwrap();
        let (_, body) = rest.split_once("\"body\":").unwrap();
        let body = body.rsplit_once(",\"crc\":").map_or(&body[..body.len() - 1], |(body, _)| body);
        (id.to_owned(), body.to_owned())
    };
    text.lines().map(body).collect()
}

fn exported(store: &Store) -> String {
    let mut out = Vec::new();
    store.export(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn backups(home: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.join("kb/backups"));
    entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_record_of_a_home_of_format_1_survives() {
    let home = old_home("format-1");
    let old = fs::read_to_string(journal(home.path())).unwrap();
    assert_eq!(bodies(&old).len(), 9);
    let store = open(home.path());
    let said = store.take_notices();
    let [Notice::Migrated { from: 1, to: FORMAT, kept }] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(fs::read_to_string(kept).unwrap(), old, "the backup is the old journal");
    assert_eq!(backups(home.path()), std::slice::from_ref(kept));
    assert_eq!(bodies(&exported(&store)), bodies(&old));
    let stats = store.stats().unwrap();
    let counts = [stats.measurements, stats.results, stats.timings, stats.costs, stats.facts, stats.failures];
    assert_eq!(counts, [4, 1, 1, 1, 1, 1]);
    assert!(store.check().unwrap().is_sound());
    assert!(
        fs::read_to_string(journal(home.path())).unwrap().starts_with(&old),
        "old lines stay as they are"
    );
    store.append(&records([9])).unwrap();
    // The next program has nothing to say, and old and new lines stand beside each other.
    let next = open(home.path());
    assert_eq!((next.take_notices(), next.stats().unwrap().measurements), (vec![], 5));
}

#[test]
fn a_home_of_format_1_that_cannot_be_written_is_read_as_it_is() {
    let home = old_home("format-1");
    fs::create_dir(home.path().join("kb/lock")).unwrap();
    let format = fs::read(home.path().join("kb/format.json")).unwrap();
    let store = open(home.path());
    assert!(matches!(store.take_notices().as_slice(), [Notice::ReadOnly { .. }]));
    assert_eq!(store.stats().unwrap().measurements, 4);
    assert_eq!(fs::read(home.path().join("kb/format.json")).unwrap(), format);
    assert!(backups(home.path()).is_empty());
}

#[test]
fn an_interrupted_migration_is_finished_with_one_backup() {
    let home = old_home("format-1");
    let kb = home.path().join("kb");
    let format = fs::read(kb.join("format.json")).unwrap();
    drop(open(home.path()));
    // Killed after the backup, and killed while it was written.
    fs::write(kb.join("format.json"), &format).unwrap();
    fs::write(kb.join("unfinished"), "half a backup").unwrap();
    let store = open(home.path());
    assert!(matches!(store.take_notices().as_slice(), [Notice::Migrated { .. }]));
    assert_eq!(store.stats().unwrap().measurements, 4);
    assert_eq!(backups(home.path()).len(), 1);
    assert!(!kb.join("unfinished").exists());
}

/// What a program that knows up to format 1 checks: the number, before anything else.
#[test]
fn a_program_that_knows_format_1_refuses_this_one() {
    let home = old_home("format-1");
    drop(open(home.path()));
    let text = fs::read_to_string(home.path().join("kb/format.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["format"], 2);
    edit(&home.path().join("kb/format.json"), |bytes| {
        *bytes = text.replace("\"format\": 2", "\"format\": 3").into_bytes();
    });
    let refused = Store::open(home.path(), &OpenOptions::default()).unwrap_err().to_string();
    assert!(refused.contains("has format 3") && refused.contains("up to format 2"), "{refused}");
}

#[test]
fn lines_say_when_they_arrived_and_exports_do_not() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    store.append(&records([1, 2])).unwrap();
    let text = fs::read_to_string(journal(home.path())).unwrap();
    assert_eq!(text.matches(",\"at\":").count(), 2);
    assert!(!exported(&store).contains("\"at\":"));
    assert_eq!(notices(&store, home.path()), "");
}
