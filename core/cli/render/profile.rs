//! Profiles as tables and as members of the JSON document.

use std::cmp::Reverse;
use std::fmt::Write as _;

use convwise_host::LayerTime;
use convwise_types::{Macs, Measurement, Millis};
use serde::Serialize;

use super::table::{figures, table, text};
use crate::commands::profile::{Profiled, Profiles};
use crate::layers::Part;
use crate::screen::{FAINT, HEADING, NAME, WARN, styled};

/// A profile as `bench --profile --json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct ProfileLine {
    /// Runs that the times are medians of; none of them is among the record's samples.
    runs: u32,
    /// Sum of the kernels' times.
    kernels_ms: f64,
    /// Kernels in the order in which they run.
    kernels: Vec<KernelLine>,
}

/// One kernel.
#[derive(Debug, Serialize)]
struct KernelLine {
    /// The engine's name for it.
    node: String,
    op: String,
    provider: Option<String>,
    /// Layers of the network that it computes; empty for one of the engine's own.
    layers: Vec<String>,
    /// Multiply-accumulates of those layers.
    macs: u64,
    ms: f64,
    /// Part of `kernels_ms`, 0 to 1.
    share: f64,
}

impl ProfileLine {
    pub(crate) fn of(profiled: &Profiled) -> Self {
        let total = total(profiled);
        let line = |(time, part): &(LayerTime, Part)| KernelLine {
            node: time.node.clone(),
            op: time.op.clone(),
            provider: Some(time.provider.clone()).filter(|name| !name.is_empty()),
            layers: part.layers.clone(),
            macs: part.macs,
            ms: millis(time),
            share: share(millis(time), total),
        };
        let kernels = profiled.kernels.iter().map(line).collect();
        Self { runs: profiled.runs, kernels_ms: total, kernels }
    }
}

fn millis(time: &LayerTime) -> f64 {
    in_millis(time.ns)
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of one run")]
fn in_millis(ns: u64) -> f64 {
    ns as f64 / 1e6
}

fn total(profiled: &Profiled) -> f64 {
    in_millis(profiled.kernels.iter().map(|(time, _)| time.ns).sum())
}

fn share(ms: f64, total: f64) -> f64 {
    if total > 0.0 { ms / total } else { 0.0 }
}

/// The slowest `top` kernels of every record that has a profile.
pub(crate) fn shown<'a>(
    records: impl Iterator<Item = &'a Measurement>,
    profiles: &Profiles,
    top: usize,
) -> String {
    let mut out = String::new();
    for record in records {
        match profiles.get(&record.id) {
            Some(Ok(profiled)) => one(record, profiled, top, &mut out),
            Some(Err(why)) => {
                let _ = writeln!(out, "\n{} {}: {why}", styled(WARN, "no profile of"), title(record));
            }
            None => {}
        }
    }
    out
}

fn title(record: &Measurement) -> String {
    format!("{} with {}", super::bench::name(record), record.runner.name)
}

fn one(record: &Measurement, profiled: &Profiled, top: usize, out: &mut String) {
    let count = profiled.kernels.len();
    let _ = writeln!(
        out,
        "\n{}",
        styled(HEADING, format!("Slowest {} of {count} kernels, {}", top.min(count), title(record)))
    );
    let columns = [
        figures("#"),
        text("layers"),
        text("operator"),
        figures("time"),
        figures("share"),
        figures("together"),
        figures("MACs"),
        figures("MACs/s"),
        text("provider"),
    ];
    out.push_str(&table(&columns, rows(profiled, top)));
    out.push_str(&ending(record, profiled));
}

fn rows(profiled: &Profiled, top: usize) -> Vec<Vec<String>> {
    let total = total(profiled);
    let mut sorted: Vec<_> = profiled.kernels.iter().enumerate().collect();
    sorted.sort_by_key(|(_, (time, _))| Reverse(time.ns));
    let mut together = 0.0;
    let row = |(place, (time, part)): (usize, &(LayerTime, Part))| {
        together += millis(time);
        vec![
            (place + 1).to_string(),
            what(time, part),
            time.op.clone(),
            Millis(millis(time)).to_string(),
            percent(share(millis(time), total)),
            percent(share(together, total)),
            if part.macs == 0 { String::new() } else { Macs(part.macs).to_string() },
            rate(part.macs, time.ns),
            time.provider.strip_suffix("ExecutionProvider").unwrap_or(&time.provider).to_owned(),
        ]
    };
    sorted.into_iter().take(top).map(row).collect()
}

/// Our layers, or else the engine's own name.
fn what(time: &LayerTime, part: &Part) -> String {
    if part.layers.is_empty() { styled(FAINT, &time.node) } else { styled(NAME, part.layers.join(" + ")) }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "printed with three digits"
)]
fn rate(macs: u64, ns: u64) -> String {
    if macs == 0 || ns == 0 {
        return String::new();
    }
    Macs((macs as f64 / ns as f64 * 1e9) as u64).to_string()
}

/// How the kernels add up beside what was measured.
fn ending(record: &Measurement, profiled: &Profiled) -> String {
    let (sum, median) = (total(profiled), record.statistics.median);
    format!(
        "{} kernels take {} together, {:.2} × the measured median of {median}; medians of {} runs under the engine's profiler, \
         which slows them and whose times are no part of the record\n",
        profiled.kernels.len(),
        Millis(sum),
        share(sum, median.0),
        profiled.runs
    )
}
