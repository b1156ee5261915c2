//! Repairing, compacting, backing up and restoring.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use convwise_store::{ExportFilter, Store, StoreError};

use crate::support::{edit, fact, home_with, ids, ids_of, index, journal, one_of_each, open, records};

fn text(home: &Path) -> String {
    fs::read_to_string(journal(home)).unwrap()
}

fn export(store: &Store) -> Vec<u8> {
    let mut out = Vec::new();
    store.export(&mut out).unwrap();
    out
}

#[test]
fn repair_brings_back_what_is_proved_whole_and_keeps_the_rest_aside() {
    let home = home_with(0..6);
    let before = text(home.path());
    let version = open(home.path()).version();
    let lines: Vec<&str> = before.lines().collect();
    let flipped = lines[1].replacen("224", "225", 1); // one bit: 4 to 5
    let rewritten = lines[3].replacen("processor", "rossecorp", 1);
    let odd = format!("{}\"crc\":\"00000000\"}}", lines[4].split("\"crc\"").next().unwrap());
    let damaged = [lines[0], &flipped, lines[2], &rewritten, &odd, lines[5], lines[0], "rubbish"].join("\n");
    fs::write(journal(home.path()), damaged + "\n").unwrap();
    let store = open(home.path());
    let found = store.check().unwrap();
    let told: Vec<_> = found.damaged.iter().map(|d| (d.line, d.whole)).collect();
    assert_eq!(told, [(2, 1), (4, 0), (5, 1), (8, 0)]);
    let repaired = store.repair().unwrap();
    let report = repaired.journal.unwrap();
    assert_eq!((report.lines, report.records, report.repeated, report.damaged.len()), (8, 5, 1, 4));
    assert_eq!(fs::read_to_string(&report.damaged[1].kept).unwrap().trim_end(), rewritten);
    assert_eq!(ids(&open(home.path())), ids_of([0, 1, 2, 4, 5]));
    assert!(store.check().unwrap().is_sound());
    let again = store.repair().unwrap();
    assert!(again.journal.is_none() && !again.index_rebuilt, "the second time there is nothing to do");
    store.append(&records([3])).unwrap();
    assert_eq!(store.version(), version);
}

/// Every bit of a small journal, newlines and all.
#[test]
fn any_one_flipped_bit_is_mended_and_nothing_is_lost() {
    let home = tempfile::tempdir().unwrap();
    open(home.path()).append(&[fact(1), fact(2)]).unwrap();
    open(home.path()).append(&[fact(3)]).unwrap();
    let whole = fs::read(journal(home.path())).unwrap();
    let version = open(home.path()).version();
    // The last newline is the only bit that another rule covers: a line without one is finished.
    for bit in (0..(whole.len() - 1) * 8).step_by(37) {
        edit(&journal(home.path()), |bytes| {
            *bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
        });
        fs::remove_dir_all(index(home.path())).unwrap();
        let store = open(home.path());
        store.repair().unwrap();
        assert_eq!(store.version(), version, "bit {bit}: {}", text(home.path()));
        assert!(store.check().unwrap().is_sound(), "bit {bit}");
    }
}

#[test]
fn compacting_keeps_every_record_and_its_arrival() {
    let home = home_with(0..5);
    let store = open(home.path());
    let before = text(home.path());
    let first = before.lines().next().unwrap();
    fs::write(journal(home.path()), format!("{before}{first}\nrubbish\n")).unwrap();
    let report = store.compact().unwrap();
    assert_eq!((report.repeated, report.damaged.len(), report.records), (1, 1, 5));
    assert!(report.journal_before > report.journal_after);
    assert_eq!(text(home.path()), before);
    assert!(store.check().unwrap().is_sound());
    store.append(&records([5])).unwrap();
    assert_eq!(ids(&open(home.path())), ids_of(0..6));
}

#[test]
fn a_backup_restores_everything_and_keeps_what_was_there() {
    let home = home_with(0..2);
    let store = open(home.path());
    store.append(&one_of_each()).unwrap();
    let (version, whole) = (store.version(), export(&store));
    let backup = store.backup(None).unwrap();
    assert_eq!((backup.lines, backup.left_out, &backup.version), (7, 0, &version));
    assert!(backup.path.file_name().unwrap().to_string_lossy().ends_with(&format!("Z-{version}.jsonl")));
    store.append(&records(10..13)).unwrap();
    let later = text(home.path());
    let restored = store.restore(&backup.path).unwrap();
    assert_eq!((restored.lines, &restored.version), (7, &version));
    assert_eq!(export(&store), whole);
    assert_eq!(fs::read_to_string(restored.kept.as_ref().unwrap()).unwrap(), later);
    assert_eq!(store.backups().unwrap().len(), 2);
    assert!(store.take_notices().is_empty() && open(home.path()).take_notices().is_empty());
    // What was there before can be had again, and a backup is read by merge as well.
    store.restore(&restored.kept.unwrap()).unwrap();
    assert_eq!(ids(&store), ids_of((0..2).chain(10..13)));
    let other = tempfile::tempdir().unwrap();
    assert_eq!(open(other.path()).merge(Cursor::new(fs::read(&backup.path).unwrap())).unwrap().new, 7);
    // An export is restored as well.
    let file = other.path().join("export.jsonl");
    fs::write(&file, &whole).unwrap();
    store.restore(&file).unwrap();
    assert_eq!(store.version(), version);
}

#[test]
fn a_backup_that_cannot_be_believed_restores_nothing() {
    let home = home_with(0..3);
    let store = open(home.path());
    let good = store.backup(Some(&home.path().join("good.jsonl"))).unwrap().path;
    let before = fs::read(journal(home.path())).unwrap();
    let text = fs::read_to_string(&good).unwrap();
    let bad = home.path().join("bad.jsonl");
    for content in [
        text.replacen("\"batch\":1", "\"batch\":3", 1),
        text[..text.len() / 2].to_owned(),
        format!("{text}rubbish\n"),
    ] {
        fs::write(&bad, content).unwrap();
        assert!(matches!(store.restore(&bad), Err(StoreError::NotRestored { total: 1, .. })));
    }
    for content in ["", "\n\n"] {
        fs::write(&bad, content).unwrap();
        assert!(matches!(store.restore(&bad), Err(StoreError::NothingToRestore { .. })));
    }
    assert!(matches!(store.restore(&home.path().join("absent")), Err(StoreError::Io { .. })));
    assert_eq!(fs::read(journal(home.path())).unwrap(), before);
    assert!(store.backups().unwrap().is_empty());
}

#[test]
fn a_backup_of_a_damaged_journal_holds_what_is_sound() {
    let home = home_with(0..4);
    edit(&journal(home.path()), |bytes| bytes[200] ^= 0xff);
    let store = open(home.path());
    let backup = store.backup(None).unwrap();
    assert_eq!((backup.lines, backup.left_out), (3, 1));
    store.restore(&backup.path).unwrap();
    assert_eq!(ids(&store), ids_of(1..4));
}

#[test]
fn exports_can_be_cut_by_arrival_and_kind() {
    let home = home_with(0..2);
    let store = open(home.path());
    store.append(&one_of_each()).unwrap();
    // The first line arrived long ago, and of the last, a failure, nothing says when; it was taken in 2026.
    let old = text(home.path());
    let lines: Vec<String> = old.lines().enumerate().map(|(at, line)| dated(line, at)).collect();
    fs::write(journal(home.path()), lines.concat()).unwrap();
    let count = |since: Option<u64>, kind: Option<&str>| {
        let filter = ExportFilter { since, kind: kind.map(str::to_owned) };
        let exported = open(home.path()).export_some(&filter, &mut Vec::new()).unwrap();
        (exported.records, exported.undated)
    };
    assert_eq!(count(None, None), (7, 0));
    assert_eq!(count(None, Some("measurement")), (2, 0));
    assert_eq!(count(Some(1_700_000_000), None), (5, 1));
    assert_eq!(count(Some(1_700_000_000), Some("failure")), (1, 0));
    assert_eq!(count(Some(4_000_000_000), None), (0, 1));
}

/// A journal line with another arrival: the first long ago, a fact and a failure without any.
fn dated(line: &str, at: usize) -> String {
    let (front, rest) = line.split_once("\"at\":").unwrap();
    let (_, rest) = rest.split_once(',').unwrap();
    let undated = line.contains("\"kind\":\"failure\"") || line.contains("\"kind\":\"fact\"");
    let arrival = match at {
        0 => "\"at\":1000,",
        _ if undated => "",
        _ => "\"at\":1790000000,",
    };
    let body = rest.rsplit_once(",\"crc\"").unwrap().0;
    let front = format!("{front}{arrival}{body}");
    format!("{front},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(front.as_bytes()))
}
