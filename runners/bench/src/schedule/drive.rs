//! Carries out a schedule on something that can run a model.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Ending, Phase, Protocol, Schedule, Step};
use crate::stats::MedianInterval;

/// Something that runs a model and says how long it took: a worker process, or a list of numbers in a test.
pub trait Sampler {
    /// What can go wrong.
    type Error;

    /// Runs the model up to `count` times, stopping early once the runs have taken `budget` together but not before the
    /// first. Nanoseconds of each run.
    ///
    /// # Errors
    /// When the model could not be run.
    fn run(&mut self, count: u64, budget: Duration) -> Result<Vec<u64>, Self::Error>;

    /// Looks at the outputs of the last run.
    ///
    /// # Errors
    /// When they are not numbers, or cannot be read.
    fn check_outputs(&mut self) -> Result<(), Self::Error>;
}

/// Where time comes from.
pub trait Clock {
    /// Time since any fixed moment.
    fn now(&self) -> Duration;
}

/// Sees how a launch goes.
pub trait Observer {
    /// After every step: the phase, how much of the launch is done (0 to 1), and what is known of the median.
    fn at(&mut self, phase: Phase, done: f64, interval: Option<MedianInterval>);
}

/// What one launch gave.
#[derive(Clone, Debug, PartialEq)]
pub struct LaunchRun {
    /// First run, nanoseconds.
    pub first: u64,
    /// Runs spent warming up.
    pub warmup_runs: u64,
    /// Whether the warm-up ended because its windows agreed.
    pub settled: bool,
    /// Steady-state samples, nanoseconds, in order.
    pub samples: Vec<u64>,
    /// Why it ended.
    pub ending: Ending,
}

/// Why a launch gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption<E> {
    /// The sampler failed.
    Failed(E),
    /// A batch of runs came back empty, which would go on for ever.
    NoTimes,
}

/// Carries out one launch of `protocol`. `cancel` is looked at between batches: once set, the launch ends with what was
/// sampled so far.
///
/// # Errors
/// When the sampler fails.
pub fn drive<S: Sampler>(
    protocol: Protocol,
    sampler: &mut S,
    clock: &dyn Clock,
    observer: &mut dyn Observer,
    cancel: &AtomicBool,
) -> Result<LaunchRun, Interruption<S::Error>> {
    let (mut schedule, began, mut ran) = (Schedule::new(protocol), clock.now(), Duration::ZERO);
    loop {
        if cancel.load(Ordering::Relaxed) {
            schedule.cancel();
        }
        // A simulated runner's time passes in its own numbers only.
        let now = clock.now().saturating_sub(began).max(ran);
        observer.at(schedule.phase(), schedule.done(now), schedule.interval());
        match schedule.next(now) {
            Step::Finish(ending) => return Ok(finish(&schedule, ending)),
            Step::CheckOutputs => {
                sampler.check_outputs().map_err(Interruption::Failed)?;
                schedule.outputs_are_fine(now);
            }
            Step::Run { count, budget } => match sampler.run(count, budget) {
                Ok(times) if times.is_empty() => return Err(Interruption::NoTimes),
                Ok(times) => {
                    ran += Duration::from_nanos(times.iter().sum());
                    schedule.record(&times);
                }
                // Whoever stops us may also have stopped the worker in the middle of a long run.
                Err(_) if cancel.load(Ordering::Relaxed) => schedule.cancel(),
                Err(error) => return Err(Interruption::Failed(error)),
            },
        }
    }
}

fn finish(schedule: &Schedule, ending: Ending) -> LaunchRun {
    LaunchRun {
        first: schedule.first(),
        warmup_runs: schedule.warmup_runs(),
        settled: schedule.settled(),
        samples: schedule.samples().to_vec(),
        ending,
    }
}
