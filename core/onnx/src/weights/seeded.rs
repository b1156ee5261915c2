//! Weights for measuring speed: any seed gives a network of sane numbers.

use convwise_graph::{Param, ParamRole};

use super::WeightSource;
use super::splitmix::{fnv1a64, splitmix64};
use crate::error::WeightError;

/// Weights made from a seed and each tensor's name.
///
/// Weights are uniform with variance `1 / fan_in`: half of what He et al. (arXiv:1502.01852) give a ReLU
/// network, because a residual sum doubles the variance that they preserve, and fifty blocks of that
/// leave the range of half precision. Depthwise weights have `4 / fan_in`: they stand in the blocks of
/// small networks, where two smooth activations and a gate take away as much and more, and outputs would
/// otherwise sink to 1e-8. Normalisation is the identity, biases are zero, and layer scale is 0.1: its
/// published start of 1e-6 would make every block invisible in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeded(pub u64);

/// The layer scale that keeps blocks visible.
const LAYER_SCALE: f32 = 0.1;

impl WeightSource for Seeded {
    fn describe(&self) -> String {
        format!("seed:{}", self.0)
    }

    fn fill(&self, param: &Param, out: &mut [f32]) -> Result<(), WeightError> {
        match param.role {
            // A uniform distribution over ±b has variance b^2 / 3.
            ParamRole::Weight => self.fill_uniform(param, (3.0 * gain(param) / fan_in(param)).sqrt(), out),
            ParamRole::Table => self.fill_uniform(param, 1.0, out),
            ParamRole::Frozen => out.fill(1.0),
            ParamRole::NormWeight | ParamRole::RunningVar => out.fill(1.0),
            ParamRole::Bias | ParamRole::NormBias | ParamRole::RunningMean => out.fill(0.0),
            ParamRole::Scale => out.fill(LAYER_SCALE),
        }
        Ok(())
    }
}

impl Seeded {
    /// Two values of 24 bits from each hash.
    fn fill_uniform(self, param: &Param, bound: f64, out: &mut [f32]) {
        // 24-bit fixed point from -1 to 1; exact in f32, so that rounding happens once.
        let step = (bound / f64::from(1 << 23)) as f32;
        let start = splitmix64(self.0 ^ fnv1a64(&param.name));
        for (pair, i) in out.chunks_mut(2).zip(0u64..) {
            let bits = splitmix64(start.wrapping_add(i));
            for (value, half) in pair.iter_mut().zip([bits >> 40, (bits >> 16) & 0xFF_FFFF]) {
                *value = (half as i32 - (1 << 23)) as f32 * step;
            }
        }
    }
}

/// Variance of an output against that of the input.
fn gain(param: &Param) -> f64 {
    let depthwise = param.shape.nchw().is_some_and(|[_, channels, ..]| channels == 1);
    if depthwise { 4.0 } else { 1.0 }
}

/// Products summed for one output: the extents after the first.
pub(super) fn fan_in(param: &Param) -> f64 {
    param.shape.0.iter().skip(1).map(|&d| d as f64).product()
}

#[cfg(test)]
mod tests {
    use convwise_graph::Shape;

    use super::*;

    fn values(seed: u64, name: &str, role: ParamRole) -> Vec<f32> {
        let param = Param { name: name.to_owned(), role, shape: Shape::from([64, 12, 5, 5]) };
        let mut out = vec![f32::NAN; 64 * 300];
        Seeded(seed).fill(&param, &mut out).unwrap();
        out
    }

    #[test]
    fn depends_on_seed_and_name_only() {
        let a = values(0, "conv1.weight", ParamRole::Weight);
        assert_eq!(a, values(0, "conv1.weight", ParamRole::Weight));
        assert_ne!(a, values(1, "conv1.weight", ParamRole::Weight));
        assert_ne!(a, values(0, "conv2.weight", ParamRole::Weight));
    }

    /// Published models and measurements were made with these.
    #[test]
    fn stays_what_it_was() {
        let first: Vec<_> = values(0, "conv1.weight", ParamRole::Weight).into_iter().take(4).collect();
        insta::assert_debug_snapshot!(first, @r"
        [
            0.008700931,
            -0.030623687,
            0.06448008,
            -0.018707348,
        ]
        ");
    }

    #[test]
    fn weights_are_centred_with_variance_one_over_fan_in() {
        let v = values(7, "w", ParamRole::Weight);
        let mean = v.iter().map(|&x| f64::from(x)).sum::<f64>() / v.len() as f64;
        let variance = v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / v.len() as f64;
        assert!(mean.abs() < 2e-3, "mean {mean}");
        assert!((variance * 300.0 - 1.0).abs() < 0.03, "variance times fan-in {}", variance * 300.0);
        assert!(v.iter().all(|x| x.abs() <= 0.1), "bound sqrt(3 / 300)");
    }

    #[test]
    fn depthwise_weights_are_twice_as_large() {
        let param =
            Param { name: "dw".to_owned(), role: ParamRole::Weight, shape: Shape::from([4096, 1, 3, 3]) };
        let mut v = vec![0.0; 4096 * 9];
        Seeded(0).fill(&param, &mut v).unwrap();
        let variance = v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / v.len() as f64;
        assert!((variance * 9.0 / 4.0 - 1.0).abs() < 0.03, "variance times fan-in {}", variance * 9.0);
    }

    #[test]
    fn every_other_role_is_constant() {
        use ParamRole::{Bias, NormBias, NormWeight, RunningMean, RunningVar, Scale};
        for (role, expected) in [
            (Bias, 0.0),
            (NormBias, 0.0),
            (RunningMean, 0.0),
            (NormWeight, 1.0),
            (RunningVar, 1.0),
            (Scale, 0.1),
        ] {
            assert!(values(0, "x", role).iter().all(|&v| v == expected), "{role:?}");
        }
    }
}
