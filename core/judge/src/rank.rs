//! The order of the feasible: the one rank formula, proven before unproven, and fixed tie-breaks.

use std::cmp::Ordering;
use std::sync::Arc;

use convwise_types::{Candidate, CandidateKey, Verdict};
use rhai::Dynamic;
use serde::{Deserialize, Serialize};

use crate::clauses::RuleKind;
use crate::evaluate::{Scene, Stop, one_line};
use crate::fields::Cell;
use crate::inquiry::Inquiry;
use crate::judgement::Judgement;
use crate::pool::Pool;
use crate::row::Row;
use crate::rule::{Body, Rule};
use crate::ruleset::RuleSet;

/// A place in the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Which of the given candidates.
    pub index: usize,
    /// 0 to 1; 0 if the formula gave none.
    pub score: f64,
    /// Why, in the formula's words, or why there is no score.
    pub reason: String,
}

impl RuleSet {
    /// Orders the candidates that are not rejected: proven before unproven, then by score, then by accuracy,
    /// latency, size and name.
    #[must_use]
    pub fn rank(&self, inquiry: &Inquiry, judged: &[(&Candidate, &Judgement)]) -> Vec<Ranked> {
        let feasible: Vec<usize> = (0..judged.len())
            .filter(|i| judged.get(*i).is_some_and(|(_, j)| j.verdict != Verdict::Rejected))
            .collect();
        let rows: Vec<Arc<Row>> =
            feasible.iter().filter_map(|i| judged.get(*i)).map(|(c, j)| Arc::new(row(c, j))).collect();
        let scene = Scene {
            pool: Some(Dynamic::from(Pool::new(&rows))),
            ..Scene::request(&Arc::new(Row::inquiry(inquiry)))
        };
        let mut placed: Vec<Placed<'_>> = feasible
            .iter()
            .zip(rows)
            .filter_map(|(&index, row)| {
                let (candidate, judgement) = judged.get(index)?;
                let (score, reason) = self.formula_score(&scene.with(row));
                let ranked = Ranked { index, score, reason };
                Some(Placed { ranked, proven: judgement.verdict == Verdict::Proven, candidate })
            })
            .collect();
        placed.sort_by(Placed::order);
        placed.into_iter().map(|p| p.ranked).collect()
    }

    fn formula_score(&self, scene: &Scene) -> (f64, String) {
        let formula = self.rules_of(RuleKind::Rank).next();
        let Some((rule, Body::Rank { score })) = formula.map(|rule| (rule, &rule.body)) else {
            return (0.0, "no rank formula is loaded".to_owned());
        };
        match self.score(rule, score, scene) {
            Ok(score) => (score, self.reason(rule, scene)),
            Err(stop) => (0.0, no_score(rule, &stop)),
        }
    }
}

fn no_score(rule: &Rule, stop: &Stop) -> String {
    match stop {
        Stop::Missing(missing) => format!("`{}` gives no score: {} is not known", rule.id, missing.fact),
        Stop::Error(problem) | Stop::Exhausted(problem) => {
            format!("`{}` gives no score: {}", rule.id, one_line(problem))
        }
    }
}

fn row(candidate: &Candidate, judgement: &Judgement) -> Row {
    let mut row = Row::candidate(candidate);
    row.set("preference", Cell::real(judgement.preference));
    row
}

struct Placed<'a> {
    ranked: Ranked,
    proven: bool,
    candidate: &'a Candidate,
}

impl Placed<'_> {
    fn order(&self, other: &Self) -> Ordering {
        other
            .proven
            .cmp(&self.proven)
            .then_with(|| other.ranked.score.total_cmp(&self.ranked.score))
            .then_with(|| descending(self.accuracy(), other.accuracy()))
            .then_with(|| descending(self.speed(), other.speed()))
            .then_with(|| descending(self.smallness(), other.smallness()))
            .then_with(|| self.key().cmp(other.key()))
    }

    fn accuracy(&self) -> Option<f64> {
        self.candidate.accuracy.value().map(|a| a.value.0)
    }

    fn speed(&self) -> Option<f64> {
        self.candidate.latency.value().map(|l| -l.median.0)
    }

    fn smallness(&self) -> Option<f64> {
        self.candidate.size.value().map(|s| -s.as_f64())
    }

    fn key(&self) -> &CandidateKey {
        &self.candidate.key
    }
}

/// More first, unknown last.
fn descending(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
