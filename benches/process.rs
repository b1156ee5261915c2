//! Whole processes in a warm home: what a person waits for.
//!
//! `cargo bench --bench process`

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};
use tempfile::TempDir;

fn run(home: &Path, line: &str) {
    let status = Command::new(env!("CARGO_BIN_EXE_convwise"))
        .env("CONVWISE_HOME", home)
        .current_dir(home)
        .args(line.split(' '))
        .stdout(Stdio::null())
        .status();
    assert!(status.is_ok_and(|s| s.success()), "{line}");
}

/// Networks that `what_if` chooses from, beside the shipped ones.
const MADE_UP: u64 = 1_417;

/// A family of networks of which only figures are known, as an imported table of published results would bring them.
fn made_up_family() -> String {
    let licence = "{ spdx = \"MIT\", source = \"made up\" }";
    let mut text = format!(
        "schema = 1\nfamily = \"Made up\"\ntask = \"classify\"\nreference = \"none\"\n\
         paper = {{ title = \"none\", url = \"https://example.org\", year = 2020 }}\n\
         code_licence = {licence}\nweights_licence = {licence}\ntrained_on = [\"imagenet-1k\"]\n\
         maturity = \"ubiquitous\"\nmaturity_reason = \"made up\"\n"
    );
    for i in 0..MADE_UP {
        let (params, macs, top1) =
            (1_000_000 + i * 60_000, 50_000_000 + i * 9_000_000, 55 + i * 28 / MADE_UP);
        let _ = writeln!(
            text,
            "[variants.made_up_{i}]\ntitle = \"Made up {i}\"\ninput = [3, 224, 224]\n\
             stated = {{ params = {params}, macs = {{ count = {macs}, input = [3, 224, 224] }}, source = \"made up\" }}\n\
             [[variants.made_up_{i}.weights]]\ntag = \"made/up\"\nurl = \"https://example.org\"\nsource = \"made up\"\n\
             results = [{{ dataset = \"imagenet-1k/val\", input_size = 224, values = {{ top1 = {top1}.{:02} }} }}]",
            i * 7919 % 100
        );
    }
    text
}

const REQUEST: &str = "advise --task classify --deploy cpu-server --threads 1";

fn processes(c: &mut Criterion) {
    let Ok(home) = TempDir::new() else { return };
    let family = home.path().join("many/architectures/made_up");
    let written =
        fs::create_dir_all(&family).and_then(|()| fs::write(family.join("family.toml"), made_up_family()));
    assert!(written.is_ok(), "{written:?}");
    let advise = format!("{REQUEST} --latency 60ms");
    let what_if = format!("{REQUEST} --what-if latency=10ms..100ms");
    let what_if_of_many = format!("{what_if} --plugins many");
    let lines: [(&str, &str); 9] = [
        ("advise", &advise),
        ("what-if, 20 points", &what_if),
        ("what-if, 20 points, 1500 candidates", &what_if_of_many),
        ("rules check", "rules check"),
        ("rules test", "rules test"),
        ("arch show resnet50", "arch show resnet50"),
        ("arch list", "arch list"),
        ("kb query", "kb query top1>=80&&params<30e6"),
        ("export resnet50", "export resnet50 -o resnet50.onnx"),
    ];
    let mut group = c.benchmark_group("process");
    group.sample_size(30);
    for (name, line) in lines {
        run(home.path(), line);
        group.bench_function(name, |b| b.iter(|| run(home.path(), line)));
    }
    group.finish();
}

criterion_group!(benches, processes);
criterion_main!(benches);
