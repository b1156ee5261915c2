//! On which dataset the accuracies of an answer are compared. Figures on different datasets are never mixed.

use std::collections::BTreeSet;
use std::sync::Arc;

use convwise_judge::Inquiry;
use convwise_store::shipped::{Dataset, Shipped};
use convwise_types::{
    Architecture, ArchitectureId, Compared, ComparedElsewhere, ComparisonSet, Task, Verdict, did_you_mean,
};

use crate::answer::{Assessment, Grounds};
use crate::faults::Faults;

/// Networks that are judged before it is looked whether enough of them fit.
const LOOKED_AT_FIRST: usize = 32;

/// Why a dataset cannot be what networks are compared on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoComparison {
    /// Nobody described it.
    #[error("there is no dataset `{asked}` (for {task} there are {known}){hint}")]
    Unknown {
        /// What was asked for.
        asked: String,
        /// "did you mean".
        hint: String,
        /// The task.
        task: Task,
        /// What there is.
        known: String,
    },
    /// It tests something else.
    #[error("{asked} tests {tests}, not {task}; for {task} there are {known}")]
    OtherTask {
        /// What was asked for.
        asked: String,
        /// What it tests.
        tests: Task,
        /// The task.
        task: Task,
        /// What there is.
        known: String,
    },
}

/// The question, with what the accuracies are compared on: what the request names, else the set that covers most of the
/// networks that fit. Measurements have no say in it, so that an answer stays comparable while they come in.
///
/// # Errors
/// The request names a dataset that is not known, or one for another task.
pub(crate) fn settled(grounds: &Grounds<'_>) -> Result<Inquiry, NoComparison> {
    let request = &grounds.inquiry.request;
    let set = match &request.dataset {
        Some(id) => named(grounds.shipped, request.task, id)?,
        None => widest(grounds),
    };
    Ok(grounds.inquiry.compared_on(set))
}

/// The set of a dataset that tests a task.
pub(crate) fn named(shipped: &Shipped, task: Task, asked: &str) -> Result<ComparisonSet, NoComparison> {
    let known = || of_task(shipped, task).map(|d| d.id.as_str()).collect::<Vec<_>>().join(", ");
    let Some(dataset) = shipped.dataset(asked) else {
        let hint = did_you_mean(asked, shipped.datasets.iter().map(|d| d.value.id.as_str()));
        return Err(NoComparison::Unknown { asked: asked.to_owned(), hint, task, known: known() });
    };
    if dataset.task != task {
        let (asked, tests) = (asked.to_owned(), dataset.task);
        return Err(NoComparison::OtherTask { asked, tests, task, known: known() });
    }
    Ok(comparison_on(dataset))
}

fn of_task(shipped: &Shipped, task: Task) -> impl Iterator<Item = &Dataset> {
    shipped.datasets.iter().map(|d| &d.value).filter(move |d| d.task == task)
}

/// Networks are compared by the metric that a dataset names first.
fn comparison_on(dataset: &Dataset) -> ComparisonSet {
    let metric = dataset.metrics.first().map(|m| m.name.as_str()).unwrap_or_default();
    ComparisonSet::new(&dataset.id, metric)
}

/// The set on which most of the networks that fit have a figure; of equals the usual one, then the one described first.
fn widest(grounds: &Grounds<'_>) -> ComparisonSet {
    let task = grounds.inquiry.request.task;
    let usual = ComparisonSet::of(task);
    let others = of_task(grounds.shipped, task).filter(|d| !d.on_request).map(comparison_on);
    let others = others.filter(|set| *set != usual).map(|set| (covered(grounds, &set), set));
    let others: Vec<_> = others.filter(|(covered, _)| *covered > 0).collect();
    // What nobody evaluated there cannot fit there either: so many are enough to be the widest.
    let Some(enough) = others.iter().map(|(covered, _)| *covered).max() else { return usual };
    let mut best = (fitting(grounds, &usual, enough), usual);
    for (covered, set) in others {
        if covered > best.0 {
            let fit = fitting(grounds, &set, enough);
            if fit > best.0 {
                best = (fit, set);
            }
        }
    }
    best.1
}

/// Architectures of the task with a figure.
fn covered(grounds: &Grounds<'_>, set: &ComparisonSet) -> usize {
    let task = grounds.inquiry.request.task;
    grounds.catalogue.architectures.iter().filter(|a| a.task == task && has_figure(a, set)).count()
}

fn has_figure(architecture: &Architecture, set: &ComparisonSet) -> bool {
    architecture.weights.iter().flat_map(|w| &w.results).any(|result| set.covers(result))
}

/// Networks that fit and have a figure, if networks are compared on this set; it is not looked on where there are `enough`.
fn fitting(grounds: &Grounds<'_>, set: &ComparisonSet, enough: usize) -> usize {
    let inquiry = grounds.inquiry.compared_on(set.clone());
    let grounds = Grounds { inquiry: &inquiry, ..*grounds };
    let with_figure = grounds.catalogue.architectures.iter().filter(|a| has_figure(a, set)).cloned();
    let with_figure: Vec<_> = with_figure.collect();
    let (first, rest) = with_figure.split_at(LOOKED_AT_FIRST.min(with_figure.len()));
    let mut fit = BTreeSet::new();
    for some in [first, rest] {
        fit.extend(fit_of(&grounds, some));
        if fit.len() >= enough {
            break;
        }
    }
    fit.len()
}

/// Those of some networks that fit and have a figure.
fn fit_of(grounds: &Grounds<'_>, some: &[Arc<Architecture>]) -> BTreeSet<ArchitectureId> {
    let mut candidates = grounds.gathered(some, &[], &Faults::default());
    candidates.retain(|candidate| candidate.accuracy.value().is_some());
    let judged = grounds.rules.judge(grounds.inquiry, &candidates);
    let held = candidates.iter().zip(judged).filter(|(_, judgement)| judgement.verdict != Verdict::Rejected);
    held.map(|(candidate, _)| candidate.key.architecture.clone()).collect()
}

fn with_figure(assessment: &Assessment) -> BTreeSet<ArchitectureId> {
    let standings = assessment.standings();
    let known = standings.iter().filter(|s| s.candidate.accuracy.value().is_some());
    known.map(|s| s.candidate.key.architecture.clone()).collect()
}

/// What an answer was compared on, and what it leaves out for want of a figure there.
pub(crate) fn compared(grounds: &Grounds<'_>, assessment: &Assessment) -> Compared {
    let request = &grounds.inquiry.request;
    let set = request.comparison();
    let networks = with_figure(assessment);
    let standings = assessment.standings();
    let fit: BTreeSet<_> = standings.iter().map(|s| s.candidate.key.architecture.clone()).collect();
    let elsewhere = |dataset: &Dataset| {
        let other = comparison_on(dataset);
        let found = standings.iter().map(|s| &s.candidate.architecture).filter(|a| has_figure(a, &other));
        let networks: BTreeSet<_> = found.map(|a| a.id.clone()).collect();
        let networks = networks.into_iter().collect();
        ComparedElsewhere { dataset: other.dataset, networks }
    };
    let others = of_task(grounds.shipped, request.task).filter(|d| d.id != set.dataset && !d.on_request);
    Compared {
        dataset: set.dataset.clone(),
        metric: set.metric.clone(),
        asked: request.dataset.is_some(),
        left_out: fit.difference(&networks).cloned().collect(),
        networks: networks.into_iter().collect(),
        elsewhere: others.map(elsewhere).filter(|e| !e.networks.is_empty()).collect(),
    }
}
