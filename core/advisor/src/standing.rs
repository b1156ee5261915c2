//! How a candidate stands after judging, and what the best of them are called.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use convwise_types::{ArchitectureId, Candidate, CandidateKey, Grade, Label, Tie, Verdict};

/// The tag of the network that everybody compares with.
const BASELINE: &str = "baseline";

/// A candidate with the outcome of judging and ranking.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Position among all candidates.
    pub index: usize,
    /// The candidate.
    pub candidate: &'a Candidate,
    /// What its requirements say together.
    pub verdict: Verdict,
    /// Score of the rank formula, 0 to 1.
    pub score: f64,
    /// Weighted mean of its preferences, 0 to 1.
    pub preference: f64,
}

impl Standing<'_> {
    fn accuracy(&self) -> Option<f64> {
        self.candidate.accuracy.value().map(|a| a.value.0)
    }

    fn latency(&self) -> Option<f64> {
        self.candidate.latency.value().map(|l| l.median.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of weights")]
    fn size(&self) -> Option<f64> {
        self.candidate.size.value().map(|b| b.0 as f64)
    }

    /// How well people know the network: maturity of the family's ecosystem first, then whether its
    /// plugin calls it the baseline of the field, then the age of its paper.
    fn establishment(&self) -> Option<f64> {
        let architecture = &self.candidate.architecture;
        let maturity = f64::from(architecture.maturity? as u8);
        let baseline = f64::from(u8::from(architecture.tags.contains(BASELINE)));
        let age = architecture.paper.as_ref().map_or(0.0, |p| 1.0 / f64::from(p.year.max(1)));
        Some(maturity * 10.0 + baseline + age)
    }

    /// Whether the latency was measured in the request's setting.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.candidate.latency.grade() == Some(Grade::Measured)
    }
}

/// The holder of every label among `pool`, as positions in it. A label whose quantity nobody
/// knows has no holder, and a network that was never shown to do the task as others do it holds none,
/// unless that is true of all: the smallest of these would always be too small.
#[must_use]
pub fn labels(pool: &[Standing<'_>]) -> BTreeMap<Label, usize> {
    let trade_off = trade_off(pool);
    let some_shown = pool.iter().any(|s| s.accuracy().is_some());
    let shown = |s: &Standing<'_>| !some_shown || s.accuracy().is_some();
    let mut held = BTreeMap::new();
    let mut give = |label: Label, value: &dyn Fn(usize, &Standing<'_>) -> Option<f64>| {
        if let Some(best) = best_of(pool, &|i, s| value(i, s).filter(|_| shown(s))) {
            held.insert(label, best);
        }
    };
    give(Label::HighestAccuracy, &|_, s| s.accuracy());
    give(Label::BestTradeOff, &|i, _| trade_off.get(i).copied().flatten());
    give(Label::Fastest, &|_, s| s.latency().map(|v| -v));
    give(Label::Smallest, &|_, s| s.size().map(|v| -v));
    give(Label::MostEstablished, &|_, s| s.establishment());
    held
}

/// Position of the largest value; the better score, then the smaller key decides a draw.
fn best_of(pool: &[Standing<'_>], value: &dyn Fn(usize, &Standing<'_>) -> Option<f64>) -> Option<usize> {
    let better = |a: &(usize, f64), b: &(usize, f64)| {
        let (x, y) = (pool.get(a.0), pool.get(b.0));
        let score = |s: Option<&Standing<'_>>| s.map_or(0.0, |s| s.score);
        a.1.total_cmp(&b.1)
            .then_with(|| score(x).total_cmp(&score(y)))
            .then_with(|| y.map(|s| &s.candidate.key).cmp(&x.map(|s| &s.candidate.key)))
    };
    pool.iter()
        .enumerate()
        .filter_map(|(i, s)| Some((i, value(i, s)?)))
        .max_by(|a, b| better(a, b))
        .map(|(i, _)| i)
}

/// Accuracy and the logarithm of latency, each scaled to 0..1 over the pool, summed: the point of
/// the accuracy-latency front that lies farthest out along its diagonal.
fn trade_off(pool: &[Standing<'_>]) -> Vec<Option<f64>> {
    let accuracy = unit_range(pool.iter().map(Standing::accuracy));
    let speed = unit_range(pool.iter().map(|s| s.latency().map(|ms| -ms.ln())));
    accuracy.into_iter().zip(speed).map(|(a, s)| Some(a? + s?)).collect()
}

/// Values moved and scaled so that the known ones span 0..1.
fn unit_range(values: impl Iterator<Item = Option<f64>>) -> Vec<Option<f64>> {
    let values: Vec<_> = values.collect();
    let known = values.iter().flatten();
    let low = known.clone().copied().fold(f64::INFINITY, f64::min);
    let high = known.copied().fold(f64::NEG_INFINITY, f64::max);
    let range = high - low;
    values.into_iter().map(|v| v.map(|v| if range > 0.0 { (v - low) / range } else { 1.0 })).collect()
}

/// One standing for each network as deployed: of weights that differ in nothing but accuracy the
/// better-placed ones, so that a list of picks is a list of choices.
#[must_use]
pub fn distinct<'a>(ordered: &[Standing<'a>]) -> Vec<Standing<'a>> {
    let mut seen = BTreeSet::new();
    let network = |key: &'a CandidateKey| (&key.architecture, key.input, key.precision, &key.runner);
    ordered.iter().filter(|standing| seen.insert(network(&standing.candidate.key))).copied().collect()
}

/// Picks that cannot be told apart: accuracies closer than the dataset's sampling error, latencies
/// whose intervals overlap. Each tie is declared against the best of the picks.
#[must_use]
pub fn ties(picks: &[Standing<'_>], half_width: &dyn Fn(&str, f64) -> Option<f64>) -> Vec<Tie> {
    [accuracy_tie(picks, half_width), latency_tie(picks)].into_iter().flatten().collect()
}

fn accuracy_tie(picks: &[Standing<'_>], half_width: &dyn Fn(&str, f64) -> Option<f64>) -> Option<Tie> {
    let best = picks.iter().max_by(|a, b| known_cmp(a.accuracy(), b.accuracy()))?;
    let accuracy = best.candidate.accuracy.value()?;
    let error = half_width(&accuracy.dataset, accuracy.value.0)?;
    let same = |s: &&Standing<'_>| {
        s.candidate.accuracy.value().is_some_and(|a| {
            a.dataset == accuracy.dataset
                && a.metric == accuracy.metric
                && accuracy.value.0 - a.value.0 <= error
        })
    };
    tie(
        "accuracy",
        picks.iter().filter(same),
        format!("within {error:.2} points, the sampling error of {} (95 %)", accuracy.dataset),
    )
}

fn latency_tie(picks: &[Standing<'_>]) -> Option<Tie> {
    let best = picks.iter().min_by(|a, b| known_cmp_last(a.latency(), b.latency()))?;
    let interval = best.candidate.latency.value()?.interval;
    let same =
        |s: &&Standing<'_>| s.candidate.latency.value().is_some_and(|l| l.interval.overlaps(&interval));
    tie(
        "latency",
        picks.iter().filter(same),
        "their 95 % intervals overlap with the fastest one's".to_owned(),
    )
}

fn tie<'a>(on: &str, same: impl Iterator<Item = &'a Standing<'a>>, reason: String) -> Option<Tie> {
    let mut architectures: Vec<ArchitectureId> = Vec::new();
    for standing in same {
        if !architectures.contains(&standing.candidate.key.architecture) {
            architectures.push(standing.candidate.key.architecture.clone());
        }
    }
    (architectures.len() > 1).then(|| Tie { on: on.to_owned(), architectures, reason })
}

fn known_cmp(a: Option<f64>, b: Option<f64>) -> Ordering {
    a.unwrap_or(f64::NEG_INFINITY).total_cmp(&b.unwrap_or(f64::NEG_INFINITY))
}

fn known_cmp_last(a: Option<f64>, b: Option<f64>) -> Ordering {
    a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY))
}
