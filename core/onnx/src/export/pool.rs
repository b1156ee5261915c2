//! Pooling and padding.
//!
//! Windows that end past the image (`ceil`) are written as padding at the far end instead of ONNX's
//! `ceil_mode`, whose extents and divisors have changed between operator sets and differ between runtimes.

use convwise_graph::{Node, NodeId, Op, Padding, Pool};

use super::emit::Emitter;
use super::linear::transpose;
use crate::proto::{AttributeProto, extent, int, ints};

pub(super) fn max_pool(cx: &mut Emitter<'_>, id: NodeId, node: &Node, pool: &Pool) {
    let far = overhang(cx, id, node, pool);
    cx.same(id, node, "MaxPool", window(pool, far));
}

/// Padding at the far end is left out of the mean, unless it is to be counted; then only the padding
/// that was asked for counts, which `ceil_mode` alone can say.
pub(super) fn avg_pool(cx: &mut Emitter<'_>, id: NodeId, node: &Node, pool: &Pool, count_pad: bool) {
    let far = overhang(cx, id, node, pool);
    let mut attributes = if count_pad && far != [0, 0] {
        let mut attributes = window(pool, [0, 0]);
        attributes.push(int("ceil_mode", 1));
        attributes
    } else {
        window(pool, far)
    };
    attributes.push(int("count_include_pad", count_pad.into()));
    cx.same(id, node, "AveragePool", attributes);
}

fn window(pool: &Pool, [below, beyond]: [usize; 2]) -> Vec<AttributeProto> {
    let p = pool.padding;
    vec![
        ints("kernel_shape", pool.kernel),
        ints("strides", pool.stride),
        ints("pads", [p.top, p.left, p.bottom + below, p.right + beyond]),
    ]
}

/// Rows and columns by which the last window passes the padded image.
fn overhang(cx: &Emitter<'_>, id: NodeId, node: &Node, pool: &Pool) -> [usize; 2] {
    let input = node.inputs.first().and_then(|&i| cx.shapes.of(i).nchw());
    let (Some([_, _, h, w]), Some([_, _, rows, columns])) = (input, cx.shapes.of(id).nchw()) else {
        return [0, 0];
    };
    let ([kh, kw], [sh, sw], p) = (pool.kernel, pool.stride, pool.padding);
    let past = |steps: usize, stride: usize, kernel: usize, extent: usize| {
        (steps.saturating_sub(1) * stride + kernel).saturating_sub(extent)
    };
    [past(rows, sh, kh, h + p.top + p.bottom), past(columns, sw, kw, w + p.left + p.right)]
}

/// ONNX has no such pooling. Where the bins have one size and do not overlap it is an ordinary one; else the
/// mean over bins is a product with a matrix along either axis.
pub(super) fn adaptive_avg_pool(cx: &mut Emitter<'_>, id: NodeId, node: &Node) {
    let input = node.inputs.first().and_then(|&i| cx.shapes.of(i).nchw());
    let (Some([_, _, h, w]), Some([_, _, rows, columns])) = (input, cx.shapes.of(id).nchw()) else { return };
    if h.is_multiple_of(rows) && w.is_multiple_of(columns) {
        let bin = [h / rows, w / columns];
        let attributes = vec![ints("kernel_shape", bin), ints("strides", bin)];
        return cx.same(id, node, "AveragePool", attributes);
    }
    let left = cx.store_new(&format!("{}.rows", node.name), vec![rows, h], bins(h, rows));
    let across = transpose(&bins(w, columns), w);
    let right = cx.store_new(&format!("{}.columns", node.name), vec![w, columns], across);
    let mut inputs = vec![left];
    inputs.extend(cx.operands(node));
    let pooled = cx.step(node, "MatMul", inputs, vec![]);
    cx.emit(id, "MatMul", vec![pooled, right], vec![]);
}

/// Row `i` averages `floor(i extent / count)..ceil((i + 1) extent / count)`.
fn bins(extent: usize, count: usize) -> Vec<f32> {
    let row = |i: usize| {
        let (start, end) = (i * extent / count, ((i + 1) * extent).div_ceil(count));
        let share = 1.0 / (end - start) as f32;
        (0..extent).map(move |at| if (start..end).contains(&at) { share } else { 0.0 })
    };
    (0..count).flat_map(row).collect()
}

/// ONNX Runtime takes a zero padding into the pooling after it and thereby forgets the value: maxima
/// then ignore the padding, and means need not count it. It compares the value bit by bit, and minus
/// zero has another bit and the same value.
pub(super) fn pad(cx: &mut Emitter<'_>, id: NodeId, node: &Node, padding: Padding, value: f64) {
    let pooled = |&reader: &NodeId| {
        let op = cx.graph.node(reader).map(|n| &n.op);
        matches!(op, Some(Op::MaxPool(_) | Op::AvgPool { .. }))
    };
    let value = if value == 0.0 && cx.plan.uses.readers(id).iter().any(pooled) { -0.0 } else { value };
    let p = padding;
    let pads = [0, 0, p.top, p.left, 0, 0, p.bottom, p.right].map(extent);
    let mut inputs = cx.operands(node);
    inputs.push(cx.integers(node, "pads", &pads));
    inputs.push(cx.number(node, "value", value as f32));
    cx.emit(id, "Pad", inputs, vec![]);
}
