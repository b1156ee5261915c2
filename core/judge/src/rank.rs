//! The order of the feasible: the one rank formula, proven before unproven, and fixed tie-breaks.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use convwise_types::{Candidate, CandidateKey, Verdict};
use rhai::{Dynamic, Map};
use serde::{Deserialize, Serialize};

use crate::clauses::RuleKind;
use crate::evaluate::{Scene, Stop, one_line};
use crate::fields::Cell;
use crate::inquiry::Inquiry;
use crate::judgement::Judgement;
use crate::pool::Pool;
use crate::row::{Row, number};
use crate::rule::{Body, Rule};
use crate::ruleset::RuleSet;
use crate::shares::in_shares;
use crate::sheets::Sheets;
use crate::trace::{self, NeedFields};

/// How far the parts of a score may be from it: rounding, no more.
const ROUNDING: f64 = 1e-6;

/// A place in the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Which of the given candidates.
    pub index: usize,
    /// 0 to 1; 0 if the formula gave none.
    pub score: f64,
}

/// A candidate that is not rejected, as it enters the ranking.
#[derive(Clone, Copy, Debug)]
pub struct Entrant<'a> {
    /// Position among all candidates.
    pub index: usize,
    /// The candidate.
    pub candidate: &'a Candidate,
    /// Whether every requirement is proven.
    pub proven: bool,
    /// Weighted mean of its preferences, 0 to 1.
    pub preference: f64,
}

/// What the formula makes of one candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// 0 to 1.
    pub score: f64,
    /// What it is made of, by name, where the formula says so; they sum to the score.
    pub parts: Option<BTreeMap<String, f64>>,
}

/// The feasible candidates under the rank formula.
#[derive(Debug)]
pub struct Contest<'a> {
    rules: &'a RuleSet,
    entrants: Vec<Entrant<'a>>,
    rows: Vec<Arc<Row>>,
    scene: Scene,
}

impl RuleSet {
    /// Orders the candidates that are not rejected: proven before unproven, then by score, then by accuracy,
    /// latency, size and name.
    #[must_use]
    pub fn rank(&self, inquiry: &Inquiry, judged: &[(&Candidate, &Judgement)]) -> Vec<Ranked> {
        let all = judged.iter().enumerate();
        let feasible = all.filter(|(_, (_, j))| j.verdict != Verdict::Rejected);
        let entrants = feasible.map(|(index, (candidate, j))| Entrant {
            index,
            candidate,
            proven: j.verdict == Verdict::Proven,
            preference: j.preference,
        });
        self.contest(inquiry, entrants.collect()).order()
    }

    /// Lets candidates enter the ranking for a request.
    #[must_use]
    pub fn contest<'a>(&'a self, inquiry: &Inquiry, entrants: Vec<Entrant<'a>>) -> Contest<'a> {
        let rows = entrants.iter().map(|e| Arc::new(Row::candidate(e.candidate))).collect();
        self.contest_of(&Arc::new(Row::inquiry(inquiry)), entrants, rows)
    }

    /// The same for some of the candidates that were judged from these sheets.
    #[must_use]
    pub fn contest_from<'a>(
        &'a self,
        inquiry: &Inquiry,
        entrants: Vec<Entrant<'a>>,
        sheets: Sheets,
    ) -> Contest<'a> {
        let rows = sheets.of(entrants.iter().map(|e| e.index));
        self.contest_of(&Arc::new(Row::inquiry(inquiry)), entrants, rows)
    }

    /// The same with rows that are there already, one an entrant.
    pub(crate) fn contest_of<'a>(
        &'a self,
        need: &Arc<Row>,
        entrants: Vec<Entrant<'a>>,
        rows: Vec<Arc<Row>>,
    ) -> Contest<'a> {
        let preferring = |(mut row, e): (Arc<Row>, &Entrant<'_>)| {
            Arc::make_mut(&mut row).set("preference", Cell::real(e.preference));
            row
        };
        let rows: Vec<_> = rows.into_iter().zip(&entrants).map(preferring).collect();
        let scene = Scene { pool: Some(Dynamic::from(Pool::new(&rows))), ..Scene::request(need) };
        Contest { rules: self, entrants, rows, scene }
    }

    /// The score of one candidate and its parts, which must sum to it.
    pub(crate) fn formula(&self, rule: &Rule, scene: &Scene) -> Result<Formula, Stop> {
        let Body::Rank { score, parts } = &rule.body else {
            return Err(Stop::error("no-rank-formula", "no rank formula is loaded"));
        };
        let parts = parts.as_ref().map(|clause| parts_of(self.call(clause, scene)?)).transpose()?;
        let sum = parts.as_ref().map(|parts| in_range(parts.values().sum())).transpose()?;
        let stated = score.as_ref().map(|clause| self.score(clause, scene)).transpose()?;
        match (stated, sum) {
            (Some(score), Some(sum)) if (sum - score).abs() > ROUNDING => Err(Stop::error(
                "parts-do-not-sum",
                format!("the parts sum to {sum:.6}, and the score is {score:.6}"),
            )),
            (Some(score), _) | (None, Some(score)) => Ok(Formula { score, parts }),
            (None, None) => Err(Stop::error("no-rank-formula", "the formula has neither score nor parts")),
        }
    }
}

/// A sum that is beyond 0 to 1 by no more than rounding is at the end of that range.
fn in_range(sum: f64) -> Result<f64, Stop> {
    if (-ROUNDING..=1.0 + ROUNDING).contains(&sum) {
        return Ok(sum.clamp(0.0, 1.0));
    }
    Err(Stop::error("score-out-of-range", format!("the parts sum to {sum}, which is not between 0 and 1")))
}

fn parts_of(value: Dynamic) -> Result<BTreeMap<String, f64>, Stop> {
    let wrong = || Stop::error("wrong-type", "the clause `parts` must give a map of numbers by name");
    let map = value.try_cast::<Map>().ok_or_else(wrong)?;
    map.into_iter().map(|(name, v)| Ok((name.to_string(), number(&v).ok_or_else(wrong)?))).collect()
}

impl<'a> Contest<'a> {
    fn rule(&self) -> Option<&'a Rule> {
        self.rules.rules_of(RuleKind::Rank).next()
    }

    /// All of them, best first.
    #[must_use]
    pub fn order(&self) -> Vec<Ranked> {
        self.ordered().0
    }

    /// All of them, best first, and what of the request the formula asked for on the way.
    #[must_use]
    pub fn ordered(&self) -> (Vec<Ranked>, NeedFields) {
        let score = |row: &Arc<Row>| trace::needs_read(|| self.score(row).unwrap_or(0.0));
        let each = |share: &[Arc<Row>]| Ok::<_, Infallible>(share.iter().map(score).collect());
        let Ok(scored) = in_shares(&self.rows, each);
        let asked = scored.iter().fold(0, |all, (_, asked)| all | asked);
        let placed = |(entrant, (score, _)): (&Entrant<'a>, (f64, u64))| Placed { entrant: *entrant, score };
        let mut placed: Vec<Placed<'_>> = self.entrants.iter().zip(scored).map(placed).collect();
        placed.sort_by(Placed::order);
        let ranked = placed.into_iter().map(|p| Ranked { index: p.entrant.index, score: p.score });
        (ranked.collect(), NeedFields(asked))
    }

    fn score(&self, row: &Arc<Row>) -> Option<f64> {
        Some(self.rules.formula(self.rule()?, &self.scene.with(Arc::clone(row))).ok()?.score)
    }

    fn row_of(&self, index: usize) -> Option<&Arc<Row>> {
        self.rows.get(self.entrants.iter().position(|e| e.index == index)?)
    }

    /// The score of one of them had its preferences another mean, and nothing else changed.
    #[must_use]
    pub fn score_with(&self, index: usize, preference: f64) -> Option<f64> {
        self.score(&Arc::new(self.row_of(index)?.preferring(preference)))
    }

    /// The score of one of them with its parts.
    ///
    /// # Errors
    /// Why there is none, as one sentence.
    pub fn formula(&self, index: usize) -> Result<Formula, String> {
        let (Some(rule), Some(row)) = (self.rule(), self.row_of(index)) else {
            return Err("no rank formula is loaded, or the network is not feasible".to_owned());
        };
        let scene = self.scene.with(Arc::clone(row));
        self.rules.formula(rule, &scene).map_err(|stop| no_score(rule, &stop))
    }

    /// The formula's rule, its file and its line.
    #[must_use]
    pub fn place(&self) -> (String, String, u64) {
        let rule = self.rule();
        let file = rule.and_then(|r| self.rules.file_of(r)).map(|f| f.shown.clone());
        let line = rule.map_or(0, |r| u64::try_from(r.line).unwrap_or_default());
        (rule.map(|r| r.id.to_string()).unwrap_or_default(), file.unwrap_or_default(), line)
    }

    /// Why one of them has its score, in the formula's words, or why it has none.
    #[must_use]
    pub fn reason(&self, index: usize) -> String {
        match (self.formula(index), self.rule(), self.row_of(index)) {
            (Ok(_), Some(rule), Some(row)) => self.rules.reason(rule, &self.scene.with(Arc::clone(row))),
            (Err(why), ..) => why,
            (Ok(_), ..) => String::new(),
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

impl Row {
    /// The same candidate with the mean of its preferences, which only the formula may read.
    fn preferring(&self, preference: f64) -> Self {
        let mut row = self.clone();
        row.set("preference", Cell::real(preference));
        row
    }
}

struct Placed<'a> {
    entrant: Entrant<'a>,
    score: f64,
}

impl Placed<'_> {
    fn order(&self, other: &Self) -> Ordering {
        other
            .entrant
            .proven
            .cmp(&self.entrant.proven)
            .then_with(|| other.score.total_cmp(&self.score))
            .then_with(|| descending(self.accuracy(), other.accuracy()))
            .then_with(|| descending(self.speed(), other.speed()))
            .then_with(|| descending(self.smallness(), other.smallness()))
            .then_with(|| self.key().cmp(other.key()))
    }

    fn accuracy(&self) -> Option<f64> {
        self.entrant.candidate.accuracy.value().map(|a| a.value.0)
    }

    fn speed(&self) -> Option<f64> {
        self.entrant.candidate.latency.value().map(|l| -l.median.0)
    }

    fn smallness(&self) -> Option<f64> {
        self.entrant.candidate.size.value().map(|s| -s.as_f64())
    }

    fn key(&self) -> &CandidateKey {
        &self.entrant.candidate.key
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
