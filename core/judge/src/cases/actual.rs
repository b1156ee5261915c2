//! What a rule said in the situation of a case, and how that differs from what was expected.

use std::collections::BTreeMap;
use std::sync::Arc;

use convwise_types::{Diagnostic, FindingKind, Observed, Step};

use super::{Case, CaseOutcome};
use crate::evaluate::{Scene, Stop};
use crate::judge::stop_finding;
use crate::judgement::Outcome;
use crate::rule::{Body, Rule};
use crate::ruleset::RuleSet;

impl RuleSet {
    pub(super) fn actual_answer(&self, rule: &Rule, scene: &Scene) -> Actual {
        let answer = self.answer(rule, scene);
        let score = if let Outcome::Scored { score, .. } = answer.outcome { Some(score) } else { None };
        Actual {
            word: answer.outcome.word(),
            reason: answer.reason,
            relax: answer.relax,
            score,
            step: None,
            observed: answer.observed,
        }
    }

    pub(super) fn actual_step(&self, rule: &Rule, scene: &Scene) -> Actual {
        match self.advise(rule, scene) {
            Ok(None) => Actual::of("skips", String::new()),
            Err(stop) => Actual::stopped(&stop),
            Ok(Some(finding)) => {
                let step = if let FindingKind::Step(step) = finding.kind { Some(step) } else { None };
                Actual { step, observed: finding.observed, ..Actual::of("advises", finding.reason) }
            }
        }
    }

    pub(super) fn actual_rank(&self, rule: &Rule, scene: &Scene) -> Actual {
        match self.formula(rule, scene) {
            Ok(scored) => {
                Actual { score: Some(scored.score), ..Actual::of("ranks", self.reason(rule, scene)) }
            }
            Err(stop) => Actual::stopped(&stop),
        }
    }
}

impl RuleSet {
    /// The error that a rule raises on a scene, if it does.
    pub(crate) fn raised_by(&self, rule: &Rule, scene: &Scene) -> Option<Arc<Diagnostic>> {
        let stop = match &rule.body {
            Body::Rank { .. } => self.formula(rule, scene).err()?,
            Body::Advise(_) => self.advise(rule, scene).err()?,
            _ => match self.answer(rule, scene).outcome {
                Outcome::Stopped(stop) => stop,
                _ => return None,
            },
        };
        match stop {
            Stop::Missing(_) => None,
            Stop::Error(problem) | Stop::Exhausted(problem) => Some(problem),
        }
    }
}

/// What a rule said.
pub(super) struct Actual {
    pub word: &'static str,
    pub reason: String,
    pub relax: Option<String>,
    pub score: Option<f64>,
    pub step: Option<Step>,
    observed: Vec<Observed>,
}

impl Actual {
    fn of(word: &'static str, reason: String) -> Self {
        Self { word, reason, relax: None, score: None, step: None, observed: Vec::new() }
    }

    fn stopped(stop: &Stop) -> Self {
        let word = if matches!(stop, Stop::Missing(_)) { "unknown" } else { "error" };
        Self::of(word, stop_finding(stop).1)
    }

    pub fn against(&self, case: &Case) -> CaseOutcome {
        let mut diff = Diff::default();
        diff.same("says", case.expect.get_ref(), self.word);
        diff.part("because", case.because.as_deref(), &self.reason);
        diff.part("relax", case.relax.as_deref(), self.relax.as_deref().unwrap_or("nothing"));
        if let Some(wanted) = case.score {
            diff.same(
                "score",
                &format!("{wanted:.3}"),
                &self.score.map_or("none".to_owned(), |s| format!("{s:.3}")),
            );
        }
        self.compare_step(case, &mut diff);
        diff.finish(&self.reason, &self.observed)
    }

    fn compare_step(&self, case: &Case, diff: &mut Diff) {
        let nothing = BTreeMap::new();
        let settings = self.step.as_ref().map_or(&nothing, |s| &s.settings);
        for (key, wanted) in &case.settings {
            diff.same(key, wanted, settings.get(key).map_or("not set", String::as_str));
        }
        let actions = self.step.as_ref().map(|s| s.actions.join(" | ")).unwrap_or_default();
        for wanted in &case.steps {
            diff.part("steps", Some(wanted), &actions);
        }
    }
}

/// `read: net.latency.ms = 20 (measured)`.
fn read(observed: &Observed) -> String {
    let grade = observed.grade.map(|grade| format!(" ({grade})")).unwrap_or_default();
    format!("read: {} = {}{grade}", observed.field, observed.value)
}

/// Expected against actual, line by line.
#[derive(Default)]
struct Diff(Vec<String>);

impl Diff {
    fn same(&mut self, what: &str, wanted: &str, actual: &str) {
        if wanted != actual {
            self.0.push(format!("{what}: expected `{wanted}`, found `{actual}`"));
        }
    }

    fn part(&mut self, what: &str, wanted: Option<&str>, actual: &str) {
        if let Some(wanted) = wanted.filter(|w| !actual.contains(w)) {
            self.0.push(format!("{what}: expected a text with `{wanted}`, found `{actual}`"));
        }
    }

    fn finish(mut self, reason: &str, observed: &[Observed]) -> CaseOutcome {
        if self.0.is_empty() {
            return CaseOutcome::Passed;
        }
        if !reason.is_empty() {
            self.0.push(format!("reason: {reason}"));
        }
        self.0.extend(observed.iter().map(read));
        CaseOutcome::Failed(self.0.join("\n"))
    }
}
