//! Measurements as tables and as the lines of the JSON document.

use std::fmt::Write as _;

use convwise_bench::Agreement;
use convwise_bench::stats::{Outcome, compare};
use convwise_types::{Device, GraphFacts, Measurement, RecordId, RunnerName};
use serde::Serialize;

use super::advice::{interval, short};
use super::postprocess;
use super::profile::ProfileLine;
use super::table::{Column, figures, table, text};
use crate::screen::{BAD, FAINT, GOOD, NAME, WARN, styled};
use convwise_advisor::draft::DEFAULT_RUNNER;

/// A benchmark that gave no record.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    /// What was measured.
    pub(crate) subject: String,
    /// With what.
    pub(crate) runner: String,
    /// Why it failed.
    pub(crate) reason: String,
    /// The record of an earlier failure, for which it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<RecordId>,
}

/// A measurement, and how far the runner's outputs are from those of the built-in one.
#[derive(Debug)]
pub(crate) struct Benched {
    pub(crate) measurement: Measurement,
    pub(crate) agreement: Option<Agreement>,
    /// What follows from its graph, for a network of ours.
    pub(crate) facts: Option<GraphFacts>,
}

/// How outputs compare with the built-in runner's, as `bench --json` prints it.
#[derive(Debug, Serialize)]
struct AgreementLine {
    reference: &'static str,
    max_abs: f64,
    max_rel: f64,
}

/// Name and version of a runner.
#[derive(Debug, Serialize)]
pub(crate) struct RunnerLine {
    name: RunnerName,
    version: String,
}

/// A measurement as `bench --json` prints it; times in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct RecordLine {
    id: RecordId,
    architecture: Option<String>,
    file: Option<String>,
    runner: RunnerLine,
    input: [u64; 3],
    batch: u64,
    threads: u64,
    precision: String,
    scenario: String,
    /// Whether it ends in answers.
    postprocess: bool,
    samples: u64,
    median_ms: f64,
    ci_low_ms: f64,
    ci_high_ms: f64,
    min_ms: f64,
    mean_ms: f64,
    p90_ms: Option<f64>,
    p99_ms: Option<f64>,
    load_ms: Option<f64>,
    first_ms: Option<f64>,
    build_ms: Option<f64>,
    peak_rss_bytes: Option<u64>,
    agreement: Option<AgreementLine>,
    launches: usize,
    verdict: String,
    remarks: Vec<String>,
    artifact: String,
    weights: String,
    device: Device,
    taken: String,
    command: String,
    /// Only with `--profile`, where it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileLine>,
}

impl RecordLine {
    pub(crate) fn of(benched: &Benched) -> Self {
        let m = &benched.measurement;
        let agreement = benched.agreement.map(|a| AgreementLine {
            reference: DEFAULT_RUNNER,
            max_abs: a.max_abs,
            max_rel: a.max_rel,
        });
        let s = &m.statistics;
        Self {
            id: m.id.clone(),
            architecture: m.subject.architecture.as_ref().map(ToString::to_string),
            file: m.subject.file.clone(),
            runner: RunnerLine { name: m.runner.name.clone(), version: m.runner.version.clone() },
            input: m.subject.input.into(),
            batch: m.subject.batch,
            threads: m.threads,
            precision: m.subject.precision.to_string(),
            scenario: m.scenario.to_string(),
            postprocess: m.subject.postprocess,
            samples: s.samples,
            median_ms: s.median.0,
            ci_low_ms: s.ci_low.0,
            ci_high_ms: s.ci_high.0,
            min_ms: s.min.0,
            mean_ms: s.mean.0,
            p90_ms: s.p90.map(|v| v.0),
            p99_ms: s.p99.map(|v| v.0),
            load_ms: middle(m.launches.iter().map(|l| l.load.0)),
            first_ms: middle(m.launches.iter().map(|l| l.first.0)),
            build_ms: middle(m.launches.iter().filter_map(|l| l.build).map(|b| b.0)),
            agreement,
            peak_rss_bytes: m.launches.iter().filter_map(|l| l.peak_rss).map(|b| b.0).max(),
            launches: m.launches.len(),
            verdict: m.verdict.to_string(),
            remarks: m.remarks.clone(),
            artifact: m.subject.artifact.clone(),
            weights: m.subject.weights.clone(),
            device: m.device.clone(),
            taken: m.taken.clone(),
            command: m.tool.command.clone(),
            profile: None,
        }
    }

    /// The same with where the time of a run goes.
    pub(crate) fn with_profile(self, profile: Option<ProfileLine>) -> Self {
        Self { profile, ..self }
    }
}

/// The middle one of a few values (the lower of two).
fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// Records in one table with how they compare, and what failed.
pub(crate) fn shown(records: &[Benched], failures: &[Failure]) -> String {
    let mut out = String::new();
    if let Some(first) = records.first() {
        out.push_str(&measurements(&first.measurement, records));
    }
    postprocess::lines(records, &mut out);
    remarks(records, &mut out);
    for failure in failures {
        let _ = writeln!(
            out,
            "{} {} with {}: {}",
            styled(BAD, "✗"),
            failure.subject,
            failure.runner,
            failure.reason
        );
    }
    out
}

/// A column: its title, and what stands in it.
type Col = (Column<'static>, fn(&Measurement, &Benched) -> String);

fn measurements(first: &Measurement, records: &[Benched]) -> String {
    let any = |has: fn(&Benched) -> bool| records.iter().any(has);
    let mut columns: Vec<Col> = vec![
        (text("network"), |_, b| {
            let subject = &b.measurement.subject;
            let tail = if subject.postprocess { " +postprocess" } else { "" };
            format!("{} @{}{tail}", styled(NAME, name(&b.measurement)), subject.input.height)
        }),
        (text("runner"), |_, b| b.measurement.runner.name.to_string()),
        (figures("median"), |_, b| b.measurement.statistics.median.to_string()),
        (text("95 % interval"), |_, b| {
            let s = &b.measurement.statistics;
            interval(s.ci_low.0, s.ci_high.0)
        }),
    ];
    if records.len() > 1 {
        columns.push((text("time / first"), |first, b| against(first, &b.measurement)));
    }
    if any(|b| b.agreement.is_some()) {
        columns.push((figures("outputs differ"), |_, b| differs(b)));
    }
    columns.extend::<[Col; 4]>([
        (figures("min"), |_, b| b.measurement.statistics.min.to_string()),
        (figures("p90 ≤"), |_, b| ms(b.measurement.statistics.p90.map(|v| v.0))),
        (figures("load"), |_, b| ms(middle(b.measurement.launches.iter().map(|l| l.load.0)))),
        (figures("first"), |_, b| ms(middle(b.measurement.launches.iter().map(|l| l.first.0)))),
    ]);
    if any(|b| b.measurement.launches.iter().any(|l| l.build.is_some())) {
        columns.push((figures("of it build"), |_, b| build(&b.measurement)));
    }
    columns.extend::<[Col; 4]>([
        (figures("memory"), |_, b| {
            let memory = b.measurement.launches.iter().filter_map(|l| l.peak_rss).max();
            memory.map_or_else(|| "unknown".to_owned(), |b| b.to_string())
        }),
        (figures("samples"), |_, b| {
            format!("{} in {}", b.measurement.statistics.samples, b.measurement.launches.len())
        }),
        (text("verdict"), |_, b| verdict(&b.measurement)),
        (text("record"), |_, b| styled(FAINT, short(b.measurement.id.as_str()))),
    ]);
    let (titles, cells): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    table(&titles, records.iter().map(|b| cells.iter().map(|cell| cell(first, b)).collect()))
}

fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |v| convwise_types::Millis(v).to_string())
}

/// What compiling for the device took, which stands in the time to load.
fn build(m: &Measurement) -> String {
    ms(middle(m.launches.iter().filter_map(|l| l.build).map(|b| b.0)))
}

fn verdict(m: &Measurement) -> String {
    if m.verdict == convwise_types::Quality::Trusted {
        return m.verdict.to_string();
    }
    styled(WARN, m.verdict)
}

/// Outputs that differ by more than this share of the largest one deserve a look.
const FAR: f64 = 1e-3;

fn differs(benched: &Benched) -> String {
    match benched.agreement {
        Some(a) if a.max_rel > FAR => styled(WARN, format!("{:.1e}", a.max_rel)),
        Some(a) => format!("{:.1e}", a.max_rel),
        None if benched.measurement.runner.name.as_str() == DEFAULT_RUNNER => "reference".to_owned(),
        None => "–".to_owned(),
    }
}

pub(crate) fn name(m: &Measurement) -> String {
    let architecture = m.subject.architecture.as_ref().map(ToString::to_string);
    architecture.or_else(|| m.subject.file.clone()).unwrap_or_else(|| "model".to_owned())
}

fn remarks(records: &[Benched], out: &mut String) {
    for Benched { measurement: m, .. } in records {
        for remark in &m.remarks {
            let _ = writeln!(out, "{} with {}: {remark}", name(m), m.runner.name);
        }
    }
}

/// How a record compares with the first: a significance test instead of two means.
pub(crate) fn against(first: &Measurement, other: &Measurement) -> String {
    if first.id == other.id {
        return "1".to_owned();
    }
    let Some(c) = compare(other, first) else { return "–".to_owned() };
    let range = format!("{:.2} [{:.2}, {:.2}]", c.ratio, c.low, c.high);
    match c.outcome {
        Outcome::Faster => format!("{} {range}", styled(GOOD, "faster")),
        Outcome::Slower => format!("slower {range}"),
        Outcome::Tie => format!("tie {range}"),
    }
}
