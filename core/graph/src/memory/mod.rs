//! Peak activation memory: the largest number of tensor elements that are live at one moment of an
//! inference, minimised over the orders in which the operations can run.
//!
//! What is counted: inputs until their last use, every result until its last use, outputs to the
//! end. Weights, constants and the scratch memory of kernels are not. The network is taken as deployed: a
//! batch norm folded into its convolution costs nothing ([`crate::Folding`]), and flatten and
//! reshape are other views of their operand's memory. Concatenation, slices and padding copy.
//!
//! `buffers` turns the graph into steps over buffers, `segment` cuts them where every order must
//! pass, `search` orders one segment.

mod bits;
mod buffers;
mod local;
mod search;
mod segment;

#[cfg(test)]
mod tests;

use convwise_types::{Bytes, Precision};

use crate::graph::{Graph, NodeId};
use crate::infer::Shapes;
use buffers::Problem;

/// Where a depthwise convolution puts its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depthwise {
    /// Into memory of its own.
    Separate,
    /// Over its operand, row by row: as many rows of the operand as a window spans are kept aside.
    Rows,
    /// Over its operand, channel by channel: one channel of the result is kept aside (the in-place
    /// depthwise convolution of arXiv:2007.10319, section 3.2).
    Channel,
}

/// What the runtime is assumed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Activations, layer scales, unfolded batch norms, sums and products write over an operand of
    /// the result's size that is not needed any more.
    pub in_place_elementwise: bool,
    /// Where depthwise convolutions put their results.
    pub depthwise: Depthwise,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { in_place_elementwise: true, depthwise: Depthwise::Separate }
    }
}

/// What is known about the order of a [`MemoryPlan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// No order has a lower peak.
    Optimal,
    /// The graph was too wide to rule out a better one.
    Heuristic,
}

/// An operator order and the memory it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Elements live at the worst moment.
    pub peak_elements: u64,
    /// Every node that an output depends on and that computes something, operands before their users.
    pub steps: Vec<NodeId>,
    /// Whether the order is proven to be the best.
    pub order: Order,
}

impl MemoryPlan {
    /// Bytes live at the worst moment with activations of the given precision.
    #[must_use]
    pub fn peak_bytes(&self, precision: Precision) -> Bytes {
        Bytes(self.peak_elements.saturating_mul(precision.bytes()))
    }
}

/// Finds an order of `graph`, whose tensors have `shapes`, with a low peak.
#[must_use]
pub fn plan(graph: &Graph, shapes: &Shapes, options: MemoryOptions) -> MemoryPlan {
    let problem = Problem::of(graph, shapes, options);
    let found = segment::solve(&problem);
    MemoryPlan { peak_elements: found.peak, steps: problem.nodes_in(&found.steps), order: found.order }
}
