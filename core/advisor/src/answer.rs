//! The middle of the main line: gather, judge, rank, and draw up the answer.
//!
//! From values to a value: nothing here reads a disk, a clock or this machine, so that a scenario of the rules is
//! answered exactly as a request is.

use std::collections::BTreeMap;
use std::sync::Arc;

use convwise_judge::{
    Contest, Entrant, Inquiry, Judgement, Opinion, Plan, PlanError, Ranked, RuleSet, Sheets, Target,
};
use convwise_store::shipped::Shipped;
use convwise_types::{
    ADVICE_SCHEMA, Advice, Architecture, Candidate, KnowledgeBaseStamp, Label, Measurement, Millis,
    Overruled, Percent, Pick, Request, Verdict,
};

use crate::catalogue::Catalogue;
use crate::compared::compared;
use crate::draft::real_time_budget;
use crate::faults::Faults;
use crate::gather::{Evidences, gather};
use crate::place::Place;
use crate::prior::{Beaten, Field};
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
    /// For each candidate the preference that the formula was given.
    preferences: Vec<f64>,
    /// The candidates that are not rejected, best first.
    order: Vec<Ranked>,
    /// Who beats whom by measured evidence.
    beaten: Beaten,
}

impl Assessment {
    /// The feasible candidates, best first.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing<'_>> {
        let standing = |&Ranked { index, score }: &Ranked| {
            let (candidate, judgement) = (self.candidates.get(index)?, self.judgements.get(index)?);
            let preference = *self.preferences.get(index)?;
            Some(Standing { index, candidate, verdict: judgement.verdict, score, preference })
        };
        self.order.iter().filter_map(standing).collect()
    }

    /// Whether some networks fit and none of them can be exported to a runner.
    pub(crate) fn nothing_to_measure(&self) -> bool {
        let standings = self.standings();
        !standings.is_empty() && standings.iter().all(|s| !s.candidate.architecture.is_buildable())
    }

    /// The feasible under the rank formula of a request, each with the given preference.
    pub(crate) fn contest<'a>(
        &'a self,
        rules: &'a RuleSet,
        inquiry: &Inquiry,
        preferences: &[f64],
    ) -> Contest<'a> {
        rules.contest(inquiry, entrants(&self.candidates, &self.judgements, preferences))
    }

    pub(crate) fn judged(&self) -> impl Iterator<Item = (&Candidate, &Judgement)> {
        self.candidates.iter().zip(&self.judgements)
    }
}

impl Grounds<'_> {
    /// Gathers, judges and ranks.
    #[must_use]
    pub fn assess(&self, measurements: &[Measurement], faults: &Faults) -> Assessment {
        self.ranked(self.gathered(&self.catalogue.architectures, measurements, faults))
    }

    /// The candidates of some architectures.
    pub(crate) fn gathered(
        &self,
        architectures: &[Arc<Architecture>],
        measurements: &[Measurement],
        faults: &Faults,
    ) -> Vec<Candidate> {
        let evidences = Evidences {
            request: self.request(),
            place: self.place,
            graphs: &self.catalogue.graphs,
            measurements,
            faults,
        };
        gather(architectures, &evidences)
    }

    /// Judges and ranks candidates.
    pub(crate) fn ranked(&self, candidates: Vec<Candidate>) -> Assessment {
        let sheets = Sheets::lay_out(&candidates);
        let judgements = self.rules.judge_from(self.inquiry, &sheets);
        let beaten = Beaten::among(&candidates);
        let preferences = beaten.preferences(&judgements.iter().map(feasible_opinion).collect::<Vec<_>>());
        let entrants = entrants(&candidates, &judgements, &preferences);
        let order = self.rules.contest_from(self.inquiry, entrants, sheets).order();
        Assessment { candidates, judgements, preferences, order, beaten }
    }

    /// Where measured evidence contradicts a preference of the guide.
    fn overruled(&self, assessment: &Assessment) -> Vec<Overruled> {
        if assessment.beaten.is_empty() {
            return Vec::new();
        }
        let plain: Vec<_> = assessment.judgements.iter().map(|j| j.preference).collect();
        let places = |order: Vec<Ranked>| order.into_iter().map(|r| r.index).collect();
        Field {
            rules: self.rules,
            inquiry: self.inquiry,
            candidates: &assessment.candidates,
            judgements: &assessment.judgements,
            order: places(assessment.order.clone()),
            unruled: places(assessment.contest(self.rules, self.inquiry, &plain).order()),
        }
        .overruled(&assessment.beaten)
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
            evidence_over_guide: self.overruled(assessment),
            compared: compared(self, assessment),
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

    pub(crate) fn budget(&self) -> Option<Millis> {
        budget_of(self.request())
    }
}

/// What the rules know of a target.
pub(crate) fn target_of(place: &Place) -> Target {
    match place {
        Place::Here(device) | Place::Elsewhere(device) => Target::from(device),
        Place::Described(device) => Target::from(device),
        Place::Unspecified(deploy) => Target::undescribed(*deploy),
    }
}

/// The latency that every limit of a request together allows one batch.
#[expect(clippy::cast_precision_loss, reason = "at most 4096")]
pub(crate) fn budget_of(request: &Request) -> Option<Millis> {
    let images = request.batch as f64;
    let of_rate = request.limits.throughput.map(|rate| 1000.0 * images / rate.0);
    let latency = request.limits.latency.map(|l| l.0);
    let of_video = real_time_budget(request).filter(|_| latency.is_none()).map(|l| l.0);
    latency.into_iter().chain(of_rate).chain(of_video).min_by(f64::total_cmp).map(Millis)
}

/// What the preferences say of a candidate, unless it is rejected.
fn feasible_opinion(judgement: &Judgement) -> Option<Opinion> {
    (judgement.verdict != Verdict::Rejected).then_some(judgement.opinion)
}

/// The candidates that are not rejected, each with its preference.
fn entrants<'a>(
    candidates: &'a [Candidate],
    judgements: &[Judgement],
    preferences: &[f64],
) -> Vec<Entrant<'a>> {
    let all = candidates.iter().zip(judgements).zip(preferences).enumerate();
    let feasible = all.filter(|(_, ((_, j), _))| j.verdict != Verdict::Rejected);
    let entrant = |(index, ((candidate, j), preference)): (usize, ((&'a Candidate, &Judgement), &f64))| {
        Entrant { index, candidate, proven: j.verdict == Verdict::Proven, preference: *preference }
    };
    feasible.map(entrant).collect()
}

/// A candidate that nobody measured and whose best estimate misses the budget: not rejected, since its
/// interval reaches below, but no pick either. It stays among what a measurement would decide.
pub(crate) fn expected_beyond(standing: &Standing<'_>, budget: Option<Millis>) -> bool {
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
