//! Whole processes in a warm home: what a person waits for.
//!
//! `cargo bench --bench process`

use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};
use tempfile::TempDir;

fn run(home: &Path, line: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_convwise"))
        .env("CONVWISE_HOME", home)
        .current_dir(home)
        .args(line)
        .stdout(Stdio::null())
        .status();
    assert!(status.is_ok_and(|s| s.success()), "{line:?}");
}

fn processes(c: &mut Criterion) {
    let Ok(home) = TempDir::new() else { return };
    let lines: [(&str, &[&str]); 5] = [
        (
            "advise",
            &[
                "advise",
                "--task",
                "classify",
                "--deploy",
                "cpu-server",
                "--latency",
                "60ms",
                "--threads",
                "1",
            ],
        ),
        ("arch show resnet50", &["arch", "show", "resnet50"]),
        ("arch list", &["arch", "list"]),
        ("kb query", &["kb", "query", "top1 >= 80 && params < 30e6"]),
        ("export resnet50", &["export", "resnet50", "-o", "resnet50.onnx"]),
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
