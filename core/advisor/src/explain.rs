//! Why or why not one network: every rule's verdict with the values it read.

use convwise_types::{Pick, Request, Verdict};
use serde::Serialize;

use crate::advise::{AdvisorError, Case};
use crate::report;
use crate::standing::Standing;
use crate::world::World;

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
}

/// Everything the rules say about one network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Name of the JSON format.
    pub schema: &'static str,
    /// The merged request.
    pub request: Request,
    /// Candidates that fit.
    pub feasible: usize,
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
    let variant = world.zoo.find(architecture)?;
    let _session = world.store.session()?;
    let case = Case::open(world, request)?;
    let assessment = case.assess()?;
    let standings = assessment.standings();
    let of_network = |s: &Standing<'_>| s.candidate.key.architecture == *variant.id();
    let mut candidates: Vec<_> = standings
        .iter()
        .enumerate()
        .filter(|(_, s)| of_network(s))
        .map(|(place, s)| explained(&case, s, Some(place + 1)))
        .collect();
    for (index, (candidate, judgement)) in
        assessment.candidates.iter().zip(&assessment.judgements).enumerate()
    {
        let standing = Standing {
            index,
            candidate,
            verdict: judgement.verdict,
            score: 0.0,
            preference: judgement.preference,
        };
        if judgement.verdict == Verdict::Rejected && of_network(&standing) {
            candidates.push(explained(&case, &standing, None));
        }
    }
    let accuracy = |e: &Explained| e.pick.accuracy.as_ref().map_or(f64::NEG_INFINITY, |a| a.value);
    // The feasible come first, in the order of the ranking; the sort is stable.
    candidates.sort_by(|a, b| {
        a.place.is_none().cmp(&b.place.is_none()).then_with(|| match a.place {
            Some(_) => std::cmp::Ordering::Equal,
            None => accuracy(b).total_cmp(&accuracy(a)),
        })
    });
    Ok(Explanation {
        schema: "convwise.explanation/1",
        request: request.clone(),
        feasible: standings.len(),
        candidates,
    })
}

fn explained(case: &Case<'_>, standing: &Standing<'_>, place: Option<usize>) -> Explained {
    let full = case.world.rules.explain(&case.inquiry, standing.candidate);
    Explained {
        verdict: standing.verdict,
        place,
        pick: report::pick(standing, Vec::new(), &full.findings, &case.inquiry.request),
        counterfactual: full.counterfactual,
    }
}
