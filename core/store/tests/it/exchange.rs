//! Export and merge: a set union, all or nothing.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use convwise_store::{Store, StoreError};

use crate::support::{fact, home_with, ids, ids_of, journal, one_of_each, open};

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

/// Takes files in some order, several at a time, some twice.
fn merged(files: &[PathBuf], order: &[usize], at_once: usize) -> String {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    for part in order.chunks(at_once) {
        let paths: Vec<PathBuf> = part.iter().map(|at| files[at % files.len()].clone()).collect();
        store.merge_files(&paths).unwrap();
    }
    assert_eq!(ids(&store), ids_of(0..24));
    assert!(store.check().unwrap().is_sound());
    store.version()
}

#[test]
fn any_parts_in_any_order_any_number_of_times_make_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let whole = home_with(0..24);
    open(whole.path()).append(&one_of_each()[1..]).unwrap();
    let text = export(&open(whole.path()));
    let lines: Vec<&str> = text.lines().collect();
    let version = open(whole.path()).version();
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for trial in 0..6 {
        // Parts that overlap: every line is in at least one.
        let parts = 2 + random(4);
        let mut texts = vec![String::new(); parts];
        for line in &lines {
            for _ in 0..2 {
                texts[random(parts)].push_str(&format!("{line}\n"));
            }
        }
        let files: Vec<PathBuf> =
            (0..parts).map(|n| folder.path().join(format!("{trial}-{n}.jsonl"))).collect();
        for (file, text) in files.iter().zip(&texts) {
            fs::write(file, text).unwrap();
        }
        // Every part at least once, in a random order.
        let order: Vec<usize> = (0..parts).chain((0..parts).map(|_| random(parts))).collect();
        let mut shuffled = order.clone();
        (1..order.len()).rev().for_each(|at| shuffled.swap(at, random(at + 1)));
        for at_once in [1, 2, 9] {
            assert_eq!(merged(&files, &shuffled, at_once), version, "{shuffled:?} {at_once} at once");
        }
    }
    // The folder with all of them, and a home.
    assert_eq!(merged(&[folder.path().to_owned()], &[0], 1), version);
    assert_eq!(merged(&[whole.path().to_owned()], &[0, 0], 1), version);
    assert_eq!(merged(&[whole.path().join("kb"), folder.path().to_owned()], &[0, 1], 2), version);
}

#[test]
fn one_refused_line_refuses_all_files_and_names_its_own() {
    let (source, home) = (home_with(0..3), home_with(7..8));
    let (good, bad) = (source.path().join("good.jsonl"), source.path().join("bad.jsonl"));
    fs::write(&good, export(&open(source.path()))).unwrap();
    fs::write(&bad, "\nrubbish\n").unwrap();
    let store = open(home.path());
    let error = store.merge_files(&[good, bad.clone()]).unwrap_err().to_string();
    assert!(error.contains(&format!("{}, line 2: ", bad.display())), "{error}");
    assert_eq!(ids(&store), ids_of(7..8));
}

#[test]
fn what_cannot_be_merged_is_named() {
    let (home, empty, newer) = (home_with(0..2), tempfile::tempdir().unwrap(), home_with(2..3));
    fs::write(newer.path().join("kb/format.json"), r#"{"format":99,"created_by":"convwise 9"}"#).unwrap();
    let store = open(home.path());
    let merge = |path: &Path| store.merge_files(&[path.to_owned()]).unwrap_err().to_string();
    for (path, words) in [
        (home.path(), "is this knowledge base itself"),
        (empty.path(), "is neither a home nor has it a .jsonl file"),
        (newer.path(), "has format 99, written by convwise 9"),
        (&empty.path().join("absent"), "cannot read"),
    ] {
        assert!(merge(path).contains(words), "{}", merge(path));
    }
    assert_eq!(ids(&store), ids_of(0..2));
}
