//! What an examination found.

use serde::Serialize;

/// All requirements of one runner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The runner's name.
    pub runner: String,
    /// One a requirement, in their order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether no requirement is broken.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.ok)
    }

    /// Requirements with this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }
}

/// One requirement and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its number, such as `C07`; it never changes.
    pub number: String,
    /// What is required.
    pub requirement: &'static str,
    /// What it means, and why.
    pub meaning: &'static str,
    /// Whether it is not broken.
    pub ok: bool,
    /// Met, broken or not examined.
    pub outcome: Outcome,
    /// What was seen.
    pub found: String,
}

/// How a requirement came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The runner does what is required.
    Met,
    /// It does not.
    Broken,
    /// It could not be tried; `found` says why.
    NotExamined,
}
