//! Element by element, and over one axis.

use super::tensor::{Values, with};

/// `f(a, b)` with NumPy's broadcasting.
pub(super) fn broadcast(a: &Values, b: &Values, shape: &[usize], f: impl Fn(f64, f64) -> f64) -> Values {
    Values::at_every(shape, |place| f(a.get(&within(a, place)), b.get(&within(b, place))))
}

/// The place in an operand that a place of the result reads.
fn within(operand: &Values, place: &[usize]) -> Vec<usize> {
    let tail = place.get(place.len().saturating_sub(operand.shape().len())..).unwrap_or_default();
    tail.iter().zip(operand.shape()).map(|(at, extent)| if *extent == 1 { 0 } else { *at }).collect()
}

/// Weight, bias, running mean and running variance, over axis 1.
pub(super) fn batch_norm(x: &Values, params: &[Values], eps: f64) -> Values {
    let of = |role: usize, channel: usize| params.get(role).map_or(0.0, |values| values.get(&[channel]));
    Values::at_every(x.shape(), |place| {
        let channel = place.get(1).copied().unwrap_or(0);
        let [weight, bias, mean, variance] = [0, 1, 2, 3].map(|role| of(role, channel));
        (x.get(place) - mean) / (variance + eps).sqrt() * weight + bias
    })
}

/// Weight and bias, over the last axis, with the biased variance.
pub(super) fn layer_norm(x: &Values, params: &[Values], eps: f64) -> Values {
    let last = x.shape().len().saturating_sub(1);
    let extent = x.extent(last);
    let of = |role: usize, index: usize| params.get(role).map_or(0.0, |values| values.get(&[index]));
    Values::at_every(x.shape(), |place| {
        let row: Vec<f64> = (0..extent).map(|index| x.get(&with(place, last, index))).collect();
        let mean = row.iter().sum::<f64>() / extent as f64;
        let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / extent as f64;
        let index = place.get(last).copied().unwrap_or(0);
        (x.get(place) - mean) / (variance + eps).sqrt() * of(0, index) + of(1, index)
    })
}

pub(super) fn softmax(x: &Values, axis: i64) -> Values {
    let rank = x.shape().len();
    let axis = usize::try_from(axis).unwrap_or_else(|_| rank.saturating_sub(axis.unsigned_abs() as usize));
    Values::at_every(x.shape(), |place| {
        let row = (0..x.extent(axis)).map(|index| x.get(&with(place, axis, index)));
        x.get(place).exp() / row.map(f64::exp).sum::<f64>()
    })
}

pub(super) fn concat(operands: &[&Values], axis: usize, shape: &[usize]) -> Values {
    Values::at_every(shape, |place| {
        let mut index = place.get(axis).copied().unwrap_or(0);
        for operand in operands {
            if index < operand.extent(axis) {
                return operand.get(&with(place, axis, index));
            }
            index -= operand.extent(axis);
        }
        0.0
    })
}

pub(super) fn channel_affine(x: &Values, scale: &[f64], shift: &[f64]) -> Values {
    let of = |values: &[f64], place: &[usize]| {
        place.get(1).and_then(|channel| values.get(*channel)).copied().unwrap_or(0.0)
    };
    Values::at_every(x.shape(), |place| x.get(place) * of(scale, place) + of(shift, place))
}

/// The distribution function of the standard normal distribution, by the series of Marsaglia (2004), "Evaluating the
/// normal distribution", Journal of Statistical Software 11(4), section 2; to the last digits of a double.
pub(super) fn normal_distribution(x: f64) -> f64 {
    if x.abs() > 7.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut sum, mut term, mut index) = (x, x, 1.0);
    while term.abs() > f64::EPSILON * sum.abs() {
        index += 2.0;
        term *= x * x / index;
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_has_its_published_values() {
        // Abramowitz and Stegun, table 26.1.
        for (x, expect) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-2.0, 0.022_750_131_948_179_2)] {
            assert!((normal_distribution(x) - expect).abs() < 1e-14, "{x}");
        }
    }

    #[test]
    fn operands_are_broadcast_from_the_right() {
        let a = Values::new(vec![2, 1], vec![1.0, 2.0]);
        let b = Values::new(vec![3], vec![10.0, 20.0, 30.0]);
        let sum = broadcast(&a, &b, &[2, 3], |a, b| a + b);
        assert_eq!(sum.data(), [11.0, 21.0, 31.0, 12.0, 22.0, 32.0]);
    }
}
