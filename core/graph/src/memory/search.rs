//! The order of one segment: a beam search for a good one, then a best-first search over sets of
//! finished steps that finds the best or proves that there is none better.
//!
//! The peak of a set of finished steps does not depend on what comes after it, and its live elements
//! not on how it was reached, so that the lowest peak over all orders is a bottleneck shortest path
//! from the empty to the full set.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::ops::Range;

use super::bits::Bits;
use super::buffers::Problem;
use super::local::Local;

/// Partial orders kept at each depth of the beam search.
const BEAM: usize = 8;

/// What is known about a segment before it is searched.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Elements live before it.
    pub live: u64,
    /// A peak that costs nothing: it is reached elsewhere anyway.
    pub floor: u64,
    /// The peak of the order in which the steps are listed.
    pub listed: u64,
}

/// An order of a segment.
pub(super) struct Outcome {
    pub steps: Vec<usize>,
    pub peak: u64,
    /// Whether no order has a peak that is both lower and above the floor.
    pub optimal: bool,
}

/// Orders one segment; `budget` shrinks by the partial orders looked at.
pub(super) fn order(problem: &Problem, segment: Range<usize>, bounds: Bounds, budget: &mut usize) -> Outcome {
    match segment.len() {
        0..=64 => Search::<1>::new(problem, segment, bounds).run(budget),
        65..=128 => Search::<2>::new(problem, segment, bounds).run(budget),
        129..=512 => Search::<8>::new(problem, segment, bounds).run(budget),
        _ => Outcome { steps: segment.collect(), peak: bounds.listed, optimal: false },
    }
}

/// A set of finished steps, and how it was reached.
#[derive(Clone, Copy)]
struct State<const W: usize> {
    done: Bits<W>,
    live: u64,
    peak: u64,
    /// Steps done.
    depth: usize,
    /// The last step and the state before it; none for the empty set.
    from: Option<(usize, usize)>,
}

/// One segment and the states reached in it.
struct Search<const W: usize> {
    local: Local<W>,
    first: usize,
    bounds: Bounds,
    states: Vec<State<W>>,
}

impl<const W: usize> Search<W> {
    fn new(problem: &Problem, segment: Range<usize>, bounds: Bounds) -> Self {
        let first = segment.start;
        Self { local: Local::of(problem, segment), first, bounds, states: Vec::new() }
    }

    fn run(mut self, budget: &mut usize) -> Outcome {
        let listed = (0..self.local.len()).map(|s| s + self.first).collect();
        let mut best = Outcome { steps: listed, peak: self.bounds.listed, optimal: false };
        if let Some(goal) = self.beam(budget).filter(|goal| goal.peak < best.peak) {
            best = Outcome { steps: self.path(goal), peak: goal.peak, optimal: false };
        }
        if best.peak > self.bounds.floor {
            match self.best_first(best.peak, budget) {
                Verdict::Better(goal) => {
                    best = Outcome { steps: self.path(goal), peak: goal.peak, optimal: true }
                }
                Verdict::NoneBetter => best.optimal = true,
                Verdict::OutOfBudget => {}
            }
        }
        best
    }

    /// Keeps the few best sets of each size.
    fn beam(&mut self, budget: &mut usize) -> Option<State<W>> {
        *budget = budget.checked_sub(BEAM * self.local.len())?;
        self.states = vec![self.empty()];
        let mut level = 0..1;
        for _ in 0..self.local.len() {
            let mut next: Vec<_> = level.clone().flat_map(|from| self.successors(from)).collect();
            next.sort_by_key(|s| (s.peak, s.live));
            let mut seen = HashSet::new();
            next.retain(|s| seen.len() < BEAM && seen.insert(s.done));
            level = self.states.len()..self.states.len() + next.len();
            self.states.extend(next);
        }
        self.states.last().copied().filter(|s| s.depth == self.local.len())
    }

    /// Looks for an order with a peak below `upper`, lowest peaks first, deep sets first among equals.
    fn best_first(&mut self, upper: u64, budget: &mut usize) -> Verdict<W> {
        self.states = vec![self.empty()];
        let mut queue = BinaryHeap::from([(Reverse(0), 0, Reverse(0), 0)]);
        let mut best = HashMap::new();
        while let Some((_, depth, _, index)) = queue.pop() {
            let Some(state) = self.states.get(index).copied() else { continue };
            if depth == self.local.len() {
                return Verdict::Better(state);
            }
            if best.get(&state.done).is_some_and(|&peak| peak < state.peak) {
                continue;
            }
            let Some(left) = budget.checked_sub(1) else { return Verdict::OutOfBudget };
            *budget = left;
            for next in self.useful_successors(index, state) {
                let known = best.entry(next.done).or_insert(upper);
                if next.peak < *known {
                    *known = next.peak;
                    queue.push((Reverse(next.peak), next.depth, Reverse(next.live), self.states.len()));
                    self.states.push(next);
                }
            }
        }
        Verdict::NoneBetter
    }

    /// A step that neither raises the peak nor leaves more behind can run first in the best order
    /// too: whatever runs later then finds at most as much live, and as much to overwrite.
    fn useful_successors(&self, index: usize, state: State<W>) -> Vec<State<W>> {
        let all = self.successors(index);
        let free = all.iter().find(|s| s.peak == state.peak && s.live <= state.live).copied();
        free.map_or(all, |only| vec![only])
    }

    fn successors(&self, from: usize) -> Vec<State<W>> {
        let Some(&state) = self.states.get(from) else { return Vec::new() };
        let ready = self.local.ready(state.done);
        let run = |step| {
            let moment = self.local.moment(step, state.done, state.live)?;
            Some(State {
                done: state.done.with(step),
                live: moment.after,
                peak: state.peak.max(moment.during),
                depth: state.depth + 1,
                from: Some((step, from)),
            })
        };
        ready.filter_map(run).collect()
    }

    /// Peaks up to the floor are all the same, so that the search does not tell them apart.
    fn empty(&self) -> State<W> {
        State { done: Bits::default(), live: self.bounds.live, peak: self.bounds.floor, depth: 0, from: None }
    }

    fn path(&self, goal: State<W>) -> Vec<usize> {
        let mut state = Some(goal);
        let mut steps: Vec<_> = std::iter::from_fn(|| {
            let (step, from) = state?.from?;
            state = self.states.get(from).copied();
            Some(step + self.first)
        })
        .collect();
        steps.reverse();
        steps
    }
}

enum Verdict<const W: usize> {
    /// The best order below the bound ends in this state.
    Better(State<W>),
    /// Every order reaches the bound.
    NoneBetter,
    /// Nobody knows.
    OutOfBudget,
}
