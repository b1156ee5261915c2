//! Two sessions at once.
#![expect(unsafe_code, reason = "a session is handed to a thread of its own")]

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use convwise_sdk::{RunnerError, Tensor};

use crate::fill::fill_tensor;
use crate::session::RunningSession;
use crate::table::{CallError, Table};

/// A session on its way to another thread.
struct Moved(RunningSession);

// SAFETY: the contract lets a session see several threads one after the other, and only one has it at a time.
unsafe impl Send for Moved {}

/// Loads `model` twice and runs both sessions at once, `runs` times each; the first output that differs from what its
/// session gave alone, in words.
pub(crate) fn together(
    table: &Table,
    model: &Path,
    options: &BTreeMap<String, String>,
    runs: usize,
) -> Result<Option<String>, CallError> {
    let mut parties = Vec::new();
    for seed in [1, 2] {
        let mut session = table.load(model, options)?;
        fill(&mut session, seed)?;
        let alone = outputs_after_a_run(&mut session)?;
        parties.push((seed, Moved(session), alone));
    }
    let threads: Vec<_> = parties
        .into_iter()
        .map(|(seed, session, alone)| thread::spawn(move || compare(seed, session, &alone, runs)))
        .collect();
    let mut difference = None;
    for thread in threads {
        let found =
            thread.join().map_err(|_| CallError::Contract("a thread of the trial panicked".into()))?;
        difference = difference.or(found?);
    }
    Ok(difference)
}

fn compare(seed: u64, session: Moved, alone: &[Tensor], runs: usize) -> Result<Option<String>, CallError> {
    let Moved(mut session) = session;
    for run in 1..=runs {
        if outputs_after_a_run(&mut session)? != alone {
            return Ok(Some(format!("session {seed} of 2 gave another output in run {run} than alone")));
        }
    }
    Ok(None)
}

fn fill(session: &mut RunningSession, seed: u64) -> Result<(), CallError> {
    for (index, input) in session.io()?.inputs.iter().enumerate() {
        let open = |axis| RunnerError::invalid(format!("dimension {axis} of {} is open", input.name));
        let shape = input.shape_for_batch(1).map_err(open)?;
        let tensor = fill_tensor(input.dtype, &shape, seed).map_err(RunnerError::from)?;
        session.set_input(index, &tensor.view())?;
    }
    Ok(())
}

fn outputs_after_a_run(session: &mut RunningSession) -> Result<Vec<Tensor>, CallError> {
    session.run(1, u64::MAX)?;
    let promised = session.io()?.outputs;
    let fetch = |(index, output)| Ok(session.output(index, output)?.to_owned());
    promised.iter().enumerate().map(fetch).collect()
}
