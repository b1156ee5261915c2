//! The knowledge base never loses a number: what is acknowledged is on disk, whoever is killed and whatever is damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use convwise_types::{AddedFact, canonical, id_of};

use crate::harness::{Answer, Home};

/// Lines of an export: facts with these numbers, each long enough that a write of many can be interrupted.
fn lines(numbers: std::ops::Range<u64>) -> String {
    let line = |number| {
        let body = canonical(&AddedFact {
            about: "device:x".to_owned(),
            name: format!("fact-{number}"),
            value: "x".repeat(1000).into(),
            unit: None,
            source: "https://example.org/".to_owned(),
        });
        format!("{{\"schema\":1,\"kind\":\"fact\",\"id\":\"{}\",\"body\":{body}}}\n", id_of(&body))
    };
    numbers.map(line).collect()
}

fn journal(home: &Home) -> PathBuf {
    home.path().join("home/kb/journal.jsonl")
}

/// A home with the facts of these numbers.
fn home_with(numbers: std::ops::Range<u64>) -> Home {
    let home = Home::new();
    home.write("start.jsonl", lines(numbers));
    assert_eq!(home.run("kb merge start.jsonl").code, 0);
    home
}

/// Records in a home that must be sound.
fn sound(home: &Home) -> u64 {
    home.json("kb check --json")["report"]["records"].as_u64().unwrap()
}

#[test]
fn backups_are_made_listed_and_restored() {
    let home = home_with(0..3);
    let made = home.json("kb backup --json");
    let path = made["backup"]["path"].as_str().unwrap().to_owned();
    assert_eq!((&made["schema"], &made["backup"]["lines"]), (&"convwise.kb-backup/1".into(), &3.into()));
    assert_eq!(home.json("kb backup --list --json")["backups"][0]["path"], path.as_str());
    assert!(home.run("kb backup --list").stdout.contains(&path));
    fs::create_dir(home.path().join("folder")).unwrap();
    assert!(home.run("kb backup folder").stdout.contains("3 records of version"));
    assert_eq!(fs::read_dir(home.path().join("folder")).unwrap().count(), 1);
    home.write("more.jsonl", lines(3..9));
    home.run("kb merge more.jsonl");
    let restored = home.json(&format!("kb restore {path} --json"));
    assert_eq!(restored["restored"]["version"], made["backup"]["version"]);
    assert_eq!(sound(&home), 3);
    let kept = restored["restored"]["kept"].as_str().unwrap();
    assert!(home.run(&format!("kb merge {kept}")).stdout.contains("6 new, 3 known already"));
    home.write("bad.jsonl", "rubbish\n");
    home.run("kb restore bad.jsonl").fails(3, &["nothing was restored", "line 1", "kb repair"]);
    home.run("kb restore absent.jsonl").fails(3, &["absent.jsonl"]);
    assert_eq!(sound(&home), 9);
}

#[test]
fn repair_says_what_it_did_and_where_the_damage_is_kept() {
    let home = home_with(0..4);
    assert!(home.run("kb repair").stdout.contains("nothing is wrong"));
    let mut bytes = fs::read(journal(&home)).unwrap();
    let middle = bytes.len() / 2;
    bytes[100] ^= 1;
    bytes[middle..middle + 3].copy_from_slice(b"???");
    fs::write(journal(&home), &bytes).unwrap();
    let check = home.run("kb check");
    check.fails(1, &[]);
    for words in [
        "line 1 of the journal is damaged",
        "its record is proved whole",
        "and would be left out",
        "kb repair",
    ] {
        assert!(check.stdout.contains(words), "{}", check.stdout);
    }
    let repaired = home.json("kb repair --json");
    let damaged = repaired["report"]["journal"]["damaged"].as_array().unwrap();
    assert_eq!(damaged.iter().map(|d| d["whole"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 0]);
    let kept = fs::read(damaged[1]["kept"].as_str().unwrap()).unwrap();
    assert!(kept.windows(3).any(|w| w == b"???"));
    assert_eq!(sound(&home), 3);
    let next = home.run("kb stats");
    assert_eq!((next.code, next.stderr.as_str()), (0, ""));
}

#[test]
fn compacting_says_what_it_saved() {
    let home = home_with(0..4);
    let text = fs::read_to_string(journal(&home)).unwrap();
    fs::write(journal(&home), format!("{text}{text}")).unwrap();
    assert!(home.json("kb rebuild --json")["version"].is_string());
    let report = &home.json("kb compact --json")["report"];
    assert_eq!((&report["repeated"], &report["records"]), (&4.into(), &4.into()));
    let (before, after) =
        (report["journal_before"].as_u64().unwrap(), report["journal_after"].as_u64().unwrap());
    assert!(before > after && after == fs::metadata(journal(&home)).unwrap().len());
    assert!(home.run("kb compact").stdout.contains("journal "));
}

#[test]
fn exports_are_cut_by_kind_and_arrival_and_replace_a_file_when_they_are_whole() {
    let home = home_with(0..3);
    let file = home.write("out.jsonl", "what was there before");
    assert_eq!(home.run("kb export --kind fact --since 2020-01-01 -o out.jsonl").code, 0);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 3);
    assert_eq!(home.run("kb export --since 2999-01-01T00:00:00Z").stdout, "");
    assert_eq!(home.run("kb export --kind measurement").stdout, "");
    home.run("kb export --since yesterday").fails(3, &["2026-11-01"]);
    home.run("kb export --kind dream").fails(3, &["measurement"]);
    home.run("kb export -o no/such/folder.jsonl").fails(1, &["no/such/folder.jsonl"]);
    home.run("kb export --format parquet").fails(3, &["-o FILE"]);
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".unfinished")), "{left:?}");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn without_parquet_the_program_says_how_to_build_it() {
    home_with(0..1).run("kb export --format parquet -o x.parquet").fails(3, &["--features parquet"]);
}

#[cfg(feature = "parquet")]
#[test]
fn a_kind_is_exported_as_a_parquet_table() {
    let home = home_with(0..3);
    assert_eq!(home.run("kb export --format parquet --kind fact -o x.parquet").stderr, "3 records\n");
    let bytes = fs::read(home.path().join("x.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    assert_eq!(home.run("kb export --format parquet -o none.parquet").stderr, "0 records\n");
}

#[test]
fn several_files_and_homes_are_merged_at_once() {
    let (there, here) = (home_with(0..4), Home::new());
    let file = here.write("parts/a.jsonl", lines(3..6));
    let theirs = there.path().join("home");
    let paths = ["kb", "merge", theirs.to_str().unwrap(), file.parent().unwrap().to_str().unwrap(), "--json"];
    let report = &here.run_args(&paths).json()["report"];
    assert_eq!((&report["files"], &report["new"], &report["known"]), (&2.into(), &6.into(), &1.into()));
    here.run("kb merge home").fails(3, &["this knowledge base itself"]);
    fs::create_dir(here.path().join("empty")).unwrap();
    here.run("kb merge empty").fails(3, &["neither a home"]);
    assert_eq!(sound(&here), 6);
}

#[test]
fn ten_processes_write_and_read_at_once() {
    let home = home_with(0..1);
    for part in 0..5 {
        home.write(&format!("{part}.jsonl"), lines(part * 10..part * 10 + 12));
    }
    let commands = (0..5).flat_map(|part| {
        [
            format!("kb merge {part}.jsonl"),
            ["kb export", "kb check", "kb backup", "kb compact", "kb stats"][part].to_owned(),
        ]
    });
    let running: Vec<_> = commands.map(|line| home.start(&line)).collect();
    for process in running {
        let answer = process.finish();
        assert_eq!((answer.code, answer.stderr.contains("warning")), (0, false), "{}", answer.stderr);
    }
    assert_eq!(sound(&home), 52);
}

/// Commands that are killed, with what they need beforehand.
const KILLED: [&str; 8] = [
    "kb merge many.jsonl",
    "kb merge one.jsonl",
    "kb backup",
    "kb compact",
    "kb repair",
    "kb restore backup.jsonl",
    "kb rebuild",
    "kb stats", // of a home of format 1
];

/// A home in which commands are killed, and what is known to be in it.
struct Hunted {
    home: Home,
    acknowledged: u64,
    next: u64,
    random: u64,
}

impl Hunted {
    /// The same numbers in every run.
    fn random(&mut self, below: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    /// Prepares a command; how many records it adds.
    fn prepare(&mut self, line: &str) -> u64 {
        let mut bytes = fs::read(journal(&self.home)).unwrap();
        let more = |count| lines(self.next..self.next + count);
        match line {
            "kb merge many.jsonl" => {
                self.home.write("many.jsonl", more(40));
                self.next += 40;
                return 40;
            }
            "kb merge one.jsonl" => {
                self.home.write("one.jsonl", more(1));
                self.next += 1;
                return 1;
            }
            "kb compact" => {
                let first = bytes.iter().position(|b| *b == b'\n').unwrap();
                bytes.extend_from_within(..=first);
            }
            "kb repair" => {
                let at = usize::try_from(self.random(bytes.len() as u64 - 1)).unwrap();
                bytes[at] ^= 1 << self.random(8);
            }
            "kb restore backup.jsonl" => assert_eq!(self.home.run("kb backup backup.jsonl").code, 0),
            "kb stats" => {
                let format = self.home.path().join("home/kb/format.json");
                let text = fs::read_to_string(&format).unwrap();
                fs::write(&format, text.replace("\"format\": 2", "\"format\": 1")).unwrap();
            }
            _ => return 0,
        }
        fs::write(journal(&self.home), bytes).unwrap();
        0
    }

    /// Runs a command and kills it after a while.
    fn kill(&self, line: &str, after: Duration) -> Answer {
        let mut command = self.home.command();
        let child = command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        Answer::of(&child.wait_with_output().unwrap())
    }

    /// The next command works, says nothing that frightens, and finds everything that was acknowledged.
    fn verify(&mut self, line: &str, more: u64, killed: &Answer) {
        if line == "kb repair" {
            // The damage was there before.
            assert_eq!(self.home.run(line).code, 0);
        }
        let next = self.home.run("kb check --json");
        let said: Vec<_> = next.stderr.lines().filter(|l| !l.contains("never acknowledged")).collect();
        let frightening = said.iter().any(|l| l.contains("warning") || l.contains("error"));
        assert!(next.code == 0 && !frightening, "after {line}: {}{}", next.stderr, next.stdout);
        let found = next.json()["report"]["records"].as_u64().unwrap();
        let done = self.acknowledged + more;
        assert!(found == done || found == self.acknowledged, "after {line}: {found} of {done}");
        assert!(killed.stdout.is_empty() || found == done, "{line} acknowledged what is not there");
        self.acknowledged = found;
    }
}

#[test]
fn whoever_is_killed_at_whatever_moment_nothing_acknowledged_is_lost() {
    let mut hunted = Hunted { home: home_with(0..40), acknowledged: 40, next: 40, random: 1 };
    let mut times = [Duration::ZERO; KILLED.len()];
    for (line, time) in KILLED.iter().zip(&mut times) {
        let more = hunted.prepare(line);
        let began = Instant::now();
        let answer = hunted.home.run(line);
        assert_eq!(answer.code, 0, "{line}: {}", answer.stderr);
        *time = began.elapsed();
        hunted.verify(line, more, &answer);
    }
    let mut finished = 0;
    for cycle in 0..200 {
        let (line, time) = (KILLED[cycle % KILLED.len()], times[cycle % KILLED.len()]);
        let more = hunted.prepare(line);
        let part = hunted.random(1100);
        let killed = hunted.kill(line, time * u32::try_from(part).unwrap() / 1000);
        finished += usize::from(killed.code == 0);
        hunted.verify(line, more, &killed);
    }
    println!("{finished} of 200 came to their end, {} records", hunted.acknowledged);
    let exported = hunted.home.run("kb export").stdout;
    assert_eq!(exported.lines().count() as u64, hunted.acknowledged);
}

/// Runs the program with files that may not grow beyond some kilobytes, which stands for a full disk.
#[cfg(target_os = "linux")]
fn on_a_full_disk(home: &Home, kilobytes: u64, line: &str) -> Answer {
    let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" {line}");
    let mut command = Command::new("bash");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_convwise")]).current_dir(home.path());
    command.env("CONVWISE_HOME", home.path().join("home"));
    Answer::of(&command.output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_everything_stays_as_it_was() {
    let home = home_with(0..20);
    home.write("more.jsonl", lines(20..40));
    home.write("out.jsonl", "what was there before");
    assert_eq!(home.run("kb backup good.jsonl").code, 0);
    let before = fs::read(journal(&home)).unwrap();
    let room = before.len() as u64 / 1024;
    for (line, kilobytes) in [
        ("kb merge more.jsonl", room + 4),
        ("kb backup out.jsonl", room - 4),
        ("kb export -o out.jsonl", room - 4),
        ("kb compact", room - 4),
        ("kb restore good.jsonl", room - 4),
    ] {
        let answer = on_a_full_disk(&home, kilobytes, line);
        answer.fails(1, &["the disk or its quota is full"]);
        assert_eq!(fs::read(journal(&home)).unwrap(), before, "{line}");
        assert_eq!(fs::read_to_string(home.path().join("out.jsonl")).unwrap(), "what was there before");
        assert_eq!(sound(&home), 20, "{line}");
    }
}

/// A library that writes down in which order files are written, synced and named.
#[cfg(target_os = "linux")]
fn order_library(home: &Home) -> PathBuf {
    let library = home.path().join("order.so");
    let source = crate::harness::repository().join("tests/order.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-Werror", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(compiler.status().unwrap().success());
    library
}

/// What a command did to files until it said that it was done, call by call.
#[cfg(target_os = "linux")]
fn order_of(home: &Home, library: &Path, line: &str) -> Vec<Vec<String>> {
    let log = home.path().join("order.log");
    drop(fs::remove_file(&log));
    let mut command = home.command();
    command.args(line.split(' ')).env("LD_PRELOAD", library).env("ORDER_LOG", &log);
    let answer = Answer::of(&command.output().unwrap());
    assert_eq!(answer.code, 0, "{line}: {}", answer.stderr);
    let text = fs::read_to_string(&log).unwrap();
    let calls = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    calls.take_while(|call| call[1] != "stdout").collect()
}

/// What is wrong with an order of calls: something not synced when it should have been.
#[cfg(target_os = "linux")]
fn breaches(calls: &[Vec<String>], ends: &[&str]) -> Vec<String> {
    let mut unsynced: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for call in calls {
        match call[0].as_str() {
            "write" if ends.iter().any(|end| call[1].ends_with(end)) => unsynced.push(call[1].clone()),
            "sync" => unsynced.retain(|path| *path != call[1]),
            "rename" if ends.iter().any(|end| call[2].ends_with(end)) => {
                if unsynced.contains(&call[1]) {
                    found.push(format!("{} was named before it was synced", call[2]));
                }
                unsynced.push(Path::new(&call[2]).parent().unwrap().display().to_string());
            }
            _ => {}
        }
    }
    found.extend(unsynced.into_iter().map(|path| format!("{path} was not synced before success was said")));
    found
}

#[cfg(target_os = "linux")]
#[test]
fn success_is_said_when_everything_is_synced() {
    let home = home_with(0..3);
    let library = order_library(&home);
    home.write("more.jsonl", lines(3..6));
    let ends = ["journal.jsonl", "unfinished", ".jsonl", "format.json"];
    let format = home.path().join("home/kb/format.json");
    fs::write(&format, fs::read_to_string(&format).unwrap().replace(": 2", ": 1")).unwrap();
    for (line, name) in [
        ("kb stats", "format.json"),
        ("kb merge more.jsonl", "journal.jsonl"),
        ("kb backup", "backups/"),
        ("kb backup out.jsonl", "out.jsonl"),
        ("kb compact", "journal.jsonl"),
        ("kb restore out.jsonl", "journal.jsonl"),
    ] {
        let calls = order_of(&home, &library, line);
        let touched = calls.iter().any(|c| c[0] != "sync" && (c[1].ends_with(name) || c[2].contains(name)));
        assert!(touched, "{line} did nothing to {name}: {calls:#?}");
        assert_eq!(breaches(&calls, &ends), [""; 0], "{line}: {calls:#?}");
    }
    // The rule itself finds what it is for.
    let call = |words: [&str; 3]| words.map(str::to_owned).to_vec();
    let write = call(["write", "/h/journal.jsonl", ""]);
    assert_eq!(breaches(std::slice::from_ref(&write), &ends).len(), 1);
    assert_eq!(breaches(&[write, call(["sync", "/h/journal.jsonl", ""])], &ends), [""; 0]);
    let (half, named) =
        (call(["write", "/h/unfinished", ""]), call(["rename", "/h/unfinished", "/h/journal.jsonl"]));
    assert_eq!(breaches(&[half, named, call(["sync", "/h", ""])], &ends).len(), 2);
}
