//! Situations that rules are watched in: requests with the candidates there are for each.

use convwise_types::Candidate;

use crate::inquiry::Inquiry;

/// Requests and candidates to try rules on. Whoever knows architectures puts them together; rules that never apply to
/// any of them, or always, are probably not what their author meant.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// The situations; the order does not matter.
    pub situations: Vec<Situation>,
}

/// One request with its candidates.
#[derive(Clone, Debug)]
pub struct Situation {
    /// What is asked, in the words of the flags, for whoever reads a finding.
    pub name: String,
    /// The request and its target.
    pub inquiry: Inquiry,
    /// The candidates.
    pub candidates: Vec<Candidate>,
}
