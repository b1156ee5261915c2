//! Activation functions, in the forms that runtimes fuse with the layer before them.

use convwise_graph::{Activation, Node, NodeId};

use super::emit::Emitter;
use crate::proto::float;

pub(super) fn activation(cx: &mut Emitter<'_>, id: NodeId, node: &Node, function: Activation) {
    match function {
        Activation::Relu => cx.same(id, node, "Relu", vec![]),
        Activation::Relu6 => relu6(cx, id, node),
        Activation::HardSwish => cx.same(id, node, "HardSwish", vec![]),
        // ONNX's own default slope is 0.2.
        Activation::HardSigmoid => cx.same(id, node, "HardSigmoid", vec![float("alpha", 1.0 / 6.0)]),
        Activation::Sigmoid => cx.same(id, node, "Sigmoid", vec![]),
        Activation::Silu => silu(cx, id, node),
        Activation::Gelu if cx.options.opset >= 20 => cx.same(id, node, "Gelu", vec![]),
        Activation::Gelu => gelu(cx, id, node),
        Activation::Tanh => cx.same(id, node, "Tanh", vec![]),
    }
}

fn relu6(cx: &mut Emitter<'_>, id: NodeId, node: &Node) {
    let mut inputs = cx.operands(node);
    inputs.extend([cx.number(node, "min", 0.0), cx.number(node, "max", 6.0)]);
    cx.emit(id, "Clip", inputs, vec![]);
}

fn silu(cx: &mut Emitter<'_>, id: NodeId, node: &Node) {
    let mut inputs = cx.operands(node);
    let sigmoid = cx.step(node, "Sigmoid", inputs.clone(), vec![]);
    inputs.push(sigmoid);
    cx.emit(id, "Mul", inputs, vec![]);
}

/// `x / 2 * (1 + erf(x / sqrt 2))`, step by step as PyTorch writes it for operator sets without `Gelu`:
/// runtimes know this order of operations.
fn gelu(cx: &mut Emitter<'_>, id: NodeId, node: &Node) {
    let x = cx.operands(node);
    let root = cx.number(node, "sqrt2", std::f32::consts::SQRT_2);
    let (one, half) = (cx.number(node, "one", 1.0), cx.number(node, "half", 0.5));
    let scaled = cx.step(node, "Div", [x.as_slice(), &[root]].concat(), vec![]);
    let erf = cx.step(node, "Erf", vec![scaled], vec![]);
    let sum = cx.step(node, "Add", vec![erf, one], vec![]);
    let product = cx.step(node, "Mul", [x.as_slice(), &[sum]].concat(), vec![]);
    cx.emit(id, "Mul", vec![product, half], vec![]);
}
