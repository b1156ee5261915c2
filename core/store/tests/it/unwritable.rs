//! Homes that cannot be written, and disks that are full.

use std::fs;
use std::process::Command;

use convwise_store::{Notice, OpenOptions, Store, StoreError};

use crate::support::{forbid_writing, home_with, ids, ids_of, index, open, records, without_home};

#[test]
fn without_a_home_the_shipped_facts_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let store = open(&file.join("home"));
    let notices = store.take_notices();
    assert!(matches!(notices.as_slice(), [Notice::InMemory { .. }]), "{notices:?}");
    assert!(store.all_measurements().unwrap().is_empty());
    assert!(store.devices().unwrap().iter().any(|d| d.id().as_str() == "stm32f746"));
    store.cache_put("facts", "a", "1").unwrap();
    assert_eq!(store.cache_get("facts", "a").unwrap(), Some("1".to_owned()), "kept until the program ends");
    assert_eq!(store.sync_architectures(&[]).unwrap(), 0);
    let error = store.append(&records([1])).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }));
    insta::assert_snapshot!(without_home(&error.to_string(), folder.path()));
}

#[test]
fn a_home_that_cannot_be_written_can_be_read() {
    let home = home_with(0..6);
    forbid_writing(home.path());
    let before = fs::metadata(index(home.path())).unwrap().modified().unwrap();
    let store = open(home.path());
    let notices = store.take_notices();
    assert!(matches!(notices.as_slice(), [Notice::ReadOnly { .. }]), "{notices:?}");
    assert_eq!(ids(&store), ids_of(0..6));
    assert_eq!(store.stats().unwrap().measurements, 6);
    assert!(store.check().unwrap().is_sound());
    assert!(matches!(store.append(&records([9])), Err(StoreError::ReadOnly { .. })));
    assert!(matches!(store.compact(), Err(StoreError::ReadOnly { .. })));
    assert_eq!(fs::metadata(index(home.path())).unwrap().modified().unwrap(), before);
}

#[test]
fn a_newer_home_that_cannot_be_written_is_refused_too() {
    let home = home_with(0..1);
    forbid_writing(home.path());
    fs::write(home.path().join("kb/format.json"), r#"{"format":3}"#).unwrap();
    let refused = Store::open(home.path(), &OpenOptions::default());
    assert!(matches!(refused, Err(StoreError::NewerFormat { found: 3, .. })), "{refused:?}");
}

const FULL: &str = "CONVWISE_STORE_TEST_FULL";

/// Run by the next test in a process whose files may not grow beyond 4 kB more than the journal has.
#[test]
fn child_on_a_full_disk() {
    let Some(home) = std::env::var_os(FULL) else { return };
    let store = Store::open(home.as_ref(), &OpenOptions::default()).unwrap();
    let error = store.append(&records(100..140)).unwrap_err();
    println!("error: {error}");
    println!("readable: {}", ids(&store).len());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let home = home_with(0..3);
    let length = fs::metadata(home.path().join("kb/journal.jsonl")).unwrap().len();
    // A limit on the size of files stands for a full disk: writing beyond it fails in the middle of the record.
    let script = format!(
        "trap '' XFSZ; ulimit -f {}; exec \"$0\" --exact unwritable::child_on_a_full_disk --nocapture",
        length / 1024 + 4
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).arg(std::env::current_exe().unwrap()).env(FULL, home.path());
    let child = command.output().unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    assert!(
        said.contains("error: cannot write ") && said.contains("the disk or its quota is full"),
        "{said}"
    );
    assert!(said.contains("readable: 3"), "{said}");
    assert_eq!(fs::metadata(home.path().join("kb/journal.jsonl")).unwrap().len(), length);
    let store = open(home.path());
    assert_eq!(ids(&store), ids_of(0..3));
    store.append(&records([3])).unwrap();
}
