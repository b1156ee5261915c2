//! One record as a page for people.

use std::fmt::{Display, Write as _};

use convwise_store::Record;
use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, Bytes, Device, Measurement, Millis, Quality, RunFailure,
    Subject,
};

use super::advice::{count_of, interval};
use super::bench::name;
use crate::screen::{GOOD, HEADING, WARN, styled};

/// Lines of a page: what each says, and the value.
type Lines = Vec<(&'static str, String)>;

/// The page of a record.
pub(crate) fn page(record: &Record) -> String {
    let lines = match record {
        Record::Measurement(m) => measurement(m),
        Record::Failure(f) => failure(f),
        Record::Result(r) => result(r),
        Record::Timing(t) => timing(t),
        Record::Cost(c) => cost(c),
        Record::Fact(f) => fact(f),
        _ => Vec::new(),
    };
    let mut out = format!("{}  {}\n\n", styled(HEADING, record.kind()), record.id());
    out.push_str(&laid_out(&lines));
    out
}

/// Lines under each other; those without a value are left out.
pub(crate) fn laid_out(lines: &[(&'static str, String)]) -> String {
    let mut out = String::new();
    for (what, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(out, "{what:<13} {value}");
    }
    out
}

fn measurement(m: &Measurement) -> Lines {
    let s = &m.statistics;
    let counted = format!("{} in {}", count(s.samples, "sample"), count_of(m.launches.len(), "process"));
    let mut lines = vec![("network", subject(&m.subject, &name(m)))];
    lines.extend(how(&m.subject, m.runner.name.as_str(), &m.runner.version, m.threads));
    lines.extend(options(&m.runner.options));
    lines.extend([
        ("device", device(&m.device)),
        ("median", format!("{}, 95 % interval {}", s.median, interval(s.ci_low.0, s.ci_high.0))),
        ("spread", format!("least {}, mean {}{}", s.min, s.mean, percentiles(m))),
        ("samples", format!("{counted}, {} beyond 1.5 interquartile ranges", s.outliers)),
        (
            "first launch",
            m.launches
                .first()
                .map_or_else(String::new, |l| format!("{} to load, {} for the first run", l.load, l.first)),
        ),
        ("memory", m.launches.iter().filter_map(|l| l.peak_rss).max().map_or_else(String::new, at_most)),
        ("verdict", verdict(m.verdict)),
    ]);
    lines.extend(m.remarks.iter().map(|remark| ("", remark.clone())));
    let conditions = m.conditions.iter().map(|(what, value)| format!("{what} {value}"));
    lines.extend([
        ("conditions", conditions.collect::<Vec<_>>().join(", ")),
        ("taken", format!("{} by convwise {}", m.taken, m.tool.version)),
        ("reproduce", m.tool.command.clone()),
    ]);
    lines
}

fn count(count: u64, noun: &str) -> String {
    count_of(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

fn percentiles(m: &Measurement) -> String {
    let percentile = |name: &str, value: Option<Millis>| value.map(|v| format!(", {name} {v}"));
    let s = &m.statistics;
    [percentile("p90", s.p90), percentile("p99", s.p99)].into_iter().flatten().collect()
}

fn at_most(bytes: Bytes) -> String {
    format!("{bytes} at the most")
}

fn verdict(verdict: Quality) -> String {
    let style = if verdict == Quality::Trusted { GOOD } else { WARN };
    styled(style, verdict)
}

fn subject(s: &Subject, name: &str) -> String {
    let postprocess = if s.postprocess { ", with post-processing" } else { "" };
    format!("{name} at {}, {}, batch {}{postprocess}", s.input, s.precision, s.batch)
}

/// With what and how something ran.
fn how(s: &Subject, runner: &str, version: &str, threads: u64) -> Lines {
    let mut lines = vec![
        ("weights", s.weights.clone()),
        ("runner", format!("{runner} {version}, {}", count(threads, "thread"))),
        ("model file", s.artifact.clone()),
    ];
    lines.extend(s.graph.clone().map(|graph| ("layer graph", graph)));
    lines
}

fn options(options: &std::collections::BTreeMap<String, String>) -> Lines {
    let options: Vec<_> = options.iter().map(|(key, value)| format!("{key}={value}")).collect();
    vec![("options", options.join(", "))]
}

fn device(d: &Device) -> String {
    let machine = if d.virtual_machine { ", virtual machine" } else { "" };
    let gpu = d.gpu.as_ref().map(|gpu| format!(", {gpu}")).unwrap_or_default();
    format!("{}: {}{gpu}, {}, {}{machine}", d.id, d.cpu, count(d.cores, "processor"), d.platform)
}

fn failure(f: &RunFailure) -> Lines {
    let name = f.subject.architecture.as_ref().map(ToString::to_string).or_else(|| f.subject.file.clone());
    let mut lines = vec![("network", subject(&f.subject, &name.unwrap_or_else(|| "model".to_owned())))];
    lines.extend(how(&f.subject, f.runner.as_str(), &f.version, f.threads));
    lines.extend(options(&f.options));
    let phase = f.phase.as_ref().map(|phase| format!(", while asked to {phase}")).unwrap_or_default();
    lines.extend([
        ("device", f.device.to_string()),
        ("failed", styled(WARN, format!("{}{phase}", f.kind))),
        ("reason", f.reason.clone()),
        ("taken", format!("{} by convwise {}", f.taken, f.tool.version)),
        ("reproduce", f.tool.command.clone()),
    ]);
    lines
}

fn result(r: &AddedResult) -> Lines {
    let of = &r.result;
    vec![
        ("network", of_package(r.package.as_deref(), &r.architecture)),
        ("weights", or_unknown(r.weights.as_ref())),
        ("accuracy", format!("{} {} on {}", of.value, of.metric, of.dataset)),
        ("evaluated", format!("at {} pixels, {}", of.input_size, of.precision)),
        ("note", r.note.clone().unwrap_or_default()),
        ("source", of.source.clone()),
    ]
}

fn timing(t: &AddedTiming) -> Lines {
    let threads = t.threads.map(|n| format!(", {}", count(n, "thread"))).unwrap_or_default();
    let options = t.options.as_ref().map(|o| format!(", {o}")).unwrap_or_default();
    let layout = t.layout.as_ref().map(|l| format!(", {l}")).unwrap_or_default();
    vec![
        ("network", of_package(t.package.as_deref(), &t.architecture)),
        ("weights", t.weights.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("timed", format!("{} at {}, batch {}", t.workload, t.input, t.batch)),
        ("device", t.device.clone()),
        ("with", format!("{}{options}, {}{layout}{threads}", t.runtime, t.precision)),
        ("latency", t.latency.map_or_else(String::new, |l| format!("{l} a batch"))),
        ("throughput", t.throughput.map_or_else(String::new, |r| format!("{r} images"))),
        ("source", t.source.clone()),
    ]
}

fn cost(c: &AddedCost) -> Lines {
    let macs = c.cost.macs.map(|m| format!("{} at {}", m.count, m.input));
    vec![
        ("network", of_package(c.package.as_deref(), &c.architecture)),
        ("task", c.task.to_string()),
        ("parameters", or_unknown(c.cost.params)),
        ("MACs", or_unknown(macs)),
        ("note", c.cost.note.clone().unwrap_or_default()),
        ("source", c.cost.source.clone()),
    ]
}

fn fact(f: &AddedFact) -> Lines {
    let unit = f.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let value = f.value.as_str().map_or_else(|| f.value.to_string(), str::to_owned);
    vec![
        ("about", f.about.clone()),
        ("fact", f.name.clone()),
        ("value", format!("{value}{unit}")),
        ("source", f.source.clone()),
    ]
}

fn of_package(package: Option<&str>, architecture: &convwise_types::ArchitectureId) -> String {
    package
        .map_or_else(|| architecture.to_string(), |package| format!("{architecture} as {package} calls it"))
}

fn or_unknown(value: Option<impl Display>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}
