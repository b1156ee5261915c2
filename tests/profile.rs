//! `bench --profile`: times per layer, in the names of our graph.

use serde_json::Value;

use crate::harness::{Home, with_onnxruntime};

/// Kernels as ONNX Runtime names them, of ResNet-18; one is its own.
const KERNELS: &str = "relu:3_nchwc Conv 2200000, max_pool:4_nchwc MaxPool 150000, layer1.0.conv2_nchwc Conv 2000000, \
                       ReorderOutput_token_3 ReorderOutput 50000, fc Gemm 100000";

fn mock(home: &Home) -> String {
    let plugins = home.mock(&format!("times_ns = \"5000000\"\nkernels = \"{KERNELS}\""));
    format!("bench resnet18 --plugins {plugins} --runner mock --threads 1 --quick --profile")
}

#[test]
fn the_slowest_layers_as_a_person_reads_them() {
    let home = Home::new();
    let answer = home.run(&(mock(&home) + " --top 4"));
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let table = answer.stdout.split_once("\n\n").unwrap().1;
    insta::assert_snapshot!(table);
}

#[test]
fn the_document_has_every_kernel_in_its_order() {
    let home = Home::new();
    let document = home.json(&(mock(&home) + " --json"));
    let profile = &document["records"][0]["profile"];
    assert_eq!(profile["kernels_ms"], 4.5);
    let kernels = profile["kernels"].as_array().unwrap();
    assert_eq!(kernels.len(), 5);
    assert_eq!(kernels[0]["layers"], serde_json::json!(["conv1", "bn1", "relu:3"]));
    assert_eq!((&kernels[0]["macs"], &kernels[0]["ms"]), (&Value::from(118_013_952), &Value::from(2.2)));
    assert_eq!(
        (&kernels[3]["node"], &kernels[3]["layers"]),
        (&"ReorderOutput_token_3".into(), &Value::Array(vec![]))
    );
    let plain = home.json(&(mock(&home).replace(" --profile", "") + " --json"));
    assert!(plain["records"][0].get("profile").is_none());
}

#[test]
fn a_runner_without_a_profiler_names_those_that_have_one() {
    let home = Home::new();
    let plugins = home.mock("");
    let line = format!("bench resnet18 --plugins {plugins} --quick --profile");
    // Others may have been built beside the program.
    home.run(&line).fails(3, &["runner rten has no profiler; use --runner ", "--runner mock"]);
    let both = home.run(&(mock(&home) + " --runner rten --max-time 1s"));
    assert_eq!(both.code, 0, "{}", both.stderr);
    assert!(both.stderr.contains("runner rten has no profiler") && !both.stdout.contains("no profile of"));
    home.run("bench resnet18 --top 3").fails(3, &["--profile"]);
}

/// What the real engine fuses leads back to the whole network: all its multiply-accumulates, none of them twice.
#[test]
fn the_real_profile_accounts_for_the_network() {
    for network in ["mobilenet_v3_small", "densenet121"] {
        let line = format!(
            "bench {network} --runner onnxruntime --threads 1 --quick --max-time 1s --profile --json"
        );
        let output = with_onnxruntime().command().args(line.split_whitespace()).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let shown = with_onnxruntime().command().args(["arch", "show", network, "--json"]).output().unwrap();
        let facts: Value = serde_json::from_slice(&shown.stdout).unwrap();
        let kernels = document["records"][0]["profile"]["kernels"].as_array().unwrap();
        let macs: u64 = kernels.iter().map(|kernel| kernel["macs"].as_u64().unwrap()).sum();
        assert_eq!(facts["macs"], macs, "{network}");
        let shares: f64 = kernels.iter().map(|kernel| kernel["share"].as_f64().unwrap()).sum();
        assert!((shares - 1.0).abs() < 1e-9);
        let nameless = kernels.iter().filter(|kernel| kernel["layers"].as_array().unwrap().is_empty());
        let reorders = |kernel: &Value| kernel["op"].as_str().unwrap().starts_with("Reorder");
        assert!(nameless.clone().all(reorders), "{:?}", nameless.collect::<Vec<_>>());
    }
}
