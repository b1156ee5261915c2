//! Operations that treat every element on its own.

use std::ops::RangeInclusive;

use super::broadcast::broadcast;
use super::{Attributes, Given, Layer, ParamSpec, Reason, Storage};
use crate::op::{Activation, ParamRole};
use crate::shape::Shape;

impl Layer for Activation {
    fn name(&self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::HardSwish => "hard_swish",
            Self::HardSigmoid => "hard_sigmoid",
            Self::Sigmoid => "sigmoid",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::Tanh => "tanh",
        }
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        given.first().cloned()
    }

    fn storage(&self) -> Storage {
        Storage::Elementwise
    }
}

/// [`crate::Op::Add`] and [`crate::Op::Mul`].
pub(super) enum Binary {
    Add,
    Mul,
}

impl Layer for Binary {
    fn name(&self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Mul => "mul",
        }
    }

    fn operands(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let (a, b) = given.pair()?;
        broadcast(&a.0, &b.0).map(Shape)
    }

    fn storage(&self) -> Storage {
        Storage::Elementwise
    }
}

/// [`crate::Op::Scale`].
pub(super) struct Scale<'a> {
    pub dims: &'a [usize],
}

impl Layer for Scale<'_> {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let x = given.first()?;
        let result = Shape(broadcast(&x.0, self.dims)?);
        if result == *x {
            return Ok(result);
        }
        let dims = Shape(self.dims.to_vec());
        Err(format!("the trained tensor {dims} would stretch the operand; expected extents within {x}"))
    }

    fn params(&self, _given: &Given<'_>) -> Result<Vec<ParamSpec>, Reason> {
        Ok(vec![ParamSpec::new("", ParamRole::Scale, Shape(self.dims.to_vec()))])
    }

    fn storage(&self) -> Storage {
        Storage::Elementwise
    }

    fn attributes(&self, out: &mut Attributes) {
        out.list("dims", self.dims);
    }
}

/// [`crate::Op::ChannelAffine`].
pub(super) struct ChannelAffine<'a> {
    pub scale: &'a [f64],
    pub shift: &'a [f64],
}

impl Layer for ChannelAffine<'_> {
    fn name(&self) -> &'static str {
        "channel_affine"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let [_, channels, ..] = given.image()?;
        let (factors, summands) = (self.scale.len(), self.shift.len());
        if [factors, summands] != [channels, channels] {
            return Err(format!(
                "{factors} factors and {summands} summands for {channels} channels; expected one a channel"
            ));
        }
        if !self.scale.iter().chain(self.shift).all(|v| v.is_finite()) {
            return Err("a constant is not finite; expected numbers".to_owned());
        }
        given.first().cloned()
    }

    fn storage(&self) -> Storage {
        Storage::Elementwise
    }

    fn attributes(&self, out: &mut Attributes) {
        out.list("scale", self.scale);
        out.list("shift", self.shift);
    }
}
