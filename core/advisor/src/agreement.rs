//! Whether runners that were measured on one network compute the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use convwise_bench::{Agreement, BenchError, BenchPlan, agreement, outputs, outputs_of};
use convwise_host::{Tensor, WorkerSpec};
use convwise_types::Measurement;

use crate::advise::find_runner;
use crate::world::World;

/// How far the outputs of every measured plan are from those of the runner called `reference`, on the same file and the
/// same input: one for each plan, `None` for plans of that runner itself, for what cannot be compared number by number, and
/// where there is nothing to compare.
#[must_use]
pub fn agreements(
    world: &World<'_>,
    reference: &str,
    is_comparable: &dyn Fn(&BenchPlan) -> bool,
    plans: &[BenchPlan],
    results: &[Result<Measurement, BenchError>],
    cancel: &AtomicBool,
) -> Vec<Option<Agreement>> {
    let mut expected = Expected::of(world, reference);
    let mut found = Vec::with_capacity(plans.len());
    for (plan, result) in plans.iter().zip(results) {
        let real = result.as_ref().is_ok_and(|m| !m.runner.simulated && m.runner.name.as_str() != reference);
        let wanted = real && is_comparable(plan) && !cancel.load(Ordering::Relaxed);
        found.push(if wanted { expected.compared_with(plan) } else { None });
    }
    found
}

/// The outputs of the reference, by the digest of the model file; nothing where it cannot run one.
struct Expected {
    runner: Option<(WorkerSpec, BTreeMap<String, String>)>,
    outputs: BTreeMap<String, Option<Vec<Tensor>>>,
}

impl Expected {
    fn of(world: &World<'_>, reference: &str) -> Self {
        let runner = find_runner(world, reference).ok();
        let runner = runner.and_then(|r| Some((r.worker(world.program)?, r.options(&BTreeMap::new()))));
        Self { runner, outputs: BTreeMap::new() }
    }

    fn compared_with(&mut self, plan: &BenchPlan) -> Option<Agreement> {
        let (spec, options) = self.runner.as_ref()?;
        let expected = self
            .outputs
            .entry(plan.subject.artifact.clone())
            .or_insert_with(|| outputs_of(spec, options, plan).ok());
        agreement(expected.as_ref()?, &outputs(plan).ok()?)
    }
}
