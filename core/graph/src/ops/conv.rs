//! Convolution.

use super::given::at_least_one;
use super::window::Window;
use super::{Attributes, Given, Layer, ParamSpec, Reason};
use crate::op::{Conv2d, ParamRole};
use crate::shape::Shape;

impl Conv2d {
    /// Whether every input channel has filters of its own (`groups == in_channels`, more than one).
    #[must_use]
    pub fn is_depthwise(&self, in_channels: usize) -> bool {
        self.groups > 1 && self.groups == in_channels
    }

    fn window(&self) -> Window {
        let Self { kernel, stride, dilation, padding, .. } = *self;
        Window { kernel, stride, dilation, padding, ceil: false }
    }

    /// Input channels that one filter sees.
    fn depth(&self, in_channels: usize) -> Result<usize, Reason> {
        at_least_one("groups", self.groups)?;
        let Self { groups, out_channels, .. } = *self;
        if !in_channels.is_multiple_of(groups) || !out_channels.is_multiple_of(groups) {
            return Err(format!(
                "{groups} groups do not divide {in_channels} input and {out_channels} output channels; \
                 expected a common divisor"
            ));
        }
        Ok(in_channels / groups)
    }
}

impl Layer for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let [n, c, h, w] = given.image()?;
        self.depth(c)?;
        let [h, w] = self.window().slide([h, w])?;
        Ok([n, self.out_channels, h, w].into())
    }

    fn params(&self, given: &Given<'_>) -> Result<Vec<ParamSpec>, Reason> {
        let [_, c, ..] = given.image()?;
        let [kh, kw] = self.kernel;
        let weight = [self.out_channels, self.depth(c)?, kh, kw];
        let bias = self.bias.then(|| ParamSpec::new(".bias", ParamRole::Bias, [self.out_channels]));
        Ok([ParamSpec::new(".weight", ParamRole::Weight, weight)].into_iter().chain(bias).collect())
    }

    fn reduction(&self, given: &Given<'_>) -> u64 {
        let depth = given.image().and_then(|[_, c, ..]| self.depth(c)).unwrap_or(0);
        let [kh, kw] = self.kernel;
        Shape::from([depth, kh, kw]).elements()
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("out", self.out_channels);
        out.extents("k", self.kernel);
        out.step("s", self.stride);
        out.padding("p", self.padding);
        if self.dilation != [1, 1] {
            out.step("d", self.dilation);
        }
        if self.groups != 1 {
            out.set("g", self.groups);
        }
        out.flag("bias", self.bias);
    }
}
