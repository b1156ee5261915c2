//! The knowledge base never loses a number: what is acknowledged is on disk, whoever is killed and however full the disk is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Answer, Home};
use crate::keeping::{home_with, journal, lines, sound};

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
    // Calls name relative paths as they were given, so this one is absolute.
    let backup = format!("kb backup {}", home.path().join("out.jsonl").display());
    for (line, name) in [
        ("kb stats", "format.json"),
        ("kb merge more.jsonl", "journal.jsonl"),
        ("kb backup", "backups/"),
        (backup.as_str(), "out.jsonl"),
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
