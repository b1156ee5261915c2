//! Spatial resizing, with PyTorch's coordinates.

use convwise_graph::{Node, NodeId, Op, ResizeMode};

use super::Batch;
use super::emit::Emitter;
use crate::proto::{AttributeProto, extent, string};

/// A fixed batch is resized to an exact shape. For a dynamic one the shape would have to be computed,
/// so factors are given.
pub(super) fn resize(cx: &mut Emitter<'_>, id: NodeId, node: &Node) {
    let (Some(from), Some(to)) =
        (node.inputs.first().and_then(|&i| cx.shapes.of(i).nchw()), cx.shapes.of(id).nchw())
    else {
        return;
    };
    let mut inputs = cx.operands(node);
    // The second operand serves a mode of cropping that is not used.
    inputs.push(String::new());
    if cx.options.batch == Batch::Dynamic {
        let [_, _, h, w] = from;
        let [_, _, to_h, to_w] = to;
        inputs.push(cx.numbers(node, "scales", &[1.0, 1.0, factor(h, to_h), factor(w, to_w)]));
    } else {
        inputs.push(String::new());
        inputs.push(cx.integers(node, "sizes", &to.map(extent)));
    }
    cx.emit(id, "Resize", inputs, settings(&node.op));
}

fn settings(op: &Op) -> Vec<AttributeProto> {
    let Op::Resize { mode, align_corners, .. } = op else { return vec![] };
    let coordinates = match (align_corners, mode) {
        (true, _) => "align_corners",
        (false, ResizeMode::Nearest) => "asymmetric",
        (false, ResizeMode::Bilinear) => "half_pixel",
    };
    let mut attributes = vec![string("coordinate_transformation_mode", coordinates)];
    match mode {
        ResizeMode::Nearest => {
            attributes.extend([string("mode", "nearest"), string("nearest_mode", "floor")]);
        }
        ResizeMode::Bilinear => attributes.push(string("mode", "linear")),
    }
    attributes
}

/// The smallest factor not below `to / from` whose product with `from`, rounded down, is `to`.
fn factor(from: usize, to: usize) -> f32 {
    let nearest = to as f32 / from as f32;
    // Runtimes multiply in single or in double precision; in double, no rounding hides a lack.
    if from as f64 * f64::from(nearest) < to as f64 { nearest.next_up() } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::factor;

    #[test]
    fn factors_give_the_extent_asked_for() {
        for from in 1..200 {
            for to in 1..200 {
                let factor = factor(from, to);
                let single = (from as f32 * factor).floor() as usize;
                let double = (from as f64 * f64::from(factor)).floor() as usize;
                assert_eq!([single, double], [to, to], "{from} to {to}");
            }
        }
    }
}
