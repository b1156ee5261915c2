//! The middle of the main line: gather, judge, rank, and draw up the answer.
//!
//! From values to a value: nothing here reads a disk, a clock or this machine, so that a scenario of the rules is
//! answered exactly as a request is.

use std::collections::BTreeMap;

use convwise_judge::{Inquiry, Judgement, Plan, PlanError, RuleSet};
use convwise_store::shipped::Shipped;
use convwise_types::{
    ADVICE_SCHEMA, Advice, Candidate, KnowledgeBaseStamp, Label, Measurement, Millis, Percent, Pick, Request,
    Verdict,
};

use crate::catalogue::Catalogue;
use crate::faults::Faults;
use crate::gather::{Evidences, gather};
use crate::place::Place;
use crate::report;
use crate::standing::{Standing, distinct, labels, ties};

/// What an answer is drawn from and stays the same while it is.
#[derive(Clone, Copy, Debug)]
pub struct Grounds<'a> {
    /// The rules.
    pub rules: &'a RuleSet,
    /// The request with its target.
    pub inquiry: &'a Inquiry,
    /// The target.
    pub place: &'a Place,
    /// Architectures and their graphs.
    pub catalogue: &'a Catalogue,
    /// Datasets, whose size says how far apart two accuracies must be.
    pub shipped: &'a Shipped,
}

/// How an answer is to be drawn up.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// How many picks are wanted.
    pub top: usize,
    /// Whether networks were measured for this answer: then only what was measured and proven is picked.
    pub measured: bool,
    /// The command that would measure what the answer rests on, if one would.
    pub measure: Option<String>,
    /// Remarks on how it came about.
    pub notes: Vec<String>,
}

/// Candidates with what the rules made of them, in the order of the ranking.
#[derive(Debug)]
pub struct Assessment {
    /// All candidates.
    pub candidates: Vec<Candidate>,
    /// One judgement a candidate.
    pub judgements: Vec<Judgement>,
    /// Score by candidate, for those that are not rejected, best first.
    order: Vec<(usize, f64)>,
}

impl Assessment {
    /// The feasible candidates, best first.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing<'_>> {
        let standing = |&(index, score): &(usize, f64)| {
            let (candidate, judgement) = (self.candidates.get(index)?, self.judgements.get(index)?);
            let preference = judgement.preference;
            Some(Standing { index, candidate, verdict: judgement.verdict, score, preference })
        };
        self.order.iter().filter_map(standing).collect()
    }

    /// Whether some networks fit and none of them can be exported to a runner.
    pub(crate) fn nothing_to_measure(&self) -> bool {
        let standings = self.standings();
        !standings.is_empty() && standings.iter().all(|s| !s.candidate.architecture.is_buildable())
    }

    fn judged(&self) -> impl Iterator<Item = (&Candidate, &Judgement)> {
        self.candidates.iter().zip(&self.judgements)
    }
}

impl Grounds<'_> {
    /// Gathers, judges and ranks.
    #[must_use]
    pub fn assess(&self, measurements: &[Measurement], faults: &Faults) -> Assessment {
        let evidences = Evidences {
            request: self.request(),
            place: self.place,
            graphs: &self.catalogue.graphs,
            measurements,
            faults,
        };
        let candidates = gather(&self.catalogue.architectures, &evidences);
        let judgements = self.rules.judge(self.inquiry, &candidates);
        let pairs: Vec<_> = candidates.iter().zip(&judgements).collect();
        let order = self.rules.rank(self.inquiry, &pairs).into_iter().map(|r| (r.index, r.score)).collect();
        Assessment { candidates, judgements, order }
    }

    /// Draws up the answer.
    ///
    /// # Errors
    /// The rules give advice that contradicts itself.
    pub fn compose(
        &self,
        assessment: &Assessment,
        manner: Manner,
        kb: KnowledgeBaseStamp,
    ) -> Result<Advice, PlanError> {
        let standings = assessment.standings();
        let hopeful: Vec<_> =
            standings.iter().filter(|s| !expected_beyond(s, self.budget())).copied().collect();
        let pool = eligible(&hopeful, manner.measured, !manner.notes.is_empty());
        let chosen = choose(&pool, manner.top);
        let picks: Vec<Pick> = chosen.iter().map(|(s, l)| self.pick(s, l.clone())).collect();
        let rejected = report::rejections(assessment.judged());
        let judged: Vec<_> = assessment.judged().collect();
        let plan = match chosen.first() {
            Some((first, _)) => self.rules.steps(self.inquiry, first.candidate)?,
            None => Plan::default(),
        };
        let shown: Vec<_> = chosen.iter().map(|(s, _)| *s).collect();
        Ok(Advice {
            schema: ADVICE_SCHEMA.to_owned(),
            request: self.request().clone(),
            kb,
            rules: self.rules.stamp(),
            training: plan.training_lines(),
            optimisation: plan.optimisation_lines(),
            needs: report::needs(&judged, manner.measure.as_deref()),
            ties: ties(&shown, &|dataset, value| half_width(self.shipped, dataset, value)),
            nothing_fits: picks.is_empty().then(|| report::nearest(&rejected)),
            commands: report::commands(&picks),
            picks,
            rejected,
            notes: manner.notes,
        })
    }

    fn request(&self) -> &Request {
        &self.inquiry.request
    }

    fn pick(&self, standing: &Standing<'_>, labels: Vec<Label>) -> Pick {
        let explained = self.rules.explain(self.inquiry, standing.candidate);
        report::pick(standing, labels, &explained.findings, self.request())
    }

    /// The latency that every limit together allows one batch.
    #[expect(clippy::cast_precision_loss, reason = "at most 4096")]
    pub(crate) fn budget(&self) -> Option<Millis> {
        let limits = &self.request().limits;
        let images = self.request().batch as f64;
        let of_rate = limits.throughput.map(|rate| 1000.0 * images / rate.0);
        limits.latency.map(|l| l.0).into_iter().chain(of_rate).min_by(f64::total_cmp).map(Millis)
    }
}

/// A candidate that nobody measured and whose best estimate misses the budget: not rejected, since its
/// interval reaches below, but no pick either. It stays among what a measurement would decide.
fn expected_beyond(standing: &Standing<'_>, budget: Option<Millis>) -> bool {
    let latency = standing.candidate.latency.value();
    !standing.is_measured() && latency.zip(budget).is_some_and(|(l, b)| l.median > b)
}

/// The candidates that may be picked: with measuring only what was measured and proven; otherwise all
/// feasible ones, proven before unproven. Measuring that was cut short and proved nothing answers with
/// what is believed, marked as unproven.
fn eligible<'a>(standings: &[Standing<'a>], measured: bool, cut_short: bool) -> Vec<Standing<'a>> {
    let proven = |s: &&Standing<'_>| s.is_measured() && s.verdict == Verdict::Proven;
    let proven_only = measured && (!cut_short || standings.iter().any(|s| proven(&s)));
    let pool: Vec<_> = standings.iter().filter(|s| !proven_only || proven(s)).copied().collect();
    distinct(&pool)
}

/// The best few, then every other holder of a label. Labels are given among the proven if there are any.
fn choose<'a>(pool: &[Standing<'a>], top: usize) -> Vec<(Standing<'a>, Vec<Label>)> {
    let proven: Vec<_> = pool.iter().filter(|s| s.verdict == Verdict::Proven).copied().collect();
    let field = if proven.is_empty() { pool } else { &proven };
    let mut held: BTreeMap<usize, Vec<Label>> = BTreeMap::new();
    for (label, position) in labels(field) {
        if let Some(holder) = field.get(position) {
            held.entry(holder.index).or_default().push(label);
        }
    }
    pool.iter()
        .enumerate()
        .filter(|(place, s)| *place < top || held.contains_key(&s.index))
        .map(|(_, s)| (*s, held.get(&s.index).cloned().unwrap_or_default()))
        .collect()
}

/// Half the width of the 95 % interval that the size of a dataset leaves round an accuracy.
pub(crate) fn half_width(shipped: &Shipped, dataset: &str, value: f64) -> Option<f64> {
    Some(shipped.dataset(dataset)?.half_width(Percent(value)).0)
}
