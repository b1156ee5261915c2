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

/// A model file of one network, and the line that measures it in a moment.
fn model(home: &Home) -> &'static str {
    assert_eq!(home.run("export shufflenet_v2_x0_5 -o net.onnx").code, 0);
    "bench net.onnx --quick --threads 1 --max-time 100ms --json"
}

fn ids(home: &Home) -> Vec<String> {
    let rows = home.json("kb query --from measurements --sort id --json");
    rows["rows"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn processes_that_measure_at_once_lose_nothing() {
    let home = Home::new();
    let bench = model(&home);
    let running: Vec<_> = (0..4).map(|_| home.start(bench)).collect();
    let mut said: Vec<_> = running
        .into_iter()
        .map(|process| {
            let answer = process.finish();
            assert_eq!(answer.code, 0, "{}", answer.stderr);
            answer.json()["records"][0]["id"].as_str().unwrap().to_owned()
        })
        .collect();
    said.sort();
    assert_eq!(ids(&home), said);
    assert_eq!(home.json("kb check --json")["ok"], true);
}

#[test]
fn records_travel_to_another_home() {
    let (there, here) = (Home::new(), Home::new());
    let bench = model(&there);
    assert_eq!((there.run(bench).code, there.run(bench).code), (0, 0));
    assert_eq!(there.run("kb export -o target.jsonl").code, 0);
    let file = there.path().join("target.jsonl");
    let merge = |path: &std::path::Path| here.run_args(&["kb", "merge", path.to_str().unwrap(), "--json"]);
    // A file that was cut off or changed on the way is refused as a whole.
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = here.write("changed.jsonl", text.replacen("\"threads\":1", "\"threads\":2", 1));
    let cut = here.write("cut.jsonl", &text[..text.len() - 40]);
    let rubbish = here.write("rubbish.jsonl", "{\"this\": \"is no record\"}\n");
    for bad in [&changed, &cut, &rubbish] {
        assert_eq!(merge(bad).code, 3, "{}", bad.display());
        assert_eq!(ids(&here).len(), 0, "{}", bad.display());
    }
    assert_eq!(merge(&file).json()["report"]["new"], 2);
    assert_eq!(merge(&file).json()["report"]["known"], 2, "a second time changes nothing");
    assert_eq!(ids(&here), ids(&there));
    let shown = |home: &Home| home.json(&format!("kb show {} --json", ids(home)[0]));
    assert_eq!(shown(&here), shown(&there));
    assert!(
        !shown(&here)["body"]["launches"][0]["samples_ns"].as_array().unwrap().is_empty(),
        "with every sample"
    );
}
