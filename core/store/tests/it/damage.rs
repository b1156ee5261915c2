//! Whatever happens to the files, nothing acknowledged is lost and the next command works.

use std::fs;
use std::path::Path;
use std::time::Duration;

use convwise_store::{Notice, OpenOptions, Store};

use crate::support::{
    edit, fact, forbid_writing, home_with, ids, ids_of, index, journal, notices, open, records,
};

#[test]
fn a_torn_line_is_set_aside() {
    let home = home_with(0..3);
    let whole = fs::metadata(journal(home.path())).unwrap().len();
    edit(&journal(home.path()), |bytes| {
        let torn = bytes[..bytes.len() / 4].to_vec();
        bytes.extend(torn.split(|b| *b == b'\n').next().unwrap());
    });
    let store = open(home.path());
    let found = store.take_notices();
    let [Notice::TornTail { bytes, kept: Some(kept), .. }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(fs::metadata(kept).unwrap().len(), *bytes);
    assert_eq!(fs::metadata(journal(home.path())).unwrap().len(), whole);
    store.append(&records([3])).unwrap();
    assert_eq!(ids(&open(home.path())), ids_of(0..4));
}

#[test]
fn every_length_of_a_torn_transaction_is_all_or_nothing() {
    let home = home_with(0..2);
    let before = fs::read(journal(home.path())).unwrap();
    open(home.path()).append(&[fact(1), fact(2), fact(3)]).unwrap();
    let after = fs::read(journal(home.path())).unwrap();
    for length in (before.len()..=after.len()).step_by(29).chain([after.len() - 1, after.len()]) {
        fs::write(journal(home.path()), &after[..length]).unwrap();
        let store = open(home.path());
        let complete = length >= after.len() - 1;
        assert_eq!(store.facts().unwrap().len(), if complete { 3 } else { 0 }, "{length} bytes");
        assert_eq!(ids(&store), ids_of(0..2));
        let kept = fs::read(journal(home.path())).unwrap();
        assert_eq!(kept, if complete { &after } else { &before }.as_slice());
    }
}

#[test]
fn a_flipped_bit_costs_one_line() {
    let home = home_with(0..5);
    let offset = {
        let text = fs::read_to_string(journal(home.path())).unwrap();
        text.lines().take(2).map(|line| line.len() + 1).sum::<usize>()
    };
    edit(&journal(home.path()), |bytes| bytes[offset + 200] ^= 4);
    // The index still points to the line; reading it shows the damage.
    let store = open(home.path());
    let rest: Vec<u64> = vec![0, 1, 3, 4];
    assert_eq!(ids(&store), ids_of(rest.clone()));
    let found = store.take_notices();
    let line = found.iter().find_map(|n| match n {
        Notice::DamagedLine { offset, kept: Some(kept), .. } => Some((*offset, kept.clone())),
        _ => None,
    });
    let (found_at, kept) = line.unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(found_at, offset as u64);
    assert!(fs::metadata(kept).unwrap().len() > 200);
    let report = open(home.path()).check().unwrap();
    assert_eq!((report.damaged.len(), report.damaged[0].line, report.records), (1, 3, 4));
    assert!(!report.is_sound());
    // Said once; compacting mends the journal; adding the record again brings it back.
    assert!(open(home.path()).take_notices().is_empty());
    assert_eq!(store.compact().unwrap().damaged.len(), 1);
    store.append(&records([2])).unwrap();
    assert!(store.check().unwrap().is_sound());
    assert_eq!(ids(&open(home.path())), ids_of(0..5));
}

/// Damages a home's index, opens it again, and expects everything back with one notice and the damage kept.
fn survives(name: &str, damage: impl FnOnce(&Path)) -> String {
    let home = home_with(0..30);
    damage(&index(home.path()));
    let options = OpenOptions { index_patience: Duration::from_secs(3), ..OpenOptions::default() };
    let store = Store::open(home.path(), &options).unwrap();
    assert_eq!(ids(&store), ids_of(0..30), "{name}");
    store.append(&records([30])).unwrap();
    let said = notices(&store, home.path());
    let next = open(home.path());
    assert_eq!(ids(&next), ids_of(0..31), "{name}");
    assert!(next.take_notices().is_empty(), "{name}");
    assert!(next.check().unwrap().is_sound(), "{name}");
    said
}

fn snapshots(index: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(index).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap.")).collect()
}

#[test]
fn a_missing_index_is_made_again_without_a_word() {
    assert_eq!(survives("missing", |index| fs::remove_dir_all(index).unwrap()), "");
}

#[test]
fn an_index_that_was_only_begun_is_made_again_without_a_word() {
    for conf in [None, Some(""), Some("segment_size: 52")] {
        let said = survives("begun", |index| {
            fs::remove_dir_all(index).unwrap();
            fs::create_dir_all(index.join("blobs")).unwrap();
            if let Some(conf) = conf {
                fs::write(index.join("conf"), conf).unwrap();
            }
        });
        assert_eq!(said, "", "{conf:?}");
    }
}

#[test]
fn an_index_of_another_engine_is_set_aside() {
    let said = survives("foreign", |index| {
        fs::remove_dir_all(index).unwrap();
        fs::create_dir_all(index.join("heap")).unwrap();
        fs::write(index.join("heap/0"), "other").unwrap();
    });
    assert!(said.contains("does not hold an index of this version"), "{said}");
    assert!(said.contains("quarantine/index-1"), "{said}");
}

#[test]
fn an_index_of_another_version_is_set_aside() {
    let said = survives("version", |index| {
        edit(&index.with_file_name("format.json"), |bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            *bytes = text.replace("0.34.7", "0.35.0").into_bytes();
        });
    });
    assert!(said.contains("it was written by sled 0.35.0"), "{said}");
}

#[test]
fn a_file_in_place_of_the_index_is_set_aside() {
    let said = survives("file", |index| {
        fs::remove_dir_all(index).unwrap();
        fs::write(index, "not a folder").unwrap();
    });
    assert!(said.contains("was rebuilt"), "{said}");
}

#[test]
fn damaged_snapshots_are_survived() {
    survives("empty snapshot", |index| {
        for snapshot in snapshots(index) {
            fs::write(snapshot, "").unwrap();
        }
    });
    survives("flipped snapshot", |index| {
        for snapshot in snapshots(index) {
            edit(&snapshot, |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
            });
        }
    });
    let said = survives("unfinished snapshot", |index| {
        snapshots(index).iter().for_each(|snapshot| fs::remove_file(snapshot).unwrap());
        fs::write(index.join("snap.00000000000505E4.generating"), "").unwrap();
    });
    assert_eq!(said, "");
}

#[test]
fn damaged_data_is_survived() {
    for kept in [0, 1, 1000, 100_000, 400_000] {
        survives("cut", |index| {
            let db = fs::OpenOptions::new().write(true).open(index.join("db")).unwrap();
            db.set_len(kept).unwrap();
        });
    }
    for seed in 1_u64..6 {
        survives("random bytes", |index| edit(&index.join("db"), |bytes| scatter(bytes, seed)));
    }
    survives("zeroed", |index| edit(&index.join("db"), |bytes| bytes.fill(0)));
    survives("bad configuration", |index| fs::write(index.join("conf"), "rubbish").unwrap());
}

/// Changes 200 bytes in the used part of a file, the same for the same seed.
fn scatter(bytes: &mut [u8], seed: u64) {
    let used = bytes.iter().rposition(|b| *b != 0).unwrap_or(0) as u64 + 1;
    let mut state = seed;
    for _ in 0..200 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes[((state >> 20) % used) as usize] = (state >> 50) as u8;
    }
}

#[test]
fn damaged_values_are_survived() {
    let filled = |damage: &dyn Fn(&Path)| {
        let home = tempfile::tempdir().unwrap();
        open(home.path()).append(&records(0..2500)).unwrap();
        let values = index(home.path()).join("values.0");
        assert!(fs::metadata(&values).unwrap().len() > 10_000);
        damage(&values);
        let store = open(home.path());
        let first = records([7]);
        let id = store.append(&first).unwrap().known;
        assert_eq!(store.record(id[0].as_str()).unwrap(), first[0]);
        assert_eq!(ids(&store), ids_of(0..2500));
        assert!(notices(&store, home.path()).contains("was rebuilt"));
        let next = open(home.path());
        assert!(next.check().unwrap().is_sound() && next.take_notices().is_empty());
    };
    filled(&|values| fs::remove_file(values).unwrap());
    filled(&|values| fs::OpenOptions::new().write(true).open(values).unwrap().set_len(9000).unwrap());
    filled(&|values| edit(values, |bytes| bytes.fill(0)));
    filled(&|values| edit(values, |bytes| scatter(bytes, 1)));
}

#[cfg(unix)]
#[test]
fn an_index_that_hangs_is_left_behind() {
    let said = survives("hang", |index| {
        fs::remove_file(index.join("conf")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(index.join("conf")).status().unwrap();
        assert!(made.success());
    });
    assert!(said.contains("did not answer within 3 s"), "{said}");
}

#[test]
fn another_journal_in_the_same_place_is_noticed() {
    let (home, other) = (home_with(0..5), home_with(20..29));
    fs::copy(journal(other.path()), journal(home.path())).unwrap();
    let store = open(home.path());
    assert_eq!(ids(&store), ids_of(20..29));
    assert!(notices(&store, home.path()).contains("not the one that the index was made from"));
}

#[test]
fn a_journal_that_was_cut_is_noticed() {
    let home = home_with(0..5);
    edit(&journal(home.path()), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.lines().take(3).flat_map(|line| [line, "\n"]).collect::<String>().into_bytes();
    });
    let store = open(home.path());
    assert_eq!(ids(&store), ids_of(0..3));
    assert!(notices(&store, home.path()).contains("the journal has lost"));
}

#[test]
fn a_damaged_format_file_is_written_again() {
    let home = home_with(0..2);
    let format = home.path().join("kb/format.json");
    let before = fs::read(&format).unwrap();
    for text in ["", "{\"format\":", "{}"] {
        fs::write(&format, text).unwrap();
        let store = open(home.path());
        assert!(matches!(store.take_notices().as_slice(), [Notice::FormatRewritten { .. }]), "{text}");
        assert_eq!(ids(&store), ids_of(0..2));
        assert_eq!(fs::read(&format).unwrap(), before);
    }
}

#[test]
fn records_of_a_newer_program_are_kept() {
    let home = home_with(0..2);
    let body = r#"{"hours":3}"#;
    let front = format!(r#"{{"schema":1,"kind":"dream","id":"{}","body":{body}"#, "ab".repeat(16));
    let line = format!("{front},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(front.as_bytes()));
    edit(&journal(home.path()), |bytes| bytes.extend(line.as_bytes()));
    let store = open(home.path());
    assert_eq!(store.take_notices(), [Notice::NewerRecords { count: 1 }]);
    assert_eq!(ids(&store), ids_of(0..2));
    assert_eq!(store.stats().unwrap().newer, 1);
    store.compact().unwrap();
    let mut out = Vec::new();
    assert_eq!(store.export(&mut out).unwrap(), 3);
    assert!(String::from_utf8(out).unwrap().contains(body));
}

/// A small journal of three transactions with two, one and one facts, and where each ends.
fn small() -> (tempfile::TempDir, Vec<u8>, Vec<(usize, usize)>) {
    let home = tempfile::tempdir().unwrap();
    let mut ends = vec![(0, 0)];
    for facts in [vec![fact(1), fact(2)], vec![fact(3)], vec![fact(4)]] {
        let known = ends.last().unwrap().1 + facts.len();
        open(home.path()).append(&facts).unwrap();
        ends.push((fs::metadata(journal(home.path())).unwrap().len() as usize, known));
    }
    let bytes = fs::read(journal(home.path())).unwrap();
    (home, bytes, ends)
}

#[test]
fn a_journal_cut_at_any_byte_keeps_every_whole_transaction() {
    let (home, bytes, ends) = small();
    let whole = |length: usize| {
        // The newline at the end is made up for.
        ends.iter().filter(|(end, _)| *end <= length + 1).map(|(_, known)| *known).max().unwrap()
    };
    forbid_writing(home.path());
    for length in 0..=bytes.len() {
        fs::write(journal(home.path()), &bytes[..length]).unwrap();
        assert_eq!(open(home.path()).facts().unwrap().len(), whole(length), "{length} bytes, only read");
    }
    fs::remove_dir(home.path().join("kb/lock")).unwrap();
    for length in (0..=bytes.len()).step_by(7) {
        fs::write(journal(home.path()), &bytes[..length]).unwrap();
        drop(fs::remove_dir_all(index(home.path())));
        let store = open(home.path());
        assert_eq!(store.facts().unwrap().len(), whole(length), "{length} bytes");
        store.append(&[fact(9)]).unwrap();
        let next = open(home.path());
        assert_eq!((next.take_notices(), next.facts().unwrap().len()), (vec![], whole(length) + 1));
    }
}

#[test]
fn a_flipped_bit_anywhere_costs_no_more_than_its_line_and_is_said() {
    let (home, bytes, _) = small();
    forbid_writing(home.path());
    for bit in (0..bytes.len() * 8).step_by(5) {
        edit(&journal(home.path()), |damaged| {
            damaged.clone_from(&bytes);
            damaged[bit / 8] ^= 1 << (bit % 8);
        });
        let store = open(home.path());
        let lost = 4 - store.facts().unwrap().len();
        // A newline that is gone takes the lines on both of its sides, until they are repaired.
        let expected = if bytes[bit / 8] == b'\n' { 1..=2 } else { 1..=1 };
        assert!(expected.contains(&lost), "bit {bit} lost {lost}");
    }
}
