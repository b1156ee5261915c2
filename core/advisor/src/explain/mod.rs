//! Why or why not one network: every rule's account of it, its place, and what would change that.

mod gap;
mod levers;
mod probe;
mod why_not;

use std::collections::BTreeMap;

use convwise_judge::{Account, Contest};
use convwise_types::{ArchitectureId, Candidate, CandidateKey, Pick, Request, Verdict};
use serde::Serialize;

use crate::advise::{AdvisorError, Case};
use crate::report;
use crate::round::{Records, Round};
use crate::standing::Standing;
use crate::world::World;

pub use gap::{Gap, GapPart};
pub use why_not::{Change, ChangeOf, Miss, WhyNot};

/// Name of the JSON format of [`Explanation`].
pub const EXPLANATION_SCHEMA: &str = "convwise.explanation/1";

/// What a preference adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contribution {
    /// Score times weight, as a share of all known weights: its part of the mean.
    pub share: f64,
    /// By how much the final score would be lower without that share; `None` for what is rejected.
    pub moves: Option<f64>,
}

/// One rule's account of the candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TraceLine {
    /// What it says, why and from what.
    #[serde(flatten)]
    pub account: Account,
    /// What it adds to the place, if it is a preference that scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contribution: Option<Contribution>,
}

/// How the rank formula came to its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankLine {
    /// The formula's rule.
    pub rule: String,
    /// 0 to 1.
    pub score: f64,
    /// What it is made of, if the formula says so.
    pub parts: Option<BTreeMap<String, f64>>,
    /// The mean of the preferences that the formula was given.
    pub preference: f64,
    /// How much of that was inherited from networks that this one beats by measured evidence.
    pub inherited: f64,
    /// Why, in the formula's words, or why there is no score.
    pub reason: String,
    /// File of the formula.
    pub file: String,
    /// Line of the formula.
    pub line: u64,
}

/// One candidate of the network in question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// What its requirements say together.
    pub verdict: Verdict,
    /// Its place among the feasible, from 1; `None` if it is rejected.
    pub place: Option<usize>,
    /// The candidate as a pick would be printed, with every finding.
    pub pick: Pick,
    /// The smallest change to the request that would admit it, as flags.
    pub counterfactual: Option<String>,
    /// What every rule says of it, requirements first, also those that do not apply.
    pub trace: Vec<TraceLine>,
    /// How the formula scored it; `None` if it is rejected.
    pub rank: Option<RankLine>,
    /// What keeps it from the first place; `None` if it holds it.
    pub why_not: Option<WhyNot>,
}

/// Everything the rules say about one network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// [`EXPLANATION_SCHEMA`].
    pub schema: &'static str,
    /// The merged request.
    pub request: Request,
    /// Candidates that fit.
    pub feasible: usize,
    /// What would be picked first.
    pub winner: Option<Pick>,
    /// The network with each of its weights and inputs, best first.
    pub candidates: Vec<Explained>,
}

/// Explains one network against a request.
///
/// # Errors
/// The network, device or runner is not known, or the knowledge base cannot be read.
pub fn explain(
    world: &World<'_>,
    request: &Request,
    architecture: &str,
) -> Result<Explanation, AdvisorError> {
    let _session = world.store.session()?;
    let case = Case::open(world, request)?;
    let id = case.named(architecture)?;
    let records = Records::of(&case);
    let round = records.open(request, &case.catalogue)?;
    let stage = Stage { records: &records, contest: round.contest(), round: &round };
    Ok(Explanation {
        schema: EXPLANATION_SCHEMA,
        request: request.clone(),
        feasible: round.standings().count(),
        winner: round.hopeful().next().map(|s| stage.pick(&s)),
        candidates: stage.of_network(&id).iter().map(|(s, place)| stage.explained(s, *place)).collect(),
    })
}

/// Why a candidate is no pick in a round, as one sentence.
pub(crate) fn why_it_left(round: &Round<'_>, key: &CandidateKey) -> String {
    let name = &key.architecture;
    if let Some(standing) = round.of(key) {
        let median = standing.candidate.latency.value().map(|l| l.median.to_string()).unwrap_or_default();
        return format!("{name} is expected to take {median}, beyond the budget, and nobody measured it");
    }
    let candidate = round.candidates.iter().find(|c| c.key == *key);
    let accounts = candidate.map(|c| round.rules.accounts(&round.inquiry, c)).unwrap_or_default();
    let failing: Vec<_> = accounts.iter().filter(|a| a.verdict == "fails").collect();
    let reasons: Vec<_> = failing.iter().map(|a| format!("{} ({})", a.reason, a.rule)).collect();
    format!("{name} is rejected: {}", reasons.join("; "))
}

/// All that one candidate is explained from.
struct Stage<'s, 'c> {
    records: &'s Records<'c>,
    round: &'s Round<'c>,
    contest: Contest<'s>,
}

impl Stage<'_, '_> {
    /// The candidates of a network with their places: the feasible in their order, then the rejected, the more
    /// accurate first.
    fn of_network(&self, id: &ArchitectureId) -> Vec<(Standing<'_>, Option<usize>)> {
        let ours = |c: &Candidate| c.key.architecture == *id;
        let placed = self.round.standings().enumerate().map(|(at, s)| (s, Some(at + 1)));
        let mut found: Vec<_> = placed.filter(|(s, _)| ours(s.candidate)).collect();
        let mut rejected: Vec<_> = self.round.rejected().filter(|s| ours(s.candidate)).collect();
        let accuracy =
            |s: &Standing<'_>| s.candidate.accuracy.value().map_or(f64::NEG_INFINITY, |a| a.value.0);
        rejected.sort_by(|a, b| {
            accuracy(b).total_cmp(&accuracy(a)).then_with(|| a.candidate.key.cmp(&b.candidate.key))
        });
        found.extend(rejected.into_iter().map(|s| (s, None)));
        found
    }

    fn explained(&self, standing: &Standing<'_>, place: Option<usize>) -> Explained {
        let rules = self.records.case.world.rules;
        let accounts = rules.accounts(&self.round.inquiry, standing.candidate);
        Explained {
            verdict: standing.verdict,
            place,
            pick: self.pick(standing),
            counterfactual: rules.explain(&self.round.inquiry, standing.candidate).counterfactual,
            rank: place.map(|_| self.rank_line(standing, &accounts)),
            why_not: self.why_not(standing, &accounts),
            trace: self.trace(standing, accounts),
        }
    }

    fn pick(&self, standing: &Standing<'_>) -> Pick {
        let full = self.records.case.world.rules.explain(&self.round.inquiry, standing.candidate);
        report::pick(standing, Vec::new(), &full.findings, &self.round.inquiry.request)
    }

    fn trace(&self, standing: &Standing<'_>, accounts: Vec<Account>) -> Vec<TraceLine> {
        let all = known_weight(&accounts);
        let line = |account: Account| TraceLine {
            contribution: share_of(&account, all)
                .map(|share| Contribution { share, moves: self.moves(standing, share) }),
            account,
        };
        accounts.into_iter().map(line).collect()
    }

    /// What a share of the preference moves in the final score, by asking the formula again without it.
    fn moves(&self, standing: &Standing<'_>, share: f64) -> Option<f64> {
        let without = self.contest.score_with(standing.index, standing.preference - share)?;
        Some(standing.score - without)
    }

    fn rank_line(&self, standing: &Standing<'_>, accounts: &[Account]) -> RankLine {
        let all = known_weight(accounts);
        let mean: f64 = accounts.iter().filter_map(|a| share_of(a, all)).sum();
        let formula = self.contest.formula(standing.index).ok();
        let (rule, file, line) = self.contest.place();
        RankLine {
            rule,
            score: standing.score,
            parts: formula.and_then(|f| f.parts),
            preference: standing.preference,
            inherited: if all > 0.0 { without_rounding(standing.preference - mean) } else { 0.0 },
            reason: self.contest.reason(standing.index),
            file,
            line,
        }
    }
}

/// Differences that come from adding in another order are none.
fn without_rounding(difference: f64) -> f64 {
    if difference.abs() < 1e-9 { 0.0 } else { difference }
}

/// The weights of the preferences that scored.
fn known_weight(accounts: &[Account]) -> f64 {
    accounts.iter().filter(|a| a.score.is_some()).filter_map(|a| a.weight).sum()
}

/// A preference's part of the mean.
fn share_of(account: &Account, all: f64) -> Option<f64> {
    let (score, weight) = account.score.zip(account.weight)?;
    (all > 0.0).then_some(score * weight / all)
}
