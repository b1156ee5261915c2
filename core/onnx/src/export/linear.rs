//! Linear layers and the norm that goes with them.

use std::ops::Range;

use convwise_graph::{Node, NodeId, Rows};

use super::emit::Emitter;
use super::layer::{Layer, store_bias, weight_param};
use crate::error::WeightError;
use crate::proto::{float, int};

/// `Gemm` for matrices. It takes no further axes, and a product followed by a sum is what runtimes
/// look for to fuse a bias and an activation.
///
/// Of a packed matrix each layer stores its own rows.
pub(super) fn linear(
    cx: &mut Emitter<'_>,
    id: NodeId,
    node: &Node,
    rows: Option<Rows>,
) -> Result<(), WeightError> {
    let Some(param) = weight_param(node) else { return Ok(()) };
    let out = cx.shapes.of(id).0.last().copied().unwrap_or(1);
    let layer = Layer::load(cx, id, node, param.shape.dim(0).unwrap_or(1))?;
    if let Some(Rows { start, .. }) = rows {
        return packed(cx, id, node, layer, start..start + out);
    }
    if cx.shapes.of(id).rank() == 2 {
        let weight = cx.store(param, layer.weight);
        let bias = layer.bias.map(|b| store_bias(cx, node, b));
        let inputs = cx.operands(node).into_iter().chain([weight]).chain(bias).collect();
        cx.emit(id, "Gemm", inputs, vec![int("transB", 1)]);
    } else {
        let depth = layer.weight.len() / out.max(1);
        let turned = transpose(&layer.weight, depth);
        let weight = cx.store_derived(&format!("{}.T", param.name), vec![depth, out], turned);
        let bias = layer.bias.map(|b| store_bias(cx, node, b));
        product(cx, id, node, weight, bias);
    }
    Ok(())
}

/// Some rows of a matrix, always as a product: attention has more than one axis.
fn packed(
    cx: &mut Emitter<'_>,
    id: NodeId,
    node: &Node,
    layer: Layer,
    rows: Range<usize>,
) -> Result<(), WeightError> {
    let Some(param) = weight_param(node) else { return Ok(()) };
    let depth = param.shape.dim(1).unwrap_or(1);
    let named = format!("{}.rows{}", param.name, rows.start);
    let part = layer.weight.get(rows.start * depth..rows.end * depth).unwrap_or_default();
    let weight = cx.store_derived(&format!("{named}.T"), vec![depth, rows.len()], transpose(part, depth));
    let bias = layer.bias.map(|bias| {
        let part = bias.get(rows.clone()).unwrap_or_default().to_vec();
        cx.store_derived(&format!("{named}.bias"), vec![rows.len()], part)
    });
    product(cx, id, node, weight, bias);
    Ok(())
}

fn product(cx: &mut Emitter<'_>, id: NodeId, node: &Node, weight: String, bias: Option<String>) {
    let inputs = cx.operands(node).into_iter().chain([weight]).collect();
    let Some(bias) = bias else { return cx.emit(id, "MatMul", inputs, vec![]) };
    let product = cx.step(node, "MatMul", inputs, vec![]);
    cx.emit(id, "Add", vec![product, bias], vec![]);
}

/// Edge of the square that is turned at a time, so that both sides stay in cache.
const TILE: usize = 16;

/// Rows of `columns` numbers, turned into columns.
pub(super) fn transpose(matrix: &[f32], columns: usize) -> Vec<f32> {
    let rows = matrix.len() / columns.max(1);
    let mut out = vec![0.0; matrix.len()];
    for first_row in (0..rows).step_by(TILE) {
        for first_column in (0..columns).step_by(TILE) {
            for c in first_column..columns.min(first_column + TILE) {
                let height = TILE.min(rows - first_row);
                let source = matrix.iter().skip(first_row * columns + c).step_by(columns);
                let target = out.iter_mut().skip(c * rows + first_row).take(height);
                for (slot, &value) in target.zip(source) {
                    *slot = value;
                }
            }
        }
    }
    out
}

pub(super) fn layer_norm(cx: &mut Emitter<'_>, id: NodeId, node: &Node, eps: f64) -> Result<(), WeightError> {
    let mut inputs = cx.operands(node);
    inputs.extend(cx.params(node)?);
    cx.emit(id, "LayerNormalization", inputs, vec![int("axis", -1), float("epsilon", eps)]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::transpose;

    #[test]
    fn transposes_matrices_that_no_tile_fits() {
        let (rows, columns) = (19, 37);
        let matrix: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
        let turned = transpose(&matrix, columns);
        for r in 0..rows {
            for c in 0..columns {
                assert_eq!(turned[c * rows + r], matrix[r * columns + c], "row {r} column {c}");
            }
        }
    }
}
