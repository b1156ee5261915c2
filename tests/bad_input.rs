//! Everything a person or a file can get wrong, and what the program says to it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::harness::{Answer, Home};

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

/// A requirement of one's own whose condition is `holds`.
fn requirement(holds: &str) -> String {
    format!(
        "require(#{{ id: \"mine\", doc: \"x\", source: \"y\", holds: |net, need| {holds}, because: |net| \"z\" }});\n"
    )
}

/// The answer under a rule file of one's own that is broken: there is one, it says what is broken, and nothing counts
/// as fitting as long as that requirement cannot be decided.
#[track_caller]
fn named_and_nothing_proven(rules: impl AsRef<[u8]>, words: &[&str]) {
    let home = Home::new();
    home.write("convwise/rules/mine.rhai", &rules);
    let text: String = String::from_utf8_lossy(rules.as_ref()).chars().take(200).collect();
    let answer = home.run(&format!("{VALID} --threads 1 --json"));
    assert_eq!(answer.code, 0, "{text}\n{}", answer.stderr);
    let picks = answer.json()["picks"].as_array().unwrap().clone();
    assert!(!picks.is_empty());
    for pick in &picks {
        assert_eq!(pick["proven"], false, "{text}");
        let failed = pick["findings"].as_array().unwrap().iter().find(|f| f["kind"] == "failed").unwrap();
        let said = format!("{} {}:{}\n{}", failed["reason"], failed["file"], failed["line"], answer.stderr);
        for word in [words, &["mine.rhai"]].concat() {
            assert!(said.contains(word), "{text}: no {word:?} in {said}");
        }
    }
}

#[test]
fn a_rule_that_fails_is_named_and_nothing_counts_as_fitting_without_it() {
    let check = |holds: &str, words: &[&str]| named_and_nothing_proven(requirement(holds), words);
    check("net.lateny.ms < 5.0", &["`net` has no field `lateny`", "did you mean `latency`"]);
    check("{ let i = 0; loop { i += 1; } }", &["10000 operations", "a loop that does not end"]);
    check("{ let s = \"x\"; loop { s += s; } }", &["a text grew past"]);
    check("{ let a = []; a.pad(1000000000, 0); true }", &["a list grew past"]);
    check("open(\"/etc/passwd\") != \"\"", &["there is no function `open`"]);
    check("net.params + \"x\"", &["the rule failed"]);
    check("throw \"no\"", &["no"]);
    let recursion = format!("fn deeper(n) {{ deeper(n + 1) }}\n{}", requirement("deeper(0)"));
    named_and_nothing_proven(recursion, &["functions call each other more than"]);
}

#[test]
fn a_rule_file_that_cannot_be_loaded_is_shown_and_nothing_counts_as_fitting_without_it() {
    named_and_nothing_proven("require(#{ id: \"broken\", doc: \"x\",", &["mine.rhai:1:35", "expected `}`"]);
    let import = format!("import \"/etc/passwd\" as p;\n{}", requirement("true"));
    named_and_nothing_proven(import, &["mine.rhai:1:8", "there is no module `/etc/passwd`"]);
    let endless = format!("loop {{}}\n{}", requirement("true"));
    named_and_nothing_proven(endless, &["mine.rhai"]);
}

#[test]
fn a_rule_file_beyond_all_measure_is_refused() {
    let comment = "// a comment that goes on and on\n";
    named_and_nothing_proven(comment.repeat(64_000), &["it is longer than 1000000 bytes"]);
    named_and_nothing_proven([0xff, 0xfe, 0x00], &["it is not UTF-8 text"]);
    let home = Home::new();
    home.write("convwise/rules/huge.rhai", format!("let x = {}1{};", "(".repeat(5000), ")".repeat(5000)));
    assert_eq!(home.run("rules check").code, 3);
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

/// A family of one's own whose script has this body; what exporting it answers.
fn export_of(functions: &str, body: &str) -> Answer {
    let home = Home::new();
    assert_eq!(home.run("arch new mine").code, 0);
    let list = home.json("arch list --json");
    let all = list["architectures"].as_array().unwrap();
    let id = all.iter().find(|a| a["origin"] != "shipped").unwrap()["id"].as_str().unwrap().to_owned();
    let script = format!("{functions}\nfn build(net, args) {{\n{body}\n}}\n");
    home.write("convwise/architectures/mine/graph.rhai", script);
    let answer = home.run(&format!("export {id} -o x.onnx"));
    assert!(!home.path().join("x.onnx").exists());
    answer
}

#[test]
fn hostile_architecture_scripts_end_with_their_place() {
    let fails = |functions: &str, body: &str, words: &[&str]| {
        export_of(functions, body).fails(3, &[words, &["architectures/mine/graph.rhai:"]].concat());
    };
    let input = "let x = net.input(\"input\", [3, 32, 32]);\n";
    fails("", "let i = 0; loop { i += 1; }", &["a loop that does not end"]);
    fails("fn f(n) { f(n + 1) }", "f(0);", &["functions call each other more than"]);
    fails("", &format!("{input}for i in 0..1000000 {{ x = x.relu(); }}"), &["nodes"]);
    let misfit =
        format!("{input}let y = x.conv(\"c\", #{{ out: 8, kernel: 3 }});\nnet.output(\"o\", x + y);");
    fails("", &misfit, &["graph.rhai:5:", "expected equal extents", "^"]);
    fails("", &format!("{input}x.covn(\"c\", #{{ out: 8 }});"), &["did you mean `conv`"]);
    fails("import \"/etc/passwd\" as p;", "", &["/etc/passwd"]);
    fails("import \"../../../../etc/passwd\" as p;", "", &["etc/passwd"]);
    fails("", "open(\"/etc/passwd\");", &["there is no function `open`"]);
    fails("", "let a = []; a.pad(1000000000, 0);", &["a list grew past"]);
    fails("", input, &["output"]);
}

#[test]
fn truncated_and_hostile_models_are_refused() {
    let home = Home::new();
    assert_eq!(home.run("export shufflenet_v2_x0_5 -o net.onnx").code, 0);
    let whole = fs::read(home.path().join("net.onnx")).unwrap();
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
    assert!(answer.stderr.contains("nothing is kept"), "{}", answer.stderr);
}

/// A model file, so that measuring writes nothing but its record.
fn model(home: &Home) -> &'static str {
    assert_eq!(home.run("export shufflenet_v2_x0_5 -o net.onnx").code, 0);
    "bench net.onnx --quick --threads 1 --max-time 200ms --json"
}

fn kept(home: &Home) -> usize {
    home.json("kb query --from measurements --json")["rows"].as_array().unwrap().len()
}

/// The program where no file may grow, which is how a full disk looks to it.
fn without_room(home: &Home, line: &str) -> Answer {
    let program = home.command();
    let mut shell = Command::new("bash");
    // The signal would end the program before it could say anything; a full disk sends none.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "bash"]).arg(program.get_program());
    shell.args(line.split_whitespace()).current_dir(home.path());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Answer::of(&shell.output().unwrap())
}

#[test]
fn a_full_disk_loses_nothing_that_was_stored() {
    let home = Home::new();
    let bench = model(&home);
    assert_eq!(home.run(bench).code, 0);
    let answer = without_room(&home, bench);
    answer.fails(1, &["could not be kept", "free some space", "nothing stored before is lost"]);
    assert_eq!(
        answer.json()["records"].as_array().unwrap().len(),
        1,
        "what was measured is printed all the same"
    );
    assert_eq!(home.json("kb check --json")["ok"], true);
    assert_eq!(kept(&home), 1);
    assert_eq!(home.run(bench).code, 0);
    assert_eq!(kept(&home), 2);
}

#[test]
fn a_full_disk_still_answers() {
    let home = Home::new();
    let line = format!("{VALID} --threads 1 --json");
    let without = without_room(&home, &line);
    assert_eq!(without.code, 0, "{}", without.stderr);
    assert!(!without.stderr.is_empty(), "it says that nothing is kept");
    assert_eq!(without.stdout, home.run(&line).stdout);
    assert_eq!(home.json("kb check --json")["ok"], true);
}

#[test]
fn a_file_that_does_not_fit_leaves_nothing_behind() {
    let home = Home::new();
    without_room(&home, "export shufflenet_v2_x0_5 -o net.onnx").fails(1, &["cannot write net.onnx"]);
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "home"), "{left:?}");
}

/// Sets the modes of a folder and of everything in it.
fn set_modes(path: &Path, folders: u32, files: u32) {
    let mode = if path.is_dir() { folders } else { files };
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            set_modes(&entry.unwrap().path(), folders, files);
        }
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The program as somebody whom file modes bind: the superuser without the privilege to ignore them.
fn bound_by_modes(home: &Home, line: &str) -> Answer {
    let program = home.command();
    let probe = home.path().join("home/probe");
    let may_ignore_them = fs::write(&probe, "").is_ok();
    let mut command = if may_ignore_them {
        fs::remove_file(&probe).unwrap();
        let mut command = Command::new("setpriv");
        command.arg("--bounding-set=-dac_override,-dac_read_search").arg(program.get_program());
        command
    } else {
        Command::new(program.get_program())
    };
    command.args(line.split_whitespace()).current_dir(home.path());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Answer::of(&command.output().unwrap())
}

#[test]
fn a_home_that_is_read_only_is_read() {
    let home = Home::new();
    let bench = model(&home);
    assert_eq!(home.run(bench).code, 0);
    let line = format!("{VALID} --threads 1 --json");
    let before = home.run(&line).stdout;
    set_modes(&home.path().join("home"), 0o555, 0o444);
    let answer = bound_by_modes(&home, &line);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stderr.contains("can be read, but nothing can be stored"), "{}", answer.stderr);
    assert_eq!(answer.stdout, before);
    let measured = bound_by_modes(&home, bench);
    measured.fails(1, &["could not be kept", "make the folder writable"]);
    assert_eq!(measured.json()["records"].as_array().unwrap().len(), 1);
    bound_by_modes(&home, "runner install onnxruntime").fails(1, &["check who may write there"]);
    set_modes(&home.path().join("home"), 0o755, 0o644);
    assert_eq!(kept(&home), 1);
}

/// What is printed for an error that a person makes; the place of the home is left out.
fn said(home: &Home, line: &str) -> String {
    let answer = home.run(line);
    assert_eq!(answer.code, 3, "{line}\n{}{}", answer.stdout, answer.stderr);
    let text = format!("$ convwise {line}\n{}{}", answer.stdout, answer.stderr);
    text.replace(home.path().to_str().unwrap(), "[home]").trim_end().to_owned()
}

#[test]
fn what_a_person_reads() {
    let home = Home::new();
    home.write("syntax.toml", "task = \"classify\"\ndeploy = cpu-server\n");
    home.write("key.toml", "task = \"classify\"\nlatancy = \"20ms\"\n");
    home.write("value.toml", "task = \"classify\"\ndeploy = \"cpu-server\"\nlatency = 20\n");
    let texts: Vec<_> = [
        "arch show resnet5",
        "arch show something-else",
        "advise --task classify --deploy cpu-server --latency 20",
        "advise --task classify --deploy cpu-server --max-size -1MB",
        "advise --task clasify --deploy cpu-server",
        "advise --deploy cpu-server",
        "advise --task classify --deploy cpu-server --real-time --latency 5s",
        "advise --task classify --deploy edge --device stm32f764",
        "advise --task classify --deploy mobile --threads 1 --measure",
        "advise --request syntax.toml",
        "advise --request key.toml",
        "advise --request value.toml",
        "advise --request nothing.toml",
        "bench resnet18 --runner rtenn",
        "bench nothing.onnx",
        "kb query top2>=80",
        "kb query params<\"many\"",
        "kb show resnet",
        "rules show latency-over-budgt",
        "runner install onnxruntim",
        "export resnet18 -o x.onnx --weights seed:x",
        "export resnet18 -o x.onnx --batch many",
    ]
    .iter()
    .map(|line| said(&home, line))
    .collect();
    // Which networks are worth measuring is the ranking's business.
    insta::with_settings!({filters => vec![(r"convwise bench( [a-z0-9_]+){3,} --runner", "convwise bench [shortlist] --runner")]}, {
        insta::assert_snapshot!(texts.join("\n\n"));
    });
}

#[test]
fn what_an_author_of_rules_reads() {
    let home = Home::new();
    for (name, text) in [
        ("clause", "prefer(#{ id: \"p\", doc: \"d\", sorce: \"s\", score: |net| 1.0 });\n".to_owned()),
        ("field", requirement("net.lateny.high_ms < need.latency_ms")),
        ("syntax", "require(#{ id: \"s\",\n  holds: |net| net.params <\n});\n".to_owned()),
    ] {
        home.write(&format!("{name}/{name}.rhai"), text);
    }
    let lines = ["rules check --rules clause", "rules check --rules field", "rules check --rules syntax"];
    let texts: Vec<_> = lines.iter().map(|line| said(&home, line)).collect();
    insta::with_settings!({filters => vec![(r"\d+ rules?: ", "[n] rules: ")]}, {
        insta::assert_snapshot!(texts.join("\n\n"));
    });
}
