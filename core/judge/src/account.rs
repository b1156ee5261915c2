//! The account that every rule gives of one candidate: what it says, why, what it read and on which evidence.

use std::sync::Arc;

use convwise_types::{Candidate, FindingKind, Grade, Observed};
use serde::Serialize;

use crate::clauses::RuleKind;
use crate::evaluate::{Scene, Stop};
use crate::fields::{Better, Field, evidence_of, field_at};
use crate::inquiry::Inquiry;
use crate::judge::stop_finding;
use crate::judgement::Outcome;
use crate::row::Row;
use crate::rule::{Body, Rule};
use crate::ruleset::RuleSet;
use crate::trace;

/// What one rule says of one candidate, whether it applies or not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// The rule.
    pub rule: String,
    /// The function that declares it: `require`, `prefer`, ...
    pub kind: &'static str,
    /// In the words of cases: `holds`, `holds-weakly`, `fails`, `unknown`, `error`, `skips` where it does not apply,
    /// `prefers`, `notes`, `advises`.
    pub verdict: &'static str,
    /// Why, in the rule's words.
    pub reason: String,
    /// What it read, in the order of the first reading.
    pub fields: Vec<Reading>,
    /// Slack of a requirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Margin>,
    /// Score of a preference, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Weight of a preference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// The change to the request that the rule names as one that would admit the candidate, as flags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relax: Option<String>,
    /// Who says so.
    pub source: String,
    /// File of the rule.
    pub file: String,
    /// Line of the rule.
    pub line: u64,
}

/// A field that a rule read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// As the rule names it: `net.latency.high_ms`.
    pub field: String,
    /// The value, or `unknown`.
    pub value: String,
    /// Its unit in words; empty where it has none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub unit: &'static str,
    /// Grade of its evidence, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// Where it comes from: a record, a URL, a method, or the flag or file of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Signed slack of a requirement: negative means missed by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Margin {
    /// In the unit of the limit.
    pub value: f64,
    /// That unit in words; empty where the fields read have none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub unit: &'static str,
    /// As a share of the limit, so that margins of different units compare; `None` where the limit is not to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_limit: Option<f64>,
}

/// A candidate before the rules, with where its facts and the request come from.
#[derive(Clone, Copy)]
struct Witness<'a> {
    inquiry: &'a Inquiry,
    candidate: &'a Candidate,
    scene: &'a Scene,
}

impl RuleSet {
    /// The account of every rule but the formula, requirements first; within a kind by id.
    #[must_use]
    pub fn accounts(&self, inquiry: &Inquiry, candidate: &Candidate) -> Vec<Account> {
        let scene =
            Scene::request(&Arc::new(Row::inquiry(inquiry))).with(Arc::new(Row::candidate(candidate)));
        let witness = Witness { inquiry, candidate, scene: &scene };
        let kinds = RuleKind::ALL.into_iter().filter(|kind| *kind != RuleKind::Rank);
        let given = kinds.flat_map(|kind| self.rules_of(kind)).map(|rule| self.account(rule, witness));
        self.lost_accounts().chain(given).collect()
    }

    /// Requirements that could not be loaded have failed for every candidate.
    fn lost_accounts(&self) -> impl Iterator<Item = Account> {
        self.lost.iter().map(|lost| Account {
            rule: lost.id.to_string(),
            kind: RuleKind::Require.as_str(),
            verdict: "error",
            reason: format!("it could not be loaded, so nothing is proven: {}", lost.error),
            fields: Vec::new(),
            margin: None,
            score: None,
            weight: None,
            relax: None,
            source: String::new(),
            file: lost.file.clone(),
            line: u64::try_from(lost.line).unwrap_or_default(),
        })
    }

    fn account(&self, rule: &Rule, witness: Witness<'_>) -> Account {
        let said = if matches!(rule.body, Body::Advise(_)) {
            self.advised(rule, witness.scene)
        } else {
            self.judged(rule, witness.scene)
        };
        let (score, weight) = said.scored.unzip();
        Account {
            rule: rule.id.to_string(),
            kind: rule.kind.as_str(),
            verdict: said.verdict,
            reason: said.reason,
            fields: said.observed.into_iter().map(|o| witness.reading(o)).collect(),
            margin: if said.decided { self.margin(rule, witness.scene) } else { None },
            score,
            weight,
            relax: said.relax,
            source: rule.source.clone(),
            file: self.file_of(rule).map(|f| f.shown.clone()).unwrap_or_default(),
            line: u64::try_from(rule.line).unwrap_or_default(),
        }
    }

    fn judged(&self, rule: &Rule, scene: &Scene) -> Said {
        let answer = self.answer(rule, scene);
        let scored = match answer.outcome {
            Outcome::Scored { score, weight } => Some((score, weight)),
            _ => None,
        };
        Said {
            verdict: answer.outcome.word(),
            reason: answer.reason,
            observed: answer.observed,
            scored,
            relax: answer.relax,
            decided: !matches!(answer.outcome, Outcome::Absent),
        }
    }

    fn advised(&self, rule: &Rule, scene: &Scene) -> Said {
        let said = |verdict, reason, observed| Said { verdict, reason, observed, ..Said::default() };
        match self.advise(rule, scene) {
            Ok(Some(finding)) => said("advises", steps_of(&finding.kind, finding.reason), finding.observed),
            Ok(None) => said("skips", String::new(), self.answer(rule, scene).observed),
            Err(stop) => {
                let word = if matches!(stop, Stop::Missing(_)) { "unknown" } else { "error" };
                said(word, stop_finding(&stop).1, self.answer(rule, scene).observed)
            }
        }
    }

    /// The slack, with the unit and the direction of the fact that it is taken of.
    fn margin(&self, rule: &Rule, scene: &Scene) -> Option<Margin> {
        let Body::Require { margin: Some(clause), .. } = &rule.body else { return None };
        let (value, reads) = trace::reads(|| self.number(clause, scene).ok());
        let (value, read) = (value?, reads.observed(scene));
        let measured = |o: &&Observed| {
            o.field.starts_with("net.") && field_at(&o.field).is_some_and(|f| f.better != Better::Neither)
        };
        let fact = read.iter().find(measured);
        let field = fact.and_then(|o| field_at(&o.field));
        let limit = fact.zip(field).and_then(|(o, f)| limit_of(f, o.value.parse().ok()?, value));
        Some(Margin {
            value,
            unit: field.map_or("", |f| f.unit),
            of_limit: limit.filter(|l| *l != 0.0).map(|limit| value / limit.abs()),
        })
    }
}

/// The limit that a fact was held against: it must stay below by the margin, or reach beyond by it.
fn limit_of(field: &Field, fact: f64, margin: f64) -> Option<f64> {
    match field.better {
        Better::Lower => Some(fact + margin),
        Better::Higher => Some(fact - margin),
        Better::Neither => None,
    }
}

/// The reason of a step with what it says to do.
fn steps_of(kind: &FindingKind, reason: String) -> String {
    let FindingKind::Step(step) = kind else { return reason };
    let settings = step.settings.iter().map(|(key, value)| format!("{key} = {value}"));
    let told: Vec<String> = step.actions.iter().cloned().chain(settings).collect();
    if told.is_empty() { reason } else { format!("{}: {reason}", told.join("; ")) }
}

/// What a rule said, before it is put into an account.
#[derive(Default)]
struct Said {
    verdict: &'static str,
    reason: String,
    observed: Vec<Observed>,
    scored: Option<(f64, f64)>,
    relax: Option<String>,
    decided: bool,
}

impl Witness<'_> {
    fn reading(self, observed: Observed) -> Reading {
        let source = match evidence_of(self.candidate, &observed.field) {
            Some(evidence) if observed.grade.is_some() => Some(evidence.source.clone()),
            _ => self.origin(&observed.field),
        };
        let unit = field_at(&observed.field).map_or("", |f| f.unit);
        Reading { field: observed.field, value: observed.value, unit, grade: observed.grade, source }
    }

    /// Who stated a field of the request: a flag, a file, or the default.
    fn origin(self, field: &str) -> Option<String> {
        let name = field.strip_prefix("need.")?;
        let name = name.trim_end_matches("_ms").trim_end_matches("_bytes").replace('_', "-");
        let name = if name == "precisions" { "precision".to_owned() } else { name };
        self.inquiry.request.origins.get(&name).cloned()
    }
}
