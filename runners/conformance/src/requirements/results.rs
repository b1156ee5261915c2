//! What a runner computes.

use std::fmt::Write as _;
use std::path::Path;

use convwise_graph::Graph;
use convwise_host::{ErrorCode, Observation, Tensor, Trial, Worker, WorkerError, fill_tensor};
use convwise_onnx::{ExportOptions, OPSETS};

use super::Requirement;
use crate::graphs::{self, Lively, Small};
use crate::reference::{self, Values};
use crate::room::Room;
use crate::verdict::{Failing, Verdict, broken, here, not_examined};

pub(super) const ALL: [Requirement; 4] = [
    Requirement {
        number: 19,
        title: "computes what the operators say",
        meaning: "For a small graph around every operation that is exported, the outputs are those of a reference that \
                  follows the definitions in double precision. An operation that it does not have may be refused with \
                  CW_ERR_UNSUPPORTED; it is listed here.",
        check: computes,
    },
    Requirement {
        number: 20,
        title: "reads every operator set that is exported",
        meaning: "The plain model loads and runs in each version of the operator set that can be exported. The lowest \
                  one, which is the default, is required; others may be refused, and are listed here.",
        check: reads_opsets,
    },
    Requirement {
        number: 21,
        title: "is deterministic, if it says so",
        meaning: "The same input gives the same bits: run after run, after loading again, and in another process.",
        check: is_deterministic,
    },
    Requirement {
        number: 22,
        title: "runs two sessions at once, if it says so",
        meaning: "Two sessions in two threads give what each of them gives alone.",
        check: runs_two_at_once,
    },
];

/// The largest difference from the reference, as a share of the largest value.
const TOLERANCE: f64 = 1e-4;

fn computes(room: &Room<'_>) -> Verdict {
    room.must_be_real()?;
    let (mut worst, mut count) = ((0.0, ""), 0);
    let (mut lacking, mut wrong) = (Vec::new(), Vec::new());
    for small in &graphs::all().map_err(here)? {
        match difference(room, small)? {
            Answer::Differs(by) if by <= TOLERANCE => {
                count += 1;
                if by > worst.0 {
                    worst = (by, small.name);
                }
            }
            Answer::Differs(by) => {
                wrong.push(format!("{}: differs by {by:.1e} of the largest value", small.name))
            }
            Answer::Fails(how) => wrong.push(format!("{}: {how}", small.name)),
            Answer::NotSupported => lacking.push(small.name),
        }
    }
    if !wrong.is_empty() {
        return broken(wrong.join("\n"));
    }
    if count == 0 {
        return broken("it supports none of the operations");
    }
    let mut found =
        format!("{count} graphs, worst difference {:.1e} of the largest value ({})", worst.0, worst.1);
    if !lacking.is_empty() {
        let _ = write!(found, "; not supported: {}", lacking.join(", "));
    }
    Ok(found)
}

enum Answer {
    Differs(f64),
    NotSupported,
    Fails(String),
}

fn difference(room: &Room<'_>, small: &Small) -> Result<Answer, Failing> {
    let path = room.model(&small.graph, &ExportOptions::default())?;
    let expected = expected(&small.graph)?;
    Ok(match outputs(room, &path) {
        Ok(actual) => match expected.iter().zip(&actual).map(|(e, a)| distance(e, a)).reduce(worse) {
            Some(Ok(by)) if expected.len() == actual.len() => Answer::Differs(by),
            Some(Err(how)) => Answer::Fails(how),
            _ => Answer::Fails(format!("it gave {} outputs of {}", actual.len(), expected.len())),
        },
        Err(WorkerError::Refused { code: ErrorCode::Unsupported, .. }) => Answer::NotSupported,
        Err(error) => Answer::Fails(error.to_string()),
    })
}

fn worse(a: Result<f64, String>, b: Result<f64, String>) -> Result<f64, String> {
    Ok(a?.max(b?))
}

fn expected(graph: &Graph) -> Result<Vec<Values>, Failing> {
    let input = |shape: &[usize]| {
        let filled = fill_tensor(convwise_host::DType::F32, shape, 0).and_then(|tensor| tensor.to_f32());
        filled.unwrap_or_default().into_iter().map(f64::from).collect()
    };
    reference::outputs(graph, &Lively, &input).map_err(here)
}

fn outputs(room: &Room<'_>, path: &Path) -> Result<Vec<Tensor>, WorkerError> {
    let mut worker = Worker::spawn(&room.spec())?;
    worker.load(path, &room.options())?;
    worker.fill_inputs(1, 0)?;
    worker.run(1)?;
    let count = worker.io()?.outputs.len();
    (0..count).map(|index| worker.output(index)).collect()
}

/// The largest difference, as a share of the largest expected value.
fn distance(expected: &Values, actual: &Tensor) -> Result<f64, String> {
    if expected.shape() != actual.shape() {
        return Err(format!("its output has shape {:?}, not {:?}", actual.shape(), expected.shape()));
    }
    let actual = actual.view().to_numbers().map_err(|error| error.to_string())?;
    if actual.iter().any(|value| !value.is_finite()) {
        return Err("an output is not a finite number".to_owned());
    }
    let largest = expected.data().iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let differences = expected.data().iter().zip(actual).map(|(e, a)| (e - a).abs());
    Ok(differences.fold(0.0, f64::max) / largest)
}

fn reads_opsets(room: &Room<'_>) -> Verdict {
    room.must_be_real()?;
    let (graph, mut read, mut refused) = (graphs::plain().map_err(here)?, Vec::new(), Vec::new());
    for opset in OPSETS {
        let path = room.model(&graph, &ExportOptions { opset, ..ExportOptions::default() })?;
        match outputs(room, &path) {
            Ok(_) => read.push(opset.to_string()),
            Err(WorkerError::Refused { .. }) if opset != *OPSETS.start() => refused.push(opset.to_string()),
            Err(error) => return broken(format!("operator set {opset}: {error}")),
        }
    }
    let refused =
        if refused.is_empty() { String::new() } else { format!("; refused: {}", refused.join(", ")) };
    Ok(format!("{}{refused}", read.join(", ")))
}

fn is_deterministic(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    if !room.description()?.deterministic {
        return not_examined("it does not say so");
    }
    let mut worker = room.ready()?;
    worker.run(1)?;
    let first = worker.output(0)?;
    for run in 2..=5 {
        worker.run(1)?;
        same(&first, &worker.output(0)?, &format!("run {run}"))?;
    }
    room.load(&mut worker, &room.plain()?)?;
    worker.fill_inputs(1, 0)?;
    worker.run(1)?;
    same(&first, &worker.output(0)?, "a run after loading again")?;
    let mut other = room.ready()?;
    other.run(1)?;
    same(&first, &other.output(0)?, "another process")?;
    Ok("5 runs, loaded again, another process".to_owned())
}

fn same(first: &Tensor, second: &Tensor, when: &str) -> Verdict {
    if first == second {
        Ok(String::new())
    } else {
        broken(format!("{when} gave other bits than the first run"))
    }
}

fn runs_two_at_once(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    if !room.description()?.concurrent {
        return not_examined("it does not say so");
    }
    let trial = Trial::Together { model: room.plain()?, options: room.options(), runs: 50 };
    match room.worker()?.try_out(trial)? {
        Observation::Together(None) => Ok("50 runs each".to_owned()),
        Observation::Together(Some(difference)) => broken(difference),
        _ => not_examined("the trial gave no answer"),
    }
}
