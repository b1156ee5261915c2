//! Runners that failed: what is recorded of it, and which pairs of network and runner are avoided for it.

use convwise_bench::{BenchError, BenchPlan};
use convwise_host::RunnerEntry;
use convwise_types::{DeviceId, FAILURE_SCHEMA, Measurement, RunFailure, RunnerName, Subject, Tool};

use crate::world::World;

/// The record of a benchmark without figures; `None` where that says nothing about network or runner (it was stopped,
/// or what it needs is missing).
#[must_use]
pub fn failure_of(
    world: &World<'_>,
    runner: &RunnerEntry,
    plan: &BenchPlan,
    error: &BenchError,
) -> Option<RunFailure> {
    let (kind, phase) = kind_of(error)?;
    Some(RunFailure {
        schema: FAILURE_SCHEMA,
        subject: plan.subject.clone(),
        runner: RunnerName::from(plan.worker.name.as_str()),
        version: version_of(world, runner),
        options: plan.options.clone(),
        threads: plan.threads,
        device: world.here.id.clone(),
        kind: kind.to_owned(),
        phase: phase.map(str::to_owned),
        reason: error.to_string(),
        taken: convwise_bench::now(),
        tool: Tool { version: world.version.to_owned(), command: plan.command.clone() },
    })
}

/// What kind of failure it is, and what the runner was asked to do.
fn kind_of(error: &BenchError) -> Option<(&'static str, Option<&'static str>)> {
    match error {
        BenchError::Worker { source, .. } => match source.kind() {
            "spawn" | "dynamic-shape" | "ended" => None,
            kind => Some((kind, source.phase().map(convwise_host::Phase::name))),
        },
        BenchError::NotANumber { .. } => Some(("not-a-number", Some("run"))),
        BenchError::NoTimes { .. } => Some(("protocol", Some("run"))),
        _ => None,
    }
}

/// A built-in runner is as old as the program.
fn version_of(world: &World<'_>, runner: &RunnerEntry) -> String {
    runner.version.clone().unwrap_or_else(|| world.version.to_owned())
}

/// A runner in one version, on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The runner.
    pub runner: RunnerName,
    /// Its version.
    pub version: String,
    /// The device.
    pub device: DeviceId,
}

impl Stand {
    /// A runner as it is now.
    #[must_use]
    pub fn of(world: &World<'_>, runner: &RunnerEntry, device: DeviceId) -> Self {
        let name = RunnerName::from(runner.name.as_str());
        Self { runner: name, version: version_of(world, runner), device }
    }
}

/// Failures that still stand: neither has the runner another version since, nor was the network measured on it later.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<RunFailure>);

impl Faults {
    /// Those of the recorded failures that happened there and that no later measurement has overtaken. What was recorded
    /// before the moment `forgiven` (RFC 3339) is as good as not recorded.
    #[must_use]
    pub fn standing(
        at: &Stand,
        failures: &[RunFailure],
        measurements: &[Measurement],
        forgiven: Option<&str>,
    ) -> Self {
        let ours = |f: &RunFailure| {
            let later = forgiven.is_none_or(|moment| f.taken.as_str() >= moment);
            let there = f.device == at.device && f.runner == at.runner && f.version == at.version;
            f.is_fault() && later && there
        };
        let overtaken = |f: &RunFailure| {
            let same = |m: &&Measurement| m.device.id == f.device && f.concerns(&m.subject, &m.runner.name);
            // Times are whole seconds, and a measurement has that of its beginning: one of the same second came after.
            measurements.iter().filter(same).any(|m| m.taken >= f.taken)
        };
        Self(failures.iter().filter(|f| ours(f) && !overtaken(f)).cloned().collect())
    }

    /// The newest failure of this network.
    #[must_use]
    pub fn of(&self, subject: &Subject) -> Option<&RunFailure> {
        self.newest(|f| f.concerns(subject, &f.runner))
    }

    /// The newest failure that is as asked.
    pub fn newest(&self, wanted: impl Fn(&RunFailure) -> bool) -> Option<&RunFailure> {
        self.0.iter().filter(|f| wanted(f)).max_by(|a, b| a.taken.cmp(&b.taken))
    }
}
