//! What of each rule the cases tried: a requirement holds, fails and is unknown; advice applies and does not.

use std::sync::Arc;

use serde::Serialize;

use super::{TestReport, documents, scene};
use crate::clauses::RuleKind;
use crate::evaluate::Scene;
use crate::evaluate::Stop;
use crate::facts;
use crate::judge::Gate;
use crate::judgement::Outcome;
use crate::rule::Rule;
use crate::ruleset::RuleSet;

/// How far the cases try one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCoverage {
    /// The rule.
    pub rule: String,
    /// The function that declares it.
    pub kind: &'static str,
    /// What cases made it say, of what it can say.
    pub tried: Vec<&'static str>,
    /// What it can say and no case made it say.
    pub missing: Vec<&'static str>,
}

impl RuleSet {
    /// What the cases of a report tried of each rule, by id.
    #[must_use]
    pub fn coverage(&self, report: &TestReport) -> Vec<RuleCoverage> {
        self.rules.iter().map(|rule| self.rule_coverage(rule, report)).collect()
    }

    fn rule_coverage(&self, rule: &Rule, report: &TestReport) -> RuleCoverage {
        let said = |word: &str| {
            let words = report.coverage.get(&rule.id);
            let weakly = word == "holds" && words.is_some_and(|w| w.contains("holds-weakly"));
            weakly || words.is_some_and(|w| w.contains(word))
        };
        let (tried, missing) = self.sayings(rule).into_iter().partition(|word| said(word));
        RuleCoverage { rule: rule.id.to_string(), kind: rule.kind.as_str(), tried, missing }
    }

    /// What a rule can say, in the words of cases.
    fn sayings(&self, rule: &Rule) -> Vec<&'static str> {
        let skips = rule.when.is_some().then_some("skips");
        match rule.kind {
            RuleKind::Require => {
                let unknown = self.can_be_unknown(rule).then_some("unknown");
                ["holds", "fails"].into_iter().chain(unknown).collect()
            }
            RuleKind::Prefer => ["prefers"].into_iter().chain(skips).collect(),
            RuleKind::Note => ["notes"].into_iter().chain(skips).collect(),
            RuleKind::Train | RuleKind::Optimise => ["advises"].into_iter().chain(skips).collect(),
            RuleKind::Rank => vec!["ranks"],
        }
    }

    /// Whether it ends undecided when nothing is known of the candidate, in a situation of its cases.
    fn can_be_unknown(&self, rule: &Rule) -> bool {
        let Ok(nothing) = facts::net(&toml::Table::new()).map(Arc::new) else { return false };
        let (documents, _) = documents(self);
        let cases =
            documents.iter().flat_map(|(_, d)| &d.cases).filter(|c| c.rule.get_ref() == rule.id.as_str());
        let scenes = cases.filter_map(|case| scene(case).ok()).map(|scene| scene.with(Arc::clone(&nothing)));
        scenes.into_iter().any(|scene| self.is_unknown(rule, &scene))
    }

    fn is_unknown(&self, rule: &Rule, scene: &Scene) -> bool {
        let gate = if rule.when.is_some() { Gate::Each } else { Gate::Open };
        matches!(self.outcome(rule, &gate, scene), Outcome::Stopped(Stop::Missing(_)))
    }
}

/// Share of what the rules can say that cases made them say, in percent.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "some hundred words")]
pub fn covered_percent(coverage: &[RuleCoverage]) -> f64 {
    let tried: usize = coverage.iter().map(|c| c.tried.len()).sum();
    let all = tried + coverage.iter().map(|c| c.missing.len()).sum::<usize>();
    if all == 0 { 100.0 } else { 100.0 * tried as f64 / all as f64 }
}
