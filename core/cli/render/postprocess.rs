//! What post-processing costs: a network with its answers against the same network without.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use convwise_bench::stats::{Difference, difference};
use convwise_types::{Macs, Measurement, Millis, RecordId, RunnerName};
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
    /// Whether it suppresses doubles, so that its time depends on how many boxes there are, and that on the weights.
    suppresses: bool,
    /// Multiply-accumulates of heads that the network has and no answer needs, so that they are left out with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    macs_left_out: Option<u64>,
    /// The record of the network without it.
    network: RecordId,
    /// The record of the network with it.
    answers: RecordId,
}

/// Every network that was measured both ways.
pub(crate) fn tails(records: &[Benched]) -> Vec<Tail> {
    let answers = records.iter().filter(|b| b.measurement.subject.postprocess);
    let bare = |b: &Benched| records.iter().find(|raw| is_bare(&raw.measurement, &b.measurement));
    answers.filter_map(|b| tail(b, bare(b)?)).collect()
}

/// Whether it is the same network without post-processing, on the same runner.
fn is_bare(raw: &Measurement, answers: &Measurement) -> bool {
    let (a, b) = (&raw.subject, &answers.subject);
    !a.postprocess
        && (&a.architecture, a.input, a.batch, a.precision)
            == (&b.architecture, b.input, b.batch, b.precision)
        && (&raw.runner.name, raw.threads) == (&answers.runner.name, answers.threads)
}

fn tail(with: &Benched, without: &Benched) -> Option<Tail> {
    let (answers, raw) = (&with.measurement, &without.measurement);
    let (facts, bare) = (with.facts.as_ref()?, without.facts.as_ref()?);
    let left_out = bare.macs.0.saturating_sub(facts.macs.0);
    let Difference { ms, low, high } = difference(answers, raw);
    Some(Tail {
        architecture: answers.subject.architecture.as_ref()?.to_string(),
        runner: answers.runner.name.clone(),
        ms: ms.0,
        low_ms: low.0,
        high_ms: high.0,
        share: ms.0 / answers.statistics.median.0,
        suppresses: facts.ops.contains_key("kept"),
        macs_left_out: (left_out > 0).then_some(left_out),
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
        let heads = tail.macs_left_out.map(|macs| {
            format!(", heads of {} multiply-accumulates being left out that no answer needs", Macs(macs))
        });
        let heads = heads.unwrap_or_default();
        let _ = writeln!(out, "post-processing of {of}: {cost}{heads}  {}", styled(FAINT, records));
    }
    let suppressing = found.iter().filter(|tail| tail.suppresses);
    let networks: BTreeSet<_> = suppressing.map(|tail| tail.architecture.as_str()).collect();
    for network in networks {
        let _ = writeln!(
            out,
            "{}",
            styled(
                FAINT,
                format!(
                    "the weights are random, and so is the number of boxes; with yours: convwise export \
                     {network} --postprocess --weights FILE.safetensors -o FILE.onnx, then bench the file"
                )
            )
        );
    }
}
