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
        meaning: "After a hundred models that were loaded, run and released, the process has no more memory and threads \
                  than after twenty.",
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

fn does_not_grow(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let (mut worker, model) = (room.worker()?, room.plain()?);
    let settled = usage_after(room, &mut worker, &model, 20)?;
    let later = usage_after(room, &mut worker, &model, 80)?;
    if later.rss_bytes > settled.rss_bytes + MARGIN {
        let kilobytes = (later.rss_bytes - settled.rss_bytes) / 1000;
        return broken(format!("80 models left the process {kilobytes} kB larger"));
    }
    if later.threads > settled.threads {
        return broken(format!("80 models left {} threads more", later.threads - settled.threads));
    }
    Ok("80 models, no growth".to_owned())
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
