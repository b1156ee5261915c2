//! Files that are not what they should be.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use convwise_graph::Graph;
use convwise_host::{Deadlines, ErrorCode, Worker, WorkerError, WorkerSpec};
use convwise_onnx::{ExportOptions, export};

use super::Requirement;
use crate::graphs::{self, Lively};
use crate::hostile::{BadModel, damaged, malicious};
use crate::room::Room;
use crate::verdict::{Failing, Verdict, broken, here};

pub(super) const ALL: [Requirement; 3] = [
    Requirement {
        number: 13,
        title: "survives damaged models",
        meaning: "Empty, cut off, changed in a bit: load() refuses, or the model runs; nothing crashes or hangs.",
        check: survives_damage,
    },
    Requirement {
        number: 14,
        title: "survives malicious models",
        meaning: "Sizes that do not fit, cycles, thousandfold nesting, files that are not the model's: the same. What a \
                  file says is not believed, and memory is not taken on its word.",
        check: survives_malice,
    },
    Requirement {
        number: 15,
        title: "names what it does not have",
        meaning: "An operator that it does not have is CW_ERR_UNSUPPORTED, and the message names operator and node.",
        check: names_the_operator,
    },
];

fn survives_damage(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let whole: Graph = graphs::plain().map_err(here)?;
    let model = export(&whole, &Lively, &ExportOptions::default()).map_err(here)?;
    survives(room, damaged(&model.to_bytes()))
}

fn survives_malice(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    survives(room, malicious())
}

/// Failures after which no more models are tried.
const ENOUGH: usize = 3;

fn survives(room: &Room<'_>, models: Vec<BadModel>) -> Verdict {
    let mut worker = impatient(room)?;
    let (mut outcomes, mut failures) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for model in models {
        let path = room.file("bad.onnx", &model.bytes)?;
        match outcome(&mut worker, &path, &room.options()) {
            Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
            Err(how) => {
                failures.push(format!("{}: {how}", model.name));
                if failures.len() == ENOUGH {
                    break;
                }
                worker = impatient(room)?;
            }
        }
    }
    if failures.is_empty() {
        let counted = outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}"));
        return Ok(counted.collect::<Vec<_>>().join(", "));
    }
    broken(failures.join("\n"))
}

/// A worker that is not given long.
fn impatient(room: &Room<'_>) -> Result<Worker, Failing> {
    let time = Duration::from_secs(10);
    let usual = room.spec();
    let deadlines = Deadlines { load: time, run: time, other: time, ..usual.deadlines };
    Ok(Worker::spawn(&WorkerSpec { deadlines, ..usual })?)
}

/// How the runner takes a bad model; an error if it, or the worker, is the worse for it.
fn outcome(
    worker: &mut Worker,
    path: &Path,
    options: &BTreeMap<String, String>,
) -> Result<&'static str, String> {
    let answer = match worker.load(path, options) {
        Err(error) => Err(error),
        Ok(_) => worker.fill_inputs(1, 0).and_then(|()| worker.run(1)).map(|_| "ran"),
    };
    let outcome = match answer {
        Ok(outcome) => outcome,
        Err(WorkerError::Refused { code: ErrorCode::Internal, message, .. })
            if message.contains("panicked") =>
        {
            return Err(message);
        }
        Err(WorkerError::Refused { .. } | WorkerError::DynamicShape { .. }) => "refused",
        // Said, and survived, or died of: the next line tells.
        Err(WorkerError::OutOfMemory { .. }) => "refused for want of memory",
        Err(error) => return Err(error.to_string()),
    };
    worker.describe().map(|_| outcome).map_err(|_| "it died for want of memory".to_owned())
}

fn names_the_operator(room: &Room<'_>) -> Verdict {
    room.must_be_real()?;
    let strange = malicious().into_iter().find(|model| model.name.contains("operator that nobody has"));
    let bytes = strange.map(|model| model.bytes).unwrap_or_default();
    let path = room.file("strange.onnx", &bytes)?;
    match room.worker()?.load(&path, &room.options()) {
        Ok(_) => broken("it loaded a model with the operator Frobnicate"),
        Err(WorkerError::Refused { code: ErrorCode::Unsupported, message, .. })
            if message.contains("Frobnicate") && message.contains("node") =>
        {
            Ok(message)
        }
        Err(WorkerError::Refused { code, message, .. }) => broken(format!(
            "it answered \"{}: {message}\"; CW_ERR_UNSUPPORTED must name the operator Frobnicate and its node `node`",
            code.label()
        )),
        Err(error) => broken(error.to_string()),
    }
}
