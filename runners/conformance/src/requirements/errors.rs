//! Errors and their memory.

use convwise_host::{ErrorCode, Observation, Trial, WorkerError};

use super::Requirement;
use crate::room::Room;
use crate::verdict::{Verdict, broken, not_examined};

pub(super) const ALL: [Requirement; 2] = [
    Requirement {
        number: 11,
        title: "answers a missing file with an error of the model",
        meaning: "load() of a path without a file is CW_ERR_MODEL with a sentence, and the runner goes on.",
        check: missing_file,
    },
    Requirement {
        number: 12,
        title: "takes its errors back",
        meaning: "error_free() frees what an error holds: ten thousand errors later the process is no larger. It and \
                  release() put up with NULL.",
        check: frees_errors,
    },
];

fn missing_file(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let mut worker = room.worker()?;
    match worker.load(&room.path("missing.onnx")?, &room.options()) {
        Ok(_) => broken("it loaded a file that is not there"),
        Err(WorkerError::Refused { code: ErrorCode::Model, message, .. }) if !message.is_empty() => {
            worker.describe()?;
            Ok(message)
        }
        Err(WorkerError::Refused { code, message, .. }) => {
            broken(format!("it answered \"{}: {message}\" instead of CW_ERR_MODEL", code.label()))
        }
        Err(error) => broken(error.to_string()),
    }
}

const ERRORS: usize = 10_000;

/// Bytes by which the process may grow meanwhile: less than the errors would take.
const MARGIN: u64 = 1 << 20;

/// What leaks grows every time; what only warms up grows once.
const ROUNDS: usize = 3;

fn frees_errors(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let missing = room.path("missing.onnx")?;
    let mut worker = room.worker()?;
    let mut growth = 0;
    for _ in 0..ROUNDS {
        match worker.try_out(Trial::Errors { missing: missing.clone(), count: ERRORS })? {
            Observation::Growth { before, after } if after > before + MARGIN => growth = after - before,
            Observation::Growth { .. } => return Ok(format!("{ERRORS} errors, no growth")),
            _ => return not_examined("the trial gave no answer"),
        }
    }
    broken(format!("{ERRORS} errors left the process {} kB larger, {ROUNDS} times", growth / 1000))
}
