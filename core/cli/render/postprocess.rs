//! What post-processing costs: a network with its answers against the same network without.

use std::fmt::Write as _;

use convwise_bench::stats::{Difference, difference};
use convwise_types::{Measurement, Millis, RecordId, RunnerName};
use serde::Serialize;

use super::advice::{interval, short};
use super::bench::Benched;
use crate::screen::{FAINT, styled};

/// The cost of post-processing on one runner, as `bench --json` prints it; times in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Tail {
    architecture: String,
    runner: RunnerName,
    /// What it adds to the median.
    ms: f64,
    low_ms: f64,
    high_ms: f64,
    /// Its share of the whole.
    share: f64,
    /// The record of the network without it.
    network: RecordId,
    /// The record of the network with it.
    answers: RecordId,
}

/// Every network that was measured both ways.
pub(crate) fn tails(records: &[Benched]) -> Vec<Tail> {
    let all = records.iter().map(|b| &b.measurement);
    let answers = all.clone().filter(|m| m.subject.postprocess);
    answers.filter_map(|m| tail(m, all.clone().find(|raw| is_bare(raw, m))?)).collect()
}

/// Whether it is the same network without post-processing, on the same runner.
fn is_bare(raw: &Measurement, answers: &Measurement) -> bool {
    let (a, b) = (&raw.subject, &answers.subject);
    !a.postprocess
        && (&a.architecture, a.input, a.batch, a.precision)
            == (&b.architecture, b.input, b.batch, b.precision)
        && (&raw.runner.name, raw.threads) == (&answers.runner.name, answers.threads)
}

fn tail(answers: &Measurement, raw: &Measurement) -> Option<Tail> {
    let Difference { ms, low, high } = difference(answers, raw);
    Some(Tail {
        architecture: answers.subject.architecture.as_ref()?.to_string(),
        runner: answers.runner.name.clone(),
        ms: ms.0,
        low_ms: low.0,
        high_ms: high.0,
        share: ms.0 / answers.statistics.median.0,
        network: raw.id.clone(),
        answers: answers.id.clone(),
    })
}

/// A line for each, and what their figures depend on.
pub(super) fn lines(records: &[Benched], out: &mut String) {
    let found = tails(records);
    for tail in &found {
        let records = format!("{} against {}", short(tail.answers.as_str()), short(tail.network.as_str()));
        let (of, range) =
            (format!("{} with {}", tail.architecture, tail.runner), interval(tail.low_ms, tail.high_ms));
        let cost = match tail.low_ms > 0.0 {
            true => format!("{} ({range}), {:.0} % of the whole", Millis(tail.ms), 100.0 * tail.share),
            false => format!("not told apart from nothing ({range}); a quieter machine or more time would"),
        };
        let _ = writeln!(out, "post-processing of {of}: {cost}  {}", styled(FAINT, records));
    }
    let networks: std::collections::BTreeSet<_> =
        found.iter().map(|tail| tail.architecture.as_str()).collect();
    for network in networks {
        let _ = writeln!(
            out,
            "{}",
            styled(
                FAINT,
                format!(
                    "the weights are random, and so is how much there is to process; with yours: convwise export \
                     {network} --postprocess --weights FILE.safetensors -o FILE.onnx, then bench the file"
                )
            )
        );
    }
}
