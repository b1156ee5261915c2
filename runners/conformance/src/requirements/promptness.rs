//! Whether a run is over when it returns, and what the runner's own clock says about it.

use convwise_host::{Observation, Promptness, Trial};
use convwise_onnx::ExportOptions;

use super::Requirement;
use crate::graphs;
use crate::room::Room;
use crate::verdict::{Failing, Verdict, broken, here, not_examined};

pub(super) const ALL: [Requirement; 2] = [
    Requirement {
        number: 23,
        title: "has finished when a run returns",
        meaning: "The host times run() and nothing else, so nothing may be left to output(), to a device or to a thread: \
                  after a run that takes a while, fetching ten numbers takes next to nothing.",
        check: has_finished,
    },
    Requirement {
        number: 24,
        title: "has a clock that agrees with the host's",
        meaning: "With convwise.clock/1, the time that it gives for a run is never longer than the call took.",
        check: clock_agrees,
    },
];

fn watched(room: &Room<'_>) -> Result<Promptness, Failing> {
    room.must_be_real()?;
    let mut worker = room.worker()?;
    let model = room.model(&graphs::heavy().map_err(here)?, &ExportOptions::default())?;
    room.load(&mut worker, &model)?;
    worker.fill_inputs(1, 0)?;
    worker.run(2)?;
    match worker.try_out(Trial::Promptness { runs: 11 })? {
        Observation::Promptness(seen) => Ok(seen),
        _ => not_examined("the trial gave no answer"),
    }
}

/// Nanoseconds that fetching a few numbers may take however short the run was.
const FETCH: u64 = 500_000;

fn has_finished(room: &Room<'_>) -> Verdict {
    let seen = watched(room)?;
    let (run, output) = (median(seen.run_ns), median(seen.output_ns));
    let found = format!("a run takes {}, fetching its output {}", milliseconds(run), milliseconds(output));
    if output > FETCH.max(run / 2) { broken(format!("{found}: the work is done there")) } else { Ok(found) }
}

fn clock_agrees(room: &Room<'_>) -> Verdict {
    room.must_be_real()?;
    if !room.description()?.has_extension("convwise.clock/1") {
        return not_examined("it has no clock of its own");
    }
    let seen = watched(room)?;
    match seen.own_ns.iter().zip(&seen.run_ns).find(|(own, host)| own > host) {
        None => Ok(format!("{} of {}", milliseconds(median(seen.own_ns)), milliseconds(median(seen.run_ns)))),
        Some((own, host)) => broken(format!(
            "it says that a run took {}, and the call took {}",
            milliseconds(*own),
            milliseconds(*host)
        )),
    }
}

fn median(mut nanos: Vec<u64>) -> u64 {
    nanos.sort_unstable();
    nanos.get(nanos.len() / 2).copied().unwrap_or(0)
}

fn milliseconds(nanos: u64) -> String {
    format!("{:.3} ms", nanos as f64 / 1e6)
}
