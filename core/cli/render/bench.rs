//! Measurements as tables and as the lines of the JSON document.

use std::fmt::Write as _;

use convwise_types::{Device, Measurement, RecordId, RunnerName};
use serde::Serialize;

use super::advice::{interval, short};
use super::table::{figures, table, text};
use crate::screen::{BAD, FAINT, NAME, WARN, styled};

/// A benchmark that gave no record.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    /// What was measured.
    pub(crate) subject: String,
    /// With what.
    pub(crate) runner: String,
    /// Why it failed.
    pub(crate) reason: String,
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
    peak_rss_bytes: Option<u64>,
    launches: usize,
    verdict: String,
    remarks: Vec<String>,
    artifact: String,
    weights: String,
    device: Device,
    taken: String,
    command: String,
}

impl RecordLine {
    pub(crate) fn of(m: &Measurement) -> Self {
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
            peak_rss_bytes: m.launches.iter().filter_map(|l| l.peak_rss).map(|b| b.0).max(),
            launches: m.launches.len(),
            verdict: m.verdict.to_string(),
            remarks: m.remarks.clone(),
            artifact: m.subject.artifact.clone(),
            weights: m.subject.weights.clone(),
            device: m.device.clone(),
            taken: m.taken.clone(),
            command: m.tool.command.clone(),
        }
    }
}

/// The middle one of a few values (the lower of two).
fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// Records in one table, how they compare, and what failed.
pub(crate) fn shown(records: &[Measurement], failures: &[Failure]) -> String {
    let mut out = String::new();
    if !records.is_empty() {
        out.push_str(&measurements(records));
    }
    remarks(records, &mut out);
    comparison(records, &mut out);
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

fn measurements(records: &[Measurement]) -> String {
    let columns = [
        text("network"),
        text("runner"),
        figures("median"),
        text("95 % interval"),
        figures("min"),
        figures("p90 ≤"),
        figures("load"),
        figures("first"),
        figures("memory"),
        figures("samples"),
        text("verdict"),
        text("record"),
    ];
    table(&columns, records.iter().map(row))
}

fn row(m: &Measurement) -> Vec<String> {
    let s = &m.statistics;
    let ms = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| convwise_types::Millis(v).to_string());
    let memory = m.launches.iter().filter_map(|l| l.peak_rss).max();
    vec![
        format!("{} @{}", styled(NAME, name(m)), m.subject.input.height),
        m.runner.name.to_string(),
        s.median.to_string(),
        interval(s.ci_low.0, s.ci_high.0),
        s.min.to_string(),
        ms(s.p90.map(|v| v.0)),
        ms(middle(m.launches.iter().map(|l| l.load.0))),
        ms(middle(m.launches.iter().map(|l| l.first.0))),
        memory.map_or_else(|| "unknown".to_owned(), |b| b.to_string()),
        format!("{} in {}", s.samples, m.launches.len()),
        if m.verdict == convwise_types::Quality::Trusted {
            m.verdict.to_string()
        } else {
            styled(WARN, m.verdict)
        },
        styled(FAINT, short(m.id.as_str())),
    ]
}

fn name(m: &Measurement) -> String {
    let architecture = m.subject.architecture.as_ref().map(ToString::to_string);
    architecture.or_else(|| m.subject.file.clone()).unwrap_or_else(|| "model".to_owned())
}

fn remarks(records: &[Measurement], out: &mut String) {
    for m in records {
        for remark in &m.remarks {
            let _ = writeln!(out, "{}: {remark}", name(m));
        }
    }
}

/// Every further record against the first one, with a test instead of two means.
fn comparison(records: &[Measurement], out: &mut String) {
    let Some((first, others)) = records.split_first() else { return };
    for other in others {
        if let Some(words) = crate::commands::bench::against(first, other) {
            let _ = writeln!(out, "{} with {}: {words}", name(other), other.runner.name);
        }
    }
}
