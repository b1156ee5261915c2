//! Pooling.

use tch::Tensor;

use super::window::{Placed, Window, pad_images, spatial};
use crate::fault::Fault;
use crate::ops::{Kernel, Node, extent};

/// A window with its extents.
struct Pool {
    kernel: Vec<i64>,
    window: Window,
    ceil: bool,
}

impl Pool {
    fn of(node: &Node<'_>) -> Result<Self, Fault> {
        let kernel = node.ints("kernel_shape").unwrap_or_default();
        if !(1..=3).contains(&kernel.len()) || kernel.iter().any(|&extent| extent < 1) {
            return Err(Fault::model(format!(
                "its kernel_shape is {kernel:?}; one to three axes can be pooled"
            )));
        }
        Ok(Self { kernel, window: Window::of(node)?, ceil: node.flag("ceil_mode", false) })
    }

    /// The images, padded as far as libtorch does not pad itself, and the settings for what is left.
    fn place(&self, x: &Tensor, value: f64) -> Result<(Tensor, Placed), Fault> {
        let mut placed = self.window.on(&self.kernel, &spatial(x))?;
        // libtorch pads both sides alike, and by no more than half a window.
        if placed.is_even() && placed.before.iter().zip(&self.kernel).all(|(pad, kernel)| *pad <= kernel / 2)
        {
            return Ok((x.shallow_clone(), placed));
        }
        let padded = pad_images(x, &placed.before, &placed.after, value)?;
        placed.before.fill(0);
        placed.after.fill(0);
        Ok((padded, placed))
    }
}

pub(crate) fn max(node: &Node<'_>) -> Result<Kernel, Fault> {
    let pool = Pool::of(node)?;
    if node.results() > 1 {
        return with_places(node, pool);
    }
    Ok(Kernel::one(move |o| {
        let (x, Placed { before, strides, dilations, .. }) = pool.place(o.get(0)?, f64::NEG_INFINITY)?;
        let (kernel, strides, pads, dilations) =
            (&pool.kernel[..], &strides[..], &before[..], &dilations[..]);
        Ok(match kernel.len() {
            1 => x.f_max_pool1d(kernel, strides, pads, dilations, pool.ceil)?,
            2 => x.f_max_pool2d(kernel, strides, pads, dilations, pool.ceil)?,
            _ => x.f_max_pool3d(kernel, strides, pads, dilations, pool.ceil)?,
        })
    }))
}

/// The places are counted through the whole tensor; libtorch counts them in each plane.
fn with_places(node: &Node<'_>, pool: Pool) -> Result<Kernel, Fault> {
    node.only("storage_order", 0)?;
    node.at_most(2)?;
    if pool.kernel.len() != 2 {
        return Err(Fault::unsupported("the places of maxima can be had over two axes only"));
    }
    Ok(Kernel::many(move |o| {
        let x = o.get(0)?;
        let placed = pool.window.on(&pool.kernel, &spatial(x))?;
        if !placed.is_even() {
            return Err(Fault::unsupported("the places of maxima cannot be had with uneven padding"));
        }
        let Placed { before, strides, dilations, .. } = placed;
        let (best, at) = x.f_max_pool2d_with_indices(
            &pool.kernel[..],
            &strides[..],
            &before[..],
            &dilations[..],
            pool.ceil,
        )?;
        let planes = extent(x, 0) * extent(x, 1);
        let first = Tensor::f_arange_start_step(0_i64, planes, 1_i64, (at.kind(), at.device()))?;
        let first =
            first.f_mul_scalar(extent(x, 2) * extent(x, 3))?.f_reshape([extent(x, 0), extent(x, 1), 1, 1])?;
        Ok(vec![best, at.f_add(&first)?])
    }))
}

pub(crate) fn average(node: &Node<'_>) -> Result<Kernel, Fault> {
    let pool = Pool::of(node)?;
    let count_pad = node.flag("count_include_pad", false);
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let stated = pool.window.on(&pool.kernel, &spatial(x))?;
        if stated.dilations.iter().any(|&dilation| dilation != 1) {
            return Err(Fault::unsupported("its window has gaps; only a maximum can be had of such a one"));
        }
        let (image, placed) = pool.place(x, 0.0)?;
        let padded_here = placed.before != stated.before || placed.after != stated.after;
        if !padded_here || count_pad {
            return mean(&pool, &image, &placed, count_pad);
        }
        // Only what is not padding counts: the share of the image in every window.
        let ones =
            Tensor::f_ones([1, 1].into_iter().chain(spatial(x)).collect::<Vec<_>>(), (x.kind(), x.device()))?;
        let ones = pad_images(&ones, &stated.before, &stated.after, 0.0)?;
        let sums = mean(&pool, &image, &placed, true)?;
        Ok(sums.f_div(&mean(&pool, &ones, &placed, true)?)?)
    }))
}

fn mean(pool: &Pool, x: &Tensor, placed: &Placed, count_pad: bool) -> Result<Tensor, Fault> {
    let (kernel, strides, pads) = (&pool.kernel[..], &placed.strides[..], &placed.before[..]);
    Ok(match kernel.len() {
        1 => x.f_avg_pool1d(kernel, strides, pads, pool.ceil, count_pad)?,
        2 => x.f_avg_pool2d(kernel, strides, pads, pool.ceil, count_pad, None::<i64>)?,
        _ => x.f_avg_pool3d(kernel, strides, pads, pool.ceil, count_pad, None::<i64>)?,
    })
}

pub(crate) fn global_average(_: &Node<'_>) -> Result<Kernel, Fault> {
    Ok(Kernel::one(|o| {
        let x = o.get(0)?;
        match x.dim() {
            4 => Ok(x.f_adaptive_avg_pool2d([1, 1])?),
            rank => Ok(x.f_mean_dim((2..rank as i64).collect::<Vec<_>>(), true, None)?),
        }
    }))
}

pub(crate) fn global_max(_: &Node<'_>) -> Result<Kernel, Fault> {
    Ok(Kernel::one(|o| {
        let x = o.get(0)?;
        Ok(x.f_amax((2..x.dim() as i64).collect::<Vec<_>>(), true)?)
    }))
}
