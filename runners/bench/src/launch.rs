//! One launch: a fresh process, measured by the schedule, with a look at the machine before and after.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use convwise_types::{Bytes, Launch, RunnerStamp};

use crate::conditions::{Disturbance, Snapshot};
use crate::error::BenchError;
use crate::plan::BenchPlan;
use crate::schedule::{Clock, Ending, Interruption, Observer, Protocol, Sampler, drive};
use crate::stats::whole_millis;

/// A model that is loaded in a process of its own.
pub(crate) trait Launched: Sampler<Error = BenchError> {
    /// Who runs it.
    fn stamp(&self) -> &RunnerStamp;

    /// What the runner wants readers to know, and what else is worth recording.
    fn notes(&self) -> &BTreeMap<String, String>;

    /// Nanoseconds that loading took.
    fn load_ns(&self) -> u64;

    /// Nanoseconds of it that compiling for the device took, where that is a step of its own.
    fn build_ns(&self) -> Option<u64>;

    /// Memory and processor time so far.
    fn usage(&mut self) -> Usage;

    /// Ends the process in order; what goes wrong in that is a remark, because the samples are taken.
    fn close(self: Box<Self>) -> Option<String>;
}

/// What a launch used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Most resident memory while running.
    pub peak_rss: Option<Bytes>,
    /// Processor time, all threads, since the start.
    pub processor: Duration,
}

/// The world outside: processes, the clock, the machine.
pub(crate) trait World: Clock {
    /// Starts a process and loads the model in it.
    fn launch<'a>(&'a self, plan: &BenchPlan) -> Result<Box<dyn Launched + 'a>, BenchError>;

    /// Looks at the machine.
    fn look(&self) -> Snapshot;
}

/// What a launch gave besides its samples.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub launch: Launch,
    pub settled: bool,
    pub ending: Ending,
    pub stamp: RunnerStamp,
    pub notes: BTreeMap<String, String>,
    pub disturbance: Disturbance,
    pub remark: Option<String>,
}

/// Makes one launch.
pub(crate) fn launch(
    world: &dyn World,
    plan: &BenchPlan,
    observer: &mut dyn Observer,
    cancel: &AtomicBool,
) -> Result<Outcome, BenchError> {
    let (before, began) = (world.look(), world.now());
    let mut sampler = Warm { launched: world.launch(plan)?, world, mhz: None };
    let protocol = Protocol::for_launch(plan.effort, plan.max_time);
    let run = drive(protocol, &mut sampler, world, observer, cancel).map_err(|why| interrupted(plan, why))?;
    let (after, elapsed) = (world.look(), world.now().saturating_sub(began));
    let Warm { mut launched, mhz, .. } = sampler;
    let usage = launched.usage();
    let before = Snapshot { mhz, ..before };
    let disturbance = Disturbance::between(&before, &after, elapsed, usage.processor);
    Ok(Outcome {
        launch: Launch {
            load: whole_millis(launched.load_ns()),
            build: launched.build_ns().map(whole_millis),
            first: whole_millis(run.first),
            warmup_runs: run.warmup_runs,
            samples_ns: run.samples,
            peak_rss: usage.peak_rss,
        },
        settled: run.settled,
        ending: run.ending,
        stamp: launched.stamp().clone(),
        notes: launched.notes().clone(),
        disturbance,
        // A worker that was stopped has no good end to make.
        remark: if run.ending == Ending::Cancelled { None } else { launched.close() },
    })
}

fn interrupted(plan: &BenchPlan, why: Interruption<BenchError>) -> BenchError {
    match why {
        Interruption::Failed(error) => error,
        Interruption::NoTimes => {
            BenchError::NoTimes { subject: plan.title(), runner: plan.worker.name.clone() }
        }
    }
}

/// Looks at the clock of the processor at the end of the warm-up: at rest it says nothing.
struct Warm<'a> {
    launched: Box<dyn Launched + 'a>,
    world: &'a dyn World,
    mhz: Option<f64>,
}

impl Sampler for Warm<'_> {
    type Error = BenchError;

    fn run(&mut self, count: u64, budget: Duration) -> Result<Vec<u64>, BenchError> {
        self.launched.run(count, budget)
    }

    fn check_outputs(&mut self) -> Result<(), BenchError> {
        self.mhz = self.world.look().mhz;
        self.launched.check_outputs()
    }
}
