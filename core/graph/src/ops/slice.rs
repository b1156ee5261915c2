//! Part of one axis.

use super::{Attributes, Given, Layer, Reason};
use crate::shape::Shape;

/// [`crate::Op::Slice`].
pub(super) struct Slice {
    pub axis: usize,
    pub start: usize,
    pub end: usize,
}

impl Layer for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let Self { axis, start, end } = *self;
        let extent = given.axis(axis)?;
        if start >= end || end > extent {
            return Err(format!(
                "elements {start}..{end} of {extent}; expected a non-empty range within them"
            ));
        }
        let mut shape = given.first()?.clone();
        if let Some(d) = shape.0.get_mut(axis) {
            *d = end - start;
        }
        Ok(shape)
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("axis", self.axis);
        out.set("range", format_args!("{}..{}", self.start, self.end));
    }
}
