//! `convwise bench --profile`: where the time of a run goes, in the names of our layers.

use std::collections::{BTreeMap, BTreeSet};

use convwise_advisor::catalogue::Form;
use convwise_bench::BenchPlan;
use convwise_graph::infer;
use convwise_host::{LayerTime, Profile, RunnerEntry, Worker, WorkerError};
use convwise_types::{Measurement, RecordId, Subject};
use convwise_zoo::{Zoo, ZooError};

use crate::context::Context;
use crate::error::CliError;
use crate::layers::{Layers, Part};
use crate::screen::Screen;

/// The extension that a runner with a profiler has.
const EXTENSION: &str = "convwise.profile/1";

/// A profile takes about this long.
const MILLIS: f64 = 2000.0;

/// Fewest and most runs of a profile.
const RUNS: (f64, f64) = (10.0, 200.0);

/// Where the time of a record's runs goes. The runs are others than those that were measured.
#[derive(Debug)]
pub(crate) struct Profiled {
    /// Runs that the times are medians of.
    pub(crate) runs: u32,
    /// Kernels in the order in which they run, each with what it does of our graph.
    pub(crate) kernels: Vec<(LayerTime, Part)>,
}

/// Names of runners with a profiler.
pub(crate) type Able = BTreeSet<String>;

/// Profiles by record; a record whose profile failed has a reason instead.
pub(crate) type Profiles = BTreeMap<RecordId, Result<Profiled, String>>;

/// Those of the runners that have a profiler. One is enough; the others are named in passing.
pub(crate) fn able(context: &Context, runners: &[&RunnerEntry]) -> Result<Able, CliError> {
    let lacking: Vec<_> = runners.iter().filter(|runner| !has_profiler(context, runner)).collect();
    let names: Vec<_> = lacking.iter().map(|runner| runner.name.as_str()).collect();
    let able = runners.iter().map(|runner| runner.name.clone());
    let able: Able = able.filter(|name| !names.contains(&name.as_str())).collect();
    let said = match names.as_slice() {
        [] => return Ok(able),
        [one] => format!("runner {one} has no profiler"),
        several => format!("runners {} have no profiler", several.join(", ")),
    };
    if !able.is_empty() {
        context.screen.warning(said);
        return Ok(able);
    }
    let others = context.runners().runners.iter().filter(|runner| has_profiler(context, runner));
    let others: Vec<_> = others.map(|runner| format!("--runner {}", runner.name)).collect();
    let hint = if others.is_empty() {
        "none that is there has one (`convwise runner list`)".to_owned()
    } else {
        format!("use {}", others.join(" or "))
    };
    Err(CliError::invalid(format!("{said}; {hint}")))
}

/// A runner that cannot be asked has none.
fn has_profiler(context: &Context, runner: &RunnerEntry) -> bool {
    let described = context.worker(runner).map(|mut worker| worker.describe());
    described.is_ok_and(|described| described.is_ok_and(|d| d.has_extension(EXTENSION)))
}

/// Whether every profile that was asked for was made.
pub(crate) fn all_well(profiles: &Profiles) -> bool {
    profiles.values().all(Result::is_ok)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 10 and 200")]
fn runs(median: f64) -> u32 {
    (MILLIS / median.max(f64::MIN_POSITIVE)).clamp(RUNS.0, RUNS.1) as u32
}

fn run(plan: &BenchPlan, runs: u32) -> Result<Profile, WorkerError> {
    let mut options = plan.options.clone();
    options.insert("threads".to_owned(), plan.threads.to_string());
    let mut worker = Worker::spawn(&plan.worker)?;
    worker.load(&plan.model, &options)?;
    worker.fill_inputs(usize::try_from(plan.subject.batch).unwrap_or(usize::MAX), plan.seed)?;
    worker.profile(runs)
}

/// What it takes to profile what was measured.
pub(crate) struct Profiler<'z> {
    /// Where failures are said at once.
    pub(crate) screen: Screen,
    /// Runners that are asked.
    pub(crate) able: Able,
    /// Networks, to be built once more.
    pub(crate) zoo: &'z Zoo,
    /// Classes of the last layer, as published without one.
    pub(crate) classes: Option<u64>,
}

impl Profiler<'_> {
    /// Profiles each measured plan of an able runner, in a worker of its own.
    pub(crate) fn profiles<E>(&self, plans: &[BenchPlan], results: &[Result<Measurement, E>]) -> Profiles {
        let measured =
            plans.iter().zip(results).filter_map(|(plan, result)| Some((plan, result.as_ref().ok()?)));
        let asked = measured.filter(|(plan, _)| self.able.contains(&plan.worker.name));
        asked.map(|(plan, record)| (record.id.clone(), self.tried(plan, record))).collect()
    }

    fn tried(&self, plan: &BenchPlan, record: &Measurement) -> Result<Profiled, String> {
        let made = self.profiled(plan, record);
        if let Err(why) = &made {
            self.screen.warning(format!("no profile of {}: {why}", plan.title()));
        }
        made
    }

    fn profiled(&self, plan: &BenchPlan, record: &Measurement) -> Result<Profiled, String> {
        let profile = run(plan, runs(record.statistics.median.0)).map_err(|error| error.to_string())?;
        let parts = match self.parts(record, &profile.layers) {
            Some(parts) => parts.map_err(|error| error.to_string())?,
            None => profile.layers.iter().map(|_| Part::default()).collect(),
        };
        Ok(Profiled { runs: profile.runs, kernels: profile.layers.into_iter().zip(parts).collect() })
    }

    /// The part of each kernel in the network that was measured; nothing for somebody's file.
    fn parts(&self, record: &Measurement, kernels: &[LayerTime]) -> Option<Result<Vec<Part>, ZooError>> {
        let id = record.subject.architecture.as_ref()?;
        Some(self.parts_of(id.as_str(), &record.subject, kernels))
    }

    fn parts_of(&self, id: &str, subject: &Subject, kernels: &[LayerTime]) -> Result<Vec<Part>, ZooError> {
        let variant = self.zoo.find(id)?;
        let form = Form { classes: self.classes, postprocess: subject.postprocess };
        let graph = self.zoo.build(variant, &form.at(subject.input))?;
        let shapes = infer(&graph, usize::try_from(subject.batch).unwrap_or(usize::MAX))?;
        Ok(Layers::new(&graph, &shapes).parts(kernels))
    }
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn a_profile_takes_a_bounded_time() {
        assert_eq!((runs(0.0), runs(0.5), runs(50.0), runs(9000.0)), (200, 200, 40, 10));
    }
}
