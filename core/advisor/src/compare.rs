//! Networks side by side, each with its most accurate published weights.

use convwise_types::{ArchitectureId, Maturity, Pick, Request, Tie, Verdict};
use serde::Serialize;

use crate::advise::{AdvisorError, Case};
use crate::answer::{Assessment, half_width};
use crate::report;
use crate::standing::{Standing, ties};
use crate::world::World;

/// One network of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Its figures.
    pub pick: Pick,
    /// How mature its ecosystem is.
    pub maturity: Option<Maturity>,
}

/// Networks side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Name of the JSON format.
    pub schema: &'static str,
    /// The setting the figures hold for.
    pub request: Request,
    /// One entry a network, in the order of the question.
    pub networks: Vec<Compared>,
    /// Figures that cannot be told apart.
    pub ties: Vec<Tie>,
    /// The ties in words.
    pub remarks: Vec<String>,
}

/// Compares networks in the setting of a request.
///
/// # Errors
/// A network, device or runner is not known, or the knowledge base cannot be read.
pub fn compare(world: &World<'_>, request: &Request, names: &[String]) -> Result<Comparison, AdvisorError> {
    let _session = world.store.session()?;
    let case = Case::open(world, request)?;
    let ids = names.iter().map(|name| case.named(name)).collect::<Result<Vec<_>, AdvisorError>>()?;
    let assessment = case.assess()?;
    let chosen: Vec<_> = ids.iter().filter_map(|id| most_accurate(&assessment, id)).collect();
    let ties = ties(&chosen, &|dataset, value| half_width(world.store.shipped(), dataset, value));
    Ok(Comparison {
        schema: "convwise.comparison/1",
        request: request.clone(),
        networks: chosen.iter().map(|s| compared(&case, s)).collect(),
        remarks: ties.iter().map(in_words).collect(),
        ties,
    })
}

fn most_accurate<'a>(assessment: &'a Assessment, id: &ArchitectureId) -> Option<Standing<'a>> {
    let accuracy = |s: &Standing<'_>| s.candidate.accuracy.value().map_or(f64::NEG_INFINITY, |a| a.value.0);
    assessment
        .candidates
        .iter()
        .zip(&assessment.judgements)
        .enumerate()
        .filter(|(_, (c, _))| c.key.architecture == *id)
        .map(|(index, (candidate, judgement))| Standing {
            index,
            candidate,
            verdict: judgement.verdict,
            score: 0.0,
            preference: judgement.preference,
        })
        .max_by(|a, b| {
            accuracy(a).total_cmp(&accuracy(b)).then_with(|| b.candidate.key.cmp(&a.candidate.key))
        })
}

fn compared(case: &Case<'_>, standing: &Standing<'_>) -> Compared {
    let shown = Standing { verdict: Verdict::Proven, ..*standing };
    Compared {
        pick: report::pick(&shown, Vec::new(), &[], &case.inquiry.request),
        maturity: standing.candidate.architecture.maturity,
    }
}

fn in_words(tie: &Tie) -> String {
    let names = tie.architectures.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!("tie on {}: {names} ({})", tie.on, tie.reason)
}
