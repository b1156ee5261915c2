//! Measures one plan or several: launches in random order, one record each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use convwise_types::{Measurement, Millis};

use crate::device;
use crate::error::BenchError;
use crate::launch::{Outcome, World, launch};
use crate::order::Order;
use crate::plan::BenchPlan;
use crate::progress::{Progress, Update};
use crate::record::{Stamp, interval, record};
use crate::schedule::{Observer, Phase, TARGET};
use crate::stats::{MedianInterval, count};
use crate::watch::Watch;
use crate::worker::RealWorld;

/// Measures one plan. Blocks until it is done; `progress` is told how it goes. Once `cancel` is set, it ends within about
/// a second, with a record of what was sampled so far if anything was.
///
/// # Errors
/// [`BenchError`]: whatever a worker can do, outputs that are not numbers, a scenario that is not available.
pub fn measure(
    plan: &BenchPlan,
    progress: &mut dyn Progress,
    cancel: &AtomicBool,
) -> Result<Measurement, BenchError> {
    let nothing = || Err(BenchError::Cancelled { subject: plan.title() });
    measure_many(std::slice::from_ref(plan), progress, cancel).pop().unwrap_or_else(nothing)
}

/// Measures several plans, one result each in the order of the plans. Every round makes one launch of each plan that
/// still wants one, in an order that is random but repeats with the first plan's seed: slow changes of the machine then
/// fall on all plans alike.
pub fn measure_many(
    plans: &[BenchPlan],
    progress: &mut dyn Progress,
    cancel: &AtomicBool,
) -> Vec<Result<Measurement, BenchError>> {
    let stamp = Stamp { device: device::here(), taken: now(), version: env!("CARGO_PKG_VERSION").to_owned() };
    Watch::during(cancel, |watch| measure_in(&RealWorld::new(watch), plans, &stamp, progress, cancel))
}

/// The time, as records have it: RFC 3339, UTC, whole seconds.
#[must_use]
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The same in any world.
pub(crate) fn measure_in(
    world: &dyn World,
    plans: &[BenchPlan],
    stamp: &Stamp,
    progress: &mut dyn Progress,
    cancel: &AtomicBool,
) -> Vec<Result<Measurement, BenchError>> {
    let mut batch = Batch { world, stamp, began: world.now(), jobs: plans.iter().map(Job::new).collect() };
    let mut order = Order::new(plans.first().map_or(0, |plan| plan.seed));
    loop {
        let mut waiting: Vec<usize> = batch.waiting(cancel);
        if waiting.is_empty() {
            break;
        }
        order.shuffle(&mut waiting);
        for index in waiting {
            batch.launch(index, progress, cancel);
        }
    }
    batch.results(progress)
}

/// One plan on its way to a record.
struct Job<'p> {
    plan: &'p BenchPlan,
    outcomes: Vec<Outcome>,
    spent: Duration,
    failed: Option<BenchError>,
    result: Option<Result<Measurement, BenchError>>,
}

impl<'p> Job<'p> {
    fn new(plan: &'p BenchPlan) -> Self {
        Self { plan, outcomes: Vec::new(), spent: Duration::ZERO, failed: plan.check().err(), result: None }
    }

    /// Whether another launch is due: until there are as many as the effort asks for, then while the launches disagree
    /// and there is time.
    fn wants_launch(&self) -> bool {
        let (made, effort) = (self.outcomes.len(), self.plan.effort);
        if self.failed.is_some() || self.result.is_some() || made >= effort.most_launches() {
            return false;
        }
        let usual = self.spent / u32::try_from(made.max(1)).unwrap_or(1);
        let time_left = made == 0 || self.spent + usual <= self.plan.max_time;
        let wide = interval(&self.outcomes).is_none_or(|interval| interval.relative() > TARGET);
        // Loading is not part of the time, so slow loading must not cost a launch that the effort asks for.
        made < effort.launches() || (wide && time_left)
    }

    /// Launches that this job will have, as far as is known.
    fn expected(&self) -> usize {
        if self.failed.is_some() { 0 } else { self.plan.effort.launches().max(self.outcomes.len()) }
    }

    /// Ends the job: its record, or why there is none.
    fn conclude(&mut self, stamp: &Stamp) -> Result<Measurement, BenchError> {
        let nothing = || BenchError::Cancelled { subject: self.plan.title() };
        match self.failed.take() {
            Some(error) => Err(error),
            None => record(self.plan, &self.outcomes, stamp).ok_or_else(nothing),
        }
    }
}

struct Batch<'p> {
    world: &'p dyn World,
    stamp: &'p Stamp,
    began: Duration,
    jobs: Vec<Job<'p>>,
}

impl Batch<'_> {
    fn waiting(&self, cancel: &AtomicBool) -> Vec<usize> {
        if cancel.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let due = self.jobs.iter().enumerate().filter(|(_, job)| job.wants_launch());
        due.map(|(index, _)| index).collect()
    }

    fn launch(&mut self, index: usize, progress: &mut dyn Progress, cancel: &AtomicBool) {
        if cancel.load(Ordering::Relaxed) {
            return;
        }
        let Some(plan) = self.jobs.get(index).map(|job| job.plan) else { return };
        let began = self.world.now();
        let made = {
            let title = plan.title();
            let mut reporter = Reporter { batch: self, index, title: &title, progress };
            reporter.at(Phase::Load, 0.0, None);
            launch(self.world, plan, &mut reporter, cancel)
        };
        let spent = self.world.now().saturating_sub(began);
        let Some(job) = self.jobs.get_mut(index) else { return };
        job.spent += spent;
        match made {
            Ok(outcome) => job.outcomes.push(outcome),
            // What earlier launches gave is worth keeping when somebody stops this one.
            Err(BenchError::Cancelled { .. }) => {}
            Err(error) => job.failed = Some(error),
        }
        if !job.wants_launch() {
            self.finish(index, progress);
        }
    }

    fn finish(&mut self, index: usize, progress: &mut dyn Progress) {
        let Some(job) = self.jobs.get_mut(index) else { return };
        let result = job.conclude(self.stamp);
        progress.finished(index, &result);
        job.result = Some(result);
    }

    fn results(mut self, progress: &mut dyn Progress) -> Vec<Result<Measurement, BenchError>> {
        for index in 0..self.jobs.len() {
            if self.jobs.get(index).is_some_and(|job| job.result.is_none()) {
                self.finish(index, progress);
            }
        }
        self.jobs.into_iter().filter_map(|job| job.result).collect()
    }

    /// How much of everything is done when job `index` has done `part` of its current launch.
    fn done(&self, index: usize, part: f64) -> f64 {
        let share = |(i, job): (usize, &Job<'_>)| match &job.result {
            Some(_) => 1.0,
            None => {
                let current = if i == index { part } else { 0.0 };
                (count(job.outcomes.len()) + current) / count(job.expected()).max(1.0)
            }
        };
        let sum: f64 = self.jobs.iter().enumerate().map(share).sum();
        (sum / count(self.jobs.len()).max(1.0)).min(1.0)
    }
}

/// Turns what a launch says into what a person wants to know.
struct Reporter<'b, 'p> {
    batch: &'b Batch<'p>,
    index: usize,
    title: &'b str,
    progress: &'b mut dyn Progress,
}

impl Observer for Reporter<'_, '_> {
    fn at(&mut self, phase: Phase, launch_done: f64, known: Option<MedianInterval>) {
        let done = self.batch.done(self.index, launch_done);
        let job = self.batch.jobs.get(self.index);
        let made = job.map_or(0, |job| job.outcomes.len());
        self.progress.update(&Update {
            plan: self.index,
            plans: self.batch.jobs.len(),
            title: self.title,
            launch: made,
            launches: job.map_or(1, Job::expected).max(made + 1),
            phase,
            launch_done,
            done,
            left: left(self.batch.world.now().saturating_sub(self.batch.began), done),
            median: known.map(|interval| Millis(interval.median / 1e6)),
            within: known.map(|interval| interval.relative()),
        });
    }
}

/// The time left if the rest goes as the part that is done did; nothing before a fiftieth is done.
fn left(elapsed: Duration, done: f64) -> Option<Duration> {
    (done >= 0.02).then(|| elapsed.mul_f64((1.0 - done) / done))
}

#[cfg(test)]
mod tests;
