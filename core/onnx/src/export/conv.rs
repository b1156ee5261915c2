//! Convolution and the batch norm that could not be folded.

use convwise_graph::{Conv2d, Node, NodeId};

use super::emit::Emitter;
use super::layer::{Layer, store_bias, weight_param};
use crate::error::WeightError;
use crate::proto::{extent, float, int, ints};

pub(super) fn conv(cx: &mut Emitter<'_>, id: NodeId, node: &Node, conv: &Conv2d) -> Result<(), WeightError> {
    let Layer { weight, bias } = Layer::load(cx, id, node, conv.out_channels)?;
    let mut inputs = cx.operands(node);
    if let Some(param) = weight_param(node) {
        inputs.push(cx.store(param, weight));
    }
    if let Some(bias) = bias {
        inputs.push(store_bias(cx, node, bias));
    }
    let p = conv.padding;
    let attributes = vec![
        ints("kernel_shape", conv.kernel),
        ints("strides", conv.stride),
        ints("pads", [p.top, p.left, p.bottom, p.right]),
        ints("dilations", conv.dilation),
        int("group", extent(conv.groups)),
    ];
    cx.emit(id, "Conv", inputs, attributes);
    Ok(())
}

/// Parameters stand in state_dict order, which is that of the operands: weight, bias, mean, variance.
pub(super) fn batch_norm(cx: &mut Emitter<'_>, id: NodeId, node: &Node, eps: f64) -> Result<(), WeightError> {
    let mut inputs = cx.operands(node);
    inputs.extend(cx.params(node)?);
    cx.emit(id, "BatchNormalization", inputs, vec![float("epsilon", eps)]);
    Ok(())
}
