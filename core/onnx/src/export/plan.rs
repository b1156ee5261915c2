//! What becomes of each node, decided before anything is written.

use std::collections::HashSet;

use convwise_graph::{Graph, Live, NodeId, Shapes};

use super::fold::Folds;
use super::split::Splits;

/// The decisions about a graph.
pub(super) struct Plan {
    pub uses: Uses,
    pub folds: Folds,
    pub splits: Splits,
}

impl Plan {
    pub fn of(graph: &Graph, shapes: &Shapes, keep_batchnorm: bool) -> Self {
        let uses = Uses::of(graph);
        let folds = if keep_batchnorm { Folds::default() } else { Folds::of(graph, shapes, &uses) };
        let splits = Splits::of(graph, shapes, &uses);
        Self { uses, folds, splits }
    }
}

/// Who reads each tensor, counting only nodes that an output depends on.
pub(super) struct Uses {
    live: Live,
    readers: Vec<Vec<NodeId>>,
    outputs: HashSet<NodeId>,
}

impl Uses {
    pub fn of(graph: &Graph) -> Self {
        let outputs: HashSet<_> = graph.outputs.iter().map(|o| o.node).collect();
        let mut readers: Vec<Vec<NodeId>> = vec![Vec::new(); graph.nodes.len()];
        let live = Live::of(graph);
        for (id, node) in graph.iter().filter(|&(id, _)| live.contains(id)) {
            for operand in &node.inputs {
                if let Some(list) = readers.get_mut(operand.index()) {
                    list.push(id);
                }
            }
        }
        Self { live, readers, outputs }
    }

    /// Whether an output depends on this node.
    pub fn is_live(&self, id: NodeId) -> bool {
        self.live.contains(id)
    }

    /// The nodes that read this node's tensor, once for each operand.
    pub fn readers(&self, id: NodeId) -> &[NodeId] {
        self.readers.get(id.index()).map_or(&[], Vec::as_slice)
    }

    /// Whether one operand of one node is all that this tensor is for.
    pub fn is_private(&self, id: NodeId) -> bool {
        self.readers(id).len() == 1 && !self.outputs.contains(&id)
    }
}
