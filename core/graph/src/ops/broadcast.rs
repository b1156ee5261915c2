//! NumPy's broadcasting rule: axes are matched from the right, and an extent of 1 stretches.

use super::Reason;

/// Extents of the result of an element-wise operation over two tensors.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Reason> {
    let rank = a.len().max(b.len());
    (0..rank).map(|axis| stretch(axis, aligned(a, axis, rank), aligned(b, axis, rank))).collect()
}

/// The extent that stands at `axis` of a result of `rank` axes.
fn aligned(dims: &[usize], axis: usize, rank: usize) -> usize {
    (axis + dims.len()).checked_sub(rank).and_then(|i| dims.get(i)).copied().unwrap_or(1)
}

fn stretch(axis: usize, a: usize, b: usize) -> Result<usize, Reason> {
    match (a, b) {
        (a, b) if a == b => Ok(a),
        (1, other) | (other, 1) => Ok(other),
        _ => Err(format!("axis {axis} has {a} and {b}; expected equal extents, or 1 in one of them")),
    }
}
