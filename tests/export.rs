//! ONNX files: what is written, and that both runners agree on it.

use crate::harness::{Home, with_onnxruntime};

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let home = Home::new();
    for (file, seed) in [("a.onnx", 1), ("b.onnx", 1), ("c.onnx", 2)] {
        let answer = home.run(&format!("export shufflenet_v2_x0_5 -o {file} --weights seed:{seed}"));
        assert_eq!(answer.code, 0, "{}", answer.stderr);
    }
    let read = |name: &str| std::fs::read(home.path().join(name)).unwrap();
    assert_eq!(read("a.onnx"), read("b.onnx"));
    assert_ne!(read("a.onnx"), read("c.onnx"));
}

#[test]
fn batch_classes_and_input_size_change_the_file() {
    let home = Home::new();
    let line = "export mobilenet_v3_small -o net.onnx --classes 7 --input-size 96 --batch dynamic";
    assert_eq!(home.run(line).code, 0);
    let installed = with_onnxruntime();
    for batch in ["1", "3"] {
        let output = installed
            .command()
            .current_dir(home.path())
            .args([
                "bench",
                "net.onnx",
                "--runner",
                "onnxruntime",
                "--runner",
                "rten",
                "--quick",
                "--threads",
                "1",
            ])
            .args(["--batch", batch, "--input-size", "96", "--max-time", "1s", "--json"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["records"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn batch_norm_can_be_kept() {
    let home = Home::new();
    assert_eq!(home.run("export resnet18 -o folded.onnx").code, 0);
    assert_eq!(home.run("export resnet18 -o kept.onnx --keep-batchnorm").code, 0);
    let contains = |name: &str| {
        let bytes = std::fs::read(home.path().join(name)).unwrap();
        bytes.windows(18).any(|w| w == b"BatchNormalization")
    };
    assert!(contains("kept.onnx"));
    assert!(!contains("folded.onnx"));
}

#[test]
fn a_model_that_cannot_be_written_leaves_nothing_behind() {
    let home = Home::new();
    let answer = home.run("export resnet18 -o nowhere/deep/net.onnx");
    answer.fails(1, &["cannot write nowhere/deep/net.onnx"]);
    assert!(std::fs::read_dir(home.path()).unwrap().all(|e| !e.unwrap().path().ends_with("net.onnx")));
}
