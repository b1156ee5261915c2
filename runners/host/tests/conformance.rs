//! What every runner must do, through a worker: run against the built-in ones and against a shared library.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a test that fails")]

mod support;

use std::collections::BTreeMap;

use convwise_host::{DType, ErrorCode, Tensor, Worker, WorkerError, WorkerSpec};
use support::{builtin, library, mock_library, options, tiny_model};

#[test]
fn worker_entry() {
    support::be_a_worker_if_started_as_one();
}

/// A runner under test, with options under which it takes the tiny model.
struct Subject {
    spec: WorkerSpec,
    options: BTreeMap<String, String>,
}

fn rten() -> Subject {
    Subject { spec: builtin("rten"), options: options(&[("threads", "1")]) }
}

fn mock() -> Subject {
    Subject { spec: builtin("mock"), options: options(&[("input", "N,2,2,2"), ("outputs", "N,2")]) }
}

fn mock_as_library() -> Subject {
    Subject { spec: library(mock_library()), ..mock() }
}

/// One test a requirement and runner.
macro_rules! conformance {
    ($($requirement:ident)*) => {
        mod built_in_rten { $(#[test] fn $requirement() { super::$requirement(&super::rten()); })* }
        mod built_in_mock { $(#[test] fn $requirement() { super::$requirement(&super::mock()); })* }
        mod library_mock { $(#[test] fn $requirement() { super::$requirement(&super::mock_as_library()); })* }
    };
}

conformance! {
    says_what_it_is
    refuses_unknown_options
    refuses_a_missing_model
    runs_only_with_inputs
    refuses_wrong_inputs_and_keeps_the_right_one
    gives_the_same_outputs_for_the_same_input
    takes_any_batch
    counts_runs_and_stops_at_its_budget
    loads_again_without_growing
    ends_in_order
}

fn ready(subject: &Subject) -> Worker {
    let mut worker = Worker::spawn(&subject.spec).unwrap();
    worker.load(&tiny_model(), &subject.options).unwrap();
    worker.fill_inputs(1, 0).unwrap();
    worker
}

fn code(result: Result<impl std::fmt::Debug, WorkerError>) -> ErrorCode {
    match result.unwrap_err() {
        WorkerError::Refused { code, message, .. } if !message.is_empty() => code,
        other => panic!("not an orderly refusal: {other}"),
    }
}

fn says_what_it_is(subject: &Subject) {
    let mut worker = Worker::spawn(&subject.spec).unwrap();
    let description = worker.describe().unwrap();
    assert_eq!(description.name, subject.spec.name);
    assert!(!description.version.is_empty() && description.formats.contains(&"onnx".to_owned()));
    assert!(description.options.iter().any(|option| option.name == "threads"));
    assert_eq!(worker.describe().unwrap(), description, "it always says the same");
    let probe = worker.probe(&BTreeMap::new()).unwrap();
    assert!(probe.usable && !probe.devices.is_empty());
}

fn refuses_unknown_options(subject: &Subject) {
    let mut worker = Worker::spawn(&subject.spec).unwrap();
    let wrong = options(&[("no_such_option", "1")]);
    assert_eq!(code(worker.load(&tiny_model(), &wrong)), ErrorCode::Invalid);
    assert_eq!(code(worker.probe(&wrong)), ErrorCode::Invalid);
    assert_eq!(code(worker.load(&tiny_model(), &options(&[("threads", "0")]))), ErrorCode::Invalid);
    worker.load(&tiny_model(), &subject.options).unwrap();
}

fn refuses_a_missing_model(subject: &Subject) {
    let mut worker = Worker::spawn(&subject.spec).unwrap();
    let missing = tiny_model().with_file_name("missing.onnx");
    assert_eq!(code(worker.load(&missing, &subject.options)), ErrorCode::Model);
    assert_eq!(code(worker.run(1)), ErrorCode::State);
}

fn runs_only_with_inputs(subject: &Subject) {
    let mut worker = Worker::spawn(&subject.spec).unwrap();
    worker.load(&tiny_model(), &subject.options).unwrap();
    assert_eq!(code(worker.run(1)), ErrorCode::State);
    worker.fill_inputs(1, 0).unwrap();
    assert_eq!(code(worker.output(0)), ErrorCode::State, "there is no output before a run");
    worker.run(1).unwrap();
    worker.output(0).unwrap();
}

fn refuses_wrong_inputs_and_keeps_the_right_one(subject: &Subject) {
    let mut worker = ready(subject);
    worker.run(1).unwrap();
    let before = worker.output(0).unwrap();
    let bytes = Tensor::new(DType::U8, vec![1, 2, 2, 2], vec![0; 8]).unwrap();
    assert_eq!(code(worker.set_input(0, &bytes.view())), ErrorCode::Invalid, "element type");
    let flat = Tensor::from_f32(&[8], &[0.0; 8]).unwrap();
    assert_eq!(code(worker.set_input(0, &flat.view())), ErrorCode::Invalid, "rank");
    let wide = Tensor::from_f32(&[1, 2, 2, 3], &[0.0; 12]).unwrap();
    assert_eq!(code(worker.set_input(0, &wide.view())), ErrorCode::Invalid, "fixed dimension");
    let right = Tensor::from_f32(&[1, 2, 2, 2], &[0.0; 8]).unwrap();
    assert_eq!(code(worker.set_input(1, &right.view())), ErrorCode::Invalid, "index");
    worker.run(1).unwrap();
    assert_eq!(worker.output(0).unwrap(), before);
    assert_eq!(code(worker.output(9)), ErrorCode::Invalid);
}

fn gives_the_same_outputs_for_the_same_input(subject: &Subject) {
    let outputs = |seed: u64| {
        let mut worker = ready(subject);
        worker.fill_inputs(1, seed).unwrap();
        worker.run(2).unwrap();
        worker.output(0).unwrap()
    };
    assert_eq!(outputs(0), outputs(0), "two processes, one answer");
    assert_ne!(outputs(0), outputs(1), "the input matters");
}

fn takes_any_batch(subject: &Subject) {
    let mut worker = ready(subject);
    for batch in [3, 1] {
        worker.fill_inputs(batch, 0).unwrap();
        worker.run(1).unwrap();
        assert_eq!(worker.output(0).unwrap().shape(), [batch, 2]);
        assert!(
            worker
                .check_outputs()
                .unwrap()
                .iter()
                .all(|check| check.is_finite() && check.elements == 2 * batch)
        );
    }
}

fn counts_runs_and_stops_at_its_budget(subject: &Subject) {
    let mut worker = ready(subject);
    assert_eq!(worker.run(5).unwrap().nanos.len(), 5);
    assert_eq!(worker.run(0).unwrap().nanos.len(), 0);
    let budget = std::time::Duration::from_nanos(1);
    assert_eq!(
        worker.run_within(5, budget).unwrap().nanos.len(),
        1,
        "at least one, and no more than there is time for"
    );
    let times = worker.run(3).unwrap();
    assert!(times.nanos.iter().all(|ns| *ns > 0));
    assert_eq!(times.own_clock, worker.describe().unwrap().has_extension("convwise.clock/1"));
}

fn loads_again_without_growing(subject: &Subject) {
    let mut worker = ready(subject);
    let mut resident_after = |times: usize| {
        for _ in 0..times {
            worker.load(&tiny_model(), &subject.options).unwrap();
            worker.fill_inputs(1, 0).unwrap();
            worker.run(1).unwrap();
        }
        worker.usage().unwrap().rss_bytes
    };
    let (settled, later) = (resident_after(20), resident_after(60));
    assert!(later < settled + (4 << 20), "from {settled} to {later} bytes in 60 loads");
}

fn ends_in_order(subject: &Subject) {
    let mut worker = ready(subject);
    worker.release().unwrap();
    assert_eq!(code(worker.run(1)), ErrorCode::State);
    worker.close().unwrap();
}

#[test]
fn rten_computes_what_the_model_says() {
    let mut worker = ready(&rten());
    let input = Tensor::from_f32(&[1, 2, 2, 2], &[1.0, 2.0, 3.0, 4.0, -1.0, 0.0, 1.0, 2.0]).unwrap();
    worker.set_input(0, &input.view()).unwrap();
    worker.run(1).unwrap();
    // By hand: relu([2,2,2,2]) sums to 8, relu([-1.5,1,3.5,6]) to 10.5; biases 0.25 and -0.25. ONNX Runtime agrees.
    assert_eq!(worker.output(0).unwrap().to_f32().unwrap(), [8.25, 10.25]);
}

#[test]
fn rten_names_the_operator_it_does_not_have() {
    let mut worker = Worker::spawn(&builtin("rten")).unwrap();
    let error = worker.load(&tiny_model().with_file_name("unknown.onnx"), &BTreeMap::new()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, WorkerError::Refused { code: ErrorCode::Unsupported, .. }), "{text}");
    assert!(text.contains("Frobnicate") && text.contains("head/frob"), "{text}");
}

#[test]
fn rten_refuses_damaged_models() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(tiny_model()).unwrap();
    let mut worker = Worker::spawn(&builtin("rten")).unwrap();
    for (name, bytes) in [("cut", &whole[..150]), ("empty", &[][..]), ("text", b"not a model".as_slice())] {
        let file = folder.path().join(format!("{name}.onnx"));
        std::fs::write(&file, bytes).unwrap();
        let error = worker.load(&file, &BTreeMap::new()).unwrap_err();
        assert!(matches!(error, WorkerError::Refused { .. }), "{name}: {error}");
    }
    worker.load(&tiny_model(), &BTreeMap::new()).unwrap();
}

#[test]
fn mock_times_come_from_the_request() {
    let pairs = [("times_ns", "2x900,5000"), ("load_ns", "77"), ("input", "N,4"), ("outputs", "N,2;N,3")];
    let mut worker = Worker::spawn(&builtin("mock")).unwrap();
    assert!(worker.describe().unwrap().simulated);
    let loaded = worker.load(&tiny_model(), &options(&pairs)).unwrap();
    assert_eq!((loaded.nanos, loaded.io.outputs.len()), (77, 2));
    worker.fill_inputs(2, 0).unwrap();
    let times = worker.run(5).unwrap();
    assert_eq!((times.nanos, times.own_clock), (vec![900, 900, 5000, 900, 900], true));
}
