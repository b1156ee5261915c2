//! Measuring: with a runner that plays a part, so that no clock decides, and end to end with the built-in one.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Answer, Home, Running, is_alive, repository, wait_until};

/// The smallest network there is.
const SMALL: &str = "shufflenet_v2_x0_5";
/// Few networks, all small.
const REQUEST: &str = "advise --task classify --deploy cpu-server --threads 1 --max-params 3M";

fn records(document: &Value) -> &Vec<Value> {
    document["records"].as_array().unwrap()
}

fn kept(home: &Home) -> Vec<Value> {
    home.json("kb query --from measurements --json")["rows"].as_array().unwrap().clone()
}

/// A benchmark of one network with a mock that plays a part.
fn bench_mock(home: &Home, options: &str, more: &str) -> Answer {
    let plugins = home.mock(options);
    home.run(&format!("bench {SMALL} --plugins {plugins} --runner mock --threads 1 {more}"))
}

#[test]
fn a_record_has_every_field_that_was_promised() {
    let home = Home::new();
    let answer = bench_mock(&home, "times_ns = \"5000000\"", "--quick --json");
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let document = answer.json();
    assert_eq!(document["schema"], "convwise.bench/1");
    let record = &records(&document)[0];
    assert_eq!(record["architecture"], SMALL);
    assert_eq!(record["runner"]["name"], "mock");
    assert!(record["runner"]["version"].is_string());
    assert_eq!(record["input"], serde_json::json!([3, 224, 224]));
    for (field, value) in [("batch", 1.0), ("threads", 1.0), ("load_ms", 5.0), ("first_ms", 5.0)] {
        assert_eq!(record[field].as_f64(), Some(value), "{field}");
    }
    for field in ["median_ms", "ci_low_ms", "ci_high_ms", "min_ms", "mean_ms"] {
        assert_eq!(record[field].as_f64(), Some(5.0), "{field}");
    }
    assert_eq!((&record["precision"], &record["scenario"]), (&Value::from("fp32"), &Value::from("latency")));
    assert_eq!(record["id"].as_str().unwrap().len(), 32);
    assert!(record["samples"].as_u64().unwrap() >= 50);
    assert!(record["verdict"].is_string() && record["device"]["id"].is_string());
    assert_eq!(record["peak_rss_bytes"], Value::Null, "a runner that pretends has no memory of its own");
}

#[test]
fn a_percentile_that_the_sample_cannot_support_is_null() {
    let home = Home::new();
    // The mock's time passes in its own numbers: four seconds of screening are few runs of 25 ms, and fewer of 1 s.
    for (times_ns, p90, p99) in
        [("1000000000", false, false), ("25000000", true, false), ("20x100000,1x110000", true, true)]
    {
        let answer = bench_mock(&home, &format!("times_ns = \"{times_ns}\""), "--quick --json");
        let document = answer.json();
        let record = &records(&document)[0];
        let samples = record["samples"].as_u64().unwrap();
        assert_eq!(
            (record["p90_ms"].is_number(), record["p99_ms"].is_number()),
            (p90, p99),
            "{samples} samples"
        );
        assert_eq!((samples >= 44, samples >= 459), (p90, p99), "{samples} samples");
    }
}

#[test]
fn too_few_samples_are_called_insufficient() {
    let home = Home::new();
    let document = bench_mock(&home, "times_ns = \"2000000000\"", "--quick --json").json();
    assert_eq!(records(&document)[0]["verdict"], "insufficient");
}

#[test]
fn the_table_as_a_person_reads_it() {
    let home = Home::new();
    let plugins = home.mock("times_ns = \"4x900000,1100000\"");
    let line = format!("bench {SMALL} mobilenet_v3_small --plugins {plugins} --runner mock --threads 1");
    let answer = home.run(&line);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    // What the machine did meanwhile is no part of it.
    let remarks = ["other programs kept", "the hypervisor gave", "the container's processor quota"];
    let lines = answer.stdout.lines().filter(|line| !remarks.iter().any(|remark| line.contains(remark)));
    let table = lines.collect::<Vec<_>>().join("\n");
    insta::with_settings!({filters => vec![
        (r"\d+ in 3  (trusted|noisy|throttled) ", "[n] in 3  [verdict] "),
        (r"(?m)[0-9a-f]{8}$", "[record]"),
        (r"  +", "  "),
    ]}, { insta::assert_snapshot!(table) });
}

#[test]
fn made_up_timings_never_become_evidence() {
    let home = Home::new();
    assert_eq!(bench_mock(&home, "times_ns = \"1000\"", "--quick").code, 0);
    assert_eq!(kept(&home).len(), 0);
    let answer = home.run(&format!("{REQUEST} --plugins plugins --runner mock --measure"));
    answer.fails(3, &["runner mock is simulated; its timings are no evidence", "--runner"]);
    assert_eq!(kept(&home).len(), 0);
    // Without measuring, the mock's latency is believed as little.
    let advice = home.json(&format!("{REQUEST} --plugins plugins --runner mock --json"));
    for pick in advice["picks"].as_array().unwrap() {
        assert_eq!(pick["latency"]["grade"], "estimated");
    }
}

/// Benchmarks with a mock that plays a part, and with the built-in runner, whose record must be kept all the same.
#[track_caller]
fn only_the_mock_fails(options: &str, words: &[&str]) {
    let home = Home::new();
    let answer = bench_mock(&home, options, "--runner rten --quick --max-time 200ms --json");
    answer.fails(1, words);
    let document = answer.json();
    assert_eq!(document["failures"][0]["runner"], "mock");
    for word in words {
        assert!(document["failures"][0]["reason"].as_str().unwrap().contains(word), "{document}");
    }
    assert_eq!(records(&document).len(), 1, "{document}");
    assert_eq!(kept(&home)[0]["id"], records(&document)[0]["id"]);
}

#[test]
fn a_runner_that_crashes_takes_nothing_with_it() {
    only_the_mock_fails("crash = \"load\"", &["runner mock crashed while it loaded the model", "SIGSEGV"]);
    only_the_mock_fails("crash = \"run@3\"\nhow = \"abort\"", &["crashed while it ran the model", "SIGABRT"]);
    only_the_mock_fails("crash = \"run\"\nhow = \"panic\"", &["the mock was told to panic"]);
}

#[test]
fn a_runner_that_answers_rubbish_is_refused() {
    only_the_mock_fails("nan = \"1\"", &["not-a-number values", "1 of 1000 elements of output output0"]);
    only_the_mock_fails("lie = \"shape\"", &["broke the contract", "[1, 1000, 1]"]);
    only_the_mock_fails("garbage = \"run\"", &["broke the contract while it ran the model"]);
}

#[test]
fn a_runner_that_refuses_a_network_says_why() {
    only_the_mock_fails("refuse = \"load\"", &["runner mock refused", "operator Frobnicate"]);
    only_the_mock_fails("missing = \"libfast\"", &["libfast", "convwise runner install libfast"]);
    only_the_mock_fails("tims_ns = \"1\"", &["there is no option tims_ns"]);
}

#[test]
fn a_failure_is_recorded_and_the_pair_is_avoided_until_it_is_retried() {
    let home = Home::new();
    let first = bench_mock(&home, "crash = \"run@2\"", "--quick --json");
    assert_eq!(first.code, 1);
    assert_eq!(first.json()["failures"][0]["record"], Value::Null, "it was run");
    let again = bench_mock(&home, "crash = \"run@2\"", "--quick --json");
    assert_eq!(again.code, 1);
    let failure = &again.json()["failures"][0];
    let reason = failure["reason"].as_str().unwrap();
    assert!(reason.starts_with("not run, for it failed before; add --retry to run it: "), "{reason}");
    let id = failure["record"].as_str().unwrap();
    let record = home.json(&format!("kb show {id} --json"));
    assert_eq!(record["kind"], "failure");
    let body = &record["body"];
    assert_eq!(
        (&body["kind"], &body["phase"], &body["runner"]),
        (&Value::from("crashed"), &Value::from("run"), &Value::from("mock"))
    );
    assert!(body["reason"].as_str().unwrap().contains("SIGSEGV"), "{body}");
    assert_eq!(home.json("kb stats --json")["store"]["failures"], 1);
    // Another network is not concerned, and neither is this one once it is asked for.
    assert_eq!(home.run("bench mobilenet_v3_small --plugins plugins --runner mock --quick").code, 1);
    assert_eq!(home.json("kb stats --json")["store"]["failures"], 2);
    assert_eq!(bench_mock(&home, "", "--quick --retry").code, 0);
}

#[test]
fn advice_does_not_pick_what_crashes_its_runner() {
    let home = Home::new();
    // The built-in runner is given next to no memory, so that it fails with a network that is in order.
    let line = "bench shufflenet_v2_x0_5 --threads 1 --quick --json --memory-limit 5MB";
    let failed = home.run(line);
    assert_eq!(failed.code, 1, "{}{}", failed.stdout, failed.stderr);
    let advice = home.json(&format!("{REQUEST} --json"));
    let rejected = advice["rejected"].as_array().unwrap();
    let ours = rejected.iter().find(|r| r["architecture"] == SMALL).unwrap();
    let said = (&ours["rule"], &ours["counterfactual"]);
    assert_eq!(said, (&Value::from("fails-on-its-runner"), &Value::from("would fit with --retry")));
    assert!(ours["reason"].as_str().unwrap().contains("memory"), "{ours}");
    let retried = home.run(&format!("bench {SMALL} --threads 1 --quick --retry"));
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    let advice = home.json(&format!("{REQUEST} --json"));
    assert!(advice["rejected"].as_array().unwrap().iter().all(|r| r["architecture"] != SMALL));
}

#[test]
fn a_torchscript_file_needs_its_size_and_a_runner_that_reads_it() {
    let home = Home::new();
    home.write("model.pt", "whatever");
    home.run("bench model.pt").fails(3, &["a TorchScript file does not say what it takes", "--input-size"]);
    home.run("bench model.pt --input-size 224")
        .fails(3, &["runner rten reads no .pt", "use --runner libtorch"]);
}

#[test]
fn a_runner_that_hangs_is_ended() {
    let home = Home::new();
    let plugins = home.mock("");
    let line = format!(
        "bench {SMALL} --plugins {plugins} --runner mock --runner rten --threads 1 --quick --max-time 200ms"
    );
    // The shortest of the deadlines, which is ten seconds: describing oneself starts nothing.
    let output =
        home.command().args(line.split_whitespace()).env("CONVWISE_MOCK", "hang=describe").output().unwrap();
    let answer = Answer::of(&output);
    answer.fails(1, &["runner mock did not answer within 10 s while it described itself and was ended"]);
    assert_eq!(kept(&home).len(), 1);
}

#[test]
fn ctrl_c_ends_a_runner_that_hangs() {
    let home = Home::new();
    let plugins = home.mock("hang = \"load\"");
    let running = home.start(&format!("bench {SMALL} --plugins {plugins} --runner mock --threads 1 --json"));
    let worker = running.wait_for_worker();
    running.signal("INT");
    let answer = running.finish();
    answer.fails(1, &["stopped before anything was measured"]);
    assert!(!is_alive(worker), "the worker is still there");
}

#[test]
fn a_runner_without_its_library_or_of_another_version_is_not_started() {
    let home = Home::new();
    let manifest =
        |library: &str| format!("schema = 1\nname = \"mock\"\nversion = \"1\"\nlibrary = \"{library}\"\n");
    let bench = || home.run(&format!("bench {SMALL} --plugins plugins --runner mock --threads 1 --quick"));
    home.write("plugins/runners/mock.toml", manifest("nowhere"));
    bench().fails(1, &["runner mock cannot be used", "libnowhere.so"]);
    home.write("plugins/runners/mock.toml", manifest("./text.so"));
    home.write("plugins/runners/text.so", "this is no library");
    bench().fails(1, &["text.so"]);
    home.write("plugins/runners/mock.toml", manifest(&later_version(&home)));
    bench().fails(1, &["it speaks version 7 of the runner ABI, this program version 1"]);
}

/// Compiles a library whose table has a major version that nobody knows; returns its path.
fn later_version(home: &Home) -> String {
    let source = "#include \"runner.h\"\n\
                  static const cw_runner table = {sizeof(cw_runner), 7, 0};\n\
                  const cw_runner *convwise_runner_v1(const cw_host *host) { (void)host; return &table; }\n";
    let source = home.write("later.c", source);
    let library = home.path().join("libtoo_late.so");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let compiled = Command::new(compiler)
        .args(["-shared", "-fPIC", "-I"])
        .arg(repository().join("runners/abi/include"))
        .arg(source)
        .arg("-o")
        .arg(&library)
        .status()
        .unwrap();
    assert!(compiled.success());
    library.display().to_string()
}

#[test]
fn what_was_measured_proves_the_picks_and_stays() {
    let home = Home::new();
    let measured = home.json(&format!("{REQUEST} --measure=2 --measure-time 20s --runner rten --json"));
    let picks = measured["picks"].as_array().unwrap();
    let records = kept(&home);
    assert_eq!(records.len(), 2);
    assert!(!picks.is_empty());
    for pick in picks {
        assert_eq!(
            (&pick["proven"], &pick["latency"]["grade"]),
            (&Value::from(true), &Value::from("measured"))
        );
        let record = records.iter().find(|r| r["id"] == pick["latency"]["record"]).unwrap();
        assert_eq!(record["median_ms"], pick["latency"]["ms"]);
        assert_eq!((&record["architecture"], &record["threads"]), (&pick["architecture"], &Value::from(1)));
        let reproduce = pick["reproduce"].as_array().unwrap();
        assert!(
            reproduce.iter().any(|c| c.as_str().unwrap().starts_with("convwise bench ")),
            "{reproduce:?}"
        );
    }
    assert_eq!(measured["kb"]["measurements"], 2);
    // Without measuring, the same comes from the knowledge base, the same every time.
    let line = format!("{REQUEST} --runner rten --json");
    let again = home.run(&line);
    assert_eq!(again.stdout, home.run(&line).stdout);
    let first = &again.json()["picks"][0];
    assert_eq!(
        (&first["architecture"], &first["latency"]),
        (&picks[0]["architecture"], &picks[0]["latency"])
    );
    assert_eq!(kept(&home).len(), 2);
}

#[test]
fn what_was_measured_calibrates_the_rest() {
    let home = Home::new();
    let bench = home.run(&format!("bench {SMALL} --quick --threads 1 --max-time 1s"));
    assert_eq!(bench.code, 0, "{}", bench.stderr);
    let advice = home.json(&format!("{REQUEST} --top 50 --json"));
    let grade = |name: &str| {
        let picks = advice["picks"].as_array().unwrap();
        picks.iter().find(|p| p["architecture"] == name).unwrap()["latency"]["grade"].clone()
    };
    assert_eq!((grade(SMALL), grade("mobilenet_v3_small")), ("measured".into(), "calibrated".into()));
    // Other threads are another setting: nothing is known about it.
    let advice = home.json(&format!("{} --json", REQUEST.replace("--threads 1", "--threads 2")));
    for pick in advice["picks"].as_array().unwrap() {
        assert_eq!(pick["latency"]["grade"], "estimated");
    }
}

#[test]
fn a_measured_network_over_the_budget_is_no_pick() {
    let home = Home::new();
    assert_eq!(home.run(&format!("bench {SMALL} --quick --threads 1 --max-time 1s")).code, 0);
    let record = kept(&home).remove(0);
    let budget = record["ci_low_ms"].as_f64().unwrap() / 2.0;
    let only = format!(
        "require(#{{ id: \"only-the-small-one\", doc: \"One network is asked about.\", source: \"this test\", \
         holds: |net| net.id == \"{SMALL}\", because: |net| net.id }});"
    );
    home.write("convwise/rules/only.rhai", only);
    let line = format!("advise --task classify --deploy cpu-server --threads 1 --latency {budget}ms");
    let answer = home.run(&format!("{line} --json"));
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    let advice = answer.json();
    assert_eq!(advice["picks"].as_array().unwrap().len(), 0);
    let nearest = &advice["nothing_fits"]["nearest"][0];
    assert_eq!((&nearest["architecture"], &nearest["rule"]), (&SMALL.into(), &"latency-over-budget".into()));
    assert!(nearest["reason"].as_str().unwrap().contains("measured"), "{nearest}");
    assert!(nearest["counterfactual"].as_str().unwrap().contains("--latency"), "{nearest}");
    // With twice the room above the measurement, the same network fits, proven.
    let budget = record["ci_high_ms"].as_f64().unwrap() * 2.0;
    let line = line.rsplit_once(' ').unwrap().0;
    let advice = home.json(&format!("{line} {budget}ms --json"));
    assert_eq!(advice["picks"][0]["architecture"], SMALL);
    assert_eq!(advice["picks"][0]["proven"], true);
}

#[test]
fn a_budget_that_nothing_can_keep_costs_no_measurement() {
    let home = Home::new();
    let answer = home.run(&format!("{REQUEST} --latency 1us --measure"));
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(
        answer.stdout.contains("Nothing fits") && answer.stdout.contains("the nearest misses"),
        "{}",
        answer.stdout
    );
    assert!(answer.stdout.contains("would fit with --latency"), "{}", answer.stdout);
    assert_eq!(kept(&home).len(), 0);
}

/// Starts to measure, and waits until one measurement is done and the next one runs.
fn measuring(home: &Home) -> (Running, u32) {
    let mut running = home.start(&format!("{REQUEST} --measure --json"));
    running.wait_for_line("measured ");
    let worker = running.wait_for_worker();
    (running, worker)
}

#[test]
fn ctrl_c_keeps_what_was_measured_and_answers_with_it() {
    let home = Home::new();
    let (running, worker) = measuring(&home);
    running.signal("INT");
    let answer = running.finish();
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let advice = answer.json();
    let notes = advice["notes"].as_array().unwrap();
    assert!(notes.iter().any(|n| n.as_str().unwrap().contains("interrupted")), "{notes:?}");
    assert!(!kept(&home).is_empty());
    assert_eq!(advice["picks"][0]["latency"]["grade"], "measured");
    assert!(!is_alive(worker), "the worker is still there");
}

#[test]
fn a_sudden_end_loses_nothing_that_was_measured() {
    let home = Home::new();
    let (running, worker) = measuring(&home);
    running.signal("KILL");
    assert_eq!(running.finish().code, -1);
    wait_until("the worker ends with its host", || (!is_alive(worker)).then_some(()));
    assert_eq!(home.json("kb check --json")["ok"], true);
    assert!(!kept(&home).is_empty());
    let advice = home.json(&format!("{REQUEST} --json"));
    assert!(advice["picks"].as_array().unwrap().iter().any(|p| p["latency"]["grade"] == "measured"));
}
