//! Parity with the reference implementations.

use crate::harness::{Home, fixture, repository, with_onnxruntime};

/// Every fixture that stands in the repository.
fn fixtures() -> Vec<String> {
    let folder = repository().join("core/zoo/tests/fixtures");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().to_str()?.strip_suffix(".json").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 43, "{names:?}");
    names
}

#[test]
fn every_fixture_is_met_by_the_built_in_runner() {
    let home = Home::new();
    for name in fixtures() {
        let answer = home.run_args(&[
            "arch",
            "verify",
            &name,
            "--fixture",
            fixture(&name).to_str().unwrap(),
            "--json",
        ]);
        assert_eq!(answer.code, 0, "{name}: {}{}", answer.stdout, answer.stderr);
        let report = answer.json();
        assert_eq!(report["ok"], true, "{name}");
        assert_eq!(report["params"]["expected"], report["params"]["actual"]);
        assert_eq!(report["macs"]["expected"], report["macs"]["actual"]);
        assert!(!report["outputs"].as_array().unwrap().is_empty(), "{name}: outputs were not compared");
    }
}

#[test]
fn every_fixture_is_met_by_onnx_runtime() {
    let installed = with_onnxruntime();
    for name in fixtures() {
        let output = installed
            .command()
            .args(["arch", "verify", &name, "--runner", "onnxruntime", "--json", "--fixture"])
            .arg(fixture(&name))
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_fixture_of_another_network_is_not_met() {
    let home = Home::new();
    let answer = home.run_args(&[
        "arch",
        "verify",
        "resnet50",
        "--fixture",
        fixture("resnet18").to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(answer.code, 1);
    let report = answer.json();
    assert_eq!(report["ok"], false);
    assert_ne!(report["params"]["expected"], report["params"]["actual"]);
    assert!(!report["tensors"]["extra"].as_array().unwrap().is_empty());
}

#[test]
fn one_wrong_number_in_a_fixture_is_found() {
    let home = Home::new();
    let text = std::fs::read_to_string(fixture("resnet18")).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let first = value["outputs"][0]["values"][0].as_f64().unwrap();
    value["outputs"][0]["values"][0] = serde_json::json!(first + 0.01);
    let path = home.write("wrong.json", value.to_string());
    let answer =
        home.run_args(&["arch", "verify", "resnet18", "--fixture", path.to_str().unwrap(), "--json"]);
    assert_eq!(answer.code, 1);
    assert_eq!(answer.json()["outputs"][0]["ok"], false);
}

#[test]
fn the_list_has_every_family() {
    let home = Home::new();
    let list = home.json("arch list --json");
    let architectures = list["architectures"].as_array().unwrap();
    for id in [
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "mobilenet_v3_small",
        "mobilenet_v3_large",
        "efficientnet_b0",
        "efficientnet_b1",
        "shufflenet_v2_x0_5",
        "shufflenet_v2_x1_0",
        "convnext_tiny",
        "convnext_small",
        "lenet5",
        "alexnet",
        "vgg16_bn",
        "googlenet",
        "inception_v3",
        "densenet201",
        "squeezenet1_0",
        "mobilenet_v2",
        "mnasnet1_3",
        "tf_efficientnet_lite4",
        "efficientnet_v2_l",
        "regnet_y_128gf",
        "regnet_x_32gf",
        "mcunet_in4",
    ] {
        let found = architectures.iter().find(|a| a["id"] == id).unwrap_or_else(|| panic!("{id} is missing"));
        assert!(found["params"].as_u64().unwrap() > 50_000);
        assert_eq!(found["input"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn a_list_can_be_of_some() {
    let home = Home::new();
    let ids = |line: &str| -> Vec<String> {
        let list = home.json(line);
        let entries = list["architectures"].as_array().unwrap().iter();
        entries.map(|a| a["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("arch list mobilenetv3 classify --json"), ["mobilenet_v3_large", "mobilenet_v3_small"]);
    assert_eq!(ids("arch list MCUNet in2 --json"), ["mcunet_in2"]);
    let none = home.run("arch list perceiver");
    assert_eq!(none.code, 0);
    assert!(none.stderr.contains("no architecture has perceiver"), "{}", none.stderr);
}

#[test]
fn show_gives_costs_and_sources() {
    let home = Home::new();
    let shown = home.json("arch show resnet50 --json");
    assert_eq!(shown["params"], 25_557_032);
    assert_eq!(shown["macs"], 4_089_184_256_u64);
    assert_eq!(shown["outputs"][0]["shape"], serde_json::json!([1, 1000]));
    let bytes = &shown["weight_bytes"];
    assert!(
        bytes["int8"].as_u64() < bytes["fp16"].as_u64() && bytes["fp16"].as_u64() < bytes["fp32"].as_u64()
    );
    assert!(shown["peak_activation_bytes"]["fp32"].as_u64().unwrap() > 0);
    assert_eq!(shown["licence"]["code"], "BSD-3-Clause");
    for result in shown["results"].as_array().unwrap() {
        assert!(result["source"].as_str().unwrap().starts_with("https://"), "{result}");
    }
}

#[test]
fn the_graph_prints_as_text_and_for_graphviz() {
    let home = Home::new();
    let text = home.run("arch show shufflenet_v2_x0_5 --graph");
    assert!(text.stdout.contains("conv2d") && text.stdout.contains("channel_shuffle"), "{}", text.stdout);
    let dot = home.run("arch show shufflenet_v2_x0_5 --dot");
    assert!(dot.stdout.starts_with("digraph"));
}

#[test]
fn a_new_family_of_the_project_works_at_once() {
    let home = Home::new();
    assert_eq!(home.run("arch new my_net").code, 0);
    let list = home.json("arch list --json");
    let mine =
        list["architectures"].as_array().unwrap().iter().find(|a| a["origin"] != "shipped").unwrap().clone();
    let id = mine["id"].as_str().unwrap();
    let out = home.path().join("mine.onnx");
    assert_eq!(home.run_args(&["export", id, "-o", out.to_str().unwrap()]).code, 0);
    assert!(out.is_file());
}

/// The fixture is what `plugins/fixture.py` makes of the scaffold's own `reference.py`.
#[test]
fn a_new_family_equals_its_twin_in_pytorch() {
    let home = Home::new();
    assert_eq!(home.run("arch new my_net").code, 0);
    let fixture = repository().join("core/zoo/tests/data/my_net_small.json");
    let answer =
        home.run_args(&["arch", "verify", "my_net_small", "--fixture", fixture.to_str().unwrap(), "--json"]);
    assert_eq!(answer.code, 0, "{}{}", answer.stdout, answer.stderr);
    assert_eq!(answer.json()["ok"], true);
    assert!(home.path().join("convwise/architectures/my_net/reference.py").is_file());
    let writer = std::fs::read_to_string(home.path().join("convwise/fixture.py")).unwrap();
    assert!(writer.contains("fixture.py write"));
}

/// From nothing to advice, as plugins/README.md tells it.
#[test]
fn a_family_with_results_of_its_own_is_advised() {
    let home = Home::new();
    assert_eq!(home.run("arch new my_net").code, 0);
    let file = home.path().join("convwise/architectures/my_net/family.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let weights = "[[variants.my_net_small.weights]]\ntag = \"me/first\"\nlicence = { spdx = \"MIT\" }\nsource = \"https://example.org/report\"\nresults = [{ dataset = \"imagenet-1k/val\", input_size = 64, values = { top1 = 99.0 } }]\n";
    std::fs::write(&file, format!("{text}\n{weights}")).unwrap();
    let advice =
        home.json("advise --task classify --deploy edge --priority accuracy --precision fp32 --json");
    assert_eq!(advice["picks"][0]["architecture"], "my_net_small");
    assert_eq!(advice["picks"][0]["accuracy"]["source"], "https://example.org/report");
    let shown = home.json("arch show my_net_small --json");
    assert!(shown["origin"].as_str().unwrap().ends_with("my_net/family.toml"));
}

#[test]
fn an_ejected_family_can_be_given_a_variant() {
    let home = Home::new();
    let count = |home: &Home| home.json("arch list --json")["architectures"].as_array().unwrap().len();
    let before = count(&home);
    assert_eq!(home.run("arch eject").code, 0);
    assert_eq!(count(&home), before);
    let file = home.path().join("convwise/architectures/shufflenet_v2/family.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let variant = "[variants.shufflenet_v2_tiny]\ntitle = \"ours\"\nargs.channels = [8, 16, 32, 64, 128]\n";
    std::fs::write(&file, format!("{text}\n{variant}")).unwrap();
    assert_eq!(count(&home), before + 1);
    let tiny = home.json("arch show shufflenet_v2_tiny --json");
    assert_eq!(tiny["outputs"][0]["shape"], serde_json::json!([1, 1000]));
    assert!(tiny["params"].as_u64() < home.json("arch show shufflenet_v2_x0_5 --json")["params"].as_u64());
    assert_eq!(home.run("export shufflenet_v2_tiny -o tiny.onnx --classes 3").code, 0);
    // What is there already is not overwritten.
    assert!(home.run("arch eject").stderr.contains("was left alone"));
    assert_eq!(count(&home), before + 1);
}

#[test]
fn a_broken_family_does_not_take_the_others_down() {
    let home = Home::new();
    home.write("convwise/architectures/broken/family.toml", "family = \n");
    home.write("convwise/architectures/broken/graph.rhai", "fn build(net, args) {}\n");
    let answer = home.run("arch list --json");
    assert_eq!(answer.code, 0);
    assert!(answer.stderr.contains("family.toml:1"), "{}", answer.stderr);
    assert!(answer.json()["architectures"].as_array().unwrap().len() >= 13);
}

#[test]
fn an_input_has_rows_or_rows_and_columns() {
    let home = Home::new();
    let logits = |size: &str| {
        home.json(&format!("arch show bisenetv2 --input-size {size} --json"))["outputs"][0]["shape"].clone()
    };
    assert_eq!(
        logits("128"),
        serde_json::json!([1, 19, 128, 256]),
        "the proportions of the network's own input"
    );
    assert_eq!(logits("128x192"), serde_json::json!([1, 19, 128, 192]));
    home.run("export bisenetv2 -o x.onnx --input-size 128x").fails(3, &["512x1024"]);
    assert_eq!(home.run("export bisenetv2 -o wide.onnx --input-size 64x160").code, 0);
    let record = &home.json("bench wide.onnx --input-size 64x160 --quick --json")["records"][0];
    assert_eq!(record["input"], serde_json::json!([3, 64, 160]), "{record}");
    home.run("bench wide.onnx --input-size 160x64 --quick").fails(3, &["fixed at 3x64x160"]);
}

/// A backbone of any family, by name: a detector of the project's own.
#[test]
fn a_pyramid_on_another_backbone_is_a_few_lines() {
    let home = Home::new();
    home.write(
        "convwise/architectures/ours/graph.rhai",
        "import \"fpn\" as fpn;\nfn build(net, args) { fpn::build(net, args) }\n",
    );
    home.write(
        "convwise/architectures/ours/family.toml",
        "schema = 1\nfamily = \"Ours\"\ntask = \"detect\"\n[variants.regnet_fpn]\ntitle = \"ours\"\ninput = [3, 256, 320]\n\
         args = { backbone = \"regnet_y_800mf\" }\n",
    );
    assert_eq!(home.run("arch check").code, 0);
    let shown = home.json("arch show regnet_fpn --json");
    assert_eq!(shown["outputs"][0]["shape"], serde_json::json!([1, 256, 64, 80]));
    home.write(
        "convwise/architectures/ours/family.toml",
        "schema = 1\nfamily = \"Ours\"\ntask = \"detect\"\n[variants.regnet_fpn]\ntitle = \"ours\"\ninput = [3, 256, 320]\n\
         args = { backbone = \"regnet_y_80mf\" }\n",
    );
    home.run("arch show regnet_fpn").fails(3, &["did you mean `regnet_y_800mf`?"]);
}
