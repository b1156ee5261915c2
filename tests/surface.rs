//! What every command has in common: help, exit codes, streams, colours, JSON.

use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Answer, Home};

const ADVISE: &str = "advise --task classify --deploy cpu-server --threads 1";

#[test]
fn every_command_has_help_on_standard_output() {
    let home = Home::new();
    let help = home.run("--help");
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("Exit codes:"), "{}", help.stdout);
    assert!(!help.stdout.contains("__worker"), "the worker is not for people");
    let commands = [
        "advise",
        "explain",
        "compare",
        "bench",
        "export",
        "arch",
        "rules",
        "runner",
        "doctor",
        "kb",
        "device",
        "completions",
    ];
    for command in commands {
        assert!(help.stdout.contains(&format!("  {command} ")), "{command} is not in the list");
        let own = home.run(&format!("{command} --help"));
        assert_eq!((own.code, own.stderr.as_str()), (0, ""), "{command}");
        assert!(own.stdout.contains("Usage: convwise"), "{command}");
    }
    for command in ["advise", "explain", "compare", "bench", "export"] {
        let own = home.run(&format!("{command} --help")).stdout;
        assert!(
            own.contains(&format!("convwise {command} ")) && own.contains("Example"),
            "{command} has no example"
        );
    }
    assert!(home.run("--version").stdout.starts_with("convwise "));
}

#[test]
fn without_a_command_the_help_is_shown_as_an_error() {
    let home = Home::new();
    home.run_args(&[]).fails(3, &["Usage: convwise"]);
    home.run("nonsense").fails(3, &["nonsense"]);
}

#[test]
fn every_json_answer_is_one_document_with_a_schema() {
    let home = Home::new();
    for line in [
        ADVISE,
        "explain resnet18 --task classify --deploy cpu-server",
        "compare resnet18 resnet34",
        "arch list",
        "arch show resnet18",
        "arch check",
        "rules list",
        "rules show latency-over-budget",
        "rules check",
        "rules test",
        "runner list",
        "runner show rten",
        "doctor",
        "kb query",
        "kb stats",
        "kb check",
        "device",
        "device list",
        "device show stm32f746",
        "export shufflenet_v2_x0_5 -o x.onnx",
    ] {
        let document = home.json(&format!("{line} --json"));
        let schema = document["schema"].as_str().unwrap_or_else(|| panic!("{line}: no schema"));
        assert!(schema.starts_with("convwise.") && schema.contains('/'), "{line}: {schema}");
    }
}

/// Fails unless `object` has all of the fields.
#[track_caller]
fn has(object: &Value, fields: &[&str]) {
    for field in fields {
        assert!(object.get(field).is_some(), "no {field} in {object}");
    }
}

#[test]
fn the_decision_record_has_every_field_that_was_promised() {
    let home = Home::new();
    let advice = home.json(&format!("{ADVISE} --max-size 50MB --latency 10s --json"));
    has(
        &advice,
        &["schema", "request", "kb", "rules", "picks", "rejected", "training", "optimisation", "needs"],
    );
    for pick in advice["picks"].as_array().unwrap() {
        has(
            pick,
            &[
                "architecture",
                "weights",
                "input_size",
                "precision",
                "runner",
                "proven",
                "labels",
                "score",
                "accuracy",
                "latency",
                "params",
                "macs",
                "findings",
            ],
        );
        has(&pick["accuracy"], &["value", "metric", "dataset", "grade", "source"]);
        has(&pick["latency"], &["ms", "low_ms", "high_ms", "grade", "runner", "device", "record"]);
        has(&pick["findings"][0], &["rule", "kind", "reason", "file", "line"]);
    }
    has(&advice["rejected"][0], &["architecture", "rule", "reason", "counterfactual"]);
    for list in ["training", "optimisation"] {
        has(&advice[list][0], &["step", "reason", "rule"]);
    }
}

#[test]
fn results_and_remarks_go_to_different_streams() {
    let home = Home::new();
    home.write("convwise/architectures/broken/family.toml", "family = \n");
    let loud = home.run(&format!("{ADVISE} --json"));
    assert!(loud.stderr.contains("broken"), "{}", loud.stderr);
    loud.json();
    let quiet = home.run(&format!("{ADVISE} --json --quiet"));
    assert_eq!((quiet.stderr.as_str(), quiet.stdout), ("", loud.stdout));
    // An error is said even then.
    home.run("arch show resnet5 --quiet").fails(3, &["resnet5"]);
}

#[test]
fn colours_are_for_those_who_want_them() {
    let home = Home::new();
    let coloured = |variables: &[(&str, &str)]| {
        let output = home.command().args(["arch", "list"]).envs(variables.iter().copied()).output().unwrap();
        Answer::of(&output).stdout.contains('\u{1b}')
    };
    assert!(!coloured(&[]), "not in a pipe");
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]), "unless forced");
}

#[test]
fn tables_fit_the_terminal() {
    let home = Home::new();
    for (line, columns) in [("arch list", 100), ("rules list", 100), ("device list", 80), ("runner list", 80)]
    {
        let output =
            home.command().args(line.split(' ')).env("COLUMNS", columns.to_string()).output().unwrap();
        for row in Answer::of(&output).stdout.lines() {
            assert!(row.chars().count() <= columns, "{line}: {row}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::new();
    let mut child = home
        .command()
        .args(["arch", "list", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn shells_get_completions() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(&format!("completions {shell}"));
        assert_eq!(script.code, 0, "{}", script.stderr);
        for word in ["advise", "cpu-server", "--measure-time"] {
            assert!(script.stdout.contains(word.trim_start_matches('-')), "{shell} does not know {word}");
        }
    }
    home.run("completions tcl").fails(3, &["tcl"]);
}
