//! Families that are wrong or hostile: each is reported with its line, and none takes others down.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::Path;

use convwise_zoo::{BuildOptions, PluginFolder, Zoo};
use tempfile::TempDir;

const MANIFEST: &str = "schema = 1\nfamily = \"Mine\"\ntask = \"classify\"\n\n[defaults]\ninput = [3, 32, 32]\n\n[variants.mine]\ntitle = \"Mine\"\nargs = { classes = 10 }\n";

fn write(root: &Path, folder: &str, manifest: &str, script: &str) {
    let family = root.join("architectures").join(folder);
    fs::create_dir_all(&family).unwrap();
    fs::write(family.join("family.toml"), manifest).unwrap();
    fs::write(family.join("graph.rhai"), script).unwrap();
}

/// Text of what went wrong, without the temporary folder.
fn relative(root: &Path, text: &str) -> String {
    text.replace(&root.display().to_string(), "mine")
}

/// What is said about building a family of this script.
fn said(script: &str) -> String {
    let home = TempDir::new().unwrap();
    write(home.path(), "mine", MANIFEST, script);
    let (zoo, problems) = Zoo::load(&[PluginFolder::required(home.path())]);
    assert!(problems.is_empty(), "{problems:?}");
    match zoo.build(zoo.find("mine").unwrap(), &BuildOptions::default()) {
        Ok(_) => panic!("must fail: {script}"),
        Err(error) => relative(home.path(), &error.to_string()),
    }
}

/// What is said about a manifest.
fn manifest_said(manifest: &str) -> String {
    let home = TempDir::new().unwrap();
    write(home.path(), "mine", manifest, "fn build(net, args) { }");
    let (zoo, problems) = Zoo::load(&[PluginFolder::required(home.path())]);
    assert!(zoo.find("resnet50").is_ok(), "the shipped families stay");
    match problems.as_slice() {
        [problem] => relative(home.path(), &problem.to_string()),
        other => panic!("{manifest}: {} problems", other.len()),
    }
}

fn all(cases: &[&str], said: impl Fn(&str) -> String) -> String {
    cases.iter().map(|case| said(case) + "\n\n").collect()
}

const INPUT: &str = "fn build(net, args) {\n  let x = net.input(\"input\", args.input);\n";

#[test]
fn scripts() {
    let body = |rest: &str| format!("{INPUT}  {rest}\n}}\n");
    let cases = [
        body("loop { }"),
        body("let i = 0;\n  while true { i += 1; }"),
        "fn again(n) { again(n + 1) }\nfn build(net, args) { again(0) }\n".to_owned(),
        body("for i in 0..1000000 { x = x.relu(); }"),
        body("let y = x.conv(\"c\", #{ out: 8, kernel: 3 });\n  net.output(\"logits\", x + y);"),
        body("let l = [];\n  loop { l.push(l); }"),
        body("args.clases"),
        body("let y = x;"),
        "fn bild(net, args) { }\n".to_owned(),
        "import \"../../../etc/passwd\" as p;\nfn build(net, args) { }\n".to_owned(),
        "import \"blocks/cnv\" as c;\nfn build(net, args) { }\n".to_owned(),
        "import \"blocks/conv\" as c;\nfn build(net, args) {\n  let x = net.input(\"input\", args.input);\n  c::norm_act(x, \"a\", #{ kernel: 3 });\n}\n".to_owned(),
        "import \"mine\" as me;\nfn build(net, args) { me::build(net, args) }\n".to_owned(),
        "fn build(net, args) {\n  let x = net.input(\"input\", args.input)\n  x.relu();\n}\n".to_owned(),
        body("x.conv(\"c\", #{ out: 1000000000000, kernel: 3 });"),
        body("net.output(\"logits\", x.linear(\"fc\", #{ out: 1000000000000 }));"),
    ];
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    insta::assert_snapshot!(all(&cases, said));
}

#[test]
fn manifests() {
    let edit = |from: &str, to: &str| MANIFEST.replace(from, to);
    let weights = |rest: &str| format!("{MANIFEST}\n[[variants.mine.weights]]\ntag = \"me/1\"\n{rest}\n");
    let cases = [
        edit("task = \"classify\"", "task = \"clasify\""),
        edit("title =", "titel ="),
        edit("title = \"Mine\"", "title = 3"),
        edit("schema = 1", "schema = 2"),
        edit("family = \"Mine\"\n", ""),
        edit("[3, 32, 32]", "[3, 32"),
        edit("[3, 32, 32]", "[3, -32, 32]"),
        edit("variants.mine", "variants.\"My Net\""),
        edit("input = [3, 32, 32]\n", ""),
        weights("results = [{ dataset = \"d\", input_size = 32, values = { top1 = 91.2 } }]"),
        weights(
            "source = \"https://example.org\"\nresults = [{ dataset = \"d\", input_size = 32, values = { top1 = 912 } }]",
        ),
        weights(
            "source = \"https://example.org\"\nresults = [{ dataset = \"d\", input_size = 32, top1 = 91.2 }]",
        ),
        weights("preprocessing = { resize = 256, crop = 224 }"),
        format!("{MANIFEST}elsewhere.timm = {{ modle = \"mine_100\" }}\n"),
        MANIFEST
            .replace("[defaults]", "[names.timm]\nrules = [[\"blocks.{i}\", \"layer{j}\"]]\n\n[defaults]"),
        MANIFEST.replace("[defaults]", "[names.timm]\nrules = [[\"blocks\"]]\n\n[defaults]"),
        "not toml at all".to_owned(),
        String::new(),
    ];
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    insta::assert_snapshot!(all(&cases, manifest_said));
}

#[test]
fn files_that_cannot_be_read() {
    let home = TempDir::new().unwrap();
    write(home.path(), "huge", &"#".repeat(2_000_000), "");
    write(home.path(), "binary", MANIFEST, "");
    fs::write(home.path().join("architectures/binary/graph.rhai"), [0xff, 0xfe, 0x00]).unwrap();
    fs::create_dir_all(home.path().join("architectures/empty")).unwrap();
    let folders = [PluginFolder::required(home.path()), PluginFolder::required(home.path().join("absent"))];
    let (zoo, problems) = Zoo::load(&folders);
    assert!(zoo.find("resnet50").is_ok());
    let said: String = problems.iter().map(|p| relative(home.path(), &p.to_string()) + "\n\n").collect();
    insta::assert_snapshot!(said);
}

#[test]
fn options_that_do_not_fit() {
    let (zoo, _) = Zoo::load(&[]);
    let variant = zoo.find("resnet18").unwrap();
    let said = |classes, side: Option<u64>| {
        let input = side.map(convwise_types::InputShape::square);
        zoo.build(variant, &BuildOptions { classes, input, ..BuildOptions::default() })
            .unwrap_err()
            .to_string()
            + "\n\n"
    };
    let cases = [(Some(0), None), (Some(u64::MAX), None), (None, Some(0)), (Some(1 << 50), None)];
    insta::assert_snapshot!(cases.map(|(classes, side)| said(classes, side)).concat());
}

#[test]
fn unknown_names_are_guessed() {
    let (zoo, _) = Zoo::load(&[]);
    let said = |name: &str| zoo.find(name).unwrap_err().to_string();
    assert_eq!(said("resnet5"), "there is no architecture `resnet5`; did you mean `resnet50`?");
    assert_eq!(said("yolo"), "there is no architecture `yolo`; `convwise arch list` shows all");
}
