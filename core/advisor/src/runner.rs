//! Whether a runner may measure for an answer: asked once, in a worker process, before anything is spent.

use std::collections::BTreeMap;
use std::path::Path;

use convwise_host::{Missing, RunnerEntry, Worker};

use crate::advise::AdvisorError;

/// Refuses a runner that cannot run here, which would fail every measurement, and one whose timings are made
/// up, which would decide nothing.
///
/// # Errors
/// The runner is missing, crashes or hangs, lacks what it needs, or is simulated.
pub(crate) fn fit_to_measure(runner: &RunnerEntry, program: &Path) -> Result<(), AdvisorError> {
    let unusable = |why: String| AdvisorError::UnusableRunner { name: runner.name.clone(), why };
    let spec = runner.worker(program).ok_or_else(|| {
        unusable(runner.why_not.clone().unwrap_or_else(|| "its library is missing".to_owned()))
    })?;
    let mut worker = Worker::spawn(&spec).map_err(Box::new)?;
    if worker.describe().map_err(Box::new)?.simulated {
        return Err(AdvisorError::Simulated { name: runner.name.clone() });
    }
    let probe = worker.probe(&runner.options(&BTreeMap::new())).map_err(Box::new)?;
    if probe.usable { Ok(()) } else { Err(unusable(needs(&probe.missing))) }
}

/// What is wrong and what mends it.
fn needs(missing: &[Missing]) -> String {
    let lines: Vec<_> = missing.iter().map(|m| format!("{}; try `{}`", m.what, m.how)).collect();
    if lines.is_empty() { "it does not say why".to_owned() } else { lines.join("; ") }
}
