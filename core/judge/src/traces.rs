//! What every rule said of every candidate and what it read. Kept as positions and outcomes; written out for those
//! that somebody looks at.

use std::sync::Arc;

use convwise_types::{Finding, RuleId};

use crate::draft::lost_findings;
use crate::evaluate::Scene;
use crate::judge::Entry;
use crate::judgement::{Judgement, Outcome};
use crate::row::Row;
use crate::ruleset::RuleSet;
use crate::trace::Reads;

/// The traces of one pass over many candidates, in their order.
#[derive(Debug)]
pub struct Traces<'r> {
    pub(crate) rules: &'r RuleSet,
    pub(crate) request: Scene,
    pub(crate) rows: Vec<Arc<Row>>,
    /// The rules that were asked.
    pub(crate) docket: Vec<Entry<'r>>,
    pub(crate) traces: Vec<Trace>,
}

/// What was said of one candidate.
#[derive(Debug)]
pub(crate) struct Trace {
    /// All of it combined, with the findings that decide.
    pub judgement: Judgement,
    /// One entry a rule of the docket.
    pub said: Vec<Said>,
}

/// What one rule said.
#[derive(Debug)]
pub(crate) struct Said {
    pub outcome: Outcome,
    pub reads: Reads,
}

impl Traces<'_> {
    /// How many candidates were judged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.traces.len()
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }

    /// A candidate's judgement with the findings that decide, as [`RuleSet::judge`] gives them.
    #[must_use]
    pub fn decisive(&self, candidate: usize) -> Option<&Judgement> {
        self.traces.get(candidate).map(|t| &t.judgement)
    }

    /// A candidate's judgement with every finding, each with the values that it read.
    #[must_use]
    pub fn judgement(&self, candidate: usize) -> Option<Judgement> {
        let (trace, row) = (self.traces.get(candidate)?, self.rows.get(candidate)?);
        let scene = self.request.with(Arc::clone(row));
        let written = self.docket.iter().zip(&trace.said).filter_map(|(entry, said)| {
            let observed = entry.reads.then(&said.reads).observed(&scene);
            self.rules.finding(entry.rule, &scene, &said.outcome, observed)
        });
        let mut findings: Vec<Finding> = lost_findings(self.rules).into_iter().chain(written).collect();
        findings.sort_by(|a, b| a.rule.cmp(&b.rule));
        Some(Judgement { findings, ..trace.judgement.clone() })
    }

    /// The fields that each rule read of a candidate or the request, by their paths.
    pub fn fields_read(&self, candidate: usize) -> impl Iterator<Item = (&RuleId, Vec<String>)> {
        let said = self.traces.get(candidate).map(|t| t.said.as_slice()).unwrap_or_default();
        let named = self.docket.iter().zip(said);
        named.map(|(entry, said)| (&entry.rule.id, entry.reads.then(&said.reads).paths().collect()))
    }
}
