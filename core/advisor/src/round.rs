//! One question asked again and again with one thing changed: only what the change concerns is done again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use convwise_judge::{Contest, Hearing, Inquiry, NeedFields, Opinion, Outline, Ranked, RuleSet};
use convwise_store::StoreError;
use convwise_types::{Candidate, CandidateKey, Request, RunnerName, Verdict};

use crate::advise::Case;
use crate::answer::{budget_of, expected_beyond};
use crate::catalogue::Catalogue;
use crate::gather::{Evidences, GraphTable, gather};
use crate::prior::Beaten;
use crate::recorded::Recorded;
use crate::standing::Standing;

/// What is recorded, read once a setting for all variations of a question.
#[derive(Debug)]
pub(crate) struct Records<'c> {
    pub case: &'c Case<'c>,
    by_setting: RefCell<BTreeMap<Setting, Rc<Recorded>>>,
}

/// What a variation may change of what records are asked for by: runner, threads and batch.
type Setting = (RunnerName, u64, u64);

impl<'c> Records<'c> {
    pub fn of(case: &'c Case<'c>) -> Self {
        Self { case, by_setting: RefCell::default() }
    }

    fn recorded(&self, request: &Request) -> Result<Rc<Recorded>, StoreError> {
        let setting = (request.runner.clone(), request.threads, request.batch);
        if let Some(known) = self.by_setting.borrow().get(&setting) {
            return Ok(Rc::clone(known));
        }
        let case = self.case;
        let runner = case.world.runners.get(request.runner.as_str()).unwrap_or(case.runner);
        let found = Recorded::of(case.world, runner, &case.place, request, case.forgiven.as_deref())?;
        let found = Rc::new(found);
        self.by_setting.borrow_mut().insert(setting, Rc::clone(&found));
        Ok(found)
    }

    /// The request with its target.
    pub fn inquiry(&self, request: &Request) -> Inquiry {
        Inquiry { request: request.clone(), target: self.case.inquiry.target.clone() }
    }

    /// Does something with the evidence for a request; its runner must be one that is known.
    pub fn evidences<T>(
        &self,
        request: &Request,
        graphs: &GraphTable,
        work: impl FnOnce(&Evidences<'_>) -> T,
    ) -> Result<T, StoreError> {
        let recorded = self.recorded(request)?;
        let (place, measurements, faults) = (&self.case.place, &recorded.measurements, &recorded.faults);
        Ok(work(&Evidences { request, place, graphs, measurements, faults }))
    }

    /// The first round for a request, with facts of its own.
    pub fn open(&self, request: &Request, catalogue: &Catalogue) -> Result<Round<'c>, StoreError> {
        let gathered = |e: &Evidences<'_>| gather(&catalogue.architectures, e);
        let candidates = self.evidences(request, &catalogue.graphs, gathered)?;
        Ok(Round::open(self.case.world.rules, self.inquiry(request), candidates))
    }
}

/// One variation of the question, answered.
#[derive(Clone, Debug)]
pub(crate) struct Round<'c> {
    pub rules: &'c RuleSet,
    pub inquiry: Inquiry,
    pub candidates: Arc<Vec<Candidate>>,
    hearing: Hearing<'c>,
    beaten: Arc<Beaten>,
    outlines: Arc<Vec<Outline>>,
    preferences: Arc<Vec<f64>>,
    order: Arc<Vec<Ranked>>,
    memory: Rc<RefCell<Vec<Remembered<'c>>>>,
}

/// An order, and all that it depends on.
#[derive(Clone, Debug)]
struct Remembered<'c> {
    hearing: Hearing<'c>,
    verdicts: Vec<Verdict>,
    preferences: Arc<Vec<f64>>,
    asked: NeedFields,
    order: Arc<Vec<Ranked>>,
}

/// Who would be picked first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct First {
    pub index: usize,
    pub key: CandidateKey,
    pub proven: bool,
    pub score: f64,
}

impl First {
    /// Whether it is the same candidate, as firmly established.
    pub fn is_same(a: Option<&Self>, b: Option<&Self>) -> bool {
        a.map(|f| (&f.key, f.proven)) == b.map(|f| (&f.key, f.proven))
    }
}

impl<'c> Round<'c> {
    /// Candidates heard for the first time.
    pub fn open(rules: &'c RuleSet, inquiry: Inquiry, candidates: Vec<Candidate>) -> Self {
        let hearing = Hearing::open(rules, &inquiry, &candidates);
        let beaten = Arc::new(Beaten::among(&candidates));
        let memory = Rc::default();
        Self::ranked(rules, inquiry, Arc::new(candidates), hearing, beaten, memory)
    }

    /// Another request about the same facts.
    pub fn again(&self, request: &Request) -> Self {
        let inquiry = Inquiry { request: request.clone(), target: self.inquiry.target.clone() };
        let hearing = self.hearing.again(&inquiry);
        let (candidates, beaten) = (Arc::clone(&self.candidates), Arc::clone(&self.beaten));
        Self::ranked(self.rules, inquiry, candidates, hearing, beaten, Rc::clone(&self.memory))
    }

    /// The same request with the facts of some candidates changed.
    pub fn with(&self, changed: Vec<(usize, Candidate)>) -> Self {
        let mut hearing = self.hearing.clone();
        let mut candidates = self.candidates.as_ref().clone();
        for (index, candidate) in changed {
            hearing = hearing.with(index, &candidate);
            if let Some(place) = candidates.get_mut(index) {
                *place = candidate;
            }
        }
        let beaten = Arc::new(Beaten::among(&candidates));
        Self::ranked(self.rules, self.inquiry.clone(), Arc::new(candidates), hearing, beaten, Rc::default())
    }

    fn ranked(
        rules: &'c RuleSet,
        inquiry: Inquiry,
        candidates: Arc<Vec<Candidate>>,
        hearing: Hearing<'c>,
        beaten: Arc<Beaten>,
        memory: Rc<RefCell<Vec<Remembered<'c>>>>,
    ) -> Self {
        let outlines = Arc::new(hearing.outlines());
        let preferences = Arc::new(beaten.preferences(&outlines.iter().map(opinion).collect::<Vec<_>>()));
        let order = remembered(&memory, &hearing, &outlines, &preferences).unwrap_or_else(|| {
            let contest = hearing.contest(&candidates, &outlines, &preferences);
            let (order, asked) = contest.ordered();
            let order = Arc::new(order);
            memory.borrow_mut().push(Remembered {
                hearing: hearing.clone(),
                verdicts: outlines.iter().map(|o| o.verdict).collect(),
                preferences: Arc::clone(&preferences),
                asked,
                order: Arc::clone(&order),
            });
            order
        });
        Self { rules, inquiry, candidates, hearing, beaten, outlines, preferences, order, memory }
    }

    /// The feasible, best first.
    pub fn standings(&self) -> impl Iterator<Item = Standing<'_>> {
        self.order.iter().filter_map(|ranked| self.standing(ranked))
    }

    /// The candidates that are rejected, without a score.
    pub fn rejected(&self) -> impl Iterator<Item = Standing<'_>> {
        let all = self.outlines.iter().enumerate().filter(|(_, o)| o.verdict == Verdict::Rejected);
        all.filter_map(|(index, _)| self.standing(&Ranked { index, score: 0.0 }))
    }

    fn standing(&self, &Ranked { index, score }: &Ranked) -> Option<Standing<'_>> {
        let (candidate, outline) = (self.candidates.get(index)?, self.outlines.get(index)?);
        let preference = *self.preferences.get(index)?;
        Some(Standing { index, candidate, verdict: outline.verdict, score, preference })
    }

    /// What may be expected to fit, best first.
    pub fn hopeful(&self) -> impl Iterator<Item = Standing<'_>> {
        let budget = budget_of(&self.inquiry.request);
        self.standings().filter(move |s| !expected_beyond(s, budget))
    }

    /// What would be picked first.
    pub fn first(&self) -> Option<First> {
        self.hopeful().next().map(|s| First {
            index: s.index,
            key: s.candidate.key.clone(),
            proven: s.verdict == Verdict::Proven,
            score: s.score,
        })
    }

    /// A candidate as it stands, if it is not rejected.
    pub fn of(&self, key: &CandidateKey) -> Option<Standing<'_>> {
        self.standings().find(|s| s.candidate.key == *key)
    }

    /// The feasible under the rank formula.
    pub fn contest(&self) -> Contest<'_> {
        self.hearing.contest(&self.candidates, &self.outlines, &self.preferences)
    }
}

fn opinion(outline: &Outline) -> Option<Opinion> {
    (outline.verdict != Verdict::Rejected).then_some(outline.opinion)
}

/// The order of an earlier round in which everything that it depends on was the same.
fn remembered(
    memory: &RefCell<Vec<Remembered<'_>>>,
    hearing: &Hearing<'_>,
    outlines: &[Outline],
    preferences: &Arc<Vec<f64>>,
) -> Option<Arc<Vec<Ranked>>> {
    let same = |m: &&Remembered<'_>| {
        m.preferences == *preferences
            && m.verdicts.iter().eq(outlines.iter().map(|o| &o.verdict))
            && !m.asked.meets(m.hearing.differs(hearing))
    };
    memory.borrow().iter().rev().find(same).map(|m| Arc::clone(&m.order))
}
