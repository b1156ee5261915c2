//! Options.

use convwise_host::{ErrorCode, WorkerError};

use super::Requirement;
use crate::room::Room;
use crate::verdict::{Verdict, broken};

pub(super) const ALL: [Requirement; 2] = [
    Requirement {
        number: 9,
        title: "refuses options that it does not have",
        meaning: "probe() and load() answer an unknown key with CW_ERR_INVALID and name it: an option that is ignored is \
                  a measurement of something else.",
        check: refuses_unknown_keys,
    },
    Requirement {
        number: 10,
        title: "refuses values that do not fit",
        meaning: "threads = 0 and threads = many are answered with CW_ERR_INVALID.",
        check: refuses_bad_values,
    },
];

fn refuses_unknown_keys(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let (mut worker, model) = (room.worker()?, room.plain()?);
    let strange = room.options_with("no_such_option", "1");
    let said =
        [("probe", worker.probe(&strange).map(|_| ())), ("load", worker.load(&model, &strange).map(|_| ()))];
    for (function, answer) in said {
        invalid(function, answer, "no_such_option")?;
    }
    Ok("named by probe and load".to_owned())
}

fn refuses_bad_values(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let (mut worker, model) = (room.worker()?, room.plain()?);
    for value in ["0", "many"] {
        let answer = worker.load(&model, &room.options_with("threads", value)).map(|_| ());
        invalid(&format!("load with threads = {value}"), answer, "threads")?;
    }
    Ok("threads = 0, threads = many".to_owned())
}

/// Whether an answer is CW_ERR_INVALID and names what is wrong.
fn invalid(what: &str, answer: Result<(), WorkerError>, names: &str) -> Verdict {
    match answer {
        Ok(()) => broken(format!("{what} accepted it")),
        Err(WorkerError::Refused { code: ErrorCode::Invalid, message, .. }) if message.contains(names) => {
            Ok(message)
        }
        Err(WorkerError::Refused { code, message, .. }) => broken(format!(
            "{what} answered \"{}: {message}\"; CW_ERR_INVALID must name {names}",
            code.label()
        )),
        Err(error) => broken(error.to_string()),
    }
}
