//! Graph inputs.

use std::ops::RangeInclusive;

use super::{Attributes, Given, Layer, Reason};
use crate::shape::Shape;

/// [`crate::Op::Input`].
pub(super) struct Input<'a> {
    pub dims: &'a [usize],
}

impl Layer for Input<'_> {
    fn name(&self) -> &'static str {
        "input"
    }

    fn operands(&self) -> RangeInclusive<usize> {
        0..=0
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        Ok(Shape(std::iter::once(given.batch).chain(self.dims.iter().copied()).collect()))
    }

    fn attributes(&self, out: &mut Attributes) {
        out.list("dims", self.dims);
    }
}
