//! Findings of one candidate, and the one function that combines them.

use convwise_types::{Finding, Missing, Verdict};
use serde::{Deserialize, Serialize};

use crate::evaluate::Stop;
use crate::trace::Weakest;

/// What judging one candidate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// All requirements combined.
    pub verdict: Verdict,
    /// Whether every requirement was decided, on whatever evidence: none is unknown or failed to run.
    pub decided: bool,
    /// From [`crate::RuleSet::judge`] the findings that decide: rejections, undecided and failed rules, and
    /// passes on evidence that cannot carry them, each without the values it read. From [`crate::RuleSet::explain`] all of them. By rule id.
    pub findings: Vec<Finding>,
    /// Weighted mean of the known preferences, 0 to 1; 0.5 if none is known, and for what is rejected unless
    /// it is explained.
    pub preference: f64,
    /// What that mean is made of.
    pub opinion: Opinion,
    /// Weight of the preferences that were known and of all that apply.
    pub preference_weight: [f64; 2],
    /// What would decide the undecided, each once.
    pub needs: Vec<Missing>,
    /// The smallest change to the request that would admit a rejected candidate, as flags.
    pub counterfactual: Option<String>,
}

/// What one rule said of one candidate.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It does not apply.
    Absent,
    /// The requirement holds; `weak` is evidence that cannot prove it.
    Holds { weak: Option<Weakest> },
    /// The requirement does not hold.
    Fails,
    /// A preference.
    Scored { score: f64, weight: f64 },
    /// A remark applies.
    Noted,
    /// No value.
    Stopped(Stop),
}

/// What one requirement makes of a candidate. The candidate's verdict is the worst of them.
///
/// | outcome | verdict | why |
/// |---|---|---|
/// | does not apply | proven | nothing was asked |
/// | holds on evidence that can carry it | proven | |
/// | holds on weaker evidence | unproven | a measurement may still say otherwise |
/// | a fact is unknown, or the interval straddles the limit | unproven | it is not decided |
/// | the script failed | unproven | it is not decided |
/// | does not hold | rejected | on any evidence: its whole interval misses |
pub(crate) fn verdict_of(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Fails => Verdict::Rejected,
        Outcome::Holds { weak: Some(_) } | Outcome::Stopped(_) => Verdict::Unproven,
        Outcome::Absent
        | Outcome::Holds { weak: None }
        // Preferences and remarks decide nothing; they are never asked for a verdict.
        | Outcome::Scored { .. }
        | Outcome::Noted => Verdict::Proven,
    }
}

impl Outcome {
    /// The word that cases and traces use.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Absent => "skips",
            Self::Holds { weak: None } => "holds",
            Self::Holds { weak: Some(_) } => "holds-weakly",
            Self::Fails => "fails",
            Self::Scored { .. } => "prefers",
            Self::Noted => "notes",
            Self::Stopped(Stop::Missing(_)) => "unknown",
            Self::Stopped(_) => "error",
        }
    }
}

/// Scores times weights, summed, and the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Sum of score times weight.
    pub sum: f64,
    /// Sum of the weights.
    pub weight: f64,
}

/// What the known preferences make of a candidate. The guide's advice stands apart, because measured evidence
/// overrules it and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// Preferences that pass on what the decision framework advises.
    pub guide: Share,
    /// All others.
    pub own: Share,
}

impl Opinion {
    /// Counts one preference.
    pub(crate) fn add(&mut self, guides: bool, score: f64, weight: f64) {
        let share = if guides { &mut self.guide } else { &mut self.own };
        share.sum += score * weight;
        share.weight += weight;
    }

    /// Weight of the known preferences.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.guide.weight + self.own.weight
    }

    /// Weighted mean, 0 to 1; 0.5 if nothing is known.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.weight() > 0.0 { (self.guide.sum + self.own.sum) / self.weight() } else { 0.5 }
    }
}
