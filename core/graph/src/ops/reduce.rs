//! Operations that make one number of many.

use super::given::no_axis;
use super::{Attributes, Given, Layer, Reason};
use crate::op::Reduction;
use crate::shape::Shape;

/// [`crate::Op::Reduce`].
pub(super) struct Reduce<'a> {
    pub reduction: Reduction,
    pub axes: &'a [usize],
}

impl Layer for Reduce<'_> {
    fn name(&self) -> &'static str {
        match self.reduction {
            Reduction::Mean => "reduce_mean",
            Reduction::Max => "reduce_max",
            Reduction::Sum => "reduce_sum",
        }
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let mut shape = given.first()?.clone();
        if self.axes.is_empty() || !self.axes.is_sorted_by(|a, b| a < b) || self.axes.contains(&0) {
            return Err(format!("axes {:?}; expected ascending ones after the batch axis", self.axes));
        }
        for &axis in self.axes {
            match shape.0.get_mut(axis) {
                Some(extent) => *extent = 1,
                None => return Err(no_axis(axis, given.first()?)),
            }
        }
        Ok(shape)
    }

    fn attributes(&self, out: &mut Attributes) {
        out.list("axes", self.axes);
    }
}
