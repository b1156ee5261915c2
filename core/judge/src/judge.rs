//! Rules over candidates: which apply, what each says, findings and verdicts.

use std::sync::Arc;

use convwise_types::{Candidate, Finding, FindingKind, Grade, Observed, Verdict};

use crate::clauses::RuleKind;
use crate::draft::Draft;
use crate::evaluate::{Scene, Stop, one_line};
use crate::inquiry::Inquiry;
use crate::judgement::{Judgement, Outcome};
use crate::row::Row;
use crate::rule::{Body, Clause, Rule};
use crate::ruleset::RuleSet;
use crate::shares::in_shares;
use crate::trace::{self, Weakest};

impl RuleSet {
    /// Judges every candidate. The result stands in the order of the candidates and does not depend on it.
    ///
    /// Findings are written out for what decides, without the values they read; [`Self::explain`] writes all of
    /// them in full. Preferences are asked only for what is not rejected.
    #[must_use]
    pub fn judge(&self, inquiry: &Inquiry, candidates: &[Candidate]) -> Vec<Judgement> {
        let rows: Vec<Arc<Row>> = candidates.iter().map(|c| Arc::new(Row::candidate(c))).collect();
        self.judge_rows(&Arc::new(Row::inquiry(inquiry)), &rows, false)
    }

    /// Judges one candidate with every finding written out: passes, preferences and remarks too.
    #[must_use]
    pub fn explain(&self, inquiry: &Inquiry, candidate: &Candidate) -> Judgement {
        let rows = vec![Arc::new(Row::candidate(candidate))];
        let judged = self.judge_rows(&Arc::new(Row::inquiry(inquiry)), &rows, true);
        judged.into_iter().next().unwrap_or_else(|| Draft::new(self).finish())
    }

    /// A rule that runs out of its budget on one candidate has failed for all: otherwise the answer would depend on
    /// how many there are, and the wait on all of them. So the pass begins anew without it.
    fn judge_rows(&self, need: &Arc<Row>, rows: &[Arc<Row>], in_full: bool) -> Vec<Judgement> {
        let request = Scene::request(need);
        let mut docket = self.docket(&request);
        loop {
            match self.pass(&request, rows, &docket, in_full) {
                Ok(judged) => return judged,
                Err((at, stop)) => {
                    if let Some((_, gate)) = docket.get_mut(at) {
                        *gate = Gate::Stopped(stop);
                    }
                }
            }
        }
    }

    /// The rules that judge, requirements first, each with whether it applies to the request.
    fn docket(&self, request: &Scene) -> Vec<(&Rule, Gate)> {
        let kinds = [RuleKind::Require, RuleKind::Prefer, RuleKind::Note];
        let rules = kinds.into_iter().flat_map(|kind| self.rules_of(kind));
        let gated = rules.map(|rule| (rule, self.gate(rule, request)));
        gated.filter(|(_, gate)| !matches!(gate, Gate::Closed)).collect()
    }

    /// Every rule over every candidate, or the position of a rule that ran out of its budget.
    fn pass(
        &self,
        request: &Scene,
        rows: &[Arc<Row>],
        docket: &[(&Rule, Gate)],
        in_full: bool,
    ) -> Result<Vec<Judgement>, (usize, Stop)> {
        let one =
            |row: &Arc<Row>| self.draft(&request.with(Arc::clone(row)), docket, in_full).map(Draft::finish);
        in_shares(rows, |share| share.iter().map(one).collect::<Result<Vec<_>, _>>())
    }

    fn draft(&self, scene: &Scene, docket: &[(&Rule, Gate)], in_full: bool) -> Result<Draft, (usize, Stop)> {
        let mut draft = Draft::new(self);
        for (at, (rule, gate)) in docket.iter().enumerate() {
            if !in_full && rule.kind != RuleKind::Require && draft.verdict == Verdict::Rejected {
                break;
            }
            let outcome = self.outcome(rule, gate, scene);
            match (&outcome, gate) {
                (Outcome::Stopped(stop @ Stop::Exhausted(_)), Gate::Open | Gate::Each) => {
                    return Err((at, stop.clone()));
                }
                _ => draft.add(self, rule, scene, &outcome, in_full),
            }
        }
        Ok(draft)
    }

    /// Whether a rule applies to the request, decided once if the request alone decides it.
    pub(crate) fn gate(&self, rule: &Rule, request: &Scene) -> Gate {
        match &rule.when {
            None => Gate::Open,
            Some(clause) if clause.reads_net() => Gate::Each,
            Some(clause) => match self.flag(rule, clause, request) {
                Ok(true) => Gate::Open,
                Ok(false) => Gate::Closed,
                Err(stop) => Gate::Stopped(stop),
            },
        }
    }

    /// What a rule says of a candidate.
    pub(crate) fn outcome(&self, rule: &Rule, gate: &Gate, scene: &Scene) -> Outcome {
        match (gate, &rule.when) {
            (Gate::Closed, _) => return Outcome::Absent,
            (Gate::Stopped(stop), _) => return Outcome::Stopped(stop.clone()),
            (Gate::Each, Some(when)) => match self.flag(rule, when, scene) {
                Ok(true) => {}
                Ok(false) => return Outcome::Absent,
                Err(stop) => return Outcome::Stopped(stop),
            },
            (Gate::Open | Gate::Each, _) => {}
        }
        self.body_outcome(rule, scene)
    }

    fn body_outcome(&self, rule: &Rule, scene: &Scene) -> Outcome {
        match &rule.body {
            Body::Require { holds, proof, .. } => self.requirement(rule, holds, proof, scene),
            Body::Prefer { score, weight } => {
                let score = self.score(rule, score, scene);
                match score.and_then(|s| Ok((s, self.weight(rule, weight.as_ref(), scene)?))) {
                    Ok((score, weight)) => Outcome::Scored { score, weight },
                    Err(stop) => Outcome::Stopped(stop),
                }
            }
            Body::Note | Body::Advise(_) | Body::Rank { .. } => Outcome::Noted,
        }
    }

    fn requirement(&self, rule: &Rule, holds: &Clause, proof: &[Grade], scene: &Scene) -> Outcome {
        let (answer, weakest) = trace::record(|| self.flag(rule, holds, scene));
        match answer {
            Ok(true) => {
                Outcome::Holds { weak: weakest.filter(|w| !proof.is_empty() && !proof.contains(&w.grade)) }
            }
            Ok(false) => Outcome::Fails,
            Err(stop) => Outcome::Stopped(stop),
        }
    }

    pub(crate) fn weight(&self, rule: &Rule, weight: Option<&Clause>, scene: &Scene) -> Result<f64, Stop> {
        weight.map_or(Ok(1.0), |clause| self.number(rule, clause, scene)).map(|w| w.max(0.0))
    }

    /// The reason of a finding, in the rule's words where it has some.
    pub(crate) fn reason(&self, rule: &Rule, scene: &Scene) -> String {
        let Some(clause) = &rule.because else { return rule.doc.clone() };
        match self.text(rule, clause, scene) {
            Ok(reason) => reason,
            // A reason may mention a fact that the decision did not need.
            Err(Stop::Missing(missing)) => format!("{} ({} is unknown)", rule.doc, missing.fact),
            Err(Stop::Error(problem) | Stop::Exhausted(problem)) => {
                format!("{} (its reason could not be written: {})", rule.doc, one_line(&problem))
            }
        }
    }

    /// Everything that deciding a rule reads, for the finding.
    fn observe(&self, rule: &Rule, scene: &Scene) -> Vec<Observed> {
        let gate = if rule.when.is_some() { Gate::Each } else { Gate::Open };
        trace::fields_read(|| self.outcome(rule, &gate, scene))
    }

    pub(crate) fn finding(
        &self,
        rule: &Rule,
        scene: &Scene,
        outcome: &Outcome,
        in_full: bool,
    ) -> Option<Finding> {
        let (kind, reason) = match outcome {
            Outcome::Absent => return None,
            Outcome::Holds { weak } => (FindingKind::Passed, self.pass_reason(rule, scene, *weak)),
            Outcome::Fails => (FindingKind::Rejected, self.reason(rule, scene)),
            Outcome::Scored { score, weight } => {
                (FindingKind::Preferred { score: *score, weight: *weight }, self.reason(rule, scene))
            }
            Outcome::Noted => (FindingKind::Noted, self.reason(rule, scene)),
            Outcome::Stopped(stop) => stop_finding(stop),
        };
        let margin = match &rule.body {
            Body::Require { margin: Some(clause), .. } => self.number(rule, clause, scene).ok(),
            _ => None,
        };
        let observed = if in_full { self.observe(rule, scene) } else { Vec::new() };
        Some(self.placed(rule, kind, reason, observed, margin))
    }

    pub(crate) fn placed(
        &self,
        rule: &Rule,
        kind: FindingKind,
        reason: String,
        observed: Vec<Observed>,
        margin: Option<f64>,
    ) -> Finding {
        let file = self.file_of(rule).map(|f| f.shown.clone()).unwrap_or_default();
        let line = u64::try_from(rule.line).unwrap_or_default();
        Finding { rule: rule.id.clone(), kind, reason, file, line, observed, margin }
    }

    fn pass_reason(&self, rule: &Rule, scene: &Scene, weak: Option<Weakest>) -> String {
        let reason = self.reason(rule, scene);
        match weak {
            Some(weak) => format!("{reason}; {}", weak_text(rule, weak.grade)),
            None => reason,
        }
    }

    pub(crate) fn relax(&self, rule: &Rule, scene: &Scene) -> Option<String> {
        match &rule.body {
            Body::Require { relax: Some(clause), .. } => self.text(rule, clause, scene).ok(),
            _ => None,
        }
    }
}

pub(crate) fn weak_text(rule: &Rule, grade: Grade) -> String {
    let wanted = match &rule.body {
        Body::Require { proof, .. } => proof.iter().map(|g| g.as_str()).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    };
    format!("the evidence is {grade}, only {wanted} evidence proves it")
}

/// The finding of a rule that gave no value.
pub(crate) fn stop_finding(stop: &Stop) -> (FindingKind, String) {
    match stop {
        Stop::Missing(missing) => (
            FindingKind::Undecided((**missing).clone()),
            format!("{} is not known: {}", missing.fact, missing.need),
        ),
        Stop::Error(problem) | Stop::Exhausted(problem) => {
            let error = one_line(problem);
            let reason = format!("the rule failed: {error}");
            (FindingKind::Failed { error }, reason)
        }
    }
}

/// Whether a rule applies, as far as the request alone decides it, or why it cannot run at all.
#[derive(Clone, Debug)]
pub(crate) enum Gate {
    Open,
    Closed,
    /// The candidate decides.
    Each,
    Stopped(Stop),
}

/// A rule's own view of one scene, for cases.
pub(crate) struct Answer {
    pub outcome: Outcome,
    pub reason: String,
    pub relax: Option<String>,
    pub observed: Vec<Observed>,
}

impl RuleSet {
    /// Runs one rule on one scene and says everything about it.
    pub(crate) fn answer(&self, rule: &Rule, scene: &Scene) -> Answer {
        let gate = if rule.when.is_some() { Gate::Each } else { Gate::Open };
        let outcome = self.outcome(rule, &gate, scene);
        let reason = match &outcome {
            Outcome::Stopped(stop) => stop_finding(stop).1,
            Outcome::Absent => String::new(),
            Outcome::Holds { weak } => self.pass_reason(rule, scene, *weak),
            _ => self.reason(rule, scene),
        };
        let relax = if matches!(outcome, Outcome::Fails) { self.relax(rule, scene) } else { None };
        Answer { outcome, reason, relax, observed: self.observe(rule, scene) }
    }
}
