//! Operations over image tensors that compute nothing new: shuffle, pad, resize.

use super::{Attributes, Given, Layer, Reason};
use crate::op::{Padding, ResizeMode};
use crate::shape::Shape;

/// [`crate::Op::ChannelShuffle`].
pub(super) struct ChannelShuffle {
    pub groups: usize,
}

/// [`crate::Op::Pad`].
pub(super) struct Pad {
    pub padding: Padding,
    pub value: f64,
}

/// [`crate::Op::Resize`].
pub(super) struct Resize {
    pub height: usize,
    pub width: usize,
    pub mode: ResizeMode,
    pub align_corners: bool,
}

impl Layer for ChannelShuffle {
    fn name(&self) -> &'static str {
        "channel_shuffle"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let [_, channels, ..] = given.image()?;
        let groups = self.groups;
        match channels.checked_rem(groups) {
            Some(0) => given.first().cloned(),
            _ => Err(format!("{groups} groups of {channels} channels; expected a divisor of the channels")),
        }
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("g", self.groups);
    }
}

impl Layer for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        if self.value.is_nan() {
            return Err("the padding value is not a number; expected a number".to_owned());
        }
        let ([n, c, h, w], p) = (given.image()?, self.padding);
        let height = h.saturating_add(p.top).saturating_add(p.bottom);
        let width = w.saturating_add(p.left).saturating_add(p.right);
        Ok([n, c, height, width].into())
    }

    fn attributes(&self, out: &mut Attributes) {
        out.padding("p", self.padding);
        out.set("value", self.value);
    }
}

impl Layer for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let [n, c, ..] = given.image()?;
        Ok([n, c, self.height, self.width].into())
    }

    fn attributes(&self, out: &mut Attributes) {
        out.extents("to", [self.height, self.width]);
        out.set(
            "mode",
            match self.mode {
                ResizeMode::Nearest => "nearest",
                ResizeMode::Bilinear => "bilinear",
            },
        );
        out.flag("align_corners", self.align_corners);
    }
}
