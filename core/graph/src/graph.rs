//! The arena: nodes refer to earlier nodes only, which [`Graph::validate`] checks first.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::op::{Op, ParamRole};
use crate::shape::Shape;

/// Handle of a node: its position in [`Graph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The position in the arena.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A named tensor that belongs to a node; the name is the reference implementation's state_dict key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// state_dict key, e.g. `layer1.0.conv1.weight`.
    pub name: String,
    /// What it is for.
    pub role: ParamRole,
    /// Extents.
    pub shape: Shape,
}

/// One operation applied to earlier tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Module path in the reference implementation (`layer1.0.conv1`), or a unique label for
    /// operations without parameters (`layer1.0.add`).
    pub name: String,
    /// The operation.
    pub op: Op,
    /// Operands, all earlier in the arena.
    pub inputs: Vec<NodeId>,
    /// Trained tensors and buffers, in state_dict order.
    pub params: Vec<Param>,
    /// The earlier node whose tensors these are, if they are not its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<NodeId>,
}

/// A named tensor of the graph: an output or the end of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Name, e.g. `logits` or `c4`.
    pub name: String,
    /// The tensor.
    pub node: NodeId,
}

/// A layer graph. Nodes stand in a valid execution order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// Name of the network, e.g. `resnet50`.
    pub name: String,
    /// All nodes; operands come before their users.
    pub nodes: Vec<Node>,
    /// What the network answers.
    pub outputs: Vec<Named>,
    /// Ends of the stages, for building detectors and segmenters on top.
    pub stages: Vec<Named>,
}

impl Graph {
    /// The node behind a handle, or `None` for a handle of another graph.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    /// Nodes with their handles, operands first.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0u32..).map(NodeId).zip(&self.nodes)
    }

    /// Every trained tensor and buffer, in graph order, each once.
    pub fn params(&self) -> impl Iterator<Item = &Param> {
        self.nodes.iter().filter(|n| n.shares.is_none()).flat_map(|n| &n.params)
    }

    /// The nodes whose tensors several nodes use, and those nodes.
    #[must_use]
    pub fn shared(&self) -> HashSet<NodeId> {
        let pairs = self.iter().filter_map(|(id, node)| Some([id, node.shares?]));
        pairs.flatten().collect()
    }
}
