//! Advice that contradicts itself: unknown steps in `after` and `excludes`, cycles, keys set twice.

use std::collections::BTreeSet;

use convwise_types::{Diagnostic, RuleId, nearest};

use super::advising;
use crate::cases;
use crate::plan::PlanError;
use crate::rule::{AdviceBody, Body, Rule};
use crate::ruleset::RuleSet;

pub(super) fn check(rules: &RuleSet) -> Vec<Diagnostic> {
    let mut found = unknown_steps(rules);
    found.extend(cycles(rules));
    found.extend(mutual_exclusion(rules));
    found.extend(conflicts(rules));
    found
}

fn body(rule: &Rule) -> Option<&AdviceBody> {
    match &rule.body {
        Body::Advise(body) => Some(body),
        _ => None,
    }
}

fn unknown_steps(rules: &RuleSet) -> Vec<Diagnostic> {
    let ids: BTreeSet<&str> = advising(rules).map(|r| r.id.as_str()).collect();
    let mut found = Vec::new();
    for rule in advising(rules) {
        let Some(body) = body(rule) else { continue };
        for (clause, named) in [("after", &body.after), ("excludes", &body.excludes)] {
            for id in named.iter().filter(|id| !ids.contains(id.as_str())) {
                let message = format!("`{clause}` of `{}` names `{id}`, which is no step", rule.id);
                let problem = Diagnostic::error("unknown-step", "", message);
                let problem = match nearest(id.as_str(), ids.iter().copied()) {
                    Some(near) => problem.with_help(format!("did you mean `{near}`?")),
                    None => problem.with_help("name the id of a `train` or `optimise` rule"),
                };
                found.push(rules.at_rule(rule, Some(clause), problem, "unknown step"));
            }
        }
    }
    found
}

/// A step that must come after itself, by way of others.
fn cycles(rules: &RuleSet) -> Vec<Diagnostic> {
    advising(rules)
        .filter(|rule| reaches(rules, rule, &rule.id))
        .map(|rule| {
            let message = format!("`{}` must come after itself", rule.id);
            let problem =
                Diagnostic::error("after-cycle", "", message).with_help("remove one `after` of the cycle");
            rules.at_rule(rule, Some("after"), problem, "part of a cycle")
        })
        .collect()
}

fn reaches(rules: &RuleSet, from: &Rule, wanted: &RuleId) -> bool {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&Rule> = vec![from];
    while let Some(rule) = waiting.pop() {
        for id in body(rule).map(|b| b.after.as_slice()).unwrap_or_default() {
            if id == wanted {
                return true;
            }
            if seen.insert(id.as_str()) {
                waiting.extend(rules.rule(id.as_str()));
            }
        }
    }
    false
}

/// Two steps of equal priority that rule each other out: which one stays would hang on their names.
fn mutual_exclusion(rules: &RuleSet) -> Vec<Diagnostic> {
    let excludes = |a: &Rule, b: &Rule| body(a).is_some_and(|body| body.excludes.contains(&b.id));
    let equal = |a: &Rule, b: &Rule| body(a).map(|x| x.priority) == body(b).map(|x| x.priority);
    let mut found = Vec::new();
    for a in advising(rules) {
        for b in advising(rules).filter(|b| a.id < b.id) {
            if excludes(a, b) && excludes(b, a) && equal(a, b) {
                let message = format!("`{}` and `{}` rule each other out at one priority", a.id, b.id);
                let problem = Diagnostic::error("mutual-exclusion", "", message)
                    .with_help("give one a higher priority, or remove one `excludes`");
                found.push(rules.at_rule(a, Some("excludes"), problem, "rules out the other"));
            }
        }
    }
    found
}

/// Two rules that set one key differently at one priority, in the situation of some case.
fn conflicts(rules: &RuleSet) -> Vec<Diagnostic> {
    let plans = cases::tried(rules).into_iter().map(|case| rules.plan(&case.scene));
    plans.filter_map(|plan| conflict(rules, &plan.err()?)).collect()
}

/// Two rules that set one key differently, at the second of them. Cycles are found without any plan.
pub(super) fn conflict(rules: &RuleSet, error: &PlanError) -> Option<Diagnostic> {
    let PlanError::Conflict { second, .. } = error else { return None };
    let problem = Diagnostic::error("conflicting-advice", "", error.to_string());
    Some(rules.at_rule(rules.rule(second.as_str())?, Some("advise"), problem, "sets it differently"))
}
