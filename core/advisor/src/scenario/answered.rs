//! The answer to a scenario, and what can be read off it.

use std::collections::BTreeSet;

use convwise_judge::{Judgement, Plan};
use convwise_types::{Advice, Finding, FindingKind, Label, Verdict};

use crate::answer::{Assessment, Grounds};

/// An answer with all that it was drawn from.
pub(super) struct Answered<'a> {
    pub grounds: Grounds<'a>,
    pub assessment: Assessment,
    pub advice: Advice,
    /// What is to be done with the first pick.
    pub plan: Plan,
}

impl Answered<'_> {
    /// Networks, the best first.
    pub fn picked(&self) -> impl Iterator<Item = &str> {
        self.advice.picks.iter().map(|pick| pick.architecture.as_str())
    }

    /// Who holds a label.
    pub fn holder(&self, label: Label) -> Option<&str> {
        let holds = self.advice.picks.iter().find(|pick| pick.labels.contains(&label));
        holds.map(|pick| pick.architecture.as_str())
    }

    /// The most hopeful candidate of a network.
    pub fn best(&self, network: &str) -> Option<usize> {
        let of_network = self.assessment.judged().enumerate();
        let of_network = of_network.filter(|(_, (c, _))| c.key.architecture.as_str() == network);
        of_network.min_by_key(|(_, (_, j))| (j.verdict, j.findings.len())).map(|(at, _)| at)
    }

    /// The best verdict of a network.
    pub fn verdict(&self, network: &str) -> Option<Verdict> {
        self.assessment.judgements.get(self.best(network)?).map(|j| j.verdict)
    }

    /// The rules that decided on any candidate of a network as on its most hopeful one.
    pub fn decisive(&self, network: &str) -> BTreeSet<&str> {
        let verdict = self.verdict(network);
        let alike = self
            .assessment
            .judged()
            .filter(|(c, j)| c.key.architecture.as_str() == network && Some(j.verdict) == verdict);
        let findings = alike.flat_map(|(_, j)| j.findings.iter().filter(|f| decides(f, j)));
        findings.map(|f| f.rule.as_str()).collect()
    }

    /// Rules that speak for the first pick.
    pub fn reasons(&self) -> BTreeSet<&str> {
        self.of_first(&["preferred", "passed"])
    }

    /// Rules that remark on the first pick.
    pub fn remarks(&self) -> BTreeSet<&str> {
        self.of_first(&["noted"])
    }

    fn of_first(&self, kinds: &[&str]) -> BTreeSet<&str> {
        let findings = self.advice.picks.first().into_iter().flat_map(|pick| &pick.findings);
        findings.filter(|f| kinds.contains(&f.kind.as_str())).map(|f| f.rule.as_str()).collect()
    }

    /// Preferences of the guide that evidence overrules.
    pub fn overruled(&self) -> BTreeSet<&str> {
        self.advice.evidence_over_guide.iter().map(|o| o.rule.as_str()).collect()
    }

    /// The steps of training and optimisation of the first pick.
    pub fn plan(&self) -> impl Iterator<Item = &Finding> {
        self.plan.train.iter().chain(&self.plan.optimise)
    }

    /// The rules of these steps.
    pub fn advising(&self) -> BTreeSet<&str> {
        self.plan().map(|f| f.rule.as_str()).collect()
    }

    /// The step that sets something, with its value.
    pub fn setting(&self, key: &str) -> Option<(&Finding, &str)> {
        self.plan().find_map(|f| Some((f, setting(f, key)?)))
    }
}

/// The place of the candidate behind the first pick.
pub(super) fn first(assessment: &Assessment, advice: &Advice) -> Option<usize> {
    let pick = advice.picks.first()?;
    assessment.candidates.iter().position(|c| {
        let key = (&c.key.architecture, &c.key.weights, c.key.input.height, c.key.precision);
        key == (&pick.architecture, &pick.weights, pick.input_size, pick.precision)
    })
}

/// Whether a finding made the verdict what it is.
pub(super) fn decides(finding: &Finding, judgement: &Judgement) -> bool {
    let found = judgement.findings.iter().any(|f| f.rule == finding.rule && f.kind == finding.kind);
    found && (judgement.verdict != Verdict::Rejected || finding.kind == FindingKind::Rejected)
}

fn setting<'f>(finding: &'f Finding, key: &str) -> Option<&'f str> {
    let FindingKind::Step(step) = &finding.kind else { return None };
    step.settings.get(key).map(String::as_str)
}
