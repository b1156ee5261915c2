//! Normalisation: batch norm, layer norm, softmax.

use super::given::no_axis;
use super::{Attributes, Given, Layer, ParamSpec, Reason, Storage};
use crate::op::ParamRole;
use crate::shape::Shape;

/// [`crate::Op::BatchNorm`].
pub(super) struct BatchNorm {
    pub eps: f64,
    pub frozen: bool,
}

/// [`crate::Op::LayerNorm`].
pub(super) struct LayerNorm {
    pub eps: f64,
}

/// [`crate::Op::Softmax`].
pub(super) struct Softmax {
    pub axis: i64,
}

impl Layer for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        check_eps(self.eps)?;
        given.axis(1)?;
        given.first().cloned()
    }

    fn params(&self, given: &Given<'_>) -> Result<Vec<ParamSpec>, Reason> {
        let channels = [given.axis(1)?];
        Ok(vec![
            ParamSpec::new(".weight", ParamRole::NormWeight, channels),
            ParamSpec::new(".bias", ParamRole::NormBias, channels),
            ParamSpec::new(".running_mean", ParamRole::RunningMean, channels),
            ParamSpec::new(".running_var", ParamRole::RunningVar, channels),
        ])
    }

    fn storage(&self) -> Storage {
        Storage::Elementwise
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("eps", format_args!("{:e}", self.eps));
        out.flag("frozen", self.frozen);
    }
}

impl Layer for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        check_eps(self.eps)?;
        given.last_axis()?;
        given.first().cloned()
    }

    fn params(&self, given: &Given<'_>) -> Result<Vec<ParamSpec>, Reason> {
        let features = [given.last_axis()?];
        Ok(vec![
            ParamSpec::new(".weight", ParamRole::NormWeight, features),
            ParamSpec::new(".bias", ParamRole::NormBias, features),
        ])
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("eps", format_args!("{:e}", self.eps));
    }
}

impl Layer for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let shape = given.first()?;
        let rank = shape.rank() as i64;
        if !(-rank..rank).contains(&self.axis) {
            return Err(no_axis(self.axis, shape));
        }
        Ok(shape.clone())
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("axis", self.axis);
    }
}

fn check_eps(eps: f64) -> Result<(), Reason> {
    if eps.is_finite() && eps >= 0.0 {
        Ok(())
    } else {
        Err(format!("eps is {eps}; expected a finite number of at least 0"))
    }
}
