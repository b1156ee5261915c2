//! What others published and measured, in answers.

use convwise_store::{OpenOptions, Record, Store};
use convwise_types::{
    AddedCost, AddedResult, AddedTiming, InputShape, Macs, Measurement, Millis, Params, Percent, Precision,
    PublishedResult, StatedCost, StatedMacs, Task, Workload,
};
use serde_json::{Value, json};

use crate::harness::Home;

const ASKED: &str = "--task classify --deploy gpu-server --device nvidia-rtx-3090 --runner libtorch";

fn add(home: &Home, records: &[Record]) {
    let store = Store::open(&home.path().join("home"), &OpenOptions::default()).unwrap();
    store.append(records).unwrap();
}

fn accuracy(model: &str, tag: &str, top1: f64, side: u64) -> Record {
    let result = PublishedResult {
        dataset: "imagenet-1k/val".to_owned(),
        metric: "top1".to_owned(),
        value: Percent(top1),
        input_size: side,
        precision: Precision::Fp32,
        source: "results-imagenet.csv, line 2".to_owned(),
    };
    let (package, weights) = (Some("timm".to_owned()), Some(tag.into()));
    AddedResult { package, architecture: model.into(), weights, result, note: None }.into()
}

fn cost(model: &str) -> Record {
    let macs = Some(StatedMacs { count: Macs(4_000_000_000), input: InputShape::square(224) });
    let source = "results-imagenet.csv, line 2".to_owned();
    let cost = StatedCost { params: Some(Params(22_000_000)), macs, source, note: None };
    AddedCost { package: Some("timm".to_owned()), architecture: model.into(), task: Task::Classify, cost }
        .into()
}

fn timing(model: &str, ms: f64, precision: &str) -> Record {
    Record::from(AddedTiming {
        package: Some("timm".to_owned()),
        architecture: model.into(),
        weights: None,
        workload: Workload::Inference,
        device: "nvidia-rtx-3090".to_owned(),
        runtime: "pytorch 2.4.0".to_owned(),
        options: Some("dynamo".to_owned()),
        precision: precision.to_owned(),
        layout: Some("nchw".to_owned()),
        threads: None,
        batch: 1,
        input: InputShape::square(224),
        latency: Some(Millis(ms)),
        throughput: None,
        source: "benchmark-infer.csv, line 2".to_owned(),
    })
}

/// A home in which a table of timm's was taken over: a network of ours under its name there, and a stranger.
fn imported() -> Home {
    let home = Home::new();
    add(
        &home,
        &[
            accuracy("resnet50", "a1_in1k", 80.2, 224),
            accuracy("vit_new", "in1k", 89.9, 224),
            cost("vit_new"),
            timing("resnet50", 2.0, "fp32"),
            timing("vit_new", 4.0, "fp32"),
            timing("vit_new", 1.0, "amp"),
        ],
    );
    home
}

fn named<'a>(list: &'a Value, id: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|item| item["architecture"] == id || item["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {list}"))
}

#[test]
fn a_network_of_published_figures_is_recommended_and_marked() {
    let home = imported();
    let ask = "advise --task classify --deploy cpu-server --threads 1 --min-accuracy 89";
    let answer = home.json(&format!("{ask} --json"));
    let pick = named(&answer["picks"], "vit_new");
    assert_eq!((&pick["buildable"], &pick["latency"]), (&json!(false), &Value::Null));
    assert_eq!(pick["accuracy"]["source"], "results-imagenet.csv, line 2");
    assert!(answer["needs"].as_array().unwrap().iter().all(|need| need["command"].is_null()), "{answer}");
    for format in ["", " --markdown"] {
        let shown = home.run(&format!("{ask}{format}")).stdout;
        assert!(shown.contains("(not buildable here)"), "{shown}");
    }
    let ours = home.json("advise --task classify --deploy cpu-server --threads 1 --json");
    let buildable = ours["picks"].as_array().unwrap().iter().filter(|pick| pick["buildable"].is_null());
    assert!(buildable.count() > 0, "only the exception is said");
}

#[test]
fn it_can_be_asked_for_compared_explained_and_shown() {
    let home = imported();
    let query = home.run_args(&["kb", "query", "top1 > 89 && !buildable", "--json"]).json();
    let row = named(&query["rows"], "vit_new");
    assert_eq!((&row["params"], &row["weights"]), (&json!(22_000_000), &json!("timm/in1k")));
    assert_eq!(row["origin"], "published figures (timm)");
    let compared = home.json("compare resnet50 vit_new --json");
    let new = &compared["networks"][1]["pick"];
    assert_eq!((&new["buildable"], &new["macs"]), (&json!(false), &json!(4_000_000_000_u64)));
    assert!(home.run("compare resnet50 vit_new").stdout.contains("vit_new @224 (not buildable here)"));
    let why = home.run("explain vit_new --task classify --deploy cpu-server").stdout;
    assert!(why.contains("(not buildable here)") && why.contains("network-without-graph"), "{why}");
    let page = home.run("arch show vit_new").stdout;
    assert!(page.contains("no layer graph") && page.contains("benchmark-infer.csv, line 2"), "{page}");
    assert!(!home.run("arch list").stdout.contains("vit_new"), "the list is of what plugins define");
}

#[test]
fn what_needs_a_graph_says_what_to_try_instead() {
    let home = imported();
    let words = ["vit_new", "published figures (timm)", "convwise bench FILE.onnx"];
    home.run("export vit_new -o vit.onnx").fails(3, &words);
    home.run("bench vit_new").fails(3, &words);
    home.run("arch show vit_new --graph").fails(3, &words);
    home.run("explain vit_neu --task classify --deploy cpu-server").fails(3, &["did you mean `vit_new`"]);
    home.run("compare resnet50 vit_neu").fails(3, &["did you mean `vit_new`"]);
}

#[test]
fn figures_about_a_network_of_ours_are_its_own() {
    let home = imported();
    let known = home.json("arch show resnet50 --json");
    let tags: Vec<_> = known["weights"].as_array().unwrap().iter().map(|w| &w["tag"]).collect();
    assert!(tags.contains(&&json!("timm/a1_in1k")), "{tags:?}");
    let alone = home.run_args(&["kb", "query", "id == \"timm/resnet50\"", "--json"]).json();
    assert_eq!(alone["rows"], json!([]));
    // What follows from records is remembered, and forgotten when there are more.
    add(&home, &[accuracy("resnet50", "a2_in1k", 80.3, 224)]);
    let more = home.json("arch show resnet50 --json");
    assert!(more["results"].as_array().unwrap().iter().any(|r| r["weights"] == "timm/a2_in1k"));
}

#[test]
fn timings_are_evidence_for_their_own_engine() {
    let home = imported();
    let latencies = |ask: &str| {
        let answer = home.json(&format!("compare resnet50 vit_new {ask} --json"));
        [0, 1].map(|at: usize| answer["networks"][at]["pick"]["latency"].clone())
    };
    for (found, ms) in latencies(ASKED).iter().zip([2.0, 4.0]) {
        assert_eq!((&found["ms"], &found["grade"]), (&json!(ms), &json!("published")));
        assert_eq!(found["source"], "pytorch 2.4.0, dynamo, nchw, benchmark-infer.csv, line 2");
    }
    let [ours, stranger] = latencies(&ASKED.replace("libtorch", "onnxruntime"));
    assert_eq!((&ours["grade"], stranger), (&json!("estimated"), Value::Null));
}

/// A measurement of a network of ours on a machine that this one has never seen.
fn measured_elsewhere(home: &Home, network: &str, ms: f64) -> Record {
    let graph = home.json(&format!("arch show {network} --json"))["graph"].clone();
    let statistics = json!({
        "samples": 40, "median": ms, "ci_low": ms * 0.98, "ci_high": ms * 1.02, "min": ms * 0.9, "mean": ms,
        "p90": null, "p99": null, "mad": ms * 0.01, "outliers": 0,
    });
    let measurement: Measurement = serde_json::from_value(json!({
        "schema": 1,
        "id": "",
        "subject": {
            "architecture": network, "artifact": network, "graph": graph, "weights": "seed:0",
            "input": [3, 224, 224], "batch": 1, "precision": "fp32",
        },
        "runner": {"name": "rten", "version": "0.27.0", "options": {}},
        "threads": 1,
        "scenario": "latency",
        "device": {
            "id": "0123456789abcdef", "kind": "cpu", "cpu": "A far processor", "cores": 8, "isa": ["avx2"],
            "ram": 16_000_000_000_u64, "platform": "linux/x86_64", "virtual_machine": false,
        },
        "launches": [{"load": 2.0, "first": 3.0, "warmup_runs": 5, "samples_ns": vec![10_000_000; 40]}],
        "statistics": statistics,
        "verdict": "trusted",
        "remarks": [],
        "conditions": {},
        "taken": "2026-01-02T08:00:00Z",
        "tool": {"version": "0.1.0", "command": "convwise bench"},
    }))
    .unwrap();
    measurement.into()
}

#[test]
fn a_device_that_others_measured_is_listed_and_answered_for() {
    let there = Home::new();
    let records = [("resnet18", 40.0), ("mobilenet_v3_large", 20.0)];
    let records = records.map(|(network, ms)| measured_elsewhere(&there, network, ms));
    add(&there, &records);
    assert_eq!(there.run("kb export -o there.jsonl").code, 0);

    let home = imported();
    let merged = home.run(&format!("kb merge {}", there.path().join("there.jsonl").display()));
    assert_eq!(merged.code, 0, "{}", merged.stderr);
    for command in ["device list", "kb devices"] {
        let all = home.json(&format!("{command} --json"));
        assert_eq!(
            named(&all["devices"], "0123456789abcdef")["measurements"],
            json!({"rten": 2}),
            "{command}"
        );
        assert_eq!(named(&all["devices"], "nvidia-rtx-3090")["published_timings"], 3);
        assert!(home.run(command).stdout.contains("2 measured with rten"));
    }
    let ask = "--task classify --deploy cpu-server --device 0123456789abcdef --threads 1";
    let compared = home.json(&format!("compare resnet18 resnet34 vit_new {ask} --json"));
    let grade = |at: usize| &compared["networks"][at]["pick"]["latency"]["grade"];
    assert_eq!([grade(0), grade(1), grade(2)], [&json!("measured"), &json!("calibrated"), &Value::Null]);
    let advice = home.json(&format!("advise {ask} --latency 30ms --json"));
    assert_eq!(named(&advice["picks"], "mobilenet_v3_large")["proven"], true);
    home.run(&format!("advise {ask} --measure")).fails(3, &["A far processor", "convwise kb merge"]);
}
