//! The parity rule: weights, inputs and checksums that a reference implementation can reproduce bit
//! for bit, so that two implementations of one network can be compared without trained weights.
//!
//! Element `i` of a tensor called NAME is made from `u`, the top 24 bits of
//! `splitmix64(fnv1a64(NAME) + i)` as a fraction in [0, 1), in double precision, and rounded once.

use std::collections::BTreeMap;

use convwise_graph::{Param, ParamRole};

use super::WeightSource;
use super::seeded::fan_in;
use super::splitmix::{fnv1a64, splitmix64};
use crate::error::WeightError;

/// How the rule fills one tensor, as a fixture states it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filling {
    /// What the tensor is filled as, in the rule's words: `weight`, `norm`, `bias`, `mean`, `var`, `scale`, `table`; by
    /// its role in the graph if this is none of them.
    pub role: String,
    /// Exponent of the power of two that a weight is multiplied with: it keeps every layer's output near 1, and commutes
    /// with rounding.
    pub exponent: i32,
    /// The values of a tensor that is left as its constructor makes it.
    pub constant: Option<Vec<f64>>,
}

/// Role, exponent and constant, as a fixture's row has them.
impl From<(String, i32, Option<Vec<f64>>)> for Filling {
    fn from((role, exponent, constant): (String, i32, Option<Vec<f64>>)) -> Self {
        Self { role, exponent, constant }
    }
}

/// Weights by the parity rule, version 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Golden {
    fillings: BTreeMap<String, Filling>,
}

impl Golden {
    /// The rule with what a fixture states of these tensors.
    #[must_use]
    pub fn new<F: Into<Filling>>(fillings: impl IntoIterator<Item = (String, F)>) -> Self {
        Self { fillings: fillings.into_iter().map(|(name, filling)| (name, filling.into())).collect() }
    }
}

impl WeightSource for Golden {
    fn describe(&self) -> String {
        "golden:2".to_owned()
    }

    fn fill(&self, param: &Param, out: &mut [f32]) -> Result<(), WeightError> {
        let stated = self.fillings.get(&param.name);
        if let Some(constant) = stated.and_then(|filling| filling.constant.as_ref()) {
            out.iter_mut().zip(constant).for_each(|(slot, &value)| *slot = value as f32);
            return Ok(());
        }
        let gain = (3.0 / fan_in(param)).sqrt();
        let power = 2f64.powi(stated.map_or(0, |filling| filling.exponent));
        let role = stated.and_then(|filling| role(&filling.role)).unwrap_or(param.role);
        let value = |u: f64| match role {
            ParamRole::RunningVar | ParamRole::NormWeight => 0.5 + u,
            ParamRole::RunningMean | ParamRole::Bias | ParamRole::NormBias => (2.0 * u - 1.0) * 0.1,
            ParamRole::Scale => 0.1 + 0.1 * u,
            ParamRole::Weight => (2.0 * u - 1.0) * gain * power,
            ParamRole::Table | ParamRole::Frozen => 2.0 * u - 1.0,
        };
        for (slot, u) in out.iter_mut().zip(units(&param.name)) {
            *slot = value(u) as f32;
        }
        Ok(())
    }
}

/// The role that the rule calls so.
fn role(word: &str) -> Option<ParamRole> {
    Some(match word {
        "weight" => ParamRole::Weight,
        "norm" => ParamRole::NormWeight,
        "bias" => ParamRole::Bias,
        "mean" => ParamRole::RunningMean,
        "var" => ParamRole::RunningVar,
        "scale" => ParamRole::Scale,
        "table" => ParamRole::Table,
        _ => return None,
    })
}

/// Fills a network input: uniform in [-1, 1), made from the input's name.
pub fn fill_input(name: &str, out: &mut [f32]) {
    for (slot, u) in out.iter_mut().zip(units(name)) {
        *slot = (2.0 * u - 1.0) as f32;
    }
}

/// Checksum of a whole output that notices a swap of any two values: the sum of `y[i] * (2 u[i] - 1)`
/// with NAME = `probe:{output}`, in double precision.
#[must_use]
pub fn probe(output: &str, values: &[f32]) -> f64 {
    let name = format!("probe:{output}");
    values.iter().zip(units(&name)).map(|(&y, u)| f64::from(y) * (2.0 * u - 1.0)).sum()
}

/// The numbers of [0, 1) that belong to a name.
fn units(name: &str) -> impl Iterator<Item = f64> + use<> {
    let start = fnv1a64(name);
    (0u64..).map(move |i| (splitmix64(start.wrapping_add(i)) >> 40) as f64 / f64::from(1 << 24))
}

#[cfg(test)]
mod tests {
    use convwise_graph::Shape;
    use serde::Deserialize;

    use super::*;

    /// Made with NumPy by the rule's first implementation.
    const VECTORS: &str = include_str!("../../tests/data/golden-vectors.json");

    #[derive(Deserialize)]
    struct Vectors {
        fnv1a64: BTreeMap<String, String>,
        splitmix64_input: Vec<String>,
        /// As text, because serde_json may miss a double's last bit.
        unit_input: Vec<String>,
        values: Vec<Tensor>,
    }

    #[derive(Deserialize)]
    struct Tensor {
        key: String,
        shape: Vec<usize>,
        role: ParamRole,
        e: i32,
        values: Vec<f32>,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(VECTORS).expect("test data")
    }

    fn unit_input() -> Vec<f64> {
        vectors().unit_input.iter().map(|text| text.parse().expect("a number")).collect()
    }

    #[test]
    fn hashes_and_numbers_are_the_references() {
        let v = vectors();
        for (text, hash) in &v.fnv1a64 {
            assert_eq!(format!("{:016x}", fnv1a64(text)), *hash, "{text}");
        }
        let start = fnv1a64("input");
        let hashes: Vec<_> = (0..4).map(|i| format!("{:016x}", splitmix64(start + i))).collect();
        assert_eq!(hashes, v.splitmix64_input);
        assert_eq!(units("input").take(4).collect::<Vec<_>>(), unit_input());
    }

    #[test]
    fn every_role_is_filled_like_the_reference() {
        for tensor in vectors().values {
            let param = Param { name: tensor.key.clone(), role: tensor.role, shape: Shape(tensor.shape) };
            let mut out = vec![f32::NAN; tensor.values.len()];
            Golden::new([(tensor.key, Filling { exponent: tensor.e, ..Filling::default() })])
                .fill(&param, &mut out)
                .unwrap();
            assert_eq!(out, tensor.values, "{:?} with exponent {}", tensor.role, tensor.e);
        }
    }

    #[test]
    fn the_input_is_the_references() {
        let mut out = [0.0; 4];
        fill_input("input", &mut out);
        let expected: Vec<f32> = unit_input().iter().map(|u| (2.0 * u - 1.0) as f32).collect();
        assert_eq!(out.to_vec(), expected);
    }

    #[test]
    fn the_probe_notices_a_swap() {
        assert_ne!(probe("logits", &[1.0, 2.0]), probe("logits", &[2.0, 1.0]));
        assert_ne!(probe("logits", &[1.0, 2.0]), probe("c4", &[1.0, 2.0]));
    }
}
