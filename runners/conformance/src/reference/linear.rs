//! Matrix products.

use super::tensor::{Values, with};

/// `x W^T + b` over the last axis, with the rows of `W` and `b` from `start` on.
pub(super) fn linear(
    x: &Values,
    weight: Option<&Values>,
    bias: Option<&Values>,
    start: usize,
    shape: &[usize],
) -> Values {
    let Some(weight) = weight else { return Values::new(shape.to_vec(), Vec::new()) };
    let last = shape.len().saturating_sub(1);
    Values::at_every(shape, |place| {
        let out = start + place.get(last).copied().unwrap_or(0);
        let products = (0..weight.extent(1)).map(|i| x.get(&with(place, last, i)) * weight.get(&[out, i]));
        products.sum::<f64>() + bias.map_or(0.0, |bias| bias.get(&[out]))
    })
}

/// The product over the last two axes; the axes before them broadcast.
pub(super) fn matmul(a: &Values, b: &Values, shape: &[usize]) -> Values {
    let rank = shape.len();
    let (row, column) = (rank.saturating_sub(2), rank.saturating_sub(1));
    let inner = a.extent(a.shape().len().saturating_sub(1));
    let at = |operand: &Values, place: &[usize]| {
        let lead = operand.shape().len().saturating_sub(2);
        let from = place.len() - operand.shape().len();
        let place: Vec<usize> = place
            .iter()
            .skip(from)
            .zip(operand.shape())
            .enumerate()
            .map(|(axis, (at, extent))| if axis < lead && *extent == 1 { 0 } else { *at })
            .collect();
        operand.get(&place)
    };
    Values::at_every(shape, |place| {
        (0..inner).map(|k| at(a, &with(place, column, k)) * at(b, &with(place, row, k))).sum()
    })
}
