//! Cuts the steps where every order must pass through one of them, and orders each segment alone.
//!
//! A step that every other step precedes or follows splits the problem exactly: what has run before
//! it, and so what is live, is the same in every order. Networks are full of such steps, so that
//! most segments hold a handful of steps.

use std::ops::Range;

use super::Order;
use super::buffers::{Moment, Problem};
use super::search::{self, Bounds, Outcome};

/// How many partial orders may be looked at for one graph.
const BUDGET: usize = 20_000;

/// An order of the steps.
pub(super) struct Found {
    pub peak: u64,
    pub steps: Vec<usize>,
    pub order: Order,
}

/// Orders all steps.
pub(super) fn solve(problem: &Problem) -> Found {
    let graph_order: Vec<_> = (0..problem.steps.len()).collect();
    let moments = problem.trace(&graph_order);
    let mut run = Run { problem, proven: problem.least(), peak: 0, budget: BUDGET, steps: Vec::new() };
    for segment in segments(problem) {
        let before = segment.start.checked_sub(1).and_then(|s| moments.get(s));
        let live = before.map_or(problem.initial(), |m| m.after);
        let listed = moments.get(segment.clone()).unwrap_or_default();
        run.add(segment, live, listed);
    }
    let peak = run.peak.max(run.proven);
    let proven = peak == run.proven || peak == problem.least_held();
    let order = if proven { Order::Optimal } else { Order::Heuristic };
    Found { peak, steps: run.steps, order }
}

/// The segments ordered so far.
struct Run<'a> {
    problem: &'a Problem,
    /// A peak that no order can undercut.
    proven: u64,
    /// The peak of the order found.
    peak: u64,
    budget: usize,
    steps: Vec<usize>,
}

impl Run<'_> {
    /// Orders one more segment; it only has to stay below the peak that is unavoidable anyway.
    fn add(&mut self, segment: Range<usize>, live: u64, listed: &[Moment]) {
        let listed = listed.iter().map(|m| m.during).max().unwrap_or(0);
        let floor = self.proven.max(self.peak);
        if listed <= floor {
            self.steps.extend(segment);
            return;
        }
        let bounds = Bounds { live, floor, listed };
        let Outcome { steps, peak, optimal } = search::order(self.problem, segment, bounds, &mut self.budget);
        self.steps.extend(steps);
        self.peak = self.peak.max(peak);
        if optimal {
            self.proven = self.proven.max(peak);
        }
    }
}

/// Ranges of steps, each but the last ending in one that every order must pass.
fn segments(problem: &Problem) -> Vec<Range<usize>> {
    let (before, after) = neighbours(problem);
    let all = 0..problem.steps.len();
    let alone_forwards = alone(all.clone(), &before, &after);
    let alone_backwards = alone(all.clone().rev(), &after, &before);
    let mut start = 0;
    let mut found = Vec::new();
    for (end, (f, b)) in (1..).zip(alone_forwards.into_iter().zip(alone_backwards)) {
        if (f && b) || end == all.end {
            found.push(start..end);
            start = end;
        }
    }
    found
}

/// For every step those that must come before it, and those that must come after it.
fn neighbours(problem: &Problem) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let before: Vec<Vec<usize>> = problem.steps.iter().map(|step| writers(problem, step)).collect();
    let after = problem
        .steps
        .iter()
        .map(|step| problem.buffer(step.output).map(|b| b.readers.clone()).unwrap_or_default());
    let after = after.collect();
    (before, after)
}

fn writers(problem: &Problem, step: &super::buffers::Step) -> Vec<usize> {
    step.reads.iter().filter_map(|r| problem.buffer(r.buffer)?.writer).collect()
}

/// Whether each step, at its turn in `order`, is the only one that can run; then all that come
/// later in that direction depend on it.
fn alone(order: impl Iterator<Item = usize>, needs: &[Vec<usize>], feeds: &[Vec<usize>]) -> Vec<bool> {
    let mut waiting: Vec<_> = needs.iter().map(Vec::len).collect();
    let mut ready = waiting.iter().filter(|&&n| n == 0).count();
    let mut found = vec![false; waiting.len()];
    for step in order {
        if let Some(slot) = found.get_mut(step) {
            *slot = ready == 1;
        }
        ready = ready.saturating_sub(1);
        for &fed in feeds.get(step).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(fed) {
                *left = left.saturating_sub(1);
                ready += usize::from(*left == 0);
            }
        }
    }
    found
}
