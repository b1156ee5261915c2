//! Which batch norms disappear into the convolution before them when a network is deployed.

use crate::graph::{Graph, NodeId};
use crate::live::Live;
use crate::op::Op;

/// The batch norms of a graph that can be folded.
///
/// A batch norm is folded if its operand is a convolution whose result nobody else reads and that is
/// no output, nor shares its filters: then `scale = weight / sqrt(var + eps)` multiplies the filters, and
/// `bias - mean * scale` joins the convolution's bias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folding(Vec<Option<NodeId>>);

impl Folding {
    /// Finds the batch norms of `graph` that can be folded.
    #[must_use]
    pub fn of(graph: &Graph) -> Self {
        let uses = uses(graph);
        let shared = graph.shared();
        let single = |id: &NodeId| uses.get(id.index()) == Some(&1) && !shared.contains(id);
        Self(graph.nodes.iter().map(|node| convolution_before(graph, node).filter(single)).collect())
    }

    /// The convolution that this batch norm is folded into.
    #[must_use]
    pub fn convolution_of(&self, batch_norm: NodeId) -> Option<NodeId> {
        self.0.get(batch_norm.index()).copied().flatten()
    }

    /// All folded batch norms with their convolutions, in graph order.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        (0u32..).map(NodeId).zip(&self.0).filter_map(|(norm, conv)| Some((norm, (*conv)?)))
    }
}

fn convolution_before(graph: &Graph, node: &crate::graph::Node) -> Option<NodeId> {
    let (Op::BatchNorm { .. }, [operand]) = (&node.op, node.inputs.as_slice()) else { return None };
    matches!(graph.node(*operand)?.op, Op::Conv2d(_)).then_some(*operand)
}

/// How often an inference reads each tensor, an output counting as one reading.
fn uses(graph: &Graph) -> Vec<usize> {
    let live = Live::of(graph);
    let mut uses = vec![0; graph.nodes.len()];
    let readers = graph.iter().filter(|(id, _)| live.contains(*id));
    let operands = readers.flat_map(|(_, node)| &node.inputs);
    for id in operands.chain(graph.outputs.iter().map(|o| &o.node)) {
        if let Some(count) = uses.get_mut(id.index()) {
            *count += 1;
        }
    }
    uses
}
