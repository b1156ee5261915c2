//! Everything a person or a file can get wrong, and what the program says to it.

use crate::harness::Home;

const VALID: &str = "advise --task classify --deploy cpu-server";

#[track_caller]
fn refused(line: &str, words: &[&str]) {
    Home::new().run(line).fails(3, words);
}

#[test]
fn misspelt_words() {
    refused("advise --task clasify --deploy cpu-server", &["clasify", "classify"]);
    refused("advise --task classify --deploy cpu-sever", &["cpu-sever", "cpu-server"]);
    refused("arch show resnet5", &["resnet5", "did you mean `resnet50`"]);
    refused("bench mobilenetv3large", &["did you mean `mobilenet_v3_large`"]);
    refused("export convnext_tiy -o x.onnx", &["did you mean `convnext_tiny`"]);
    refused("explain resnt18 --task classify --deploy cpu-server", &["did you mean `resnet18`"]);
    refused("advise --task classify --deploy edge --device stm32f764", &["did you mean `stm32f746`"]);
    refused(&format!("{VALID} --runner rtenn"), &["did you mean `rten`"]);
    refused("rules show latency-over-budgt", &["did you mean `latency-over-budget`"]);
    refused("runner install onnxruntim", &["onnxruntime"]);
    refused("advice --task classify", &["advise"]);
}

#[test]
fn quantities_without_sense() {
    refused(&format!("{VALID} --latency 20"), &["`20` has no unit", "20ms"]);
    refused(&format!("{VALID} --latency -5ms"), &["out of range"]);
    refused(&format!("{VALID} --latency 0ms"), &["out of range"]);
    refused(&format!("{VALID} --max-size -1MB"), &["out of range"]);
    refused(&format!("{VALID} --max-size 20parsecs"), &["not a unit"]);
    refused(&format!("{VALID} --min-accuracy 120"), &["at most 100"]);
    refused(&format!("{VALID} --throughput NaN/s"), &["not a rate"]);
    refused(&format!("{VALID} --batch 0"), &["0"]);
    refused(&format!("{VALID} --threads 0"), &["0"]);
    refused(&format!("{VALID} --classes 99999999999999999999"), &["99999999999999999999"]);
}

#[test]
fn contradictions() {
    refused(&format!("{VALID} --real-time --latency 5s"), &["contradict"]);
    refused(&format!("{VALID} --here --device stm32f746"), &["contradict"]);
    refused("advise --task classify --deploy edge --device stm32f746 --ram 1GB", &["--ram", "more than"]);
    refused("advise --deploy cpu-server", &["--task"]);
    refused("advise --task classify", &["--deploy"]);
}

#[test]
fn a_broken_request_file_is_shown_with_its_line() {
    let home = Home::new();
    home.write("syntax.toml", "task = \"classify\"\ndeploy = cpu-server\n");
    home.run("advise --request syntax.toml").fails(3, &["syntax.toml:2", "deploy = cpu-server"]);
    home.write("key.toml", "task = \"classify\"\nlatancy = \"20ms\"\n");
    home.run("advise --request key.toml").fails(3, &["key.toml:2:1", "did you mean `latency`"]);
    home.write("value.toml", "task = \"classify\"\nlatency = 20\n");
    home.run("advise --request value.toml").fails(3, &["value.toml:2:11", "has no unit"]);
    home.run("advise --request nothing.toml").fails(3, &["nothing.toml"]);
}

#[test]
fn broken_rules_are_named_and_nothing_counts_as_fitting_without_them() {
    for (text, words) in [
        ("require(#{ id: \"broken\", doc: \"x\",", vec!["mine.rhai"]),
        (
            "require(#{ id: \"r\", doc: \"x\", source: \"y\", holds: |net, need| net.lateny.ms < 5.0, \
             because: |net| \"z\" });",
            vec!["mine.rhai:1", "did you mean `latency`"],
        ),
        (
            "require(#{ id: \"r\", doc: \"x\", source: \"y\", holds: |net| { let i = 0; loop { i += 1; } }, \
             because: |net| \"z\" });",
            vec![],
        ),
        (
            "require(#{ id: \"r\", doc: \"x\", source: \"y\", holds: |net| { let s = \"x\"; loop { s += s; } }, \
             because: |net| \"z\" });",
            vec![],
        ),
        (
            "import \"/etc/passwd\" as p;\nrequire(#{ id: \"r\", doc: \"x\", source: \"y\", holds: |net| true, \
             because: |net| \"z\" });",
            vec!["mine.rhai"],
        ),
    ] {
        let home = Home::new();
        home.write("convwise/rules/mine.rhai", text);
        let answer = home.run(&format!("{VALID} --threads 1 --json"));
        assert_eq!(answer.code, 0, "{text}\n{}", answer.stderr);
        for word in words {
            assert!(answer.stderr.contains(word), "{text}: no {word} in {}", answer.stderr);
        }
        for pick in answer.json()["picks"].as_array().unwrap() {
            assert_eq!(pick["proven"], false, "{text}");
        }
    }
}

#[test]
fn rules_check_fails_on_a_broken_rule() {
    let home = Home::new();
    home.write(
        "convwise/rules/mine.rhai",
        "prefer(#{ id: \"p\", doc: \"d\", sorce: \"s\", score: |net| 1.0 });\n",
    );
    let answer = home.run("rules check");
    assert_eq!(answer.code, 3, "{}", answer.stdout);
    assert!(answer.stdout.contains("did you mean `source`"), "{}", answer.stdout);
    assert!(answer.stdout.contains("mine.rhai:1"), "{}", answer.stdout);
}

#[test]
fn hostile_architecture_scripts_end_with_their_place() {
    let family = "family = \"Mine\"\n";
    let _ = family;
    for (body, word) in [
        ("let i = 0; loop { i += 1; }", "graph.rhai"),
        ("fn f(n) { f(n + 1) }\nf(0);", "graph.rhai"),
        ("let t = net.input(\"input\", [3, 32, 32]); for i in 0..2000000 { t = t.relu(); }", "graph.rhai"),
        (
            "let a = net.input(\"input\", [3, 32, 32]); let b = a.conv(\"c\", #{ out: 8, kernel: 3 }); \
             net.output(\"o\", a + b);",
            "graph.rhai",
        ),
        ("import \"/etc/passwd\" as p;", "graph.rhai"),
    ] {
        let home = Home::new();
        assert_eq!(home.run("arch new mine").code, 0);
        let (functions, statements) = body.rsplit_once('\n').unwrap_or(("", body));
        let script = format!("{functions}\nfn build(net, args) {{\n{statements}\n}}\n");
        home.write("convwise/architectures/mine/graph.rhai", script);
        let list = home.json("arch list --json");
        let mine = list["architectures"]
            .as_array()
            .unwrap()
            .iter()
            .find(|a| a["origin"] != "shipped")
            .unwrap()
            .clone();
        let answer = home.run(&format!("export {} -o x.onnx", mine["id"].as_str().unwrap()));
        answer.fails(3, &[word]);
        assert!(!home.path().join("x.onnx").exists());
    }
}

#[test]
fn truncated_and_hostile_models_are_refused() {
    let home = Home::new();
    assert_eq!(home.run("export shufflenet_v2_x0_5 -o net.onnx").code, 0);
    let whole = std::fs::read(home.path().join("net.onnx")).unwrap();
    home.write("half.onnx", &whole[..whole.len() / 2]);
    home.write("empty.onnx", b"");
    home.write("noise.onnx", vec![0xff; 4096]);
    for name in ["half.onnx", "empty.onnx", "noise.onnx", "missing.onnx"] {
        let answer = home.run(&format!("bench {name} --quick --threads 1"));
        answer.fails(3, &[name]);
    }
}

#[test]
fn truncated_and_hostile_weights_are_refused() {
    let home = Home::new();
    let header = |length: u64, text: &str| [&length.to_le_bytes()[..], text.as_bytes()].concat();
    home.write("short.safetensors", b"abc");
    home.write("huge.safetensors", header(u64::MAX, "{}"));
    home.write(
        "lies.safetensors",
        header(61, "{\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,36]}}      "),
    );
    home.write("empty.safetensors", header(2, "{}"));
    for name in ["short", "huge", "lies"] {
        home.run(&format!("export resnet18 -o x.onnx --weights {name}.safetensors"))
            .fails(3, &["safetensors"]);
    }
    let answer = home.run("export resnet18 -o x.onnx --weights empty.safetensors");
    answer.fails(3, &["conv1.weight", "missing"]);
    assert!(!home.path().join("x.onnx").exists());
}

#[test]
fn a_home_that_is_a_file_still_answers() {
    let home = Home::new();
    home.write("home", "not a folder");
    let answer = home.run(&format!("{VALID} --threads 1 --json"));
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(!answer.json()["picks"].as_array().unwrap().is_empty());
    assert!(!answer.stderr.is_empty(), "it says that nothing is kept");
}
