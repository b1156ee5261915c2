//! One segment's steps, numbered from 0, with sets in place of counters.

use std::ops::Range;

use super::bits::Bits;
use super::buffers::{Change, Moment, Problem, Read, Step};

/// The steps of a segment.
pub(super) struct Local<const W: usize>(Vec<LocalStep<W>>);

struct LocalStep<const W: usize> {
    /// Steps of the segment that must have run.
    needs: Bits<W>,
    /// Elements of the result.
    size: u64,
    /// Whether the result is needed later.
    lasts: bool,
    /// Operands that can be freed within the segment.
    operands: Vec<Operand<W>>,
    /// Elements that writing over an operand needs beside it.
    scratch: u64,
}

struct Operand<const W: usize> {
    size: u64,
    /// Steps that have to run before it is freed.
    readers: Bits<W>,
    overwrite: bool,
}

impl<const W: usize> Local<W> {
    pub fn of(problem: &Problem, segment: Range<usize>) -> Self {
        let steps = problem.steps.get(segment.clone()).unwrap_or_default();
        Self(steps.iter().map(|step| local_step(problem, step, &segment)).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Steps that can run when those of `done` have run, in graph order.
    pub fn ready(&self, done: Bits<W>) -> impl Iterator<Item = usize> {
        let steps = self.0.iter().enumerate();
        steps.filter(move |(i, s)| !done.contains(*i) && done.covers(s.needs)).map(|(i, _)| i)
    }

    /// What is live when `step` runs after those of `done`.
    pub fn moment(&self, step: usize, done: Bits<W>, live: u64) -> Option<Moment> {
        let LocalStep { size, lasts, operands, scratch, .. } = self.0.get(step)?;
        let then = done.with(step);
        let mut change =
            Change { size: *size, lasts: *lasts, freed: 0, overwritten: false, scratch: *scratch };
        for operand in operands.iter().filter(|o| then.covers(o.readers)) {
            change.freed = change.freed.saturating_add(operand.size);
            change.overwritten |= operand.overwrite;
        }
        Some(Moment::new(live, change))
    }
}

fn local_step<const W: usize>(problem: &Problem, step: &Step, segment: &Range<usize>) -> LocalStep<W> {
    let place = |s: usize| segment.contains(&s).then(|| s - segment.start);
    let writers = step.reads.iter().filter_map(|r| problem.buffer(r.buffer)?.writer);
    let (size, lasts) = problem.buffer(step.output).map_or((0, false), |b| (b.size, b.lasts()));
    LocalStep {
        needs: writers.filter_map(place).collect(),
        size,
        lasts,
        operands: step.reads.iter().filter_map(|read| local_operand(problem, read, segment)).collect(),
        scratch: step.scratch,
    }
}

/// `None` for a buffer that outlives the segment.
fn local_operand<const W: usize>(
    problem: &Problem,
    read: &Read,
    segment: &Range<usize>,
) -> Option<Operand<W>> {
    let buffer = problem.buffer(read.buffer)?;
    // Readers are ascending, and those before the segment have run.
    let outlives = buffer.kept || buffer.readers.last().is_some_and(|&s| s >= segment.end);
    let later = buffer.readers.partition_point(|&s| s < segment.start);
    let readers = buffer.readers.iter().skip(later).map(|s| s - segment.start);
    (!outlives).then(|| Operand { size: buffer.size, readers: readers.collect(), overwrite: read.overwrite })
}
