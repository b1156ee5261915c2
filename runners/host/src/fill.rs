//! Deterministic input data, the same in every process and on every machine.
//!
//! Element `i` of the input with seed `s` is `2u - 1`, where `u` is the upper 24 bits of
//! `splitmix64(fnv1a64(name) + i)` over 2^24 and `name` is `input` for seed 0 and `input:s` otherwise. Seed 0 is thus
//! the input that the golden fixtures of the reference networks are recorded with.

use convwise_sdk::{DType, Tensor, TensorError};

/// A tensor of deterministic data: uniform in [-1, 1) for floats, uniform over 0..256 (0..128 for `i8`) for integers,
/// and 0 or 1 for `bool`.
///
/// # Errors
/// When the shape is too large to address.
pub fn fill_tensor(dtype: DType, shape: &[usize], seed: u64) -> Result<Tensor, TensorError> {
    let base = fnv1a64(&if seed == 0 { "input".to_owned() } else { format!("input:{seed}") });
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    let bytes = count.and_then(|count| count.checked_mul(dtype.size()));
    let (Some(count), Some(bytes)) = (count, bytes) else {
        return Err(TensorError::TooLarge { shape: shape.to_vec() });
    };
    let mut data = Vec::with_capacity(bytes);
    for index in 0..count as u64 {
        push_element(&mut data, dtype, splitmix64(base.wrapping_add(index)));
    }
    Tensor::new(dtype, shape.to_vec(), data)
}

/// Appends one element made of the random bits `z`.
fn push_element(data: &mut Vec<u8>, dtype: DType, z: u64) {
    let signed = ((z >> 40) as f64 / f64::from(1 << 24)).mul_add(2.0, -1.0);
    let byte = (z >> 56) as u8;
    match dtype {
        DType::F32 => data.extend_from_slice(&(signed as f32).to_ne_bytes()),
        DType::F64 => data.extend_from_slice(&signed.to_ne_bytes()),
        DType::F16 => data.extend_from_slice(&half_bits(signed as f32).to_ne_bytes()),
        DType::Bf16 => data.extend_from_slice(&(((signed as f32).to_bits() >> 16) as u16).to_ne_bytes()),
        DType::U8 => data.push(byte),
        DType::I8 => data.push(byte >> 1),
        DType::Bool => data.push(byte >> 7),
        DType::U16 | DType::I16 => data.extend_from_slice(&u16::from(byte).to_ne_bytes()),
        DType::I32 => data.extend_from_slice(&i32::from(byte).to_ne_bytes()),
        DType::I64 => data.extend_from_slice(&i64::from(byte).to_ne_bytes()),
    }
}

/// The half-precision bits of a float of magnitude at most 1, rounded towards zero; tiny values become zero.
fn half_bits(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let exponent = i32::try_from((bits >> 23) & 0xff).unwrap_or(0) - 127 + 15;
    let mantissa = ((bits >> 13) & 0x3ff) as u16;
    match u16::try_from(exponent) {
        Ok(exponent) if exponent > 0 => sign | (exponent.min(30) << 10) | mantissa,
        _ => sign,
    }
}

fn fnv1a64(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn splitmix64(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_zero_is_the_input_of_the_golden_fixtures() {
        // From the fixtures' own generator (fill rule v2): float32 of signed('input', 4) and signed('input:7', 3).
        let tensor = fill_tensor(DType::F32, &[4], 0).unwrap();
        assert_eq!(tensor.to_f32().unwrap(), [-0.804_363_37, -0.705_042_84, 0.148_168_8, 0.705_455_54]);
        let tensor = fill_tensor(DType::F32, &[3], 7).unwrap();
        assert_eq!(tensor.to_f32().unwrap(), [0.081_926_23, 0.237_631_44, 0.353_435_87]);
    }

    #[test]
    fn every_type_is_filled_to_its_size() {
        for dtype in [DType::U8, DType::I8, DType::Bool, DType::I64, DType::F16, DType::Bf16, DType::F64] {
            let tensor = fill_tensor(dtype, &[3, 5], 1).unwrap();
            assert_eq!(tensor.data().len(), 15 * dtype.size());
            assert!(tensor.data().iter().any(|byte| *byte != 0), "{dtype}");
        }
        assert!(fill_tensor(DType::F32, &[usize::MAX, 3], 0).is_err());
    }

    #[test]
    fn halves_are_the_floats_cut_short() {
        assert_eq!(half_bits(0.5), 0x3800);
        assert_eq!(half_bits(-1.0), 0xbc00);
        assert_eq!(half_bits(0.333_251_95), 0x3555);
        assert_eq!(half_bits(1e-6), 0);
    }
}
