//! Tensor shapes: row-major extents, batch first, image tensors as NCHW.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Extents of a tensor, outermost first. Image tensors are `[batch, channels, height, width]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(pub Vec<usize>);

impl Shape {
    /// Number of axes.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Extent of `axis`, or `None` past the last one.
    #[must_use]
    pub fn dim(&self, axis: usize) -> Option<usize> {
        self.0.get(axis).copied()
    }

    /// Number of elements; saturates instead of overflowing, so that a hostile shape is merely refused.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.0.iter().fold(1, |n, &d| n.saturating_mul(d as u64))
    }

    /// The extents of an NCHW tensor.
    #[must_use]
    pub fn nchw(&self) -> Option<[usize; 4]> {
        self.0.as_slice().try_into().ok()
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Self(dims.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("x")?;
            }
            write!(f, "{d}")?;
        }
        f.write_str("]")
    }
}
