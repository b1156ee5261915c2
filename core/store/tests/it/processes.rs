//! Several processes at once, and processes that die.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use convwise_store::MeasurementFilter;
use convwise_types::RecordId;

use crate::support::{ids, ids_of, open, records};

const HOME: &str = "CONVWISE_STORE_TEST_HOME";
const FIRST: &str = "CONVWISE_STORE_TEST_FIRST";
const COUNT: &str = "CONVWISE_STORE_TEST_COUNT";

/// Run by the tests below: appends measurements one by one (every third time two at once), reads in between, and
/// prints an id when it is acknowledged.
#[test]
fn child_that_appends() {
    let Some(home) = std::env::var_os(HOME) else { return };
    let number = |name: &str| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let first = number(FIRST);
    let store = open(home.as_ref());
    for seed in first..first + number(COUNT) {
        let batch = if seed % 3 == 0 { vec![seed, seed + 1] } else { vec![seed] };
        for id in store.append(&records(batch)).unwrap().new {
            println!("acknowledged {id}");
        }
        let mine =
            MeasurementFilter { artifact: Some(format!("artifact-{}", seed % 5)), ..Default::default() };
        assert!(!store.measurements(&mine).unwrap().is_empty());
    }
}

fn start(home: &Path, first: u64, count: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child_that_appends", "--nocapture"])
        .env(HOME, home)
        .env(FIRST, first.to_string())
        .env(COUNT, count.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn acknowledged(line: &str) -> Option<RecordId> {
    line.split_once("acknowledged ").map(|(_, id)| id.trim().into())
}

#[test]
fn nothing_acknowledged_is_lost_when_writers_are_killed() {
    let home = tempfile::tempdir().unwrap();
    let mut promised: Vec<RecordId> = Vec::new();
    for cycle in 0..40 {
        let mut child = start(home.path(), cycle * 1000, 1000);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after a different number of answers each time, at whatever it is doing then; what it had answered
        // but we had not read yet is read to the end.
        let mut wanted = 1 + cycle % 9;
        for id in lines.map_while(Result::ok).filter_map(|line| acknowledged(&line)) {
            promised.push(id);
            wanted = wanted.saturating_sub(1);
            if wanted == 0 {
                std::thread::sleep(std::time::Duration::from_micros(cycle * 137));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let store = open(home.path());
        let found = ids(&store);
        let lost: Vec<_> = promised.iter().filter(|id| !found.contains(*id)).collect();
        assert!(lost.is_empty(), "cycle {cycle} lost {lost:?}");
        assert!(store.check().unwrap().is_sound(), "cycle {cycle}");
    }
    assert!(promised.len() >= 40, "{}", promised.len());
}

#[test]
fn ten_processes_write_and_read_at_once() {
    let home = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..10).map(|number| start(home.path(), number * 100, 8)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let store = open(home.path());
    let seeds = (0..10)
        .flat_map(|n| (n * 100..n * 100 + 8).flat_map(|s| if s % 3 == 0 { vec![s, s + 1] } else { vec![s] }));
    assert_eq!(ids(&store), ids_of(seeds));
    assert!(store.take_notices().is_empty());
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn threads_share_a_store() {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    std::thread::scope(|scope| {
        for number in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for seed in number * 5..number * 5 + 5 {
                    store.append(&records([seed])).unwrap();
                }
            });
        }
    });
    assert_eq!(ids(&store), ids_of(0..20));
}
