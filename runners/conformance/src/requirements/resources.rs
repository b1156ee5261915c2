//! What a runner holds on to.

use std::path::Path;

use convwise_host::{Observation, Trial, Worker, WorkerUsage};

use super::Requirement;
use crate::room::Room;
use crate::verdict::{Failing, Verdict, broken, not_examined};

pub(super) const ALL: [Requirement; 2] = [
    Requirement {
        number: 25,
        title: "loads and releases without growing",
        meaning: "Sixty models that are loaded, run and released leave the process with no more memory and threads than it \
                  had.",
        check: does_not_grow,
    },
    Requirement {
        number: 26,
        title: "keeps its hands off the worker's channel",
        meaning: "The descriptors that it did not open are still what they were: standard input, output and error, and \
                  the socket to the host. What it prints goes to standard error, and nothing of it to the host.",
        check: leaves_descriptors,
    },
];

/// Bytes by which a process may grow for reasons of its own.
const MARGIN: u64 = 4 << 20;

/// Models of one round.
const ROUND: usize = 60;
/// Rounds that must all show growth: memory that is kept for later stops growing, and threads take a moment to end.
const ROUNDS: usize = 3;

fn does_not_grow(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let (mut worker, model) = (room.worker()?, room.plain()?);
    let mut before = usage_after(room, &mut worker, &model, 20)?;
    let mut growth = None;
    for _ in 0..ROUNDS {
        let after = usage_after(room, &mut worker, &model, ROUND)?;
        growth = grown(&before, &after);
        if growth.is_none() {
            break;
        }
        before = after;
    }
    match growth {
        None => Ok(format!("{ROUND} models, no growth")),
        Some(what) => broken(format!("{ROUND} models left the process with {what}, round after round")),
    }
}

fn grown(before: &WorkerUsage, after: &WorkerUsage) -> Option<String> {
    if after.rss_bytes > before.rss_bytes + MARGIN {
        return Some(format!("{} kB more", (after.rss_bytes - before.rss_bytes) / 1000));
    }
    let threads = after.threads.saturating_sub(before.threads);
    (threads > 0).then(|| format!("{threads} threads more"))
}

fn usage_after(
    room: &Room<'_>,
    worker: &mut Worker,
    model: &Path,
    times: usize,
) -> Result<WorkerUsage, Failing> {
    for _ in 0..times {
        room.load(worker, model)?;
        worker.fill_inputs(1, 0)?;
        worker.run(1)?;
        worker.release()?;
    }
    Ok(worker.usage()?)
}

fn leaves_descriptors(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let mut worker = room.ready()?;
    worker.run(3)?;
    worker.output(0)?;
    worker.release()?;
    match worker.try_out(Trial::Descriptors)? {
        Observation::Descriptors(changed) if changed.is_empty() => Ok("all four as before".to_owned()),
        Observation::Descriptors(changed) => broken(format!("it closed or replaced descriptors {changed:?}")),
        _ => not_examined("the trial gave no answer"),
    }
}
