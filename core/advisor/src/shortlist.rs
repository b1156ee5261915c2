//! Which measurement matters most to the answer.
//!
//! The answer rests on its first picks and on the holders of its labels. Whatever of them has not
//! been measured is measured, the most promising first; every measurement changes the beliefs
//! about the others, so the list is drawn up anew after each. It is empty once the answer rests on
//! measurements alone.

use std::collections::BTreeSet;

use convwise_types::{CandidateKey, InputShape, Label, Millis, Precision, Verdict};

use crate::standing::{Standing, distinct, labels};

/// What one measurement decides: all weights of a network share their latency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trial {
    /// The network.
    pub architecture: convwise_types::ArchitectureId,
    /// Its input.
    pub input: InputShape,
    /// Its number format.
    pub precision: Precision,
}

impl Trial {
    /// The trial that decides a candidate.
    #[must_use]
    pub fn of(key: &CandidateKey) -> Self {
        Self { architecture: key.architecture.clone(), input: key.input, precision: key.precision }
    }
}

/// Below this probability of fitting, a candidate holds no label that is worth a measurement.
const WORTH_TRYING: f64 = 0.2;
/// The same while nothing measured fits: better an unlikely answer than none.
const LAST_RESORT: f64 = 0.01;

/// The next trial worth making, or `None` if the answer rests on measurements already.
/// `fits` is the probability that a candidate keeps the latency budget; `tried` are trials that
/// were made, also in vain; `top` is how many picks will be printed.
#[must_use]
pub fn next_trial(
    standings: &[Standing<'_>],
    fits: &dyn Fn(&Standing<'_>) -> f64,
    tried: &BTreeSet<Trial>,
    top: usize,
) -> Option<Trial> {
    let found = standings.iter().any(|s| s.is_measured() && s.verdict == Verdict::Proven);
    let least = if found { WORTH_TRYING } else { LAST_RESORT };
    let mut hopeful: Vec<_> = standings
        .iter()
        .filter(|s| s.verdict != Verdict::Rejected && can_run(s))
        .filter(|s| s.is_measured() || !tried.contains(&Trial::of(&s.candidate.key)))
        .map(|s| (*s, fits(s)))
        .filter(|(_, p)| *p >= least)
        .map(|(s, p)| Standing { score: s.score * p, ..s })
        .collect();
    hopeful.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.candidate.key.cmp(&b.candidate.key)));
    let hopeful = distinct(&hopeful);
    wanted(&hopeful, top).into_iter().find(|s| !s.is_measured()).map(|s| Trial::of(&s.candidate.key))
}

/// Only fp32 networks with a graph can be exported and run.
fn can_run(standing: &Standing<'_>) -> bool {
    standing.candidate.key.precision == Precision::Fp32 && standing.candidate.graph.value().is_some()
}

/// What the answer rests on, most important first.
fn wanted<'a>(hopeful: &[Standing<'a>], top: usize) -> Vec<Standing<'a>> {
    const ORDER: [Label; 5] = [
        Label::BestTradeOff,
        Label::HighestAccuracy,
        Label::Fastest,
        Label::Smallest,
        Label::MostEstablished,
    ];
    let held = labels(hopeful);
    let first = hopeful.first().into_iter();
    let labelled = ORDER.iter().filter_map(|l| hopeful.get(*held.get(l)?));
    let rest = hopeful.iter().skip(1).take(top.saturating_sub(1));
    first.chain(labelled).chain(rest).copied().collect()
}

/// Whether a screening is too coarse: the budget lies inside its interval, or within 5 % of it.
#[must_use]
pub fn needs_closer_look(low: Millis, high: Millis, budget: Option<Millis>) -> bool {
    budget.is_some_and(|b| b.0 > low.0 * 0.95 && b.0 < high.0 * 1.05)
}
