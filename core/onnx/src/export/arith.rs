//! Sums, products, functions of one number, and what joins tensors.

use convwise_graph::{Node, NodeId, Reduction, Unary};

use super::emit::Emitter;
use crate::error::WeightError;
use crate::proto::{extent, int, ints};

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

pub(super) fn unary(function: Unary) -> &'static str {
    match function {
        Unary::Exp => "Exp",
        Unary::Log => "Log",
        Unary::Sin => "Sin",
        Unary::Cos => "Cos",
        Unary::Sqrt => "Sqrt",
        Unary::Floor => "Floor",
    }
}

/// A limit that is absent is an empty operand, or none at the end.
pub(super) fn clamp(cx: &mut Emitter<'_>, id: NodeId, node: &Node, low: Option<f64>, high: Option<f64>) {
    let mut inputs = cx.operands(node);
    inputs.push(low.map_or_else(String::new, |limit| cx.number(node, "min", limit as f32)));
    inputs.extend(high.map(|limit| cx.number(node, "max", limit as f32)));
    cx.emit(id, "Clip", inputs, vec![]);
}

/// The axes are an operand of sums, and of the others from operator set 18 on.
pub(super) fn reduce(cx: &mut Emitter<'_>, id: NodeId, node: &Node, reduction: Reduction, axes: &[usize]) {
    let op = match reduction {
        Reduction::Mean => "ReduceMean",
        Reduction::Max => "ReduceMax",
        Reduction::Sum => "ReduceSum",
    };
    let (mut inputs, mut attributes) = (cx.operands(node), vec![int("keepdims", 1)]);
    if reduction == Reduction::Sum || cx.options.opset >= 18 {
        let axes: Vec<i64> = axes.iter().map(|&axis| extent(axis)).collect();
        inputs.push(cx.integers(node, "axes", &axes));
    } else {
        attributes.push(ints("axes", axes.iter().copied()));
    }
    cx.emit(id, op, inputs, attributes);
}

/// Under its own name, with the batch axis in front.
pub(super) fn trained(cx: &mut Emitter<'_>, id: NodeId, node: &Node) -> Result<(), WeightError> {
    for param in &node.params {
        let values = cx.load(param)?;
        cx.stored(id, values);
    }
    Ok(())
}
