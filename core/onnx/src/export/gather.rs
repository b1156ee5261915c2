//! Operations that read at places which other tensors name.

use convwise_graph::{Node, NodeId};

use super::Batch;
use super::emit::Emitter;
use crate::proto::{extent, int, string};

pub(super) fn top_places(cx: &mut Emitter<'_>, id: NodeId, node: &Node, count: usize) {
    let mut inputs = cx.operands(node);
    inputs.push(cx.integers(node, "k", &[extent(count)]));
    let attributes = vec![int("axis", 1), int("largest", 1), int("sorted", 1)];
    cx.emit_second(id, "TopK", inputs, attributes);
}

/// One image's rows are an ordinary `Gather`, which runtimes have the fastest kernels for.
pub(super) fn rows(cx: &mut Emitter<'_>, id: NodeId, node: &Node) {
    let [x, places] = cx.operands(node).try_into().unwrap_or_default();
    if cx.options.batch == Batch::Fixed(1) {
        let batch = cx.integers(node, "batch", &[0]);
        let places = cx.step(node, "Squeeze", vec![places, batch], vec![]);
        return cx.emit(id, "Gather", vec![x, places], vec![int("axis", 1)]);
    }
    let last = cx.integers(node, "last", &[2]);
    let places = cx.step(node, "Unsqueeze", vec![places, last], vec![]);
    cx.emit(id, "GatherND", vec![x, places], vec![int("batch_dims", 1)]);
}

pub(super) fn grid_sample(cx: &mut Emitter<'_>, id: NodeId, node: &Node, align_corners: bool) {
    // Operator set 20 calls it otherwise.
    let mode = if cx.options.opset >= 20 { "linear" } else { "bilinear" };
    let corners = int("align_corners", align_corners.into());
    cx.same(id, node, "GridSample", vec![string("mode", mode), string("padding_mode", "zeros"), corners]);
}
