//! What the rules of an operation may look at, with the refusals that several of them share.

use crate::shape::Shape;

/// Why operands or settings do not fit: a clause that ends in what was expected.
pub(crate) type Reason = String;

/// The operand shapes of one operation.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    /// Extent of the batch axis of graph inputs.
    pub batch: usize,
    /// Shapes of the operands.
    pub operands: &'a [&'a Shape],
}

impl<'a> Given<'a> {
    /// The first operand.
    pub fn first(&self) -> Result<&'a Shape, Reason> {
        self.operands.first().copied().ok_or_else(|| "no operand; expected at least 1".to_owned())
    }

    /// Both operands of a binary operation.
    pub fn pair(&self) -> Result<(&'a Shape, &'a Shape), Reason> {
        match self.operands {
            [a, b] => Ok((a, b)),
            _ => Err(format!("{} operands; expected 2", self.operands.len())),
        }
    }

    /// The first operand's extents, if it is an image tensor.
    pub fn image(&self) -> Result<[usize; 4], Reason> {
        let shape = self.first()?;
        shape.nchw().ok_or_else(|| {
            format!(
                "the operand has {} axes; expected the 4 of [batch, channels, height, width]",
                shape.rank()
            )
        })
    }

    /// Extent of one axis of the first operand.
    pub fn axis(&self, axis: usize) -> Result<usize, Reason> {
        let shape = self.first()?;
        shape.dim(axis).ok_or_else(|| no_axis(axis, shape))
    }

    /// Extent of the last axis of the first operand.
    pub fn last_axis(&self) -> Result<usize, Reason> {
        self.first()?
            .0
            .last()
            .copied()
            .ok_or_else(|| "the operand has no axes; expected at least 1".to_owned())
    }
}

/// The refusal of an axis that a tensor does not have.
pub(super) fn no_axis(axis: impl std::fmt::Display, shape: &Shape) -> Reason {
    format!("there is no axis {axis} in {shape}; expected one below {}", shape.rank())
}

/// Refuses a setting that must count something.
pub(super) fn at_least_one(what: &str, value: usize) -> Result<(), Reason> {
    if value == 0 { Err(format!("{what} is 0; expected at least 1")) } else { Ok(()) }
}
