//! The guide's advice is a prior: where measurements contradict one of its preferences, the measurements win.
//!
//! A network `y` beats another, `x`, where both were measured in the request's own setting, the 95 % intervals do not
//! overlap and `y` is the faster one, and `y`'s accuracy on the same dataset in the same metric is at least as high.
//! Then no preference of the guide for `x` may put it in front of `y`: for the rank formula `y` has at least the
//! preference that `x` would have if every rule that is not the guide's said of it what it says of `y`. Beating is
//! transitive, so that one pass over all pairs suffices and their order does not matter. Where nothing beats anything,
//! nothing changes.

use std::collections::BTreeSet;

use convwise_judge::{Inquiry, Judgement, Opinion, RuleSet, Share};
use convwise_types::{
    Candidate, Contender, Finding, FindingKind, Grade, InputShape, Latency, Overruled, Verdict,
};

use crate::report::{accuracy_cell, latency_cell};

/// Who beats whom by measured evidence.
#[derive(Clone, Debug)]
pub(crate) struct Beaten {
    /// For each candidate those that it beats, as positions.
    by: Vec<Vec<usize>>,
}

impl Beaten {
    /// Among all candidates.
    pub(crate) fn among(candidates: &[Candidate]) -> Self {
        let measured: Vec<_> = candidates.iter().map(|c| measured(c)).collect();
        let tried: Vec<usize> =
            (0..measured.len()).filter(|i| measured.get(*i).is_some_and(Option::is_some)).collect();
        let beats = |y: usize, x: usize| match (candidates.get(y), candidates.get(x)) {
            (Some(y), Some(x)) => beats(y, x),
            _ => false,
        };
        let by = |y: usize| match measured.get(y) {
            Some(Some(_)) => tried.iter().copied().filter(|x| beats(y, *x)).collect(),
            _ => Vec::new(),
        };
        Self { by: (0..candidates.len()).map(by).collect() }
    }

    /// Whether nothing beats anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.by.iter().all(Vec::is_empty)
    }

    /// The preference of each candidate for the rank formula; `opinions` are those of what is not rejected.
    pub(crate) fn preferences(&self, opinions: &[Option<Opinion>]) -> Vec<f64> {
        let of = |(y, opinion): (usize, &Option<Opinion>)| {
            let Some(own) = opinion else { return Opinion::default().mean() };
            let beaten = self.by.get(y).map(Vec::as_slice).unwrap_or_default();
            let beaten = beaten.iter().filter_map(|x| opinions.get(*x)?.as_ref());
            beaten.fold(own.mean(), |best, x| best.max(inherited(x.guide, own.own)))
        };
        opinions.iter().enumerate().map(of).collect()
    }
}

/// What the guide says of the one with what all others say of the other.
fn inherited(guide: Share, own: Share) -> f64 {
    if guide.weight > 0.0 { Opinion { guide, own }.mean() } else { 0.0 }
}

fn measured(candidate: &Candidate) -> Option<&Latency> {
    candidate.latency.value().filter(|_| candidate.latency.grade() == Some(Grade::Measured))
}

/// Whether measurements say that `y` is faster than `x` and nothing says that it is less accurate.
fn beats(y: &Candidate, x: &Candidate) -> bool {
    let (Some(fast), Some(slow)) = (measured(y), measured(x)) else { return false };
    let (Some(ours), Some(theirs)) = (y.accuracy.value(), x.accuracy.value()) else { return false };
    fast.interval.high < slow.interval.low
        && (&fast.runner, &fast.device) == (&slow.runner, &slow.device)
        && (&ours.dataset, &ours.metric) == (&theirs.dataset, &theirs.metric)
        && ours.value >= theirs.value
}

/// What the remarks on overruled preferences are drawn from.
pub(crate) struct Field<'a> {
    pub rules: &'a RuleSet,
    pub inquiry: &'a Inquiry,
    pub candidates: &'a [Candidate],
    pub judgements: &'a [Judgement],
    /// Positions of the feasible, best first.
    pub order: Vec<usize>,
    /// The same had the guide's preferences counted in full.
    pub unruled: Vec<usize>,
}

/// A feasible measured candidate with what the guide's preferences gave it.
struct Hand<'a> {
    index: usize,
    candidate: &'a Candidate,
    findings: Vec<Finding>,
}

impl Hand<'_> {
    fn score(&self, rule: &Finding) -> Option<f64> {
        self.findings.iter().find(|f| f.rule == rule.rule).and_then(score)
    }

    fn network(&self) -> (&str, InputShape) {
        (self.candidate.key.architecture.as_str(), self.candidate.key.input)
    }
}

fn score(finding: &Finding) -> Option<f64> {
    match finding.kind {
        FindingKind::Preferred { score, .. } => Some(score),
        _ => None,
    }
}

impl Field<'_> {
    /// For each preference of the guide and each of the networks it prefers most that was beaten by one that it
    /// prefers less: the best placed of those that beat it. Preferences that changed the order are all told; of the
    /// others only the best placed network of each rule.
    pub(crate) fn overruled(&self, beaten: &Beaten) -> Vec<Overruled> {
        let hands = self.hands();
        let rules: BTreeSet<_> = hands.iter().flat_map(|h| h.findings.iter().map(|f| &f.rule)).collect();
        let of_rule = |rule: &convwise_types::RuleId| {
            let one = hands.iter().flat_map(|h| &h.findings).find(|f| f.rule == *rule)?;
            Some(telling(self.overruled_by_rule(one, &hands, beaten)))
        };
        rules.into_iter().filter_map(of_rule).flatten().collect()
    }

    /// Best first.
    fn hands(&self) -> Vec<Hand<'_>> {
        let guides = self.rules.of_the_guide();
        let hand = |&index: &usize| {
            let candidate = self.candidates.get(index).filter(|c| measured(c).is_some())?;
            let all = self.rules.explain(self.inquiry, candidate).findings;
            let findings =
                all.into_iter().filter(|f| score(f).is_some() && guides.contains(&f.rule)).collect();
            Some(Hand { index, candidate, findings })
        };
        let feasible = |i: &&usize| self.judgements.get(**i).is_some_and(|j| j.verdict != Verdict::Rejected);
        self.order.iter().filter(feasible).filter_map(hand).collect()
    }

    fn overruled_by_rule(&self, rule: &Finding, hands: &[Hand<'_>], beaten: &Beaten) -> Vec<Overruled> {
        let most = hands.iter().filter_map(|h| h.score(rule)).fold(0.0, f64::max);
        let mut told = BTreeSet::new();
        let mut found = Vec::new();
        for x in hands.iter().filter(|h| h.score(rule).is_some_and(|s| s >= most)) {
            let better = hands.iter().find(|y| {
                let beats = beaten.by.get(y.index).is_some_and(|by| by.contains(&x.index));
                beats && y.score(rule).is_none_or(|s| s < most)
            });
            if let Some(y) = better.filter(|_| told.insert(x.network())) {
                found.extend(self.remark(rule, x, y));
            }
        }
        found
    }

    fn remark(&self, rule: &Finding, x: &Hand<'_>, y: &Hand<'_>) -> Option<Overruled> {
        let (slow, fast) = (measured(x.candidate)?, measured(y.candidate)?);
        let (theirs, ours) = (x.candidate.accuracy.value()?, y.candidate.accuracy.value()?);
        let (speed_up, gain) = (slow.median.0 / fast.median.0, ours.value.0 - theirs.value.0);
        let place = |order: &[usize], of: &Hand<'_>| order.iter().position(|i| *i == of.index);
        let in_front = place(&self.unruled, x) < place(&self.unruled, y);
        Some(Overruled {
            rule: rule.rule.clone(),
            file: rule.file.clone(),
            line: rule.line,
            speed_up,
            accuracy_gain: gain,
            changed_the_order: in_front && place(&self.order, y) < place(&self.order, x),
            remark: format!(
                "the guide prefers {}; here {} is {speed_up:.1}x faster at {gain:+.1} {}",
                x.candidate.architecture.title, y.candidate.architecture.title, ours.metric
            ),
            preferred: contender(x.candidate),
            better: contender(y.candidate),
        })
    }
}

/// Of one rule's remarks those on a changed order, or else the first.
fn telling(remarks: Vec<Overruled>) -> Vec<Overruled> {
    if remarks.iter().any(|r| r.changed_the_order) {
        remarks.into_iter().filter(|r| r.changed_the_order).collect()
    } else {
        remarks.into_iter().take(1).collect()
    }
}

/// A candidate as it is named beside another.
pub(crate) fn contender(candidate: &Candidate) -> Contender {
    Contender {
        architecture: candidate.key.architecture.clone(),
        weights: candidate.key.weights.clone(),
        input_size: candidate.key.input.height,
        precision: candidate.key.precision,
        accuracy: accuracy_cell(candidate),
        latency: latency_cell(candidate),
    }
}
