//! Sums, products and what joins tensors.

use convwise_graph::{Node, NodeId};

use super::emit::Emitter;
use crate::error::WeightError;
use crate::proto::{extent, int};

/// A layer scale that could not be folded.
pub(super) fn scale(cx: &mut Emitter<'_>, id: NodeId, node: &Node) -> Result<(), WeightError> {
    let mut inputs = cx.operands(node);
    inputs.extend(cx.params(node)?);
    cx.emit(id, "Mul", inputs, vec![]);
    Ok(())
}

pub(super) fn softmax(cx: &mut Emitter<'_>, id: NodeId, node: &Node, axis: i64) {
    cx.same(id, node, "Softmax", vec![int("axis", axis)]);
}

pub(super) fn concat(cx: &mut Emitter<'_>, id: NodeId, node: &Node, axis: usize) {
    cx.same(id, node, "Concat", vec![int("axis", extent(axis))]);
}
