//! Operations that treat every element on its own.

use std::ops::RangeInclusive;

use super::broadcast::broadcast;
use super::{Attributes, Given, Layer, ParamSpec, Reason, Storage};
use crate::op::{Activation, ParamRole, Unary};
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

impl Layer for Unary {
    fn name(&self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Sqrt => "sqrt",
            Self::Floor => "floor",
        }
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        given.first().cloned()
    }

    fn storage(&self) -> Storage {
        Storage::Elementwise
    }
}

/// [`crate::Op::LeakyRelu`].
pub(super) struct LeakyRelu {
    pub slope: f64,
}

impl Layer for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky_relu"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        if !self.slope.is_finite() {
            return Err(format!("slope {}; expected a finite number", self.slope));
        }
        given.first().cloned()
    }

    fn storage(&self) -> Storage {
        Storage::Elementwise
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("slope", self.slope);
    }
}

/// [`crate::Op::Clamp`].
pub(super) struct Clamp {
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Layer for Clamp {
    fn name(&self) -> &'static str {
        "clamp"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let limits = [self.low, self.high];
        if limits.iter().flatten().any(|limit| !limit.is_finite()) || limits == [None, None] {
            return Err("no finite limit; expected a least or a greatest result".to_owned());
        }
        match limits {
            [Some(low), Some(high)] if low > high => {
                Err(format!("limits {low} and {high}; expected the lower one first"))
            }
            _ => given.first().cloned(),
        }
    }

    fn storage(&self) -> Storage {
        Storage::Elementwise
    }

    fn attributes(&self, out: &mut Attributes) {
        for (key, limit) in [("low", self.low), ("high", self.high)] {
            if let Some(limit) = limit {
                out.set(key, limit);
            }
        }
    }
}

/// Operations over two tensors.
pub(super) enum Binary {
    Add,
    Mul,
    Sub,
    Div,
}

impl Layer for Binary {
    fn name(&self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Mul => "mul",
            Self::Sub => "sub",
            Self::Div => "div",
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
