//! From the outcomes of launches to one record.

use std::collections::BTreeMap;

use convwise_types::{Device, Launch, MEASUREMENT_SCHEMA, Measurement, Quality, Statistics, Tool};

use crate::conditions::Disturbance;
use crate::launch::Outcome;
use crate::plan::BenchPlan;
use crate::schedule::Ending;
use crate::stats::{
    MedianInterval, count, drift, interval_over_launches, lag1_autocorrelation, median, real, summarise,
};
use crate::verdict::{Seen, judge};

/// Who measures where and when: the same for all records of one call.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub device: Device,
    /// RFC 3339, UTC.
    pub taken: String,
    /// Version of this program.
    pub version: String,
}

/// The record of these launches, sealed with its id; `None` where nothing was sampled.
pub(crate) fn record(plan: &BenchPlan, outcomes: &[Outcome], stamp: &Stamp) -> Option<Measurement> {
    let outcomes: Vec<&Outcome> = outcomes.iter().filter(|o| !o.launch.samples_ns.is_empty()).collect();
    let launches: Vec<Launch> = outcomes.iter().map(|outcome| outcome.launch.clone()).collect();
    let statistics = summarise(&launches)?;
    let runner = outcomes.first()?.stamp.clone();
    let disturbance = if runner.simulated { Disturbance::default() } else { disturbance(&outcomes) };
    let (verdict, mut remarks) = verdict(plan, &outcomes, &statistics, &disturbance);
    remarks.extend(outcomes.iter().filter_map(|outcome| outcome.remark.clone()));
    let measurement = Measurement {
        schema: MEASUREMENT_SCHEMA,
        id: "".into(),
        subject: plan.subject.clone(),
        runner,
        threads: plan.threads,
        scenario: plan.scenario,
        rate: None,
        device: stamp.device.clone(),
        launches,
        statistics,
        verdict,
        remarks,
        conditions: conditions(plan, &outcomes, &disturbance),
        taken: stamp.taken.clone(),
        tool: Tool { version: stamp.version.clone(), command: plan.command.clone() },
    };
    Some(measurement.sealed())
}

/// The 95 % interval of the median over these launches.
pub(crate) fn interval(outcomes: &[Outcome]) -> Option<MedianInterval> {
    let series: Vec<&[u64]> = outcomes.iter().map(|outcome| outcome.launch.samples_ns.as_slice()).collect();
    interval_over_launches(&series)
}

fn disturbance(outcomes: &[&Outcome]) -> Disturbance {
    outcomes.iter().map(|outcome| outcome.disturbance.clone()).reduce(Disturbance::worst).unwrap_or_default()
}

fn verdict(
    plan: &BenchPlan,
    outcomes: &[&Outcome],
    statistics: &Statistics,
    disturbance: &Disturbance,
) -> (Quality, Vec<String>) {
    let half = (statistics.ci_high.0 - statistics.ci_low.0) / 2.0;
    judge(&Seen {
        effort: plan.effort,
        launches: outcomes.len(),
        samples: usize::try_from(statistics.samples).unwrap_or(usize::MAX),
        within: if statistics.median.0 > 0.0 { half / statistics.median.0 } else { 0.0 },
        drift: largest_drift(outcomes),
        launch_gap: launch_gap(outcomes),
        settled: outcomes.iter().all(|outcome| outcome.settled),
        cancelled: outcomes.iter().any(|outcome| outcome.ending == Ending::Cancelled),
        threads: real(plan.threads),
        disturbance,
    })
}

fn largest_drift(outcomes: &[&Outcome]) -> f64 {
    let drifts = outcomes.iter().map(|outcome| drift(&outcome.launch.samples_ns));
    drifts.max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or_default()
}

/// By how much the slowest launch exceeds the fastest.
fn launch_gap(outcomes: &[&Outcome]) -> f64 {
    let medians = outcomes.iter().filter_map(|outcome| median(&outcome.launch.samples_ns));
    let (low, high) = medians.fold((f64::INFINITY, 0.0_f64), |(low, high), m| (low.min(m), high.max(m)));
    if low.is_finite() && low > 0.0 { high / low - 1.0 } else { 0.0 }
}

fn conditions(
    plan: &BenchPlan,
    outcomes: &[&Outcome],
    disturbance: &Disturbance,
) -> BTreeMap<String, String> {
    let mut texts = disturbance.texts();
    texts.extend(outcomes.iter().flat_map(|outcome| outcome.notes.clone()));
    texts.insert("effort".to_owned(), plan.effort.as_str().to_owned());
    texts.insert("drift".to_owned(), format!("{:.1} %", largest_drift(outcomes) * 100.0));
    texts.insert("lag1_autocorrelation".to_owned(), format!("{:.2}", mean_lag1(outcomes)));
    texts.insert("input_seed".to_owned(), plan.seed.to_string());
    texts
}

fn mean_lag1(outcomes: &[&Outcome]) -> f64 {
    let sum: f64 = outcomes.iter().map(|outcome| lag1_autocorrelation(&outcome.launch.samples_ns)).sum();
    sum / count(outcomes.len()).max(1.0)
}
