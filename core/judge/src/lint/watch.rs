//! What each rule does in each situation of a corpus.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convwise_types::{Diagnostic, RuleId};
use rhai::Dynamic;

use crate::clauses::RuleKind;
use crate::corpus::Situation;
use crate::evaluate::{Scene, Stop};
use crate::fields::Cell;
use crate::judge::Gate;
use crate::judgement::Outcome;
use crate::plan::PlanError;
use crate::pool::Pool;
use crate::row::Row;
use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::trace;

/// Candidates of a situation whose plans are drawn up: plans hang on the request far more than on the network.
const PLANNED: usize = 4;

/// What one rule did in one situation.
#[derive(Debug, Default)]
pub(super) struct Sighting {
    /// Candidates that it did not apply to.
    pub absent: usize,
    /// Candidates that it applied to.
    pub applied: usize,
    /// Positions of the candidates that a requirement rejects.
    pub rejected: BTreeSet<usize>,
    /// Lowest and highest score, and how many there were.
    pub scores: Option<(f64, f64, usize)>,
    /// The greatest weight of a preference.
    pub weight: f64,
    /// Fields of the request that it needed and that were not stated.
    pub unstated: BTreeSet<String>,
}

/// An error that a rule raised.
#[derive(Debug)]
pub(super) struct Raised {
    pub rule: RuleId,
    /// The clause that raised it, as far as that is known.
    pub clause: Option<&'static str>,
    pub problem: Arc<Diagnostic>,
    /// Where it happened.
    pub on: String,
}

/// A situation and what the rules did in it.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub situation: &'a Situation,
    pub sightings: BTreeMap<&'a RuleId, Sighting>,
    pub raised: Vec<Raised>,
    /// Rules that advised something, and those of them that came into a plan.
    pub advised: BTreeSet<RuleId>,
    pub planned: BTreeSet<RuleId>,
    pub conflicts: Vec<PlanError>,
}

impl<'a> Seen<'a> {
    pub fn of(rules: &'a RuleSet, situation: &'a Situation) -> Self {
        let mut seen = Self {
            situation,
            sightings: BTreeMap::new(),
            raised: Vec::new(),
            advised: BTreeSet::new(),
            planned: BTreeSet::new(),
            conflicts: Vec::new(),
        };
        let request = Scene::request(&Arc::new(Row::inquiry(&situation.inquiry)));
        let rows: Vec<Arc<Row>> = situation.candidates.iter().map(|c| Arc::new(Row::candidate(c))).collect();
        for rule in rules.rules.iter().filter(|rule| rule.kind != RuleKind::Rank) {
            let sighting = seen.sight(rules, rule, &request, &rows);
            seen.sightings.insert(&rule.id, sighting);
        }
        seen.place(rules, &request, rows.clone());
        seen.plan(rules, &request, &rows);
        seen
    }

    /// The candidates that no requirement rejects.
    fn feasible(&self, rows: Vec<Arc<Row>>) -> Vec<(usize, Arc<Row>)> {
        let rejected: BTreeSet<usize> = self.sightings.values().flat_map(|s| &s.rejected).copied().collect();
        rows.into_iter().enumerate().filter(|(at, _)| !rejected.contains(at)).collect()
    }

    fn sight(&mut self, rules: &RuleSet, rule: &Rule, request: &Scene, rows: &[Arc<Row>]) -> Sighting {
        let mut sighting = Sighting::default();
        let (gate, reads) = trace::reads(|| rules.gate(rule, request));
        match &gate {
            Gate::Closed => sighting.absent = rows.len(),
            Gate::Stopped(stop) => {
                self.stopped(&mut sighting, rule, Some("when"), stop, (request, &reads), None)
            }
            Gate::Open | Gate::Each => {
                for (at, row) in rows.iter().enumerate() {
                    let scene = request.with(Arc::clone(row));
                    let (outcome, reads) = trace::reads(|| rules.outcome(rule, &gate, &scene));
                    self.note(rules, &mut sighting, rule, (at, &scene), &outcome, &reads);
                    if matches!(outcome, Outcome::Stopped(Stop::Exhausted(_))) {
                        break;
                    }
                }
            }
        }
        sighting
    }

    fn note(
        &mut self,
        rules: &RuleSet,
        sighting: &mut Sighting,
        rule: &Rule,
        (at, scene): (usize, &Scene),
        outcome: &Outcome,
        reads: &trace::Reads,
    ) {
        let first =
            sighting.applied == 0 || (sighting.rejected.is_empty() && matches!(outcome, Outcome::Fails));
        match outcome {
            Outcome::Absent => return sighting.absent += 1,
            Outcome::Stopped(stop) => {
                return self.stopped(sighting, rule, None, stop, (scene, reads), Some(at));
            }
            Outcome::Fails => _ = sighting.rejected.insert(at),
            Outcome::Scored { score, weight } => sighting.score(*score, *weight),
            Outcome::Holds { .. } | Outcome::Noted => {}
        }
        sighting.applied += 1;
        if first {
            self.words(rules, rule, scene, at, matches!(outcome, Outcome::Fails));
        }
    }

    fn stopped(
        &mut self,
        sighting: &mut Sighting,
        rule: &Rule,
        clause: Option<&'static str>,
        stop: &Stop,
        (scene, reads): (&Scene, &trace::Reads),
        at: Option<usize>,
    ) {
        sighting.applied += 1;
        match stop {
            Stop::Missing(missing) => {
                let path = format!("need.{}", missing.fact);
                // What is not known of the device is a fact to find out, not a demand that nobody made.
                let is_of_request = !path.starts_with("need.device.");
                let is_unstated = is_of_request && matches!(scene.cell(&path), Some(Cell::Unknown(_)));
                sighting.unstated.extend(reads.paths().filter(|read| is_unstated && *read == path));
            }
            Stop::Error(problem) | Stop::Exhausted(problem) => {
                let on = self.title(at);
                self.raised.push(Raised { rule: rule.id.clone(), clause, problem: Arc::clone(problem), on });
            }
        }
    }

    /// What is written about a decision must not fail either: of one candidate that passes and one that does not.
    fn words(&mut self, rules: &RuleSet, rule: &Rule, scene: &Scene, at: usize, fails: bool) {
        let written = rule.clauses().into_iter().filter(|(name, _)| match *name {
            "because" => true,
            "margin" | "relax" => fails,
            _ => false,
        });
        for (name, clause) in written {
            if let Err(Stop::Error(problem) | Stop::Exhausted(problem)) = rules.call(clause, scene) {
                let on = self.title(Some(at));
                self.raised.push(Raised { rule: rule.id.clone(), clause: Some(name), problem, on });
            }
        }
    }

    /// Runs the rank formula over the feasible.
    fn place(&mut self, rules: &RuleSet, request: &Scene, rows: Vec<Arc<Row>>) {
        let Some(rule) = rules.rules_of(RuleKind::Rank).next() else { return };
        let feasible: Vec<(usize, Arc<Row>)> = self.feasible(rows).into_iter().map(with_preference).collect();
        let pool: Vec<_> = feasible.iter().map(|(_, row)| Arc::clone(row)).collect();
        let request = Scene { pool: Some(Dynamic::from(Pool::new(&pool))), ..request.clone() };
        for (at, row) in feasible {
            let scene = request.with(row);
            if let Err(Stop::Error(problem) | Stop::Exhausted(problem)) = rules.formula(rule, &scene) {
                let on = self.title(Some(at));
                self.raised.push(Raised { rule: rule.id.clone(), clause: Some("score"), problem, on });
                return;
            }
        }
    }

    /// Draws up the plans of a few candidates from all over the list.
    fn plan(&mut self, rules: &RuleSet, request: &Scene, rows: &[Arc<Row>]) {
        let step = rows.len().div_ceil(PLANNED).max(1);
        for row in rows.iter().step_by(step) {
            let advice = rules.advice(&request.with(Arc::clone(row)));
            self.advised.extend(advice.advised().map(|finding| finding.rule.clone()));
            match advice.merged() {
                Ok(plan) => {
                    self.planned.extend(plan.train.iter().chain(&plan.optimise).map(|f| f.rule.clone()));
                }
                Err(conflict) => self.conflicts.push(conflict),
            }
        }
    }

    fn title(&self, at: Option<usize>) -> String {
        let candidate = at.and_then(|at| self.situation.candidates.get(at));
        match candidate {
            Some(candidate) => format!("{} for `{}`", candidate.key.architecture, self.situation.name),
            None => format!("`{}`", self.situation.name),
        }
    }
}

/// The preference is what the `prefer` rules give; any value will do to try the formula.
fn with_preference((at, row): (usize, Arc<Row>)) -> (usize, Arc<Row>) {
    let mut row = Row::clone(&row);
    row.set("preference", Cell::real(0.5));
    (at, Arc::new(row))
}

impl Sighting {
    fn score(&mut self, score: f64, weight: f64) {
        let (low, high, count) = self.scores.unwrap_or((score, score, 0));
        self.scores = Some((low.min(score), high.max(score), count + 1));
        self.weight = self.weight.max(weight);
    }
}
