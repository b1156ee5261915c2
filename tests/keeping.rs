//! Looking after the knowledge base: backups, repairs, exports and merges.

use std::fs;
use std::path::PathBuf;

use convwise_types::{AddedFact, canonical, id_of};

use crate::harness::Home;

/// Lines of an export: facts with these numbers, each long enough that a write of many can be interrupted.
pub fn lines(numbers: std::ops::Range<u64>) -> String {
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

pub fn journal(home: &Home) -> PathBuf {
    home.path().join("home/kb/journal.jsonl")
}

/// A home with the facts of these numbers.
pub fn home_with(numbers: std::ops::Range<u64>) -> Home {
    let home = Home::new();
    home.write("start.jsonl", lines(numbers));
    assert_eq!(home.run("kb merge start.jsonl").code, 0);
    home
}

/// Records in a home that must be sound.
pub fn sound(home: &Home) -> u64 {
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
