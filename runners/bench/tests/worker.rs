//! Whole measurements through real worker processes: the mock for everything that can go wrong, rten for one that is
//! real.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use convwise_bench::{BenchError, BenchPlan, Effort, Silent, measure, measure_many};
use convwise_host::{Builtin, Deadlines, RunnerSource, WorkerSpec};
use convwise_types::{InputShape, Millis, Precision, Quality, Subject};

const BUILTINS: [Builtin; 2] = [
    Builtin { name: "mock", table: convwise_mock::table },
    Builtin { name: "rten", table: convwise_rten::table },
];

/// This test binary is also its own worker program.
#[test]
fn worker_entry() {
    if std::env::var_os("CONVWISE_WORKER_FD").is_some() {
        convwise_host::run_worker(&BUILTINS);
    }
}

fn tiny_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rten/tests/models/tiny.onnx")
}

fn plan(runner: &str, options: &[(&str, &str)]) -> BenchPlan {
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
    let program = std::env::current_exe().unwrap();
    let mut worker = WorkerSpec::new(runner, RunnerSource::Builtin { name: runner.into() }, program);
    worker.args = ["worker_entry", "--exact", "--nocapture"].map(OsString::from).to_vec();
    worker.deadlines = Deadlines::all(Duration::from_secs(60));
    let mut plan = BenchPlan::new(subject, tiny_model(), worker);
    plan.options = options.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    plan
}

fn run(plan: &BenchPlan) -> Result<convwise_types::Measurement, BenchError> {
    measure(plan, &mut Silent, &AtomicBool::new(false))
}

fn failure(options: &[(&str, &str)]) -> String {
    let error = run(&plan("mock", options)).unwrap_err().to_string();
    error.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn simulated_times_become_a_record_without_waiting_for_them() {
    let options = [("times_ns", "9000000,10000000,11000000,10000000"), ("load_ns", "80000000")];
    let record = run(&plan("mock", &options).with_effort(Effort::Full)).unwrap();
    assert!(record.runner.simulated);
    assert_eq!(record.runner.options["threads"], "1");
    assert_eq!(record.conditions["clock_of"], "the runner");
    assert_eq!((record.statistics.median, record.statistics.min), (Millis(10.0), Millis(9.0)));
    assert_eq!((record.launches.len(), record.launches[0].load), (3, Millis(80.0)));
    assert_eq!(record.verdict, Quality::Trusted, "{:?}", record.remarks);
    assert_eq!(record.id, convwise_types::content_id(&record));
}

#[test]
fn a_real_runner_gives_a_real_record() {
    let mut plan = plan("rten", &[]);
    plan.max_time = Duration::from_millis(500);
    let record = run(&plan).unwrap();
    assert!(!record.runner.simulated && record.runner.version.contains("rten"), "{:?}", record.runner);
    assert!(record.statistics.samples >= 50, "{:?}", record.statistics);
    assert!(record.statistics.ci_low.0 <= record.statistics.median.0);
    assert!(record.launches[0].peak_rss.is_some_and(|peak| peak.0 > 0));
    assert!(record.taken.ends_with('Z') && record.taken.len() == 20, "{}", record.taken);
    assert!(record.conditions.contains_key("drift"), "{:?}", record.conditions);
}

#[test]
fn whatever_a_worker_does_is_one_error_with_an_explanation() {
    let check = |options: &[(&str, &str)], expect: &str| {
        assert_eq!(failure(options).get(..expect.len()), Some(expect))
    };
    check(
        &[("crash", "run@3")],
        "tiny.onnx: runner mock crashed while it ran the model: SIGSEGV, an invalid memory access;",
    );
    check(&[("missing", "thing")], "runner mock cannot run here: thing; try `convwise runner install thing`");
    let no_number = failure(&[("nan", "1"), ("outputs", "N,4")]);
    assert!(
        no_number
            .starts_with("tiny.onnx: runner mock returned not-a-number values: 1 of 4 elements of output"),
        "{no_number}"
    );
    let refused = failure(&[("refuse", "load")]);
    assert!(refused.starts_with("tiny.onnx: runner mock refused while it loaded the model:"), "{refused}");
}

#[test]
fn a_hang_ends_at_its_deadline_and_the_others_are_measured() {
    let mut hanging = plan("mock", &[("hang", "run@2")]);
    hanging.worker.deadlines.run = Duration::from_millis(300);
    let results = measure_many(&[hanging, plan("mock", &[])], &mut Silent, &AtomicBool::new(false));
    assert!(results[0].as_ref().unwrap_err().to_string().contains("did not answer within"));
    assert!(results[1].is_ok());
}

#[test]
fn a_cancellation_reaches_a_worker_that_hangs() {
    let cancel = AtomicBool::new(false);
    let began = Instant::now();
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            cancel.store(true, Ordering::Relaxed);
        });
        measure(&plan("mock", &[("hang", "load")]), &mut Silent, &cancel)
    });
    assert!(matches!(result, Err(BenchError::Cancelled { .. })), "{result:?}");
    assert!(began.elapsed() < Duration::from_secs(30), "it would have hung for a minute");
}
