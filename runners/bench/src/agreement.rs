//! How far the outputs of one runner are from those of another, on the same model file and the same input.

use std::collections::BTreeMap;

use convwise_host::{Tensor, Worker, WorkerError, WorkerSpec};

use crate::plan::BenchPlan;

/// The largest differences between the outputs of two runners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// The largest difference of two elements.
    pub max_abs: f64,
    /// The same as a share of the largest element of the reference.
    pub max_rel: f64,
}

/// The outputs of a plan's model on the plan's input, from a process of its own.
///
/// # Errors
/// Whatever the worker can do.
pub fn outputs(plan: &BenchPlan) -> Result<Vec<Tensor>, WorkerError> {
    outputs_of(&plan.worker, &plan.options, plan)
}

/// As [`outputs`], by another runner.
///
/// # Errors
/// As [`outputs`].
pub fn outputs_of(
    runner: &WorkerSpec,
    options: &BTreeMap<String, String>,
    plan: &BenchPlan,
) -> Result<Vec<Tensor>, WorkerError> {
    let mut options = options.clone();
    options.insert("threads".to_owned(), plan.threads.to_string());
    let spec = WorkerSpec { threads: usize::try_from(plan.threads).ok(), ..runner.clone() };
    let mut worker = Worker::spawn(&spec)?;
    worker.load(&plan.model, &options)?;
    worker.fill_inputs(usize::try_from(plan.subject.batch).unwrap_or(usize::MAX), plan.seed)?;
    worker.run(1)?;
    let count = worker.io()?.outputs.len();
    (0..count).map(|index| worker.output(index)).collect()
}

/// Compares outputs with those of a reference; `None` where their number, shapes or types differ.
#[must_use]
pub fn agreement(reference: &[Tensor], outputs: &[Tensor]) -> Option<Agreement> {
    if reference.len() != outputs.len() {
        return None;
    }
    let mut worst = Agreement { max_abs: 0.0, max_rel: 0.0 };
    for (expected, actual) in reference.iter().zip(outputs) {
        let found = compare(expected, actual)?;
        worst.max_abs = worst.max_abs.max(found.max_abs);
        worst.max_rel = worst.max_rel.max(found.max_rel);
    }
    Some(worst)
}

fn compare(expected: &Tensor, actual: &Tensor) -> Option<Agreement> {
    if expected.shape() != actual.shape() {
        return None;
    }
    let (expected, actual) = (expected.to_f32().ok()?, actual.to_f32().ok()?);
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(f64::from(value.abs())));
    let differences = expected.iter().zip(&actual).map(|(e, a)| (f64::from(*e) - f64::from(*a)).abs());
    // A value that is no number differs from everything.
    let max_abs = differences.fold(0.0_f64, |worst, d| if d.is_nan() { f64::INFINITY } else { worst.max(d) });
    let max_rel = if max_abs == 0.0 { 0.0 } else { max_abs / largest };
    Some(Agreement { max_abs, max_rel })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f32]) -> Vec<Tensor> {
        vec![Tensor::from_f32(&[values.len()], values).unwrap()]
    }

    #[test]
    fn the_largest_difference_counts() {
        let found = agreement(&tensor(&[1.0, -4.0, 2.0]), &tensor(&[1.0, -4.0, 2.5])).unwrap();
        assert_eq!((found.max_abs, found.max_rel), (0.5, 0.125));
        assert_eq!(agreement(&tensor(&[0.0]), &tensor(&[0.0])).unwrap().max_rel, 0.0);
    }

    #[test]
    fn outputs_that_are_not_alike_or_no_numbers_do_not_agree() {
        assert_eq!(agreement(&tensor(&[1.0]), &tensor(&[1.0, 2.0])), None);
        assert_eq!(agreement(&tensor(&[1.0]), &tensor(&[f32::NAN])).unwrap().max_rel, f64::INFINITY);
    }
}
