//! Operations that move elements and compute nothing. None of them states the batch, so that the same
//! nodes serve any batch.

use std::ops::Range;

use convwise_graph::{Node, NodeId};

use super::emit::Emitter;
use crate::proto::{extent, int, ints};

/// In a `Reshape`, the operand's own extent at that place.
const SAME: i64 = 0;
/// In a `Reshape`, whatever is left.
const REST: i64 = -1;

pub(super) fn flatten(cx: &mut Emitter<'_>, id: NodeId, node: &Node, from: usize) {
    if from == 1 {
        // `Flatten` always answers a matrix, which is right here only.
        return cx.same(id, node, "Flatten", vec![int("axis", 1)]);
    }
    let dims: Vec<i64> = std::iter::repeat_n(SAME, from).chain([REST]).collect();
    reshape_to(cx, id, node, &dims);
}

pub(super) fn reshape(cx: &mut Emitter<'_>, id: NodeId, node: &Node, dims: &[i64]) {
    let dims: Vec<i64> = std::iter::once(SAME).chain(dims.iter().copied()).collect();
    reshape_to(cx, id, node, &dims);
}

fn reshape_to(cx: &mut Emitter<'_>, id: NodeId, node: &Node, dims: &[i64]) {
    let mut inputs = cx.operands(node);
    inputs.push(cx.integers(node, "shape", dims));
    cx.emit(id, "Reshape", inputs, vec![]);
}

pub(super) fn transpose(cx: &mut Emitter<'_>, id: NodeId, node: &Node, perm: &[usize]) {
    cx.same(id, node, "Transpose", vec![ints("perm", perm.iter().copied())]);
}

pub(super) fn slice(cx: &mut Emitter<'_>, id: NodeId, node: &Node, axis: usize, range: Range<usize>) {
    let axis = extent(axis);
    match cx.plan.splits.group(id) {
        Some((sizes, ids)) if ids.iter().min() == Some(&id) => split(cx, node, axis, &sizes, &ids),
        Some(_) => {}
        None => {
            let mut inputs = cx.operands(node);
            inputs.push(cx.integers(node, "starts", &[extent(range.start)]));
            inputs.push(cx.integers(node, "ends", &[extent(range.end)]));
            inputs.push(cx.integers(node, "axes", &[axis]));
            cx.emit(id, "Slice", inputs, vec![]);
        }
    }
}

/// Written where the first of its slices stands.
fn split(cx: &mut Emitter<'_>, node: &Node, axis: i64, sizes: &[usize], ids: &[NodeId]) {
    let sizes: Vec<i64> = sizes.iter().map(|&s| extent(s)).collect();
    let mut inputs = cx.operands(node);
    inputs.push(cx.integers(node, "sizes", &sizes));
    cx.emit_many(ids, "Split", inputs, vec![int("axis", axis)]);
}

/// `[N, C, H, W]` to `[N, g, C/g, H, W]`, the two channel axes exchanged, and back.
pub(super) fn channel_shuffle(cx: &mut Emitter<'_>, id: NodeId, node: &Node, groups: usize) {
    let Some([_, c, h, w]) = cx.shapes.of(id).nchw() else { return };
    let [g, rest, c, h, w] = [groups, c / groups.max(1), c, h, w].map(extent);
    let apart = cx.integers(node, "groups", &[SAME, g, rest, h, w]);
    let whole = cx.integers(node, "shape", &[SAME, c, h, w]);
    let inputs = cx.operands(node).into_iter().chain([apart]).collect();
    let split = cx.step(node, "Reshape", inputs, vec![]);
    let turned = cx.step(node, "Transpose", vec![split], vec![ints("perm", [0, 2, 1, 3, 4])]);
    cx.emit(id, "Reshape", vec![turned, whole], vec![]);
}
