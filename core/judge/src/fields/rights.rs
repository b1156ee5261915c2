//! What may be done with a candidate: licences of code and weights, and the terms of the data behind the weights.

use convwise_types::{Candidate, TrainingData};

use super::Cell;

/// Code and weights. One that is known not to be permissive decides, whatever the other is.
pub(super) fn permissive(c: &Candidate) -> Cell {
    let verdicts =
        [&c.code_licence, &c.weights_licence].map(|fact| fact.known().map(|(l, _)| l.is_permissive()));
    match verdicts {
        [Ok(false), _] | [_, Ok(false)] => Cell::flag(false),
        [Ok(true), Ok(true)] => Cell::flag(true),
        [Err(missing), _] | [_, Err(missing)] => Cell::unknown(&missing.fact, missing.need.clone()),
    }
}

const NO_DATA: &str = "its family does not say what the weights were trained on; look it up before shipping";

/// What the weights were trained on; none where there are no weights.
fn trained_on(c: &Candidate) -> Option<&[TrainingData]> {
    let data = c.weights().map_or(&[][..], |w| w.trained_on.as_slice());
    (!data.is_empty() || c.key.weights.is_none()).then_some(data)
}

pub(super) fn training_data(c: &Candidate) -> Cell {
    let ids = |data: &[TrainingData]| Cell::words(data.iter().map(|d| d.id.as_str()));
    Cell::option(trained_on(c), ids, "training_data", NO_DATA)
}

pub(super) fn data_licence(c: &Candidate) -> Cell {
    let Some(data) = trained_on(c) else { return Cell::unknown("data_licence", NO_DATA) };
    match data.iter().find(|d| d.terms.is_none()) {
        Some(unread) => Cell::unknown("data_licence", no_terms(unread)),
        None => Cell::words(data.iter().filter_map(|d| Some(d.terms.as_ref()?.licence.as_str()))),
    }
}

pub(super) fn data_commercial(c: &Candidate) -> Cell {
    let Some(data) = trained_on(c) else { return Cell::unknown("data_commercial", NO_DATA) };
    let permits = |d: &TrainingData| d.terms.as_ref().and_then(|t| t.commercial);
    if data.iter().any(|d| permits(d) == Some(false)) {
        return Cell::flag(false);
    }
    match data.iter().find(|d| permits(d).is_none()) {
        Some(unread) => Cell::unknown("data_commercial", no_terms(unread)),
        None => Cell::flag(true),
    }
}

fn no_terms(data: &TrainingData) -> String {
    format!("no clear terms of {} are recorded; read them, and add a [[corpus]] to kb/datasets.toml", data.id)
}
