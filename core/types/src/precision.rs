//! Number formats of weights and activations.

use serde::{Deserialize, Serialize};

use crate::request::words;

words! {
    /// Number format of weights and activations.
    pub enum Precision, "precision" {
        /// 32-bit floating point.
        Fp32 = "fp32",
        /// 16-bit floating point.
        Fp16 = "fp16",
        /// 8-bit integers.
        Int8 = "int8",
    }
}

impl Precision {
    /// Bytes that one activation element takes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::Fp32 => 4,
            Self::Fp16 => 2,
            Self::Int8 => 1,
        }
    }
}
