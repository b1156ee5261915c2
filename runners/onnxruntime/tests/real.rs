//! The plugin with the real library, through the host and in its own worker process. The library is installed the way
//! a user would install it, once, into a folder of the build; `ORT_DYLIB_PATH` overrides that.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a test that fails")]

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use convwise_bench::{BenchPlan, Silent, measure};
use convwise_host::{
    Builtin, Deadlines, ErrorCode, Probe, RunnerSource, Tensor, Worker, WorkerError, WorkerSpec,
};
use convwise_types::{InputShape, Precision, Subject};

const BUILTINS: [Builtin; 1] = [Builtin { name: "rten", table: convwise_rten::table }];

/// This test binary is also its own worker program.
#[test]
fn worker_entry() {
    if std::env::var_os("CONVWISE_WORKER_FD").is_some() {
        convwise_host::run_worker(&BUILTINS);
    }
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| match std::env::var_os("ORT_DYLIB_PATH") {
        Some(path) => path.into(),
        None => {
            let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home");
            convwise_install::install("onnxruntime", &home, &AtomicBool::new(false), &mut |_| ())
                .unwrap_or_else(|e| panic!("{e}"))
                .path
        }
    })
}

/// The plugin, which is built together with this test.
fn plugin() -> RunnerSource {
    let file = format!("{DLL_PREFIX}convwise_onnxruntime{DLL_SUFFIX}");
    let path = std::env::current_exe().unwrap().with_file_name(file);
    assert!(path.is_file(), "{} is not built", path.display());
    RunnerSource::Library { path, digest: None }
}

fn spec(name: &str, source: RunnerSource) -> WorkerSpec {
    let mut spec = WorkerSpec::new(name, source, std::env::current_exe().unwrap());
    spec.args = ["worker_entry", "--exact", "--nocapture"].map(OsString::from).to_vec();
    spec.deadlines = Deadlines::all(Duration::from_secs(120));
    spec
}

fn ort() -> WorkerSpec {
    let mut spec = spec("onnxruntime", plugin());
    spec.env.insert("ORT_DYLIB_PATH".into(), library().into());
    spec
}

fn rten() -> WorkerSpec {
    spec("rten", RunnerSource::Builtin { name: "rten".into() })
}

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rten/tests/models").join(name)
}

fn none() -> BTreeMap<String, String> {
    BTreeMap::new()
}

fn option(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.into(), value.into())])
}

/// The first output of a batch of deterministic inputs.
fn answer(spec: &WorkerSpec, batch: usize, options: &BTreeMap<String, String>) -> Tensor {
    let mut worker = Worker::spawn(spec).unwrap();
    worker.load(&model("tiny.onnx"), options).unwrap();
    worker.fill_inputs(batch, 3).unwrap();
    worker.run(2).unwrap();
    let output = worker.output(0).unwrap();
    worker.close().unwrap();
    output
}

#[test]
fn it_gives_the_outputs_that_rten_gives() {
    for batch in [1, 3] {
        let (ours, reference) = (answer(&ort(), batch, &none()), answer(&rten(), batch, &none()));
        assert_eq!(ours.shape(), [batch, 2]);
        let values = |tensor: &Tensor| -> Vec<f32> {
            tensor.view().data().as_chunks::<4>().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect()
        };
        for (a, b) in values(&ours).iter().zip(values(&reference)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}

#[test]
fn every_option_runs() {
    let plain = answer(&ort(), 1, &none());
    for (key, value) in [
        ("optimisation", "none"),
        ("optimisation", "extended"),
        ("spinning", "on"),
        ("arena", "off"),
        ("threads", "2"),
        ("binding", "on"),
    ] {
        assert_eq!(answer(&ort(), 1, &option(key, value)), plain, "{key} {value}");
    }
}

fn probe(spec: &WorkerSpec) -> Probe {
    Worker::spawn(spec).unwrap().probe(&none()).unwrap()
}

#[test]
fn probing_names_the_version_or_what_is_missing() {
    let found = probe(&ort());
    assert!(found.usable && found.backend.unwrap().starts_with("ONNX Runtime 1."));
    let mut lost = ort();
    lost.env.insert("ORT_DYLIB_PATH".into(), "/nowhere/libonnxruntime.so".into());
    let missing = probe(&lost);
    assert!(!missing.usable);
    assert_eq!(
        missing.missing[0].what,
        "ONNX Runtime's library is not at /nowhere/libonnxruntime.so, where ORT_DYLIB_PATH says"
    );
    assert_eq!(missing.missing[0].how, "convwise runner install onnxruntime");
    lost.env.insert("ORT_DYLIB_PATH".into(), model("tiny.onnx").into());
    assert!(!probe(&lost).usable, "a file that is no library is not usable");
}

fn refusal(path: &Path, options: &BTreeMap<String, String>) -> (ErrorCode, String) {
    match Worker::spawn(&ort()).unwrap().load(path, options) {
        Err(WorkerError::Refused { code, message, .. }) => (code, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_models_and_options_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(model("tiny.onnx")).unwrap();
    let broken = folder.path().join("broken.onnx");
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(refusal(&broken, &none()).0, ErrorCode::Model);
    assert_eq!(refusal(&folder.path().join("absent.onnx"), &none()).0, ErrorCode::Model);
    let (code, unknown) = refusal(&model("unknown.onnx"), &none());
    assert_eq!(code, ErrorCode::Unsupported);
    assert!(unknown.contains("Frobnicate"), "{unknown}");
    assert_eq!(refusal(&model("tiny.onnx"), &option("provider", "gpu")).0, ErrorCode::Invalid);
    assert_eq!(refusal(&model("tiny.onnx"), &option("threds", "1")).0, ErrorCode::Invalid);
}

/// The library for CPUs has no other provider; the error names what it has and what gets one.
#[test]
fn a_provider_that_is_not_there_is_refused_and_never_replaced() {
    let (code, message) = refusal(&model("tiny.onnx"), &option("provider", "xnnpack"));
    assert_eq!(code, ErrorCode::Unavailable);
    let path = library().canonicalize().unwrap();
    assert!(
        message.starts_with(&format!(
            "missing: XnnpackExecutionProvider, which {} is built without (it has ",
            path.display()
        )),
        "{message}"
    );
    assert!(
        message.ends_with(
            "[point option library to an ONNX Runtime that was built with XnnpackExecutionProvider]"
        ),
        "{message}"
    );
    let mut worker = Worker::spawn(&ort()).unwrap();
    let probe = worker.probe(&option("provider", "cuda")).unwrap();
    assert!(!probe.usable && probe.devices.is_empty());
    assert_eq!(probe.missing[0].how, "convwise runner install onnxruntime-gpu");
}

#[test]
fn nodes_are_counted_where_they_run() {
    let mut worker = Worker::spawn(&ort()).unwrap();
    let loaded = worker.load(&model("tiny.onnx"), &none()).unwrap();
    assert_eq!(loaded.io.placement.keys().collect::<Vec<_>>(), ["CPUExecutionProvider"]);
    assert!(loaded.io.placement["CPUExecutionProvider"] >= 2, "{:?}", loaded.io.placement);
    assert_eq!(loaded.io.build, None);
}

#[test]
fn a_profile_says_where_the_time_goes() {
    let mut worker = Worker::spawn(&ort()).unwrap();
    assert!(worker.describe().unwrap().has_extension("convwise.profile/1"));
    worker.load(&model("tiny.onnx"), &none()).unwrap();
    let code = |result: Result<_, WorkerError>| match result {
        Err(WorkerError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(worker.profile(5)), ErrorCode::State, "no input is set");
    worker.fill_inputs(1, 0).unwrap();
    let before = worker.run(1).map(|_| worker.output(0).unwrap()).unwrap();
    assert_eq!(code(worker.profile(0)), ErrorCode::Invalid);
    let profile = worker.profile(20).unwrap();
    assert_eq!(profile.runs, 20);
    assert!(profile.layers.iter().any(|layer| layer.op == "Conv"), "{profile:?}");
    assert!(profile.layers.iter().all(|layer| layer.provider == "CPUExecutionProvider"));
    assert_eq!(code(worker.output(0).map(|_| profile)), ErrorCode::State, "its outputs are gone");
    worker.run(1).unwrap();
    assert_eq!(worker.output(0).unwrap(), before, "the session itself is as it was");
}

/// Inputs and outputs in memory of their own: the same numbers, for one batch after another.
#[test]
fn bound_memory_follows_the_inputs() {
    let mut worker = Worker::spawn(&ort()).unwrap();
    worker.load(&model("tiny.onnx"), &option("binding", "on")).unwrap();
    for batch in [1, 3, 2] {
        worker.fill_inputs(batch, 3).unwrap();
        worker.run(2).unwrap();
        assert_eq!(worker.output(0).unwrap(), answer(&ort(), batch, &none()), "batch {batch}");
    }
}

#[test]
fn inputs_and_order_are_checked() {
    let mut worker = Worker::spawn(&ort()).unwrap();
    worker.load(&model("tiny.onnx"), &none()).unwrap();
    let code = |result: Result<(), WorkerError>| match result {
        Err(WorkerError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(worker.run(1).map(|_| ())), ErrorCode::State);
    let wrong = Tensor::new(convwise_host::DType::F32, vec![1, 2, 2, 3], vec![0; 48]).unwrap();
    assert_eq!(code(worker.set_input(0, &wrong.view())), ErrorCode::Invalid);
    assert_eq!(code(worker.set_input(1, &wrong.view())), ErrorCode::Invalid);
    worker.fill_inputs(1, 0).unwrap();
    assert_eq!(code(worker.output(0).map(|_| ())), ErrorCode::State);
    worker.run(1).unwrap();
    worker.fill_inputs(2, 0).unwrap();
    worker.run(1).unwrap();
    assert_eq!(worker.output(0).unwrap().shape(), [2, 2], "another batch on the same session");
}

#[test]
fn it_can_be_measured() {
    let subject = Subject {
        architecture: None,
        file: Some("tiny.onnx".into()),
        artifact: "tiny".into(),
        graph: None,
        weights: "file".into(),
        input: InputShape { channels: 2, height: 2, width: 2 },
        batch: 1,
        precision: Precision::Fp32,
        postprocess: false,
    };
    let mut plan = BenchPlan::new(subject, model("tiny.onnx"), ort());
    plan.max_time = Duration::from_millis(400);
    let record = measure(&plan, &mut Silent, &AtomicBool::new(false)).unwrap();
    assert!(record.runner.version.contains("ONNX Runtime 1."), "{}", record.runner.version);
    assert!(record.statistics.samples >= 50);
}
