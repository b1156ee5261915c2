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

/// The constants stand as `[C, 1, 1]` beside the image.
pub(super) fn channel_affine(cx: &mut Emitter<'_>, id: NodeId, node: &Node, scale: &[f64], shift: &[f64]) {
    let mut constants = |what: &str, values: &[f64]| {
        let values = values.iter().map(|&v| v as f32).collect();
        cx.store_new(&format!("{}.{what}", node.name), vec![scale.len(), 1, 1], values)
    };
    let (scale, shift) = (constants("scale", scale), constants("shift", shift));
    let inputs = cx.operands(node).into_iter().chain([scale]).collect();
    let scaled = cx.step(node, "Mul", inputs, vec![]);
    cx.emit(id, "Add", vec![scaled, shift], vec![]);
}

pub(super) fn softmax(cx: &mut Emitter<'_>, id: NodeId, node: &Node, axis: i64) {
    cx.same(id, node, "Softmax", vec![int("axis", axis)]);
}

pub(super) fn concat(cx: &mut Emitter<'_>, id: NodeId, node: &Node, axis: usize) {
    cx.same(id, node, "Concat", vec![int("axis", extent(axis))]);
}
