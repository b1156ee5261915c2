//! Matrix products: with a trained matrix, and of two tensors.

use std::ops::RangeInclusive;

use super::broadcast::broadcast;
use super::{Attributes, Given, Layer, ParamSpec, Reason};
use crate::op::{ParamRole, Rows};
use crate::shape::Shape;

/// [`crate::Op::Linear`].
pub(super) struct Linear {
    pub out_features: usize,
    pub bias: bool,
    pub rows: Option<Rows>,
}

/// [`crate::Op::MatMul`].
pub(super) struct MatMul;

impl Layer for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        given.last_axis()?;
        if let Some(Rows { start, of }) = self.rows
            && start.saturating_add(self.out_features) > of
        {
            let end = start.saturating_add(self.out_features);
            return Err(format!("rows {start}..{end} of {of}; expected rows within them"));
        }
        let mut shape = given.first()?.clone();
        if let Some(last) = shape.0.last_mut() {
            *last = self.out_features;
        }
        Ok(shape)
    }

    fn params(&self, given: &Given<'_>) -> Result<Vec<ParamSpec>, Reason> {
        let (out, weight, bias) = match self.rows {
            Some(rows) => (rows.of, "_weight", "_bias"),
            None => (self.out_features, ".weight", ".bias"),
        };
        let matrix = ParamSpec::new(weight, ParamRole::Weight, [out, given.last_axis()?]);
        let summand = self.bias.then(|| ParamSpec::new(bias, ParamRole::Bias, [out]));
        Ok([matrix].into_iter().chain(summand).collect())
    }

    fn reduction(&self, given: &Given<'_>) -> u64 {
        given.last_axis().unwrap_or(0) as u64
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("out", self.out_features);
        out.flag("bias", self.bias);
        if let Some(Rows { start, of }) = self.rows {
            out.set("rows", format_args!("{start}..{} of {of}", start.saturating_add(self.out_features)));
        }
    }
}

impl Layer for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn operands(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let (a, b) = given.pair()?;
        let ((left, [rows, depth]), (right, [depth_b, columns])) = (matrix(a)?, matrix(b)?);
        if depth != depth_b {
            return Err(format!(
                "{depth} columns on the left and {depth_b} rows on the right; expected as many of each"
            ));
        }
        let mut dims = broadcast(left, right)?;
        dims.extend([rows, columns]);
        Ok(Shape(dims))
    }

    fn reduction(&self, given: &Given<'_>) -> u64 {
        given.last_axis().unwrap_or(0) as u64
    }
}

/// Leading axes, and rows and columns.
fn matrix(shape: &Shape) -> Result<(&[usize], [usize; 2]), Reason> {
    match shape.0.as_slice() {
        [leading @ .., rows, columns] => Ok((leading, [*rows, *columns])),
        _ => Err(format!("an operand of {} axes; expected at least 2", shape.rank())),
    }
}
