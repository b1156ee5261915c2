//! The clauses of each kind of rule: names, whether they must be there, what they may take, what they mean.

use std::fmt;

use convwise_types::nearest;

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// Rejects or passes.
    Require,
    /// Scores.
    Prefer,
    /// Advises how to train.
    Train,
    /// Advises how to make it faster or smaller afterwards.
    Optimise,
    /// Remarks.
    Note,
    /// Orders the candidates; there is exactly one.
    Rank,
}

impl RuleKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Require, Self::Prefer, Self::Train, Self::Optimise, Self::Note, Self::Rank];

    /// The function that declares it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Prefer => "prefer",
            Self::Train => "train",
            Self::Optimise => "optimise",
            Self::Note => "note",
            Self::Rank => "rank",
        }
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn doc(self) -> &'static str {
        match self {
            Self::Require => {
                "A limit: the network is rejected where it does not hold, and unproven where it is undecided."
            }
            Self::Prefer => "A preference: a score of 0 to 1 with a weight.",
            Self::Train => "A step of training the pick.",
            Self::Optimise => "A step that makes the trained pick faster or smaller.",
            Self::Note => "A remark.",
            Self::Rank => "The formula that orders what fits; there is one, the strongest layer's.",
        }
    }

    /// The clauses that it may have.
    pub fn clauses(self) -> impl Iterator<Item = &'static ClauseSpec> {
        CLAUSES.iter().filter(move |c| c.of.is_empty() || c.of.contains(&self))
    }

    /// The clauses that it must have.
    pub(crate) fn required(self) -> impl Iterator<Item = &'static str> {
        self.clauses().filter(move |c| c.required.contains(&self)).map(|c| c.name)
    }

    /// Whether it has a clause of this name, or which one may have been meant.
    pub(crate) fn knows(self, name: &str) -> Result<(), Option<&'static str>> {
        if self.clauses().any(|c| c.name == name) {
            return Ok(());
        }
        Err(nearest(name, self.clauses().map(|c| c.name)))
    }

    /// What its closures may take.
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Rank => &["net", "need", "pool"],
            _ => &["net", "need"],
        }
    }
}

impl fmt::Display for RuleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One clause.
#[derive(Debug)]
pub struct ClauseSpec {
    /// Its name.
    pub name: &'static str,
    /// Kinds that have it; all if empty.
    pub of: &'static [RuleKind],
    /// Kinds that must have it.
    pub(crate) required: &'static [RuleKind],
    /// One sentence.
    pub doc: &'static str,
}

use RuleKind::{Note, Optimise, Prefer, Rank, Require, Train};

const fn clause(
    name: &'static str,
    of: &'static [RuleKind],
    required: &'static [RuleKind],
    doc: &'static str,
) -> ClauseSpec {
    ClauseSpec { name, of, required, doc }
}

/// Every clause.
pub static CLAUSES: [ClauseSpec; 21] = [
    clause(
        "id",
        &[],
        &[Require, Prefer, Train, Optimise, Note, Rank],
        "Names the condition found, never the advice.",
    ),
    clause(
        "extends",
        &[],
        &[],
        "Id of the rule of a weaker layer that it builds on: clauses that it does not give, the id included, are that rule's.",
    ),
    clause("doc", &[], &[], "What the rule finds, for whoever reads the answer."),
    clause("source", &[], &[], "Who says so: a URL, or a step of the decision framework."),
    clause("status", &[], &[], "`stable` (default), `preview` or `deprecated`."),
    clause(
        "when",
        &[Require, Prefer, Train, Optimise, Note],
        &[],
        "Whether it applies; decided once a request if it takes only `need`.",
    ),
    clause("because", &[], &[Note], "The reason that is shown."),
    clause("holds", &[Require], &[Require], "Whether the requirement holds."),
    clause("margin", &[Require], &[], "Signed slack in the unit of the limit; negative means missed by."),
    clause("proof", &[Require], &[], "Grades of evidence that can prove it; any if absent."),
    clause(
        "relax",
        &[Require],
        &[],
        "The smallest change to the request that would admit the candidate, as flags.",
    ),
    clause("score", &[Prefer, Rank], &[Prefer], "0 to 1; a formula may state its `parts` instead."),
    clause(
        "parts",
        &[Rank],
        &[],
        "What the score is made of, by name; their sum is the score. `preference` is what the `prefer` rules add.",
    ),
    clause("weight", &[Prefer], &[], "How much it counts; 1 if absent."),
    clause("advise", &[Train, Optimise], &[], "Settings by key."),
    clause("steps", &[Train, Optimise], &[], "What to do, as sentences."),
    clause("priority", &[Train, Optimise], &[], "Higher comes first and overrides; 50 if absent."),
    clause(
        "expect",
        &[Train, Optimise],
        &[],
        "Expected effect by quantity, `[low, high]`: a factor for `latency` and `size`, points for `top1`.",
    ),
    clause("after", &[Train, Optimise], &[], "Ids of the steps that come first."),
    clause("excludes", &[Train, Optimise], &[], "Ids of the steps that this one rules out."),
    clause("command", &[Train, Optimise], &[], "The command that carries it out or verifies it."),
];
