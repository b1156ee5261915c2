//! The knowledge base through its commands.

use std::process::Stdio;

use crate::harness::Home;

#[test]
fn queries_speak_the_rules_language() {
    let home = Home::new();
    let rows = home.json("kb query --json");
    assert!(rows["rows"].as_array().unwrap().len() >= 13);
    let answer =
        home.run_args(&["kb", "query", "task == \"classify\" && top1 >= 80 && params < 30e6", "--json"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let found = answer.json();
    assert_eq!(found["schema"], "convwise.rows/1");
    let rows = found["rows"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row["top1"].as_f64().unwrap() >= 80.0 && row["params"].as_f64().unwrap() < 30e6, "{row}");
    }
}

#[test]
fn a_misspelt_field_is_shown_with_its_place() {
    let home = Home::new();
    home.run_args(&["kb", "query", "top2 >= 80"]).fails(3, &["top2", "did you mean `top1`"]);
    home.run_args(&["kb", "query", "params < \"many\""]).fails(3, &["params"]);
    home.run_args(&["kb", "query", "top1 >="]).fails(3, &[]);
    home.run_args(&["kb", "query", "loop {}"]).fails(3, &[]);
}

#[test]
fn rows_can_be_sorted_cut_and_projected() {
    let home = Home::new();
    let answer = home.run_args(&[
        "kb",
        "query",
        "true",
        "--sort",
        "-params",
        "--limit",
        "3",
        "--columns",
        "id,params",
        "--json",
    ]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let document = answer.json();
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].as_object().unwrap().len(), 2);
    assert!(rows[0]["params"].as_u64() >= rows[1]["params"].as_u64());
}

#[test]
fn stats_check_and_show() {
    let home = Home::new();
    assert!(home.json("kb stats --json")["architectures"].as_u64().unwrap() >= 13);
    assert_eq!(home.json("kb check --json")["ok"], true);
    assert_eq!(home.json("kb show resnet50 --json")["id"], "resnet50");
    home.run("kb show ffffffff").fails(3, &["ffffffff"]);
}

#[test]
fn many_processes_at_once_all_succeed() {
    let home = Home::new();
    let line = ["advise", "--task", "classify", "--deploy", "cpu-server", "--threads", "1", "--json"];
    let start = || home.command().args(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..8).map(|_| start()).collect();
    let outputs: Vec<_> = children.into_iter().map(|c| c.wait_with_output().unwrap()).collect();
    for output in &outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, outputs[0].stdout);
    }
}

#[test]
fn a_damaged_index_is_rebuilt() {
    let home = Home::new();
    home.json("kb stats --json");
    let index = home.path().join("home/kb/index");
    assert!(index.is_dir());
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::write(&index, "rubbish").unwrap();
    assert_eq!(home.json("kb check --json")["ok"], true);
}
