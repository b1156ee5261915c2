//! Pooling.

use super::window::Window;
use super::{Attributes, Given, Layer, Reason};
use crate::limits::MAX_SHARES;
use crate::op::Pool;
use crate::shape::Shape;

/// [`crate::Op::MaxPool`].
pub(super) struct MaxPool<'a> {
    pub pool: &'a Pool,
}

/// [`crate::Op::AvgPool`].
pub(super) struct AvgPool<'a> {
    pub pool: &'a Pool,
    pub count_include_pad: bool,
}

/// [`crate::Op::AdaptiveAvgPool`].
pub(super) struct AdaptiveAvgPool {
    pub height: usize,
    pub width: usize,
}

/// [`crate::Op::GlobalAvgPool`].
pub(super) struct GlobalAvgPool;

impl Layer for MaxPool<'_> {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        pooled(self.pool, given)
    }

    fn attributes(&self, out: &mut Attributes) {
        describe(self.pool, out);
    }
}

impl Layer for AvgPool<'_> {
    fn name(&self) -> &'static str {
        "avg_pool"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        pooled(self.pool, given)
    }

    fn attributes(&self, out: &mut Attributes) {
        describe(self.pool, out);
        out.flag("count_include_pad", self.count_include_pad);
    }
}

impl Layer for AdaptiveAvgPool {
    fn name(&self) -> &'static str {
        "adaptive_avg_pool"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let [n, c, h, w] = given.image()?;
        for (extent, bins) in [(h, self.height), (w, self.width)] {
            if extent.saturating_mul(bins) > MAX_SHARES {
                return Err(format!(
                    "{bins} bins of an extent of {extent}; expected a product of at most {MAX_SHARES}"
                ));
            }
        }
        Ok([n, c, self.height, self.width].into())
    }

    fn attributes(&self, out: &mut Attributes) {
        out.extents("to", [self.height, self.width]);
    }
}

impl Layer for GlobalAvgPool {
    fn name(&self) -> &'static str {
        "global_avg_pool"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let [n, c, ..] = given.image()?;
        Ok([n, c, 1, 1].into())
    }
}

fn pooled(pool: &Pool, given: &Given<'_>) -> Result<Shape, Reason> {
    let [n, c, h, w] = given.image()?;
    let Pool { kernel, stride, padding, ceil } = *pool;
    let [h, w] = Window { kernel, stride, dilation: [1, 1], padding, ceil }.slide([h, w])?;
    check_padding(pool)?;
    Ok([n, c, h, w].into())
}

/// PyTorch's rule; with more, a window could see nothing but padding.
fn check_padding(pool: &Pool) -> Result<(), Reason> {
    let ([rows, columns], p) = (pool.kernel, pool.padding);
    for (pad, kernel) in [(p.top, rows), (p.bottom, rows), (p.left, columns), (p.right, columns)] {
        if pad > kernel / 2 {
            return Err(format!("padding {pad} of a window of {kernel}; expected at most half the window"));
        }
    }
    Ok(())
}

fn describe(pool: &Pool, out: &mut Attributes) {
    out.extents("k", pool.kernel);
    out.step("s", pool.stride);
    out.padding("p", pool.padding);
    out.flag("ceil", pool.ceil);
}
