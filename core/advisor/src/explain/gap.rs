//! How far a candidate that fits stands behind the first, and what the distance is made of.

use std::collections::{BTreeMap, BTreeSet};

use convwise_judge::Account;
use convwise_types::Verdict;
use serde::Serialize;

use super::{Stage, known_weight, share_of};
use crate::standing::Standing;

/// The part of a formula that the preferences make.
const PREFERENCE: &str = "preference";
/// Parts smaller than this are rounding.
const NOTHING: f64 = 5e-7;

/// The distance to the first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The first's architecture.
    pub to: String,
    /// The first's score.
    pub leading: f64,
    /// This one's score.
    pub score: f64,
    /// What it lacks; negative if it has the better score and stands behind for being unproven.
    pub behind: f64,
    /// What that is made of, the largest first; empty if the formula does not say.
    pub parts: Vec<GapPart>,
    /// Whether the first is proven and this one is not, so that no score would help.
    pub unproven: bool,
    /// Whether nobody expects it to keep the latency budget, so that it is no pick until it is measured.
    pub beyond_budget: bool,
}

/// One part of the distance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GapPart {
    /// A part of the formula, or a preference's rule.
    pub name: String,
    /// Whether it is a preference.
    pub preference: bool,
    /// What is lost by it; negative if something is gained.
    pub behind: f64,
}

/// What the formula and the preferences make of one candidate.
struct Sheet {
    parts: BTreeMap<String, f64>,
    mean: f64,
    shares: BTreeMap<String, f64>,
}

impl Stage<'_, '_> {
    pub(super) fn gap(
        &self,
        standing: &Standing<'_>,
        accounts: &[Account],
        beyond_budget: bool,
    ) -> Option<Gap> {
        let first = self.round.hopeful().next().filter(|f| f.index != standing.index)?;
        let theirs = self.records.case.world.rules.accounts(&self.round.inquiry, first.candidate);
        let sheets = self.sheet(&first, &theirs).zip(self.sheet(standing, accounts));
        Some(Gap {
            to: first.candidate.key.architecture.to_string(),
            leading: first.score,
            score: standing.score,
            behind: first.score - standing.score,
            parts: sheets.map(|(theirs, ours)| split(&theirs, &ours)).unwrap_or_default(),
            unproven: first.verdict == Verdict::Proven && standing.verdict != Verdict::Proven,
            beyond_budget,
        })
    }

    fn sheet(&self, standing: &Standing<'_>, accounts: &[Account]) -> Option<Sheet> {
        let all = known_weight(accounts);
        let share = |a: &Account| Some((a.rule.clone(), share_of(a, all)?));
        Some(Sheet {
            parts: self.contest.formula(standing.index).ok()?.parts?,
            mean: standing.preference,
            shares: accounts.iter().filter_map(share).collect(),
        })
    }
}

impl Sheet {
    fn part(&self, name: &str) -> f64 {
        self.parts.get(name).copied().unwrap_or(0.0)
    }

    /// What the formula gives for a preference of 1, if it takes it as it is.
    fn slope(&self) -> Option<f64> {
        (self.mean > 0.0).then(|| self.part(PREFERENCE) / self.mean)
    }
}

/// The difference of every part. That of the preferences is split by rule where the formula takes their mean times a
/// constant; what is left is what measured evidence made one inherit.
fn split(first: &Sheet, ours: &Sheet) -> Vec<GapPart> {
    let names: BTreeSet<&String> = first.parts.keys().chain(ours.parts.keys()).collect();
    let of = |name: &&String| GapPart {
        name: (*name).clone(),
        preference: name.as_str() == PREFERENCE,
        behind: first.part(name) - ours.part(name),
    };
    let mut parts: Vec<GapPart> = names.iter().map(of).collect();
    if let Some(slope) = common_slope(first, ours) {
        by_rule(&mut parts, first, ours, slope);
    }
    parts.retain(|p| p.behind.abs() > NOTHING);
    parts.sort_by(|a, b| b.behind.abs().total_cmp(&a.behind.abs()).then_with(|| a.name.cmp(&b.name)));
    parts
}

fn common_slope(first: &Sheet, ours: &Sheet) -> Option<f64> {
    match (first.slope(), ours.slope()) {
        (Some(a), Some(b)) => ((a - b).abs() < 1e-9).then_some(a),
        (a, b) => a.or(b),
    }
}

fn by_rule(parts: &mut Vec<GapPart>, first: &Sheet, ours: &Sheet, slope: f64) {
    let rules: BTreeSet<&String> = first.shares.keys().chain(ours.shares.keys()).collect();
    let share = |sheet: &Sheet, rule: &String| sheet.shares.get(rule).copied().unwrap_or(0.0);
    let split: Vec<GapPart> = rules
        .into_iter()
        .map(|rule| GapPart {
            name: rule.clone(),
            preference: true,
            behind: slope * (share(first, rule) - share(ours, rule)),
        })
        .collect();
    let told: f64 = split.iter().map(|p| p.behind).sum();
    for part in parts.iter_mut().filter(|p| p.name == PREFERENCE) {
        part.name = "inherited by evidence".to_owned();
        part.behind -= told;
    }
    parts.extend(split);
}
