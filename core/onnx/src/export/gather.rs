//! Operations that read at places which other tensors name.

use convwise_graph::{Node, NodeId};

use super::Batch;
use super::emit::Emitter;
use crate::proto::{extent, int, string, tensor_proto};

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

/// ONNX's numbers for element types.
pub(super) const FLOAT: i64 = tensor_proto::DataType::Float as i64;
pub(super) const INT64: i64 = tensor_proto::DataType::Int64 as i64;

/// The kept boxes, then as many places past the boxes as are wanted, of which the first `count` are taken: their number
/// is the same for every image. `NonMaxSuppression` answers with rows of image, class and box.
pub(super) fn kept(cx: &mut Emitter<'_>, id: NodeId, node: &Node, count: usize, (iou, score): (f64, f64)) {
    let [boxes, scores] = cx.operands(node).try_into().unwrap_or_default();
    let past = node.inputs.first().and_then(|&i| cx.shapes.of(i).dim(1)).unwrap_or(0);
    let one = cx.integers(node, "one", &[1]);
    let scores = cx.step(node, "Unsqueeze", vec![scores, one.clone()], vec![]);
    let limits = vec![
        boxes,
        scores,
        cx.integers(node, "count", &[extent(count)]),
        cx.numbers(node, "iou", &[iou as f32]),
        cx.numbers(node, "least", &[score as f32]),
    ];
    let rows = cx.step(node, "NonMaxSuppression", limits, vec![]);
    let column = [("from", 2), ("to", 3)].map(|(what, at)| cx.integers(node, what, &[at]));
    let [from, to] = column;
    let boxes = cx.step(node, "Slice", vec![rows, from, to, one.clone()], vec![]);
    let flat = cx.integers(node, "flat", &[-1]);
    let boxes = cx.step(node, "Reshape", vec![boxes, flat], vec![]);
    let rest = cx.integers(node, "rest", &vec![extent(past); count]);
    let filled = cx.step(node, "Concat", vec![boxes, rest], vec![int("axis", 0)]);
    let zero = cx.integers(node, "zero", &[0]);
    let most = cx.integers(node, "most", &[extent(count)]);
    let first = cx.step(node, "Slice", vec![filled, zero.clone(), most], vec![]);
    cx.emit(id, "Unsqueeze", vec![first, zero], vec![]);
}

pub(super) fn grid_sample(cx: &mut Emitter<'_>, id: NodeId, node: &Node, align_corners: bool) {
    // Operator set 20 calls it otherwise.
    let mode = if cx.options.opset >= 20 { "linear" } else { "bilinear" };
    let corners = int("align_corners", align_corners.into());
    cx.same(id, node, "GridSample", vec![string("mode", mode), string("padding_mode", "zeros"), corners]);
}
