//! The world as it is: worker processes of the host, the system's clock, this machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use convwise_host::{Description, Loaded, Probe, Worker, WorkerError};
use convwise_types::{Bytes, RunnerName, RunnerStamp};

use crate::conditions::Snapshot;
use crate::error::BenchError;
use crate::launch::{Launched, Usage, World};
use crate::plan::BenchPlan;
use crate::schedule::{Clock, Sampler};
use crate::watch::{Followed, Watch};

/// Real processes, real time.
pub(crate) struct RealWorld<'w> {
    began: Instant,
    watch: &'w Watch<'w>,
}

impl<'w> RealWorld<'w> {
    pub(crate) fn new(watch: &'w Watch<'w>) -> Self {
        Self { began: Instant::now(), watch }
    }
}

impl Clock for RealWorld<'_> {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

impl World for RealWorld<'_> {
    fn launch<'a>(&'a self, plan: &BenchPlan) -> Result<Box<dyn Launched + 'a>, BenchError> {
        let launched = Process::start(plan, self.watch);
        launched.map(|process| Box::new(process) as Box<dyn Launched + 'a>).map_err(|error| {
            // A worker that the watch ended looks like one that crashed.
            if self.watch.cancelled() { BenchError::Cancelled { subject: plan.title() } } else { error }
        })
    }

    fn look(&self) -> Snapshot {
        Snapshot::take()
    }
}

/// A model loaded in a worker.
struct Process<'w> {
    // Before the worker: fields are dropped in this order.
    followed: Followed<'w>,
    worker: Worker,
    subject: String,
    loaded: Loaded,
    stamp: RunnerStamp,
    notes: BTreeMap<String, String>,
}

impl<'w> Process<'w> {
    fn start(plan: &BenchPlan, watch: &'w Watch<'w>) -> Result<Self, BenchError> {
        let failed = |source| worker_failed(plan.title(), source);
        let mut spec = plan.worker.clone();
        spec.threads = usize::try_from(plan.threads).ok();
        let mut worker = Worker::spawn(&spec).map_err(failed)?;
        let followed = watch.follow(worker.pid());
        let (loaded, stamp) = prepare(&mut worker, plan)?;
        let notes = notes_of(&loaded);
        Ok(Self { followed, worker, subject: plan.title(), loaded, stamp, notes })
    }

    fn failed(&self, source: WorkerError) -> BenchError {
        worker_failed(self.subject.clone(), source)
    }
}

fn worker_failed(subject: String, source: WorkerError) -> BenchError {
    BenchError::Worker { subject, source: Box::new(source) }
}

/// Asks who the runner is and whether it can run here, loads the model and sets its inputs.
fn prepare(worker: &mut Worker, plan: &BenchPlan) -> Result<(Loaded, RunnerStamp), BenchError> {
    let failed = |source| worker_failed(plan.title(), source);
    let options = plan.all_options();
    let description = worker.describe().map_err(failed)?;
    let probe = worker.probe(&options).map_err(failed)?;
    if !probe.usable {
        return Err(BenchError::Unusable { runner: plan.worker.name.clone(), missing: probe.missing });
    }
    let loaded = worker.load(&plan.model, &options).map_err(failed)?;
    let batch = usize::try_from(plan.subject.batch).unwrap_or(usize::MAX);
    worker.fill_inputs(batch, plan.seed).map_err(failed)?;
    Ok((loaded, stamp(plan, &description, &probe, options)))
}

fn stamp(
    plan: &BenchPlan,
    description: &Description,
    probe: &Probe,
    options: BTreeMap<String, String>,
) -> RunnerStamp {
    let engine = probe.backend.as_ref().or(description.backend.as_ref());
    let version = match engine {
        Some(engine) => format!("{} ({engine})", description.version),
        None => description.version.clone(),
    };
    let name = RunnerName::from(plan.worker.name.as_str());
    RunnerStamp { name, version, options, simulated: description.simulated }
}

/// What the runner says about the loaded model goes into the record's conditions.
fn notes_of(loaded: &Loaded) -> BTreeMap<String, String> {
    let io = &loaded.io;
    let placed: Vec<_> = io.placement.iter().map(|(place, nodes)| format!("{nodes} on {place}")).collect();
    let build = io.build.map(|build| if build.cached { "from its cache" } else { "built anew" });
    let entries = [
        ("runner_notes", io.notes.join("; ")),
        ("placement", placed.join(", ")),
        ("build", build.unwrap_or_default().to_owned()),
    ];
    let known = entries.into_iter().filter(|(_, text)| !text.is_empty());
    known.map(|(name, text)| (name.to_owned(), text)).collect()
}

impl Sampler for Process<'_> {
    type Error = BenchError;

    fn run(&mut self, count: u64, budget: Duration) -> Result<Vec<u64>, BenchError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let times = self.worker.run_within(count, budget).map_err(|error| self.failed(error))?;
        if times.own_clock {
            self.notes.insert("clock_of".to_owned(), "the runner".to_owned());
        }
        Ok(times.nanos)
    }

    fn check_outputs(&mut self) -> Result<(), BenchError> {
        let checks = self.worker.check_outputs().map_err(|error| self.failed(error))?;
        match checks.into_iter().find(|check| !check.is_finite()) {
            None => Ok(()),
            Some(check) => Err(BenchError::NotANumber {
                subject: self.subject.clone(),
                runner: self.stamp.name.to_string(),
                check: Box::new(check),
            }),
        }
    }
}

impl Launched for Process<'_> {
    fn stamp(&self) -> &RunnerStamp {
        &self.stamp
    }

    fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }

    fn load_ns(&self) -> u64 {
        self.loaded.nanos
    }

    fn build_ns(&self) -> Option<u64> {
        self.loaded.io.build.map(|build| build.ns)
    }

    /// A worker that cannot report its use any more leaves the figures out; its samples are good all the same.
    fn usage(&mut self) -> Usage {
        let Ok(usage) = self.worker.usage() else { return Usage::default() };
        let peak = Some(usage.peak_rss_bytes).filter(|peak| *peak > 0 && !self.stamp.simulated);
        Usage {
            peak_rss: peak.map(Bytes),
            processor: Duration::from_nanos(usage.user_ns.saturating_add(usage.system_ns)),
        }
    }

    fn close(self: Box<Self>) -> Option<String> {
        let Self { followed, worker, .. } = *self;
        drop(followed);
        worker.close().err().map(|error| format!("after the last run: {error}"))
    }
}
