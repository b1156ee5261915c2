//! A knowledge base with measurements, without measuring: records as `bench` makes them, with times of our own.

use std::collections::BTreeMap;

use convwise_store::{OpenOptions, Record, Store};
use convwise_types::{
    MEASUREMENT_SCHEMA, Measurement, Millis, Precision, Quality, RunnerStamp, Scenario, Statistics, Subject,
    Tool,
};
use convwise_zoo::{BuildOptions, Zoo, facts};

use crate::harness::Home;

/// Records that networks take so many milliseconds on this machine, give or take one in a hundred: with rten, one
/// image a batch, one thread.
pub fn measured(home: &Home, networks: &[(&str, f64)]) {
    let (zoo, _) = Zoo::load(&[]);
    let records: Vec<Record> =
        networks.iter().map(|(name, ms)| Record::from(measurement(&zoo, name, *ms))).collect();
    let store = Store::open(&home.path().join("home"), &OpenOptions::default()).unwrap();
    store.append(&records).unwrap();
}

fn measurement(zoo: &Zoo, name: &str, ms: f64) -> Measurement {
    let variant = zoo.find(name).unwrap();
    let input = zoo.architecture(variant).input;
    let options = BuildOptions { input: Some(input), ..BuildOptions::default() };
    let graph = facts(&zoo.build(variant, &options).unwrap(), input).unwrap().graph;
    Measurement {
        schema: MEASUREMENT_SCHEMA,
        id: "".into(),
        subject: Subject {
            architecture: Some(variant.id().clone()),
            file: None,
            artifact: format!("of {name}"),
            graph: Some(graph),
            weights: "seed:0".into(),
            input,
            batch: 1,
            precision: Precision::Fp32,
            postprocess: false,
        },
        runner: RunnerStamp {
            name: "rten".into(),
            version: "1".into(),
            options: BTreeMap::new(),
            simulated: false,
        },
        threads: 1,
        scenario: Scenario::Latency,
        rate: None,
        device: convwise_bench::device::here(),
        launches: Vec::new(),
        statistics: statistics(ms),
        verdict: Quality::Trusted,
        remarks: Vec::new(),
        conditions: BTreeMap::new(),
        taken: "2026-01-01T00:00:00Z".into(),
        tool: Tool { version: "1".into(), command: "convwise bench".into() },
    }
    .sealed()
}

fn statistics(ms: f64) -> Statistics {
    Statistics {
        samples: 100,
        median: Millis(ms),
        ci_low: Millis(ms * 0.99),
        ci_high: Millis(ms * 1.01),
        min: Millis(ms * 0.95),
        mean: Millis(ms),
        p90: None,
        p99: None,
        mad: Millis(ms * 0.01),
        outliers: 0,
    }
}

const REQUEST: &str = "--task classify --deploy cpu-server --threads 1 --latency 60ms";

#[test]
fn measured_evidence_overrules_the_guide_and_the_answer_says_so() {
    let home = Home::new();
    measured(&home, &[("mobilenet_v3_large", 42.0), ("regnet_y_400mf", 20.0), ("resnet18", 52.0)]);
    let advice = home.json(&format!("advise {REQUEST} --json"));
    let told = advice["evidence_over_guide"].as_array().unwrap();
    let small = told.iter().find(|o| o["rule"] == "small-network-for-cpu-server").unwrap();
    let (preferred, better) = (&small["preferred"], &small["better"]);
    assert_eq!(preferred["architecture"], "mobilenet_v3_large");
    assert_eq!(better["architecture"], "regnet_y_400mf");
    assert!((small["speed_up"].as_f64().unwrap() - 2.1).abs() < 1e-9, "{small}");
    assert!(preferred["latency"]["record"].is_string() && better["latency"]["record"].is_string());
    let remark = small["remark"].as_str().unwrap();
    assert!(remark.starts_with("the guide prefers MobileNetV3-Large; here "), "{remark}");
    assert!(remark.contains(" is 2.1x faster at +"), "{remark}");
    for form in ["", "--markdown"] {
        let text = home.run(&format!("advise {REQUEST} {form}")).stdout;
        assert!(text.contains("Evidence over the guide") && text.contains(remark), "{text}");
    }
    let preference = |name: &str| {
        let why = home.json(&format!("explain {name} {REQUEST} --json"));
        why["candidates"][0]["rank"]["preference"].as_f64().unwrap()
    };
    assert!(preference("regnet_y_400mf") >= preference("mobilenet_v3_large"));
}

#[test]
fn what_is_inherited_by_evidence_is_in_the_explanation_and_adds_up() {
    let home = Home::new();
    measured(&home, &[("mobilenet_v3_large", 42.0), ("regnet_y_400mf", 20.0)]);
    let why = home.json(&format!("explain regnet_y_400mf {REQUEST} --json"));
    let best = &why["candidates"][0];
    let inherited = best["rank"]["inherited"].as_f64().unwrap();
    assert!(inherited > 0.0, "{}", best["rank"]);
    let shares: f64 =
        best["trace"].as_array().unwrap().iter().filter_map(|t| t["contribution"]["share"].as_f64()).sum();
    let preference = best["rank"]["preference"].as_f64().unwrap();
    assert!((shares + inherited - preference).abs() < 1e-9);
    // It is as much preferred as the other, which is the better known.
    let gap = &best["why_not"]["gap"];
    assert_eq!(gap["to"], "mobilenet_v3_large");
    let parts: f64 = gap["parts"].as_array().unwrap().iter().map(|p| p["behind"].as_f64().unwrap()).sum();
    assert!((parts - gap["behind"].as_f64().unwrap()).abs() < 1e-5, "{gap}");
}

#[test]
fn without_measurements_the_guides_advice_stands() {
    let advice = Home::new().json(&format!("advise {REQUEST} --json"));
    assert_eq!(advice["evidence_over_guide"], serde_json::json!([]));
}

#[test]
fn a_measured_pick_is_proven_in_the_stretch_where_it_fits() {
    let home = Home::new();
    measured(&home, &[("mobilenet_v3_large", 42.0)]);
    let line = "advise --task classify --deploy cpu-server --threads 1 --what-if latency=30ms..60ms --json";
    let answer = home.json(line);
    let stretches = answer["stretches"].as_array().unwrap();
    let proven: Vec<_> = stretches.iter().filter(|s| s["winner"]["proven"] == true).collect();
    assert!(!proven.is_empty(), "{answer}");
    // Its interval ends at 42.42 ms.
    assert_eq!(proven[0]["from"]["flag"], "42.5ms");
    assert_eq!(proven[0]["winner"]["architecture"], "mobilenet_v3_large");
    assert_eq!(proven[0]["left"], "proven from here on");
}
