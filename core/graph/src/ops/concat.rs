//! Concatenation.

use std::ops::RangeInclusive;

use super::given::no_axis;
use super::{Attributes, Given, Layer, Reason};
use crate::shape::Shape;

/// [`crate::Op::Concat`].
pub(super) struct Concat {
    pub axis: usize,
}

impl Layer for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn operands(&self) -> RangeInclusive<usize> {
        1..=usize::MAX
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let mut result = given.first()?.clone();
        for other in given.operands.iter().skip(1) {
            self.append(&mut result, other)?;
        }
        if self.axis < result.rank() { Ok(result) } else { Err(no_axis(self.axis, &result)) }
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("axis", self.axis);
    }
}

impl Concat {
    fn append(&self, result: &mut Shape, other: &Shape) -> Result<(), Reason> {
        if result.rank() != other.rank() {
            return Err(format!("{} and {} axes; expected as many in each", result.rank(), other.rank()));
        }
        for (axis, (sum, &d)) in result.0.iter_mut().zip(&other.0).enumerate() {
            if axis == self.axis {
                *sum = sum.saturating_add(d);
            } else if *sum != d {
                let joined = self.axis;
                return Err(format!(
                    "axis {axis} has {sum} and {d}; expected equal extents off axis {joined}"
                ));
            }
        }
        Ok(())
    }
}
