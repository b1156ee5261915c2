//! Everything a runner can do wrong: each is a clear error of one worker, and the next worker works.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a test that fails"
)]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use convwise_host::{Deadlines, Exit, Phase, RunnerSource, Worker, WorkerError, WorkerSpec, file_digest};
use support::{builtin, library, mock_library, options, tiny_model};

const SEGFAULT: Exit = Exit::Signal(11);
const ABORT: Exit = Exit::Signal(6);

#[test]
fn worker_entry() {
    support::be_a_worker_if_started_as_one();
}

/// A mock with these options, its model loaded and its input filled.
fn loaded_mock(pairs: &[(&str, &str)]) -> Result<Worker, WorkerError> {
    let mut worker = Worker::spawn(&builtin("mock"))?;
    worker.load(&tiny_model(), &options(pairs))?;
    worker.fill_inputs(1, 0)?;
    Ok(worker)
}

/// Compiles `source` (in the folder `c`) to a shared library in `folder`, with these macros defined.
fn compile_c(folder: &Path, source: &str, name: &str, defines: &[&str]) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.join(format!("{name}{}", std::env::consts::DLL_SUFFIX));
    let compiled = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"])
        .arg(here.join("../abi/include"))
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg("-o")
        .arg(&library)
        .arg(here.join("tests/c").join(source))
        .status()
        .expect("a C compiler named cc, or the one that CC names, is needed for this test");
    assert!(compiled.success(), "{source} does not compile");
    library
}

/// A mock whose options come from the environment, for what happens before any call has options.
fn mock_told(told: &str) -> WorkerSpec {
    let mut spec = library(mock_library());
    spec.env.insert("CONVWISE_MOCK".into(), OsString::from(told));
    spec
}

fn check_crash(result: Result<impl std::fmt::Debug, WorkerError>, in_phase: Phase, by: Exit) {
    match result.unwrap_err() {
        WorkerError::Crashed { phase, exit, .. } => assert_eq!((phase, exit), (in_phase, by)),
        other => panic!("not a crash: {other}"),
    }
    // The host is alive, and so is the next worker.
    loaded_mock(&[]).unwrap().run(1).unwrap();
}

#[test]
fn a_crash_names_its_phase_and_cause() {
    check_crash(Worker::spawn(&mock_told("crash=constructor")), Phase::Open, SEGFAULT);
    check_crash(Worker::spawn(&mock_told("crash=describe")).unwrap().describe(), Phase::Describe, SEGFAULT);
    let mut probing = Worker::spawn(&builtin("mock")).unwrap();
    check_crash(probing.probe(&options(&[("crash", "probe")])), Phase::Probe, SEGFAULT);
    check_crash(loaded_mock(&[("crash", "load")]), Phase::Load, SEGFAULT);
    check_crash(loaded_mock(&[("crash", "run@3"), ("how", "abort")]).unwrap().run(5), Phase::Run, ABORT);
    check_crash(loaded_mock(&[("crash", "run"), ("how", "exit")]).unwrap().run(1), Phase::Run, Exit::Code(3));
    check_crash(loaded_mock(&[("crash", "exit")]).unwrap().close(), Phase::Release, SEGFAULT);
}

#[test]
fn after_a_crash_the_worker_says_that_it_has_ended() {
    let mut worker = loaded_mock(&[("crash", "run")]).unwrap();
    worker.run(1).unwrap_err();
    assert!(matches!(worker.run(1), Err(WorkerError::Ended { .. })));
    assert!(matches!(worker.close(), Err(WorkerError::Ended { .. })));
}

#[test]
fn a_panic_is_a_refusal_and_the_worker_goes_on() {
    let mut worker = Worker::spawn(&builtin("mock")).unwrap();
    let error = worker.load(&tiny_model(), &options(&[("crash", "load"), ("how", "panic")])).unwrap_err();
    assert!(error.to_string().contains("the runner panicked: the mock was told to panic"), "{error}");
    worker.load(&tiny_model(), &BTreeMap::new()).unwrap();
}

#[test]
fn a_hang_is_ended_at_its_deadline() {
    for phase in ["load", "run@2", "exit"] {
        let mut spec = builtin("mock");
        spec.deadlines =
            Deadlines { load: Duration::from_millis(300), run: Duration::from_millis(150), ..spec.deadlines };
        spec.deadlines.other = Duration::from_millis(300);
        let mut worker = Worker::spawn(&spec).unwrap();
        let pid = worker.pid();
        let loaded = worker.load(&tiny_model(), &options(&[("hang", phase)]));
        let error = match phase {
            "load" => loaded.map(|_| ()).unwrap_err(),
            "run@2" => worker.fill_inputs(1, 0).and_then(|()| worker.run(2)).map(|_| ()).unwrap_err(),
            _ => worker.release().unwrap_err(),
        };
        assert!(matches!(error, WorkerError::Hung { .. }), "{phase}: {error}");
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{phase}: the process is still there");
    }
}

#[test]
fn a_leak_ends_at_the_limit_of_memory() {
    let mut spec = builtin("mock");
    spec.memory_limit = Some(300 << 20);
    let mut worker = Worker::spawn(&spec).unwrap();
    worker.load(&tiny_model(), &options(&[("leak_bytes", "50000000")])).unwrap();
    worker.fill_inputs(1, 0).unwrap();
    let error = worker.run(50).unwrap_err();
    let WorkerError::OutOfMemory { phase, limit, .. } = &error else { panic!("{error}") };
    assert_eq!((*phase, *limit), (Phase::Run, Some(300 << 20)));
    assert!(error.to_string().contains("under its limit of 314 MB"), "{error}");
}

#[test]
fn garbage_on_the_socket_is_recognised() {
    let mut worker = loaded_mock(&[("garbage", "run")]).unwrap();
    let error = worker.run(1).unwrap_err();
    assert!(matches!(error, WorkerError::Protocol { phase: Phase::Run, .. }), "{error}");
}

#[test]
fn outputs_that_are_no_numbers_or_not_as_promised_are_seen() {
    let mut worker = loaded_mock(&[("nan", "1")]).unwrap();
    worker.run(1).unwrap();
    let checks = worker.check_outputs().unwrap();
    assert_eq!((checks[0].nan, checks[0].is_finite()), (1, false));
    for lie in ["shape", "dtype"] {
        let mut worker = loaded_mock(&[("lie", lie)]).unwrap();
        worker.run(1).unwrap();
        let error = worker.check_outputs().unwrap_err();
        assert!(matches!(error, WorkerError::Protocol { phase: Phase::Output, .. }), "{lie}: {error}");
    }
}

#[test]
fn a_lie_about_the_input_is_a_refusal_that_names_it() {
    let error = loaded_mock(&[("lie", "input")]).unwrap_err();
    assert!(matches!(error, WorkerError::Refused { phase: Phase::SetInput, .. }), "{error}");
    assert!(error.to_string().contains("input input does not take f32 [1, 3, 224, 224, 2]"), "{error}");
}

#[test]
fn an_input_that_the_model_leaves_open_is_not_guessed() {
    let error = loaded_mock(&[("input", "N,3,H,224")]).unwrap_err();
    assert!(matches!(error, WorkerError::DynamicShape { axis: 2, fixed: None, .. }), "{error}");
    let mut worker = Worker::spawn(&builtin("mock")).unwrap();
    worker.load(&tiny_model(), &options(&[("input", "1,3,8,8")])).unwrap();
    let error = worker.fill_inputs(4, 0).unwrap_err();
    assert!(matches!(error, WorkerError::DynamicShape { axis: 0, fixed: Some(1), .. }), "{error}");
    worker.fill_inputs(1, 0).unwrap();
}

#[test]
fn a_program_that_is_no_worker_is_told_apart() {
    let mut spec = builtin("mock");
    spec.program = "/nonexistent/program".into();
    assert!(matches!(Worker::spawn(&spec), Err(WorkerError::Spawn { .. })));
    spec.program = "/bin/true".into();
    assert!(matches!(
        Worker::spawn(&spec),
        Err(WorkerError::Crashed { phase: Phase::Open, exit: Exit::Code(0), .. })
    ));
    let unknown = builtin("nobody");
    assert_eq!(Worker::spawn(&unknown).unwrap_err().kind(), "unknown-builtin");
}

#[test]
fn a_dropped_worker_leaves_no_process() {
    let worker = loaded_mock(&[]).unwrap();
    let pid = worker.pid();
    drop(worker);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn limits_hold_before_the_program_starts() {
    let mut spec = builtin("mock");
    spec.threads = Some(3);
    spec.affinity = vec![0];
    spec.memory_limit = Some(1 << 30);
    let worker = Worker::spawn(&spec).unwrap();
    let proc = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", worker.pid())).unwrap();
    assert!(proc("environ").contains("OMP_NUM_THREADS=3\0"));
    assert!(proc("status").contains("Cpus_allowed_list:\t0\n"));
    let limits = proc("limits");
    let data = limits.lines().find(|line| line.starts_with("Max data size")).unwrap();
    assert!(data.contains("1073741824"), "{data}");
    let group = proc("stat").rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap().to_owned();
    assert_eq!(group, worker.pid().to_string(), "it leads its own group");
}

fn kind_of(spec: &WorkerSpec) -> &'static str {
    Worker::spawn(spec).unwrap_err().kind()
}

#[test]
fn libraries_that_are_no_runners_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let broken = |name: &str, defines: &[&str]| library(&compile_c(folder.path(), "broken.c", name, defines));
    assert_eq!(kind_of(&library(&folder.path().join("none.so"))), "missing-library");
    assert_eq!(kind_of(&broken("symbol", &["NO_SYMBOL"])), "not-a-runner");
    assert_eq!(kind_of(&broken("major", &["MAJOR=2"])), "abi-version");
    assert_eq!(kind_of(&broken("refuses", &["REFUSE_HOST"])), "abi-version");
    assert_eq!(kind_of(&broken("short", &["SIZE=80"])), "short-table");
    assert_eq!(kind_of(&broken("hole", &["RUN=NULL"])), "missing-function");
    let text = folder.path().join("text.so");
    fs::write(&text, "this is no library").unwrap();
    assert_eq!(kind_of(&library(&text)), "load-failed");
}

#[test]
fn a_later_minor_version_is_welcome() {
    let folder = tempfile::tempdir().unwrap();
    let path = compile_c(folder.path(), "broken.c", "minor", &["MINOR=1", "SIZE=sizeof(cw_runner)+8"]);
    let mut worker = Worker::spawn(&library(&path)).unwrap();
    assert_eq!(worker.describe().unwrap().name, "broken");
    worker.load(&tiny_model(), &BTreeMap::new()).unwrap();
    worker.run(3).unwrap();
    assert_eq!(worker.output(0).unwrap().to_f32().unwrap(), [1.0, 2.0]);
}

#[test]
fn every_error_of_a_runner_is_freed_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Worker::spawn(&library(&compile_c(folder.path(), "broken.c", "errors", &[]))).unwrap();
    worker.load(&tiny_model(), &BTreeMap::new()).unwrap();
    for _ in 0..3 {
        let error = worker.fill_input(0, convwise_host::DType::F32, &[1], 0).unwrap_err();
        assert!(error.to_string().ends_with("errors alive: 1"), "{error}");
    }
}

#[test]
fn broken_promises_of_a_c_runner_are_protocol_errors() {
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str, define: &str| {
        Worker::spawn(&library(&compile_c(folder.path(), "broken.c", name, &[define]))).unwrap()
    };
    let no_json = start("json", r#"DESCRIPTION="{""#).describe().unwrap_err();
    assert_eq!(no_json.kind(), "protocol");
    let later = start("schema", r#"DESCRIPTION="{\"schema\":2}""#).describe().unwrap_err();
    assert!(later.to_string().contains("has schema 2, this program reads 1"), "{later}");
    let no_session = start("session", "NO_SESSION").load(&tiny_model(), &BTreeMap::new()).unwrap_err();
    assert!(no_session.to_string().contains("load succeeded without a session"), "{no_session}");
    for (name, define) in [("bytes", "OUTPUT_BYTES=7"), ("null", "OUTPUT_DATA=NULL")] {
        let mut worker = start(name, define);
        worker.load(&tiny_model(), &BTreeMap::new()).unwrap();
        worker.run(1).unwrap();
        assert_eq!(worker.output(0).unwrap_err().kind(), "protocol", "{define}");
    }
}

#[test]
fn a_library_must_be_the_pinned_one_for_this_machine_and_not_open_to_all() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("libcopy.so");
    fs::copy(mock_library(), &copy).unwrap();
    let digest = file_digest(&copy).unwrap();
    let mut pinned = library(&copy);
    pinned.runner = RunnerSource::Library { path: copy.clone(), digest: Some(digest) };
    Worker::spawn(&pinned).unwrap().close().unwrap();

    let mut bytes = fs::read(&copy).unwrap();
    let other_machine: u16 = if cfg!(target_arch = "x86_64") { 183 } else { 62 };
    bytes[18..20].copy_from_slice(&other_machine.to_le_bytes());
    fs::write(&copy, bytes).unwrap();
    assert_eq!(kind_of(&pinned), "stale-digest");
    assert_eq!(kind_of(&library(&copy)), "wrong-architecture");

    fs::set_permissions(&copy, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(kind_of(&library(&copy)), "untrusted-library");
}
