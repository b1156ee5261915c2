//! The same candidates heard again and again while one thing of the request changes: only the rules that read what
//! changed run again, and what they say is combined as ever.
//!
//! A rule is a function of the fields that it reads. One that never asked for a field of the request says the same
//! whatever stands there; so the recorder of [`crate::trace`] tells, without a guess, which rules a change concerns.

use std::convert::Infallible;
use std::sync::Arc;

use convwise_types::{Candidate, Verdict};

use crate::clauses::RuleKind;
use crate::evaluate::{Scene, Stop};
use crate::inquiry::Inquiry;
use crate::judge::Gate;
use crate::judgement::{Opinion, Outcome, verdict_of};
use crate::rank::{Contest, Entrant};
use crate::row::Row;
use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::shares::in_shares;
use crate::trace::{self, NeedFields};

/// What the rules make of one candidate, without findings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outline {
    /// All requirements combined.
    pub verdict: Verdict,
    /// What the preferences say; nothing for what is rejected.
    pub opinion: Opinion,
}

/// What one rule says of one candidate, as far as it decides anything.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    /// Nothing that counts.
    Nothing,
    Verdict(Verdict),
    Scored {
        score: f64,
        weight: f64,
    },
    /// It ran out of its budget, and has failed for all.
    Exhausted,
}

/// One rule over all candidates.
#[derive(Clone, Debug)]
struct Column<'a> {
    rule: &'a Rule,
    /// Fields of the request that it read, one bit each.
    reads: u64,
    said: Arc<Vec<Said>>,
}

/// Candidates before the rules, for one request after another.
#[derive(Clone, Debug)]
pub struct Hearing<'a> {
    rules: &'a RuleSet,
    need: Arc<Row>,
    rows: Arc<Vec<Arc<Row>>>,
    columns: Vec<Column<'a>>,
}

impl<'a> Hearing<'a> {
    /// Hears all candidates.
    #[must_use]
    pub fn open(rules: &'a RuleSet, inquiry: &Inquiry, candidates: &[Candidate]) -> Self {
        let need = Arc::new(Row::inquiry(inquiry));
        let rows = Arc::new(candidates.iter().map(|c| Arc::new(Row::candidate(c))).collect());
        let mut hearing = Self { rules, need, rows, columns: Vec::new() };
        let deciding = [RuleKind::Require, RuleKind::Prefer];
        let columns = deciding.into_iter().flat_map(|kind| rules.rules_of(kind));
        hearing.columns = columns.map(|rule| hearing.column(rule)).collect();
        hearing
    }

    /// Hears the same candidates, with the same facts, for another request to the same target.
    #[must_use]
    pub fn again(&self, inquiry: &Inquiry) -> Self {
        let need = Arc::new(Row::inquiry(inquiry));
        let changed = self.need.differences(&need);
        let mut hearing = Self { need, ..self.clone() };
        let again = |c: &Column<'a>| if c.reads & changed == 0 { c.clone() } else { hearing.column(c.rule) };
        hearing.columns = self.columns.iter().map(again).collect();
        hearing
    }

    /// The fields of the request in which two hearings differ.
    #[must_use]
    pub fn differs(&self, other: &Self) -> NeedFields {
        NeedFields(self.need.differences(&other.need))
    }

    /// The same hearing with one candidate's facts changed.
    #[must_use]
    pub fn with(&self, index: usize, candidate: &Candidate) -> Self {
        let row = Arc::new(Row::candidate(candidate));
        let mut hearing = self.clone();
        if let Some(place) = Arc::make_mut(&mut hearing.rows).get_mut(index) {
            *place = Arc::clone(&row);
        }
        let request = Scene::request(&self.need);
        for column in &mut hearing.columns {
            let gate = self.rules.gate(column.rule, &request);
            let (said, reads) = self.said(column.rule, &gate, &request.with(Arc::clone(&row)));
            column.reads |= reads;
            if let Some(place) = Arc::make_mut(&mut column.said).get_mut(index) {
                *place = said;
            }
        }
        hearing
    }

    fn column(&self, rule: &'a Rule) -> Column<'a> {
        let request = Scene::request(&self.need);
        let (gate, mut reads) = trace::needs_read(|| self.rules.gate(rule, &request));
        let one = |row: &Arc<Row>| self.said(rule, &gate, &request.with(Arc::clone(row)));
        let each = |share: &[Arc<Row>]| Ok::<_, Infallible>(share.iter().map(one).collect());
        let closed = matches!(gate, Gate::Closed);
        let Ok(found) = if closed { Ok(Vec::new()) } else { in_shares(&self.rows, each) };
        reads |= found.iter().fold(0, |all, (_, reads)| all | reads);
        let said = if closed {
            vec![Said::Nothing; self.rows.len()]
        } else {
            found.into_iter().map(|f| f.0).collect()
        };
        Column { rule, reads, said: Arc::new(said) }
    }

    fn said(&self, rule: &Rule, gate: &Gate, scene: &Scene) -> (Said, u64) {
        let (outcome, reads) = trace::needs_read(|| self.rules.outcome(rule, gate, scene));
        let said = match (rule.kind, outcome) {
            (_, Outcome::Stopped(Stop::Exhausted(_))) => Said::Exhausted,
            (RuleKind::Require, outcome) => Said::Verdict(verdict_of(&outcome)),
            (_, Outcome::Scored { score, weight }) => Said::Scored { score, weight },
            _ => Said::Nothing,
        };
        (said, reads)
    }

    /// What the rules make of every candidate, as [`RuleSet::judge`] does.
    #[must_use]
    pub fn outlines(&self) -> Vec<Outline> {
        let lost = if self.rules.lost.is_empty() { Verdict::Proven } else { Verdict::Unproven };
        let mut outlines = vec![Outline { verdict: lost, ..Outline::default() }; self.rows.len()];
        // Requirements come first: preferences are asked only for what is not rejected.
        for column in &self.columns {
            let overdrawn = self.rules.file_of(column.rule).is_some_and(|f| f.ledger.is_overdrawn());
            let exhausted = overdrawn
                || outlines
                    .iter()
                    .zip(column.said.iter())
                    .any(|(o, said)| *said == Said::Exhausted && o.is_asked(column.rule.kind));
            for (outline, said) in outlines.iter_mut().zip(column.said.iter()) {
                if outline.is_asked(column.rule.kind) {
                    outline.add(column.rule, if exhausted { Said::Exhausted } else { *said });
                }
            }
        }
        outlines
    }

    /// Lets what is not rejected enter the ranking; `candidates` are those that are heard, `preferences` one each.
    #[must_use]
    pub fn contest<'c>(
        &self,
        candidates: &'c [Candidate],
        outlines: &[Outline],
        preferences: &[f64],
    ) -> Contest<'c>
    where
        'a: 'c,
    {
        let all = candidates.iter().zip(outlines).zip(preferences).enumerate();
        let feasible = all.filter(|(_, ((_, o), _))| o.verdict != Verdict::Rejected);
        let entrants: Vec<_> = feasible
            .map(|(index, ((candidate, o), preference))| Entrant {
                index,
                candidate,
                proven: o.verdict == Verdict::Proven,
                preference: *preference,
            })
            .collect();
        let rows = entrants.iter().filter_map(|e| self.rows.get(e.index)).map(Arc::clone).collect();
        self.rules.contest_of(&self.need, entrants, rows)
    }
}

impl Outline {
    fn is_asked(&self, kind: RuleKind) -> bool {
        kind == RuleKind::Require || self.verdict != Verdict::Rejected
    }

    fn add(&mut self, rule: &Rule, said: Said) {
        match said {
            Said::Verdict(verdict) => self.verdict = self.verdict.max(verdict),
            Said::Scored { score, weight } => self.opinion.add(rule.is_the_guides(), score, weight),
            Said::Exhausted if rule.kind == RuleKind::Require => {
                self.verdict = self.verdict.max(Verdict::Unproven);
            }
            Said::Exhausted | Said::Nothing => {}
        }
    }
}
