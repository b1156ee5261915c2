//! Rules over candidates: which apply, what each says, findings and verdicts.

use std::sync::Arc;

use convwise_types::{Candidate, Finding, FindingKind, Grade, Observed, Verdict};

use crate::clauses::RuleKind;
use crate::draft::Draft;
use crate::evaluate::{Scene, Stop, one_line};
use crate::inquiry::Inquiry;
use crate::judgement::{Judgement, Outcome};
use crate::ledger::overdrawn;
use crate::row::Row;
use crate::rule::{Body, Clause, Rule};
use crate::ruleset::RuleSet;
use crate::shares::in_shares;
use crate::sheets::Sheets;
use crate::trace::{self, Reads, Weakest};
use crate::traces::{Said, Trace, Traces};

impl RuleSet {
    /// Judges every candidate. The result stands in the order of the candidates and does not depend on it.
    ///
    /// Findings are written out for what decides, without the values they read; [`Self::explain`] writes all of
    /// them in full. Preferences are asked only for what is not rejected.
    #[must_use]
    pub fn judge(&self, inquiry: &Inquiry, candidates: &[Candidate]) -> Vec<Judgement> {
        self.judge_from(inquiry, &Sheets::lay_out(candidates))
    }

    /// The same for candidates that are laid out already.
    #[must_use]
    pub fn judge_from(&self, inquiry: &Inquiry, sheets: &Sheets) -> Vec<Judgement> {
        let request = Scene::request(&Arc::new(Row::inquiry(inquiry)));
        self.over(&request, &sheets.0, |scene, docket| self.decide(scene, docket)).1
    }

    /// Asks every rule about every candidate and keeps what each said and read.
    #[must_use]
    pub fn trace(&self, inquiry: &Inquiry, candidates: &[Candidate]) -> Traces<'_> {
        let rows: Vec<Arc<Row>> = candidates.iter().map(|c| Arc::new(Row::candidate(c))).collect();
        let request = Scene::request(&Arc::new(Row::inquiry(inquiry)));
        let (docket, traces) = self.over(&request, &rows, |scene, docket| self.hear(scene, docket));
        Traces { rules: self, request, rows, docket, traces }
    }

    /// Judges one candidate with every finding written out: passes, preferences and remarks too.
    #[must_use]
    pub fn explain(&self, inquiry: &Inquiry, candidate: &Candidate) -> Judgement {
        let traces = self.trace(inquiry, std::slice::from_ref(candidate));
        traces.judgement(0).unwrap_or_else(|| Draft::new(self).finish())
    }

    /// One job over every candidate, and the rules that it asked.
    ///
    /// A rule that runs out of its budget on one candidate has failed for all: otherwise the answer would depend on
    /// how many there are, and the wait on all of them. So the pass begins anew without it.
    fn over<R: Send>(
        &self,
        request: &Scene,
        rows: &[Arc<Row>],
        job: impl Fn(&Scene, &[Entry<'_>]) -> Result<R, Exhausted> + Sync,
    ) -> (Vec<Entry<'_>>, Vec<R>) {
        let mut docket = self.docket(request);
        loop {
            let one = |row: &Arc<Row>| job(&request.with(Arc::clone(row)), &docket);
            let passed = in_shares(rows, |share| share.iter().map(one).collect::<Result<Vec<_>, _>>());
            let overdrawn = self.stop_overdrawn(&mut docket);
            match passed {
                Ok(results) if !overdrawn => return (docket, results),
                Ok(_) => {}
                Err(Exhausted { at, stop }) => {
                    if let Some(entry) = docket.get_mut(at).filter(|_| !overdrawn) {
                        entry.gate = Gate::Stopped(stop);
                    }
                }
            }
        }
    }

    /// Stops all rules of files that have used up what they may, so that candidates judged before and after that
    /// moment are judged alike. Whether any was stopped just now.
    fn stop_overdrawn(&self, docket: &mut [Entry<'_>]) -> bool {
        let mut any = false;
        for entry in docket.iter_mut().filter(|e| !e.overdrawn) {
            let Some(file) = self.file_of(entry.rule).filter(|f| f.ledger.is_overdrawn()) else { continue };
            entry.gate = Gate::Stopped(Stop::Exhausted(overdrawn(&file.shown)));
            entry.overdrawn = true;
            any = true;
        }
        any
    }

    /// The rules that judge, requirements first, each with whether it applies to the request.
    fn docket(&self, request: &Scene) -> Vec<Entry<'_>> {
        let kinds = [RuleKind::Require, RuleKind::Prefer, RuleKind::Note];
        let rules = kinds.into_iter().flat_map(|kind| self.rules_of(kind));
        let gated = rules.map(|rule| {
            let (gate, reads) = trace::reads(|| self.gate(rule, request));
            Entry { rule, gate, reads, overdrawn: false }
        });
        gated.filter(|entry| !matches!(entry.gate, Gate::Closed)).collect()
    }

    /// What decides, and nothing more.
    fn decide(&self, scene: &Scene, docket: &[Entry<'_>]) -> Result<Judgement, Exhausted> {
        let mut draft = Draft::new(self);
        for (at, entry) in docket.iter().enumerate() {
            if entry.rule.kind != RuleKind::Require && draft.verdict == Verdict::Rejected {
                break;
            }
            let outcome = self.outcome(entry.rule, &entry.gate, scene);
            entry.spent(at, &outcome)?;
            draft.add(self, entry.rule, scene, &outcome);
        }
        Ok(draft.finish())
    }

    /// Everything, with what was read.
    fn hear(&self, scene: &Scene, docket: &[Entry<'_>]) -> Result<Trace, Exhausted> {
        let mut draft = Draft::new(self);
        let mut said = Vec::with_capacity(docket.len());
        for (at, entry) in docket.iter().enumerate() {
            let (outcome, reads) = trace::reads(|| self.outcome(entry.rule, &entry.gate, scene));
            entry.spent(at, &outcome)?;
            draft.add(self, entry.rule, scene, &outcome);
            said.push(Said { outcome, reads });
        }
        Ok(Trace { judgement: draft.finish(), said })
    }

    /// Whether a rule applies to the request, decided once if the request alone decides it.
    pub(crate) fn gate(&self, rule: &Rule, request: &Scene) -> Gate {
        match &rule.when {
            None => Gate::Open,
            Some(clause) if clause.reads_net() => Gate::Each,
            Some(clause) => match self.flag(clause, request) {
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
            (Gate::Each, Some(when)) => match self.flag(when, scene) {
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
            Body::Require { holds, proof, .. } => self.requirement(holds, proof, scene),
            Body::Prefer { score, weight } => {
                let score = self.score(score, scene);
                match score.and_then(|s| Ok((s, self.weight(weight.as_ref(), scene)?))) {
                    Ok((score, weight)) => Outcome::Scored { score, weight },
                    Err(stop) => Outcome::Stopped(stop),
                }
            }
            Body::Note | Body::Advise(_) | Body::Rank { .. } => Outcome::Noted,
        }
    }

    fn requirement(&self, holds: &Clause, proof: &[Grade], scene: &Scene) -> Outcome {
        let (answer, weakest) = trace::record(|| self.flag(holds, scene));
        match answer {
            Ok(true) => {
                Outcome::Holds { weak: weakest.filter(|w| !proof.is_empty() && !proof.contains(&w.grade)) }
            }
            Ok(false) => Outcome::Fails,
            Err(stop) => Outcome::Stopped(stop),
        }
    }

    pub(crate) fn weight(&self, weight: Option<&Clause>, scene: &Scene) -> Result<f64, Stop> {
        weight.map_or(Ok(1.0), |clause| self.number(clause, scene)).map(|w| w.max(0.0))
    }

    /// The reason of a finding, in the rule's words where it has some.
    pub(crate) fn reason(&self, rule: &Rule, scene: &Scene) -> String {
        let Some(clause) = &rule.because else { return rule.doc.clone() };
        match self.text(clause, scene) {
            Ok(reason) => reason,
            // A reason may mention a fact that the decision did not need.
            Err(Stop::Missing(missing)) => format!("{} ({} is unknown)", rule.doc, missing.fact),
            Err(Stop::Error(problem) | Stop::Exhausted(problem)) => {
                format!("{} (its reason could not be written: {})", rule.doc, one_line(&problem))
            }
        }
    }

    pub(crate) fn finding(
        &self,
        rule: &Rule,
        scene: &Scene,
        outcome: &Outcome,
        observed: Vec<Observed>,
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
            Body::Require { margin: Some(clause), .. } => self.number(clause, scene).ok(),
            _ => None,
        };
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
            Body::Require { relax: Some(clause), .. } => self.text(clause, scene).ok(),
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

/// A rule that judges, whether it applies, and what deciding that read.
#[derive(Debug)]
pub(crate) struct Entry<'r> {
    pub rule: &'r Rule,
    pub gate: Gate,
    pub reads: Reads,
    /// Its file has used up what it may.
    overdrawn: bool,
}

impl Entry<'_> {
    /// An error if the rule ran out of its budget just now.
    fn spent(&self, at: usize, outcome: &Outcome) -> Result<(), Exhausted> {
        match (outcome, &self.gate) {
            (Outcome::Stopped(stop @ Stop::Exhausted(_)), Gate::Open | Gate::Each) => {
                Err(Exhausted { at, stop: stop.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// Which entry of the docket ran out of its budget, and on what.
struct Exhausted {
    at: usize,
    stop: Stop,
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
        let (outcome, reads) = trace::reads(|| self.outcome(rule, &gate, scene));
        let reason = match &outcome {
            Outcome::Stopped(stop) => stop_finding(stop).1,
            Outcome::Absent => String::new(),
            Outcome::Holds { weak } => self.pass_reason(rule, scene, *weak),
            _ => self.reason(rule, scene),
        };
        let relax = if matches!(outcome, Outcome::Fails) { self.relax(rule, scene) } else { None };
        Answer { outcome, reason, relax, observed: reads.observed(scene) }
    }
}
