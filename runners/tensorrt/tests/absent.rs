//! TensorRT where it is not: the plugin builds and loads without any of NVIDIA's libraries, says exactly what is missing
//! and how to get it, and refuses to load a model. With a GPU, see the README for what to run.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a test that fails")]

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use convwise_host::{Deadlines, ErrorCode, Probe, RunnerSource, Worker, WorkerError, WorkerSpec};

/// This test binary is also its own worker program.
#[test]
fn worker_entry() {
    if std::env::var_os("CONVWISE_WORKER_FD").is_some() {
        convwise_host::run_worker(&[]);
    }
}

/// The plugin with ONNX Runtime's library at `library`; nothing else is found but what the system has.
fn spec(library: &Path) -> WorkerSpec {
    let file = format!("{DLL_PREFIX}convwise_tensorrt{DLL_SUFFIX}");
    let path = std::env::current_exe().unwrap().with_file_name(file);
    assert!(path.is_file(), "{} is not built", path.display());
    let source = RunnerSource::Library { path, digest: None };
    let mut spec = WorkerSpec::new("tensorrt", source, std::env::current_exe().unwrap());
    spec.args = ["worker_entry", "--exact", "--nocapture"].map(OsString::from).to_vec();
    spec.deadlines = Deadlines::all(Duration::from_secs(120));
    spec.env.insert("TENSORRT_HOME".into(), OsString::new());
    spec.env.insert("ORT_GPU_DYLIB_PATH".into(), library.into());
    spec
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rten/tests/models/tiny.onnx")
}

fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn probe(library: &Path) -> Probe {
    Worker::spawn(&spec(library)).unwrap().probe(&options(&[])).unwrap()
}

fn refusal(library: &Path, given: &[(&str, &str)]) -> (ErrorCode, String) {
    match Worker::spawn(&spec(library)).unwrap().load(&model(), &options(given)) {
        Err(WorkerError::Refused { code, message, .. }) => (code, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_describes_itself_without_any_library() {
    let description = Worker::spawn(&spec(Path::new("/nowhere"))).unwrap().describe().unwrap();
    assert_eq!(description.precisions, ["fp32", "fp16", "int8"]);
    let lines: Vec<_> =
        description.options.iter().map(|o| format!("{} = {}: {}", o.name, o.default, o.doc)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    fp16 = off: on: layers may compute with half precision
    int8 = off: on: layers may compute with 8-bit integers; the model is quantised, or calibration is given
    calibration = : path of a calibration table for int8
    builder_level = 3: how long the builder searches, 0 to 5
    cache = : folder for engines, or off; CONVWISE_CACHE or the user's cache folder unless given
    threads = 1: threads inside one operator on the CPU; operators run one after the other
    optimisation = all: graph optimisation: none, basic, extended or all
    spinning = off: on: idle threads wait busily, which is faster at several threads and disturbs everything else
    arena = on: off: memory is asked from the system for every run
    device = 0: index of the device, for a provider that has several
    fallback = refuse: allow: nodes that the provider does not take run elsewhere, and are counted
    binding = auto: on: inputs and outputs stay in the memory of the device; auto: where there is one
    provider_options = : further options of the execution provider, as key=value;key=value
    library = : path of ONNX Runtime's library; what the environment names unless given
    ");
}

#[test]
fn without_onnxruntime_everything_is_named_that_can_be() {
    let found = probe(Path::new("/nowhere/libonnxruntime.so"));
    assert!(!found.usable && found.devices.is_empty());
    let texts: Vec<_> = found.missing.iter().map(|m| (m.what.as_str(), m.how.as_str())).collect();
    let first = "ONNX Runtime's library is not at /nowhere/libonnxruntime.so, where ORT_GPU_DYLIB_PATH says";
    assert_eq!(texts[0], (first, "convwise runner install onnxruntime-gpu"));
    // The rest depends on what the system has.
    let known = [
        ("libnvinfer.so.10 for TensorrtExecutionProvider", "convwise runner install tensorrt"),
        (
            "libcuda.so.1 for TensorrtExecutionProvider",
            "install NVIDIA's driver with the system's package manager",
        ),
    ];
    assert!(texts[1..].iter().all(|text| known.contains(text)), "{texts:?}");
}

/// A library that is ONNX Runtime by its exports, of a version that is too old.
#[test]
fn an_old_onnxruntime_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("old.c"), folder.path().join("libonnxruntime.so"));
    let text = r#"
static const void *api(unsigned version) { (void)version; return 0; }
static const char *version(void) { return "1.20.1"; }
static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
const void *OrtGetApiBase(void) { return &base; }
"#;
    std::fs::write(&source, text).unwrap();
    let cc = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(cc.unwrap().success());
    let real = library.canonicalize().unwrap();
    let expect = format!(
        "{} is ONNX Runtime 1.20.1, and 1.24 or newer is needed; run `convwise runner install onnxruntime-gpu`",
        real.display()
    );
    assert_eq!(probe(&library).missing[0].what, expect);
    assert_eq!(refusal(&library, &[]), (ErrorCode::Unavailable, expect));
}

#[test]
fn loading_is_refused_and_options_are_checked_first() {
    let nowhere = Path::new("/nowhere/libonnxruntime.so");
    let (code, message) = refusal(nowhere, &[]);
    assert_eq!(code, ErrorCode::Unavailable);
    assert!(message.ends_with("run `convwise runner install onnxruntime-gpu`"), "{message}");
    for wrong in [("fp16", "half"), ("builder_level", "6"), ("provider", "cuda"), ("threads", "0")] {
        assert_eq!(refusal(nowhere, &[wrong]).0, ErrorCode::Invalid, "{wrong:?}");
    }
}
