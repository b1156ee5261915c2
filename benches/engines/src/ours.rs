//! The policy in our rules.

use std::rc::Rc;

use convwise_judge::{Inquiry, Judgement, RuleFolder, RuleSet, Traces};
use convwise_types::{Candidate, Finding, FindingKind};

use crate::candidates::Situation;
use crate::{Answer, Contestant, policy};

#[derive(Clone, Copy)]
pub enum Mode {
    /// Every rule asked of every candidate, each with what it read.
    Traced,
    /// What the answer needs: reasons of what decides.
    Decisive,
}

fn rules() -> RuleSet {
    let (rules, problems) = RuleSet::load_layers(&[RuleFolder::of_texts(
        "bench",
        [("policy.rhai", policy("policy.rhai").as_str())],
    )]);
    assert!(problems.is_empty(), "{problems:#?}");
    rules
}

pub fn contestant(name: &'static str, situation: &Situation, mode: Mode) -> Contestant {
    let shared = Rc::new((rules(), situation.inquiry.clone(), situation.candidates.clone()));
    let again = Rc::clone(&shared);
    let judge = move |(rules, inquiry, candidates): &Loaded| match mode {
        Mode::Traced => decisive(&rules.trace(inquiry, candidates)),
        Mode::Decisive => rules.judge(inquiry, candidates),
    };
    let run = move |(rules, inquiry, candidates): &Loaded| match mode {
        Mode::Traced => drop(rules.trace(inquiry, candidates)),
        Mode::Decisive => drop(rules.judge(inquiry, candidates)),
    };
    Contestant {
        name,
        judge: Box::new(move || judge(&shared).iter().map(|j| answer(j, mode)).collect()),
        run: Box::new(move || run(&again)),
    }
}

type Loaded = (RuleSet, Inquiry, Vec<Candidate>);

fn decisive(traces: &Traces<'_>) -> Vec<Judgement> {
    (0..traces.len()).filter_map(|i| traces.decisive(i).cloned()).collect()
}

fn answer(judgement: &Judgement, mode: Mode) -> Answer {
    let said = |f: &Finding| (f.rule.to_string(), f.reason.clone());
    let mut failed: Vec<_> =
        judgement.findings.iter().filter(|f| f.kind == FindingKind::Rejected).map(said).collect();
    failed.sort();
    let asked = matches!(mode, Mode::Traced) || failed.is_empty();
    Answer { failed, preference: if asked { judgement.preference } else { f64::NAN } }
}
