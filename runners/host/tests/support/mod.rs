//! Workers for the tests: each test binary is its own worker program.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use convwise_host::{Builtin, Deadlines, RunnerSource, WorkerSpec};

pub const BUILTINS: [Builtin; 2] = [
    Builtin { name: "mock", table: convwise_mock::table },
    Builtin { name: "rten", table: convwise_rten::table },
];

/// Must be called by a test named `worker_entry` in every binary that starts workers: in a worker it never returns.
pub fn be_a_worker_if_started_as_one() {
    if std::env::var_os("CONVWISE_WORKER_FD").is_some() {
        convwise_host::run_worker(&BUILTINS);
    }
}

/// The test binary itself, as a worker program.
pub fn spec(name: &str, source: RunnerSource) -> WorkerSpec {
    let mut spec = WorkerSpec::new(name, source, std::env::current_exe().unwrap());
    spec.args = ["worker_entry", "--exact", "--nocapture"].map(OsString::from).to_vec();
    spec.deadlines = Deadlines::all(Duration::from_secs(60));
    spec
}

pub fn builtin(name: &str) -> WorkerSpec {
    spec(name, RunnerSource::Builtin { name: name.into() })
}

pub fn library(path: &Path) -> WorkerSpec {
    spec("mock", RunnerSource::Library { path: path.into(), digest: None })
}

pub fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

/// A model of two inputs channels in a few hundred bytes: `y[n][k] = b[k] + sum of relu(conv1x1(x))[n][k]`.
pub fn tiny_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rten/tests/models/tiny.onnx")
}

/// The mock as a shared library, built once into the folder that holds this test's own build.
pub fn mock_library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let exe = std::env::current_exe().unwrap();
        let profile = exe.parent().and_then(Path::parent).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "-p", "convwise-mock", "--example", "mock_runner", "--target-dir"]);
        cargo.arg(profile.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "the mock does not build");
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        profile.join("examples").join(format!("{prefix}mock_runner{suffix}"))
    })
}
