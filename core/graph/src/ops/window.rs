//! How often a sliding window fits: the rule that convolution and pooling share (PyTorch's
//! `Conv2d` and `MaxPool2d` documentation, section "Shape").

use super::Reason;
use super::given::at_least_one;
use crate::op::Padding;

/// A window sliding over an image.
pub(super) struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    pub padding: Padding,
    /// Whether a last, incomplete step counts.
    pub ceil: bool,
}

impl Window {
    /// Height and width of the result over an image of `height` x `width`.
    pub fn slide(&self, [height, width]: [usize; 2]) -> Result<[usize; 2], Reason> {
        let [down, across] = self.tracks();
        Ok([down.positions(height)?, across.positions(width)?])
    }

    fn tracks(&self) -> [Track; 2] {
        let ([kh, kw], [sh, sw], [dh, dw]) = (self.kernel, self.stride, self.dilation);
        let (p, ceil) = (self.padding, self.ceil);
        [
            Track {
                axis: "height",
                kernel: kh,
                stride: sh,
                dilation: dh,
                before: p.top,
                after: p.bottom,
                ceil,
            },
            Track {
                axis: "width",
                kernel: kw,
                stride: sw,
                dilation: dw,
                before: p.left,
                after: p.right,
                ceil,
            },
        ]
    }
}

/// Pixels from the first to the last that a window covers along one axis; `None` past any number.
#[must_use]
pub fn reach(kernel: usize, dilation: usize) -> Option<usize> {
    kernel.saturating_sub(1).checked_mul(dilation)?.checked_add(1)
}

/// One axis of a window.
struct Track {
    axis: &'static str,
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
    ceil: bool,
}

impl Track {
    fn positions(&self, extent: usize) -> Result<usize, Reason> {
        at_least_one("kernel", self.kernel)?;
        at_least_one("stride", self.stride)?;
        at_least_one("dilation", self.dilation)?;
        self.count(extent).ok_or_else(|| self.misfit(extent))
    }

    /// `None` where the window does not fit, or is larger than any number.
    fn count(&self, extent: usize) -> Option<usize> {
        let reach = reach(self.kernel, self.dilation)?;
        let padded = extent.checked_add(self.before)?.checked_add(self.after)?;
        let slack = if self.ceil { self.stride - 1 } else { 0 };
        let steps = padded.checked_add(slack)?.checked_sub(reach)? / self.stride;
        // A last window that would start in the far padding is left out.
        let starts_past = steps.checked_mul(self.stride)? >= extent.checked_add(self.before)?;
        if self.ceil && starts_past { Some(steps) } else { steps.checked_add(1) }
    }

    fn misfit(&self, extent: usize) -> Reason {
        let Self { axis, kernel, dilation, before, after, .. } = self;
        format!(
            "the window does not fit: {axis} {extent} padded by {before} and {after}, kernel {kernel}, \
             dilation {dilation}; expected a kernel within the padded image"
        )
    }
}
