//! The graph as steps over buffers: views, folded norms and lone activations share the buffer of
//! their operand and are no steps of their own.

use std::collections::BTreeSet;

use crate::fold::Folding;
use crate::graph::{Graph, Node, NodeId};
use crate::infer::Shapes;
use crate::live::Live;
use crate::op::{Conv2d, Op};
use crate::ops::reach;
use crate::ops::{Storage, with_layer};

use super::{Depthwise, MemoryOptions};

/// Whether a set has a member.
fn has(set: &[u64], member: usize) -> bool {
    set.get(member / 64).is_some_and(|word| word >> (member % 64) & 1 == 1)
}

/// A piece of memory that holds one tensor (and its views).
#[derive(Clone, Debug, Default)]
pub(super) struct Buffer {
    /// Elements.
    pub size: u64,
    /// Whether it holds an output, and is never freed.
    pub kept: bool,
    /// Steps that read it, ascending.
    pub readers: Vec<usize>,
    /// The step that fills it; none for an input.
    pub writer: Option<usize>,
    /// The nodes whose results it holds, in graph order.
    pub nodes: Vec<NodeId>,
}

impl Buffer {
    /// Whether it outlives the step that fills it.
    pub fn lasts(&self) -> bool {
        self.kept || !self.readers.is_empty()
    }
}

/// What a step does to the memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// Elements of the result.
    pub size: u64,
    /// Whether the result is needed later.
    pub lasts: bool,
    /// Elements of the operands that nothing else needs.
    pub freed: u64,
    /// Whether the result is written over one of these.
    pub overwritten: bool,
    /// Elements that writing over an operand needs beside it.
    pub scratch: u64,
}

/// Elements live at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// While it runs.
    pub during: u64,
    /// When it has run.
    pub after: u64,
}

impl Moment {
    /// The step's moment when `live` elements were live before it.
    pub fn new(live: u64, change: Change) -> Self {
        let Change { size, lasts, freed, overwritten, scratch } = change;
        let during = live.saturating_add(if overwritten { scratch } else { size });
        let left = live.saturating_add(if lasts { size } else { 0 });
        Self { during, after: left.saturating_sub(freed) }
    }
}

/// One operation that reads and writes buffers.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The buffer it fills.
    pub output: usize,
    /// The buffers it reads, each once.
    pub reads: Vec<Read>,
    /// Elements that writing over an operand needs beside it.
    pub scratch: u64,
}

/// One buffer that a step reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    /// The buffer.
    pub buffer: usize,
    /// Whether the step may write its result over it, if nothing else needs it.
    pub overwrite: bool,
}

/// Steps in graph order over buffers.
#[derive(Clone, Debug, Default)]
pub(super) struct Problem {
    pub buffers: Vec<Buffer>,
    pub steps: Vec<Step>,
}

impl Problem {
    pub fn of(graph: &Graph, shapes: &Shapes, options: MemoryOptions) -> Self {
        let live = Live::of(graph);
        let owners = Owners::of(graph, &live, options);
        let mut problem = Self::default();
        let mut buffer_of = Vec::with_capacity(graph.nodes.len());
        for (id, node) in graph.iter() {
            if !live.contains(id) || node.op.is_stored() {
                buffer_of.push(NO_BUFFER);
                continue;
            }
            let buffer = match owners.shared(id) {
                Some(owner) => buffer_of.get(owner.index()).copied().unwrap_or(NO_BUFFER),
                None => problem.add(node, shapes, id, &buffer_of, options),
            };
            problem.hold(buffer, id);
            buffer_of.push(buffer);
        }
        for output in &graph.outputs {
            problem.keep(buffer_of.get(output.node.index()));
        }
        problem
    }

    /// Adds a buffer and, unless the node is an input, the step that fills it.
    fn add(
        &mut self,
        node: &Node,
        shapes: &Shapes,
        id: NodeId,
        buffer_of: &[usize],
        options: MemoryOptions,
    ) -> usize {
        let (buffer, step, size) = (self.buffers.len(), self.steps.len(), shapes.of(id).elements());
        let is_input = matches!(node.op, Op::Input { .. });
        let writer = (!is_input).then_some(step);
        if !is_input {
            let scratch = depthwise_scratch(node, shapes, id, options.depthwise);
            let in_place = match scratch {
                Some(_) => InPlace::Within,
                None if options.in_place_elementwise && storage(&node.op) == Storage::Elementwise => {
                    InPlace::Same
                }
                None => InPlace::Never,
            };
            let reads = self.reads(node, size, buffer_of, in_place);
            for read in &reads {
                if let Some(b) = self.buffers.get_mut(read.buffer) {
                    b.readers.push(step);
                }
            }
            self.steps.push(Step { output: buffer, reads, scratch: scratch.unwrap_or(0) });
        }
        self.buffers.push(Buffer { size, writer, ..Buffer::default() });
        buffer
    }

    fn reads(&self, node: &Node, size: u64, buffer_of: &[usize], in_place: InPlace) -> Vec<Read> {
        let mut read: Vec<_> =
            node.inputs.iter().filter_map(|id| buffer_of.get(id.index()).copied()).collect();
        read.retain(|&buffer| buffer != NO_BUFFER);
        read.sort_unstable();
        read.dedup();
        let overwrite = |buffer: usize| match (in_place, self.buffers.get(buffer)) {
            (InPlace::Same, Some(b)) => b.size == size,
            (InPlace::Within, Some(b)) => b.size >= size,
            _ => false,
        };
        read.into_iter().map(|buffer| Read { buffer, overwrite: overwrite(buffer) }).collect()
    }

    fn hold(&mut self, buffer: usize, node: NodeId) {
        if let Some(b) = self.buffers.get_mut(buffer) {
            b.nodes.push(node);
        }
    }

    fn keep(&mut self, buffer: Option<&usize>) {
        if let Some(b) = buffer.and_then(|&b| self.buffers.get_mut(b)) {
            b.kept = true;
        }
    }

    pub fn buffer(&self, index: usize) -> Option<&Buffer> {
        self.buffers.get(index)
    }

    /// Elements live before the first step: inputs that something needs.
    pub fn initial(&self) -> u64 {
        let inputs = self.buffers.iter().filter(|b| b.writer.is_none() && (b.kept || !b.readers.is_empty()));
        inputs.fold(0, |sum, b| sum.saturating_add(b.size))
    }

    /// Elements that no order can do without: the operands and the result of the largest step.
    pub fn least(&self) -> u64 {
        let steps = self.steps.iter().map(|step| self.working_set(step));
        steps.max().unwrap_or(0).max(self.initial())
    }

    /// The same, with what every order holds meanwhile: results of steps that must come before it, for steps that must come
    /// after it. Sharper, and dearer to compute.
    pub fn least_held(&self) -> u64 {
        let before = self.ancestors();
        let after = |step: usize, later: usize| before.get(later).is_some_and(|set| has(set, step));
        let held = |(index, step): (usize, &Step)| {
            let waits = |b: &&Buffer| {
                let filled = b.writer.is_none_or(|w| after(w, index));
                filled
                    && (b.kept || b.readers.iter().any(|&r| after(index, r)))
                    && !b.readers.contains(&index)
            };
            let meanwhile =
                self.buffers.iter().filter(waits).fold(0_u64, |sum, b| sum.saturating_add(b.size));
            self.working_set(step).saturating_add(meanwhile)
        };
        self.steps.iter().enumerate().map(held).max().unwrap_or(0).max(self.initial())
    }

    /// For every step those that must come before it, a bit each.
    fn ancestors(&self) -> Vec<Vec<u64>> {
        let words = self.steps.len().div_ceil(64);
        let mut before: Vec<Vec<u64>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let mut set = vec![0_u64; words];
            for writer in step.reads.iter().filter_map(|r| self.buffer(r.buffer)?.writer) {
                let theirs = before.get(writer).map(Vec::as_slice).unwrap_or_default();
                set.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours |= theirs);
                if let Some(word) = set.get_mut(writer / 64) {
                    *word |= 1 << (writer % 64);
                }
            }
            before.push(set);
        }
        before
    }

    fn working_set(&self, step: &Step) -> u64 {
        let size = |buffer: usize| self.buffer(buffer).map_or(0, |b| b.size);
        let overwrites = step.reads.iter().any(|r| r.overwrite);
        let result = if overwrites { step.scratch.min(size(step.output)) } else { size(step.output) };
        step.reads.iter().fold(result, |sum, r| sum.saturating_add(size(r.buffer)))
    }

    /// Elements live during and after every step, when the steps run in the given order.
    pub fn trace(&self, order: &[usize]) -> Vec<Moment> {
        let mut waiting: Vec<_> = self.buffers.iter().map(|b| b.readers.len()).collect();
        let mut live = self.initial();
        let steps = order.iter().filter_map(|&s| self.steps.get(s));
        steps
            .map(|step| {
                let moment = self.moment(step, live, &mut waiting);
                live = moment.after;
                moment
            })
            .collect()
    }

    /// Runs one step; `waiting` counts the readers of every buffer that have not run.
    fn moment(&self, step: &Step, live: u64, waiting: &mut [usize]) -> Moment {
        let (mut freed, mut overwritten) = (0_u64, false);
        for read in &step.reads {
            let (Some(buffer), Some(left)) = (self.buffer(read.buffer), waiting.get_mut(read.buffer)) else {
                continue;
            };
            *left = left.saturating_sub(1);
            if *left == 0 && !buffer.kept {
                freed = freed.saturating_add(buffer.size);
                overwritten |= read.overwrite;
            }
        }
        let (size, lasts) = self.buffer(step.output).map_or((0, false), |b| (b.size, b.lasts()));
        Moment::new(live, Change { size, lasts, freed, overwritten, scratch: step.scratch })
    }

    /// All live nodes when the steps run in the given order; nodes that are no steps follow their buffer.
    pub fn nodes_in(&self, order: &[usize]) -> Vec<NodeId> {
        let inputs = self.buffers.iter().filter(|b| b.writer.is_none());
        let filled = order.iter().filter_map(|&s| self.buffers.get(self.steps.get(s)?.output));
        inputs.chain(filled).flat_map(|b| b.nodes.iter().copied()).collect()
    }
}

/// The buffer of a node that no inference runs.
const NO_BUFFER: usize = usize::MAX;

/// Which operands a result may be written over.
#[derive(Clone, Copy)]
enum InPlace {
    /// None.
    Never,
    /// Those of its own size.
    Same,
    /// Those that are no smaller.
    Within,
}

fn storage(op: &Op) -> Storage {
    with_layer(op, |layer| layer.storage())
}

/// Elements beside the operand that a depthwise convolution needs to be written over it; `None` where it
/// is not.
fn depthwise_scratch(node: &Node, shapes: &Shapes, id: NodeId, how: Depthwise) -> Option<u64> {
    let (Op::Conv2d(conv), [operand]) = (&node.op, node.inputs.as_slice()) else { return None };
    let ([_, channels, _, width], [_, outputs, rows, columns]) =
        (shapes.of(*operand).nchw()?, shapes.of(id).nchw()?);
    if !conv.is_depthwise(channels) || outputs != channels {
        return None;
    }
    let batch = shapes.batch() as u64;
    match how {
        Depthwise::Separate => None,
        Depthwise::Rows => Some((batch * (channels * width) as u64).saturating_mul(rows_in_reach(conv))),
        Depthwise::Channel => Some(batch * (rows * columns) as u64),
    }
}

/// Rows of the image that one window spans.
fn rows_in_reach(conv: &Conv2d) -> u64 {
    let ([rows, _], [dilation, _]) = (conv.kernel, conv.dilation);
    reach(rows, dilation).map_or(u64::MAX, |rows| rows as u64)
}

/// For every node the one whose memory its result shares in every order.
// INVARIANT: the owner of a node is itself or an earlier node.
struct Owners(Vec<NodeId>);

impl Owners {
    fn of(graph: &Graph, live: &Live, options: MemoryOptions) -> Self {
        let folding = Folding::of(graph);
        let mut owners = Self(Vec::with_capacity(graph.nodes.len()));
        for (id, node) in graph.iter() {
            let same = storage(&node.op) == Storage::View || folding.convolution_of(id).is_some();
            let owner = node.inputs.first().filter(|_| same).map_or(id, |&operand| owners.owner(operand));
            owners.0.push(owner);
        }
        if options.in_place_elementwise { owners.merge_lone_readers(graph, live) } else { owners }
    }

    fn owner(&self, id: NodeId) -> NodeId {
        self.0.get(id.index()).copied().unwrap_or(id)
    }

    /// The node whose buffer this one shares; `None` if it has its own.
    fn shared(&self, id: NodeId) -> Option<NodeId> {
        Some(self.owner(id)).filter(|&owner| owner != id)
    }

    /// An element-wise operation that alone reads a buffer overwrites it, whatever the order.
    fn merge_lone_readers(self, graph: &Graph, live: &Live) -> Self {
        let readings = self.readings(graph, live);
        let merged = graph.iter().map(|(id, node)| match node.inputs.as_slice() {
            [operand] if self.shared(id).is_none() && storage(&node.op) == Storage::Elementwise => {
                let owner = self.owner(*operand);
                if readings.get(owner.index()) == Some(&1) { owner } else { id }
            }
            _ => self.owner(id),
        });
        Self(merged.collect())
    }

    /// How many nodes read each buffer, counted at its owner; an output counts as one.
    fn readings(&self, graph: &Graph, live: &Live) -> Vec<usize> {
        let mut readings = vec![0; graph.nodes.len()];
        let mut read = |owner: NodeId| {
            if let Some(count) = readings.get_mut(owner.index()) {
                *count += 1;
            }
        };
        for (_, node) in graph.iter().filter(|(id, _)| live.contains(*id) && self.shared(*id).is_none()) {
            let owners: BTreeSet<_> = node.inputs.iter().map(|&operand| self.owner(operand)).collect();
            owners.into_iter().for_each(&mut read);
        }
        graph.outputs.iter().for_each(|output| read(self.owner(output.node)));
        readings
    }
}
