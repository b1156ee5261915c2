//! A judgement in the making: takes what each rule says of one candidate and combines it.

use convwise_types::{Finding, FindingKind, Missing, Verdict};

use crate::clauses::RuleKind;
use crate::evaluate::{Scene, Stop};
use crate::judge::weak_text;
use crate::judgement::{Judgement, Opinion, Outcome, verdict_of};
use crate::rule::{Body, Rule};
use crate::ruleset::{LostRequirement, RuleSet};
use crate::trace::Weakest;

/// A judgement in the making.
pub(crate) struct Draft {
    pub verdict: Verdict,
    decided: bool,
    findings: Vec<Finding>,
    opinion: Opinion,
    /// Weight of the preferences that apply and could not be scored.
    missed: f64,
    needs: Vec<Missing>,
    /// One entry a failed requirement.
    relaxed: Vec<Option<String>>,
}

impl Draft {
    pub fn new(rules: &RuleSet) -> Self {
        let findings = lost_findings(rules);
        let verdict = if findings.is_empty() { Verdict::Proven } else { Verdict::Unproven };
        let (needs, relaxed) = (Vec::new(), Vec::new());
        let decided = findings.is_empty();
        Self { verdict, decided, findings, opinion: Opinion::default(), missed: 0.0, needs, relaxed }
    }

    /// Takes what a rule said, and writes it out if it decides.
    pub fn add(&mut self, rules: &RuleSet, rule: &Rule, scene: &Scene, outcome: &Outcome) {
        match rule.kind {
            RuleKind::Require => self.require(rules, rule, scene, outcome),
            RuleKind::Prefer => self.prefer(rules, rule, scene, outcome),
            RuleKind::Note | RuleKind::Train | RuleKind::Optimise | RuleKind::Rank => {}
        }
        let decides = match outcome {
            Outcome::Fails | Outcome::Holds { weak: Some(_) } => true,
            Outcome::Stopped(Stop::Missing(_)) => rule.kind == RuleKind::Require,
            Outcome::Stopped(_) => true,
            _ => false,
        };
        if decides {
            self.findings.extend(rules.finding(rule, scene, outcome, Vec::new()));
        }
    }

    fn require(&mut self, rules: &RuleSet, rule: &Rule, scene: &Scene, outcome: &Outcome) {
        self.verdict = self.verdict.max(verdict_of(outcome));
        self.decided &= !matches!(outcome, Outcome::Stopped(_));
        match outcome {
            Outcome::Fails => self.relaxed.push(rules.relax(rule, scene)),
            Outcome::Holds { weak: Some(weak) } => self.need(weak_need(rule, *weak)),
            Outcome::Stopped(Stop::Missing(missing)) => self.need((**missing).clone()),
            _ => {}
        }
    }

    fn prefer(&mut self, rules: &RuleSet, rule: &Rule, scene: &Scene, outcome: &Outcome) {
        match outcome {
            Outcome::Scored { score, weight } => self.opinion.add(rule.is_the_guides(), *score, *weight),
            Outcome::Stopped(_) => {
                let Body::Prefer { weight, .. } = &rule.body else { return };
                self.missed += rules.weight(weight.as_ref(), scene).unwrap_or(1.0);
            }
            _ => {}
        }
    }

    fn need(&mut self, missing: Missing) {
        if !self.needs.contains(&missing) {
            self.needs.push(missing);
        }
    }

    pub fn finish(mut self) -> Judgement {
        self.findings.sort_by(|a, b| a.rule.cmp(&b.rule));
        self.needs.sort();
        let relaxed: Option<Vec<String>> = self.relaxed.into_iter().collect();
        Judgement {
            verdict: self.verdict,
            decided: self.decided,
            findings: self.findings,
            preference: self.opinion.mean(),
            opinion: self.opinion,
            preference_weight: [self.opinion.weight(), self.opinion.weight() + self.missed],
            needs: self.needs,
            counterfactual: relaxed.filter(|r| !r.is_empty()).map(|r| r.join(" ")),
        }
    }
}

fn weak_need(rule: &Rule, weak: Weakest) -> Missing {
    Missing::new(weak.fact, format!("rule `{}`: {}", rule.id, weak_text(rule, weak.grade)))
}

/// One finding a requirement that could not be loaded.
pub(crate) fn lost_findings(rules: &RuleSet) -> Vec<Finding> {
    rules.lost.iter().map(lost_finding).collect()
}

fn lost_finding(lost: &LostRequirement) -> Finding {
    let reason = format!("a requirement could not be loaded, so nothing is proven: {}", lost.error);
    Finding {
        rule: lost.id.clone(),
        kind: FindingKind::Failed { error: lost.error.clone() },
        reason,
        file: lost.file.clone(),
        line: u64::try_from(lost.line).unwrap_or_default(),
        observed: Vec::new(),
        margin: None,
    }
}
