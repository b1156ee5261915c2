//! Training and optimisation advice for one candidate: merged by key, ordered, without contradictions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convwise_types::{Candidate, Finding, FindingKind, RuleId, Step, StepKind, StepLine};
use rhai::{Array, Map};
use serde::{Deserialize, Serialize};

use crate::clauses::RuleKind;
use crate::evaluate::{Scene, Stop};
use crate::inquiry::Inquiry;
use crate::judge::{Gate, stop_finding};
use crate::judgement::Outcome;
use crate::row::{Row, number};
use crate::rule::{AdviceBody, Body, Rule};
use crate::ruleset::RuleSet;
use crate::trace;

/// What to do with a candidate once it is chosen. Every finding is of kind [`FindingKind::Step`], except
/// those in `open`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// How to train, most important first.
    pub train: Vec<Finding>,
    /// How to make it faster or smaller, in the order in which it must be done.
    pub optimise: Vec<Finding>,
    /// Advice that could not be decided or failed.
    pub open: Vec<Finding>,
}

/// Advice that contradicts itself: an error of the rule set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two rules set one key differently at one priority.
    #[error(
        "rules `{first}` and `{second}` set `{key}` to {first_value} and to {second_value} at priority {priority}; \
         give one of them another priority"
    )]
    Conflict {
        /// The key.
        key: String,
        /// One rule.
        first: RuleId,
        /// What it says.
        first_value: String,
        /// The other rule.
        second: RuleId,
        /// What it says.
        second_value: String,
        /// The priority of both.
        priority: i64,
    },
    /// Steps that each must come after another.
    #[error("the steps {} each come after another of them; remove one `after`", .0.join(", "))]
    Cycle(Vec<String>),
}

impl Plan {
    /// The training steps as the advice prints them.
    #[must_use]
    pub fn training_lines(&self) -> Vec<StepLine> {
        self.train.iter().flat_map(lines).collect()
    }

    /// The optimisation steps as the advice prints them.
    #[must_use]
    pub fn optimisation_lines(&self) -> Vec<StepLine> {
        self.optimise.iter().flat_map(lines).collect()
    }
}

/// One line an action; the settings are the first where there are any.
fn lines(finding: &Finding) -> Vec<StepLine> {
    let FindingKind::Step(step) = &finding.kind else { return Vec::new() };
    let settings = settings_text(&step.settings);
    let texts: Vec<&String> = step.actions.iter().chain(settings.as_ref()).collect();
    let line = |(at, text): (usize, &String)| StepLine {
        step: text.clone(),
        reason: finding.reason.clone(),
        rule: finding.rule.clone(),
        file: finding.file.clone(),
        line: finding.line,
        expect: if at == 0 { expect_text(&step.expect) } else { None },
        command: if at == 0 { step.command.clone() } else { None },
    };
    texts.into_iter().enumerate().map(line).collect()
}

fn settings_text(settings: &BTreeMap<String, String>) -> Option<String> {
    let texts: Vec<String> = settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// `latency x 0.25 to 0.5, top1 -1 to -0.2 points`.
fn expect_text(expect: &BTreeMap<String, [f64; 2]>) -> Option<String> {
    let one = |(quantity, [low, high]): (&String, &[f64; 2])| match quantity.as_str() {
        "latency" | "size" | "ram" | "macs" => format!("{quantity} x {low} to {high}"),
        _ => format!("{quantity} {low} to {high} points"),
    };
    let texts: Vec<String> = expect.iter().map(one).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// What every rule advises of one candidate.
#[derive(Debug)]
pub(crate) struct Advice {
    train: Vec<Finding>,
    optimise: Vec<Finding>,
    open: Vec<Finding>,
}

impl Advice {
    /// All of it.
    pub fn advised(&self) -> impl Iterator<Item = &Finding> {
        self.train.iter().chain(&self.optimise)
    }

    /// One value a key, one order.
    pub fn merged(self) -> Result<Plan, PlanError> {
        let optimise = in_order(merge(without_excluded(self.optimise))?)?;
        Ok(Plan { train: merge(self.train)?, optimise, open: self.open })
    }
}

impl RuleSet {
    /// The training and optimisation plan of one candidate.
    ///
    /// # Errors
    /// Two rules set one key to different values at one priority, or steps wait for each other.
    pub fn steps(&self, inquiry: &Inquiry, candidate: &Candidate) -> Result<Plan, PlanError> {
        let need = Arc::new(Row::inquiry(inquiry));
        self.plan(&Scene::request(&need).with(Arc::new(Row::candidate(candidate))))
    }

    pub(crate) fn plan(&self, scene: &Scene) -> Result<Plan, PlanError> {
        self.advice(scene).merged()
    }

    /// What every rule advises, before it is merged.
    pub(crate) fn advice(&self, scene: &Scene) -> Advice {
        let mut open = Vec::new();
        let train = self.advice_of(RuleKind::Train, scene, &mut open);
        let optimise = self.advice_of(RuleKind::Optimise, scene, &mut open);
        Advice { train, optimise, open }
    }

    fn advice_of(&self, kind: RuleKind, scene: &Scene, open: &mut Vec<Finding>) -> Vec<Finding> {
        let mut found = Vec::new();
        for rule in self.rules_of(kind) {
            match self.advise(rule, scene) {
                Ok(None) => {}
                Ok(Some(finding)) => found.push(finding),
                Err(stop) => {
                    let (kind, reason) = stop_finding(&stop);
                    open.push(self.placed(rule, kind, reason, Vec::new(), None));
                }
            }
        }
        found
    }

    /// The step that a rule advises, if it applies.
    pub(crate) fn advise(&self, rule: &Rule, scene: &Scene) -> Result<Option<Finding>, Stop> {
        let Body::Advise(body) = &rule.body else { return Ok(None) };
        let gate = if rule.when.is_some() { Gate::Each } else { Gate::Open };
        let (step, reads) = trace::reads(|| match self.outcome(rule, &gate, scene) {
            Outcome::Stopped(stop) => Err(stop),
            Outcome::Noted => self.step(rule, body, scene).map(Some),
            _ => Ok(None),
        });
        let Some(step) = step? else { return Ok(None) };
        let observed = reads.observed(scene);
        Ok(Some(self.placed(rule, FindingKind::Step(step), self.reason(rule, scene), observed, None)))
    }

    fn step(&self, rule: &Rule, body: &AdviceBody, scene: &Scene) -> Result<Step, Stop> {
        let clause = |c: &Option<crate::rule::Clause>| c.as_ref().map(|c| self.call(c, scene)).transpose();
        let map = |c: &Option<crate::rule::Clause>| {
            Ok(clause(c)?.and_then(|v| v.try_cast::<Map>()).unwrap_or_default())
        };
        Ok(Step {
            step: if rule.kind == RuleKind::Train { StepKind::Train } else { StepKind::Optimise },
            settings: map(&body.advise)?
                .into_iter()
                .map(|(k, v)| (k.to_string(), trace::print(&v)))
                .collect(),
            actions: body.steps.as_ref().map_or(Ok(Vec::new()), |c| self.sentences(c, scene))?,
            priority: body.priority,
            expect: ranges(map(&body.expect)?)?,
            after: body.after.clone(),
            excludes: body.excludes.clone(),
            command: body.command.as_ref().map(|c| self.text(c, scene)).transpose()?,
        })
    }
}

fn ranges(map: Map) -> Result<BTreeMap<String, [f64; 2]>, Stop> {
    map.into_iter().map(|(key, value)| Ok((key.to_string(), range(&key, value)?))).collect()
}

fn range(key: &str, value: rhai::Dynamic) -> Result<[f64; 2], Stop> {
    let numbers: Vec<f64> = value.try_cast::<Array>().unwrap_or_default().iter().filter_map(number).collect();
    match numbers.as_slice() {
        [low, high] if low <= high => Ok([*low, *high]),
        _ => {
            let message = format!("the expected effect on `{key}` must be `[low, high]`");
            Err(Stop::Error(Arc::new(convwise_types::Diagnostic::error("wrong-type", "", message))))
        }
    }
}

fn step_of(finding: &Finding) -> Option<&Step> {
    match &finding.kind {
        FindingKind::Step(step) => Some(step),
        _ => None,
    }
}

fn priority(finding: &Finding) -> i64 {
    step_of(finding).map_or(0, |s| s.priority)
}

/// Highest priority first; each key keeps the value of the highest priority that sets it.
fn merge(mut findings: Vec<Finding>) -> Result<Vec<Finding>, PlanError> {
    findings.sort_by(|a, b| priority(b).cmp(&priority(a)).then_with(|| a.rule.cmp(&b.rule)));
    let mut owners: BTreeMap<String, (RuleId, i64, String)> = BTreeMap::new();
    for finding in &mut findings {
        let rule = finding.rule.clone();
        let FindingKind::Step(step) = &mut finding.kind else { continue };
        claim(&mut owners, &rule, step)?;
    }
    findings.retain(|f| step_of(f).is_some_and(|s| !s.settings.is_empty() || !s.actions.is_empty()));
    Ok(findings)
}

/// Takes the keys that nobody has yet and drops the others from the step.
fn claim(
    owners: &mut BTreeMap<String, (RuleId, i64, String)>,
    rule: &RuleId,
    step: &mut Step,
) -> Result<(), PlanError> {
    for (key, value) in std::mem::take(&mut step.settings) {
        match owners.get(&key) {
            None => {
                owners.insert(key.clone(), (rule.clone(), step.priority, value.clone()));
                step.settings.insert(key, value);
            }
            Some((first, priority, first_value)) if *priority == step.priority && *first_value != value => {
                return Err(PlanError::Conflict {
                    key,
                    first: first.clone(),
                    first_value: first_value.clone(),
                    second: rule.clone(),
                    second_value: value,
                    priority: *priority,
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// A step of higher priority rules out what it excludes; among equals the first by id does.
fn without_excluded(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| priority(b).cmp(&priority(a)).then_with(|| a.rule.cmp(&b.rule)));
    let mut out: BTreeSet<RuleId> = BTreeSet::new();
    let mut kept = Vec::new();
    for finding in findings {
        if out.contains(&finding.rule) {
            continue;
        }
        out.extend(step_of(&finding).into_iter().flat_map(|s| s.excludes.iter().cloned()));
        kept.push(finding);
    }
    kept
}

/// Each step after those it names, otherwise by priority. Names of steps that are not advised are met.
fn in_order(mut waiting: Vec<Finding>) -> Result<Vec<Finding>, PlanError> {
    let mut done: Vec<Finding> = Vec::new();
    while !waiting.is_empty() {
        let blocked = |f: &Finding| {
            let after = step_of(f).map(|s| s.after.as_slice()).unwrap_or_default();
            after.iter().any(|id| waiting.iter().any(|w| w.rule == *id && w.rule != f.rule))
        };
        match waiting.iter().position(|f| !blocked(f)) {
            Some(ready) => done.push(waiting.remove(ready)),
            None => return Err(PlanError::Cycle(waiting.iter().map(|f| format!("`{}`", f.rule)).collect())),
        }
    }
    Ok(done)
}
