//! Weights from files: written by the library of the references, under their names or other packages'.

use std::path::{Path, PathBuf};

use crate::harness::{Answer, Home, fixture, python, repository};

/// The deterministic weights of a fixture as a safetensors file, under timm's names if asked for.
pub fn written(home: &Home, id: &str, timm: bool) -> PathBuf {
    let file = home.path().join(format!("{id}.safetensors"));
    let (source, target) = (fixture(id), file.display().to_string());
    let names = repository().join(format!("core/zoo/tests/data/timm/{id}.json")).display().to_string();
    let mut args = vec!["plugins/fixture.py", "weights", source.to_str().unwrap(), "-o", &target];
    if timm {
        args.extend(["--names", &names]);
    }
    python(&args);
    file
}

/// Another file beside `weights`: its tensors `t` after a change in Python.
pub fn edited(weights: &Path, change: &str) -> PathBuf {
    let target = weights.with_extension("edited.safetensors");
    let (source, out) = (weights.display().to_string(), target.display().to_string());
    let imports = "import numpy; from safetensors.numpy import load_file, save_file";
    python(&["-c", &format!("{imports}; t = load_file({source:?}); {change}; save_file(t, {out:?})")]);
    target
}

fn verified(home: &Home, id: &str, weights: &Path) -> Answer {
    let source = fixture(id);
    let (source, weights) = (source.to_str().unwrap(), weights.to_str().unwrap());
    home.run_args(&["arch", "verify", id, "--fixture", source, "--weights", weights, "--json"])
}

#[test]
fn weights_that_the_references_library_wrote_give_the_fixtures_outputs() {
    let home = Home::new();
    for id in [
        "lenet5",
        "resnet18",
        "googlenet",
        "densenet121",
        "squeezenet1_1",
        "mobilenet_v2",
        "mobilenet_v3_small",
        "mnasnet0_5",
        "shufflenet_v2_x0_5",
        "efficientnet_b0",
        "tf_efficientnet_lite0",
        "regnet_y_400mf",
        "convnext_tiny",
        "mcunet_in2",
    ] {
        let answer = verified(&home, id, &written(&home, id, false));
        assert_eq!(answer.code, 0, "{id}: {}{}", answer.stdout, answer.stderr);
        assert_eq!(answer.json()["ok"], true, "{id}");
    }
}

#[test]
fn weights_under_timms_names_give_the_same() {
    let home = Home::new();
    for id in ["efficientnet_b0", "convnext_tiny", "mobilenet_v2", "mnasnet0_5", "regnet_y_400mf"] {
        let answer = verified(&home, id, &written(&home, id, true));
        assert_eq!(answer.code, 0, "{id}: {}{}", answer.stdout, answer.stderr);
        assert!(answer.stderr.contains("the file has the names of timm's"), "{id}: {}", answer.stderr);
    }
}

/// timm's MobileNetV3 has another epsilon: its weights must not run in torchvision's network.
#[test]
fn the_network_is_built_as_the_package_builds_it() {
    let home = Home::new();
    let weights = written(&home, "mobilenet_v3_small", true);
    let answer = verified(&home, "mobilenet_v3_small", &weights);
    answer.fails(1, &["built as that one"]);
    assert_eq!(answer.json()["outputs"][0]["ok"], false, "the fixture is torchvision's");
    let line = format!("export mobilenet_v3_small -o v3.onnx --weights {} --json", weights.display());
    assert_eq!(home.json(&line)["names"], "timm/mobilenetv3_small_100");
}

#[test]
fn another_number_of_classes_begins_the_head_anew() {
    let home = Home::new();
    let weights = written(&home, "resnet18", false);
    let line = format!("export resnet18 -o ten.onnx --classes 10 --weights {} --json", weights.display());
    let answer = home.run(&line);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stderr.contains("fc.weight, fc.bias: random"), "{}", answer.stderr);
    assert_eq!(answer.json()["begun_anew"], serde_json::json!(["fc.weight", "fc.bias"]));
    // A file that has the ten classes already keeps them.
    let ten = edited(
        &weights,
        "t['fc.weight'] = t['fc.weight'][:10].copy(); t['fc.bias'] = t['fc.bias'][:10].copy()",
    );
    let line = format!("export resnet18 -o own.onnx --classes 10 --weights {} --json", ten.display());
    assert_eq!(home.json(&line)["begun_anew"], serde_json::json!([]));
    home.run(&format!("export resnet18 -o own.onnx --weights {}", ten.display()))
        .fails(3, &["are for 10 classes; add --classes 10"]);
}

#[test]
fn heads_that_only_training_uses_are_left_out_and_counted() {
    let home = Home::new();
    let plain = written(&home, "googlenet", false);
    let trained = edited(&plain, "t['aux1.fc2.weight'] = numpy.zeros((1000, 1024), dtype='f4')");
    let answer = home.run(&format!("export googlenet -o g.onnx --weights {} --json", trained.display()));
    assert_eq!(answer.json()["left_out"], serde_json::json!(["aux1.fc2.weight"]));
    assert!(answer.stderr.contains("left out what only training uses: 1 tensor"), "{}", answer.stderr);
}

#[test]
fn what_does_not_fit_is_listed_in_full() {
    let home = Home::new();
    let weights = written(&home, "resnet18", false);
    let answer = home.run(&format!("export resnet34 -o no.onnx --weights {}", weights.display()));
    answer.fails(
        3,
        &[
            "do not fit the network `resnet34`",
            "missing: layer1.2.conv1.weight",
            "missing: 68 more",
            "80 missing, 0 of another shape",
        ],
    );
    assert!(!home.path().join("no.onnx").exists());
}
