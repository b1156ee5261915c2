//! Which nodes an inference runs.

use crate::graph::{Graph, NodeId};

/// The nodes that an output depends on.
///
/// What leads to no output (an auxiliary head that only training uses) is part of the network's trained
/// tensors, but costs nothing at inference and is not exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live(Vec<bool>);

impl Live {
    /// Walks back from the outputs of `graph`.
    #[must_use]
    pub fn of(graph: &Graph) -> Self {
        let mut live = Self(vec![false; graph.nodes.len()]);
        for output in &graph.outputs {
            live.mark(output.node);
        }
        // Operands point backwards, so that every reader of a node is visited before the node.
        for (id, node) in graph.iter().collect::<Vec<_>>().into_iter().rev() {
            if live.contains(id) {
                node.inputs.iter().for_each(|&operand| live.mark(operand));
            }
        }
        live
    }

    /// Whether an output depends on this node.
    #[must_use]
    pub fn contains(&self, id: NodeId) -> bool {
        self.0.get(id.index()).copied().unwrap_or(false)
    }

    fn mark(&mut self, id: NodeId) {
        if let Some(flag) = self.0.get_mut(id.index()) {
            *flag = true;
        }
    }
}
