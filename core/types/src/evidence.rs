//! Facts with their evidence. Unknown is a value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How good the evidence for a fact is; the best grade comes first in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Measured on the device in question.
    Measured,
    /// Predicted from measurements of other networks on the device in question.
    Calibrated,
    /// Published elsewhere, with a source.
    Published,
    /// Computed from the layer graph alone.
    Estimated,
}

impl Grade {
    /// The word that is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Calibrated => "calibrated",
            Self::Published => "published",
            Self::Estimated => "estimated",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// How good it is.
    pub grade: Grade,
    /// A URL, a record id, or the method of an estimate.
    pub source: String,
}

impl Evidence {
    /// Evidence of a grade from a source.
    pub fn new(grade: Grade, source: impl Into<String>) -> Self {
        Self { grade, source: source.into() }
    }
}

/// What would make an unknown fact known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Missing {
    /// The fact, as rules call it: `latency`, `accuracy`.
    pub fact: String,
    /// Why it is unknown and what would decide it, as one sentence.
    pub need: String,
}

impl Missing {
    /// An unknown fact and what would decide it.
    pub fn new(fact: impl Into<String>, need: impl Into<String>) -> Self {
        Self { fact: fact.into(), need: need.into() }
    }
}

/// A value with its evidence, or what is missing. Nothing is ever defaulted in between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// The value and where it comes from.
    Known(T, Evidence),
    /// Nobody knows yet.
    Unknown(Missing),
}

impl<T> Fact<T> {
    /// The value, if known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known(value, _) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The grade of the evidence, if known.
    pub fn grade(&self) -> Option<Grade> {
        match self {
            Self::Known(_, evidence) => Some(evidence.grade),
            Self::Unknown(_) => None,
        }
    }

    /// The value with its evidence, or what is missing.
    ///
    /// # Errors
    /// What is missing, when the fact is unknown.
    pub fn known(&self) -> Result<(&T, &Evidence), &Missing> {
        match self {
            Self::Known(value, evidence) => Ok((value, evidence)),
            Self::Unknown(missing) => Err(missing),
        }
    }
}

/// A closed interval in which the value is believed to lie (95 %).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether two intervals share a point; if they do, the values are a tie.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}
