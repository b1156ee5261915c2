//! What a worker does with a runner that is in order: built in, and as a shared library. What runners must do is
//! examined by `conformance`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a test that fails")]

mod support;

use std::collections::BTreeMap;

use convwise_host::{ErrorCode, Tensor, Worker, WorkerError, WorkerSpec};
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

/// One test a behaviour and runner.
macro_rules! for_every_runner {
    ($($behaviour:ident)*) => {
        mod built_in_rten { $(#[test] fn $behaviour() { super::$behaviour(&super::rten()); })* }
        mod built_in_mock { $(#[test] fn $behaviour() { super::$behaviour(&super::mock()); })* }
        mod library_mock { $(#[test] fn $behaviour() { super::$behaviour(&super::mock_as_library()); })* }
    };
}

for_every_runner! {
    takes_any_batch
    counts_runs_and_stops_at_its_budget
    gives_outputs_that_depend_on_the_input
    goes_on_after_a_refusal_and_a_release
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

fn gives_outputs_that_depend_on_the_input(subject: &Subject) {
    let outputs = |seed: u64| {
        let mut worker = ready(subject);
        worker.fill_inputs(1, seed).unwrap();
        worker.run(2).unwrap();
        worker.output(0).unwrap()
    };
    assert_eq!(outputs(0), outputs(0), "two processes, one answer");
    assert_ne!(outputs(0), outputs(1), "the input matters");
}

fn goes_on_after_a_refusal_and_a_release(subject: &Subject) {
    let mut worker = Worker::spawn(&subject.spec).unwrap();
    let missing = tiny_model().with_file_name("missing.onnx");
    assert_eq!(code(worker.load(&missing, &subject.options)), ErrorCode::Model);
    assert_eq!(code(worker.run(1)), ErrorCode::State, "nothing is loaded");
    worker.load(&tiny_model(), &subject.options).unwrap();
    worker.release().unwrap();
    assert_eq!(code(worker.run(1)), ErrorCode::State, "nothing is loaded any more");
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
