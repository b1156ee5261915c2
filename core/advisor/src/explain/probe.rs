//! Judges one candidate again: for another request, in another setting, or as another network.

use std::sync::Arc;

use convwise_types::{Candidate, InputShape, Precision, Request, Verdict};

use crate::advise::within_device;
use crate::catalogue::{Catalogue, Form};
use crate::draft::refuse_contradictions;
use crate::gather::{GraphTable, variation};
use crate::round::Records;

/// One candidate, to be judged again and again.
pub(super) struct Probe<'p, 'c> {
    pub records: &'p Records<'c>,
    pub candidate: &'p Candidate,
}

impl Probe<'_, '_> {
    /// The verdict for another request, whose setting is the same, if every requirement holds.
    pub fn with(&self, request: &Request) -> Option<Verdict> {
        self.verdict(self.candidate, request)
    }

    /// The same where batch, threads or runner differ, so that latencies are gathered anew.
    pub fn in_setting(&self, request: &Request) -> Option<Verdict> {
        let key = &self.candidate.key;
        self.as_network(request, key.input, key.precision, &self.records.case.catalogue.graphs)
    }

    /// The same in another number format.
    pub fn in_precision(&self, request: &Request, precision: Precision) -> Option<Verdict> {
        self.as_network(request, self.candidate.key.input, precision, &self.records.case.catalogue.graphs)
    }

    /// The same at another input, if the network can be built there.
    pub fn at_input(&self, request: &Request, input: InputShape) -> Option<Verdict> {
        let case = self.records.case;
        let id = &self.candidate.key.architecture;
        let variant = case.world.zoo.find(id.as_str()).ok()?;
        let form = Form::of(request);
        let facts = Catalogue::facts(case.world.zoo, case.world.store, variant, input, form).ok()?;
        facts.value()?;
        let mut graphs = case.catalogue.graphs.clone();
        graphs.insert((id.to_string(), input), facts);
        self.as_network(request, input, self.candidate.key.precision, &graphs)
    }

    fn as_network(
        &self,
        request: &Request,
        input: InputShape,
        precision: Precision,
        graphs: &GraphTable,
    ) -> Option<Verdict> {
        let architecture = Arc::clone(&self.candidate.architecture);
        let weights = self.candidate.key.weights.as_ref();
        let candidate = self.records.evidences(request, graphs, |evidences| {
            variation(&architecture, weights, input, precision, evidences)
        });
        // What cannot be read is no way out.
        self.verdict(&candidate.ok()?, request)
    }

    fn verdict(&self, candidate: &Candidate, request: &Request) -> Option<Verdict> {
        // A request that would be refused is no way out.
        refuse_contradictions(request).ok()?;
        within_device(request, &self.records.case.place).ok()?;
        let rules = self.records.case.world.rules;
        let judged = rules.judge(&self.records.inquiry(request), std::slice::from_ref(candidate));
        let judgement = judged.first()?;
        (judgement.decided && judgement.verdict != Verdict::Rejected).then_some(judgement.verdict)
    }
}
