//! Tensors that are known before any image is.

use std::ops::RangeInclusive;

use super::{Attributes, Given, Layer, ParamSpec, Reason, Storage};
use crate::op::ParamRole;
use crate::shape::Shape;

/// [`crate::Op::Constant`].
pub(super) struct Constant<'a> {
    pub dims: &'a [usize],
    pub values: &'a [f32],
}

/// [`crate::Op::Trained`].
pub(super) struct Trained<'a> {
    pub dims: &'a [usize],
    pub frozen: bool,
}

/// One for all images of a batch.
fn for_every_image(dims: &[usize]) -> Shape {
    Shape(std::iter::once(1).chain(dims.iter().copied()).collect())
}

impl Layer for Constant<'_> {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn operands(&self) -> RangeInclusive<usize> {
        0..=0
    }

    fn shape(&self, _given: &Given<'_>) -> Result<Shape, Reason> {
        let (shape, found) = (for_every_image(self.dims), self.values.len());
        if shape.elements() != found as u64 {
            return Err(format!("{found} numbers for {shape}; expected as many as it has elements"));
        }
        if !self.values.iter().all(|v| v.is_finite()) {
            return Err("a number is not finite; expected numbers of single precision".to_owned());
        }
        Ok(shape)
    }

    fn storage(&self) -> Storage {
        Storage::Stored
    }

    /// A few numbers as they are; of many, the first and a digest.
    fn attributes(&self, out: &mut Attributes) {
        const SHOWN: usize = 8;
        if self.values.len() <= SHOWN {
            return out.list("values", self.values);
        }
        let bytes: Vec<u8> = self.values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let digest = blake3::hash(&bytes).to_hex();
        out.list("first", self.values.get(..SHOWN).unwrap_or_default());
        out.set("digest", digest.as_str().get(..16).unwrap_or_default());
    }
}

impl Layer for Trained<'_> {
    fn name(&self) -> &'static str {
        "trained"
    }

    fn operands(&self) -> RangeInclusive<usize> {
        0..=0
    }

    fn shape(&self, _given: &Given<'_>) -> Result<Shape, Reason> {
        Ok(for_every_image(self.dims))
    }

    fn params(&self, _given: &Given<'_>) -> Result<Vec<ParamSpec>, Reason> {
        let role = if self.frozen { ParamRole::Frozen } else { ParamRole::Table };
        Ok(vec![ParamSpec::new("", role, Shape(self.dims.to_vec()))])
    }

    fn storage(&self) -> Storage {
        Storage::Stored
    }

    fn attributes(&self, out: &mut Attributes) {
        out.list("dims", self.dims);
        out.flag("frozen", self.frozen);
    }
}
