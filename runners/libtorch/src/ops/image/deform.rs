//! Deformable convolution (Dai et al., 2017; with a mask, Zhu et al., 2018): every element of the window is read where an
//! offset says, between pixels. The pixels are sampled into columns, and those multiplied by the weights.

use tch::{Kind, Tensor};

use super::window::{Placed, Window, spatial};
use crate::fault::Fault;
use crate::ops::{Kernel, Node, bounded, extent};

/// Linear between pixels, and 0 outside.
const LINEAR: i64 = 0;
const ZEROS: i64 = 0;

/// Operands: images, weights, offsets, bias, mask.
pub(crate) fn prepare(node: &Node<'_>) -> Result<Kernel, Fault> {
    let window = Window::of(node)?;
    let (groups, fields) = (node.int("group", 1), node.int("offset_group", 1));
    if groups < 1 || fields < 1 {
        return Err(Fault::model("it has no groups"));
    }
    Ok(Kernel::one(move |o| {
        let (x, weight, offsets) = (o.get(0)?, o.get(1)?, o.get(2)?);
        let placed = window.on(&spatial(weight), &spatial(x))?;
        if x.dim() != 4 || offsets.dim() != 4 {
            return Err(Fault::unsupported("it can be run over two axes only"));
        }
        let columns =
            columns(x, offsets, o.optional(4), &[extent(weight, 2), extent(weight, 3)], &placed, fields)?;
        let image = product(&columns, weight, groups)?.f_reshape([
            extent(x, 0),
            -1,
            extent(offsets, 2),
            extent(offsets, 3),
        ])?;
        match o.optional(3) {
            Some(bias) => Ok(image.f_add(&bias.f_reshape([1, -1, 1, 1])?)?),
            None => Ok(image),
        }
    }))
}

/// `[N, C, window, pixels]`: what each element of the window reads.
fn columns(
    x: &Tensor,
    offsets: &Tensor,
    mask: Option<&Tensor>,
    kernel: &[i64; 2],
    placed: &Placed,
    fields: i64,
) -> Result<Tensor, Fault> {
    let [n, c, h, w] = [0, 1, 2, 3].map(|axis| extent(x, axis));
    let [rows, columns] = [extent(offsets, 2), extent(offsets, 3)];
    let points = kernel[0].saturating_mul(kernel[1]);
    bounded(&[n, c, points, rows, columns])?;
    let offsets = offsets.f_reshape([n, fields, points, 2, rows, columns])?;
    let y = offsets.f_select(3, 0)?.f_add(&places(kernel, placed, 0, rows, &offsets)?)?;
    let x_places = offsets.f_select(3, 1)?.f_add(&places(kernel, placed, 1, columns, &offsets)?)?;
    // Pixel 0 lies at -1 + 1/extent and the last one at 1 - 1/extent.
    let normal = |place: &Tensor, extent: i64| {
        place.f_mul_scalar(2_i64)?.f_add_scalar(1_i64)?.f_div_scalar(extent as f64)?.f_sub_scalar(1_i64)
    };
    let grid = Tensor::f_stack(&[normal(&x_places, w)?, normal(&y, h)?], -1)?;
    let grid = grid.f_reshape([n * fields, points * rows, columns, 2])?;
    let sampled = x.f_reshape([n * fields, -1, h, w])?.f_grid_sampler(&grid, LINEAR, ZEROS, false)?;
    let mut sampled = sampled.f_reshape([n, fields, -1, points, rows, columns])?;
    if let Some(mask) = mask {
        sampled = sampled.f_mul_(&mask.f_reshape([n, fields, 1, points, rows, columns])?)?;
    }
    Ok(sampled.f_reshape([n, c, points, rows * columns])?)
}

/// Where the window's elements lie along one axis without offsets, for `steps` steps: `[points, rows, 1]` or
/// `[points, 1, columns]`.
fn places(
    kernel: &[i64; 2],
    placed: &Placed,
    along: usize,
    steps: i64,
    like: &Tensor,
) -> Result<Tensor, Fault> {
    let setting = |list: &[i64]| list.get(along).copied().unwrap_or(1);
    let (stride, before, dilation) =
        (setting(&placed.strides), setting(&placed.before), setting(&placed.dilations));
    let options = (Kind::Float, like.device());
    let number = |count: i64| Tensor::f_arange_start_step(0_i64, count, 1_i64, options);
    let firsts = number(steps)?.f_mul_scalar(stride)?.f_sub_scalar(before)?;
    let [kernel_rows, kernel_columns] = *kernel;
    let within = number(if along == 0 { kernel_rows } else { kernel_columns })?.f_mul_scalar(dilation)?;
    let shape =
        |rows: i64, columns: i64| if along == 0 { [-1, 1, rows, columns] } else { [1, -1, rows, columns] };
    let (rows, columns) = if along == 0 { (-1, 1) } else { (1, -1) };
    let firsts = firsts.f_reshape([1, 1, rows, columns])?;
    let within = within.f_reshape(shape(1, 1))?.f_expand([kernel_rows, kernel_columns, 1, 1], false)?;
    let both = within.f_add(&firsts)?;
    Ok(both.f_flatten(0, 1)?.f_to_kind(like.kind())?)
}

/// `[N, M, pixels]`.
fn product(columns: &Tensor, weight: &Tensor, groups: i64) -> Result<Tensor, Fault> {
    let [n, pixels] = [extent(columns, 0), extent(columns, 3)];
    let columns = columns.f_reshape([n, groups, -1, pixels])?;
    let members = extent(weight, 0) / groups;
    Ok(weight.f_reshape([1, groups, members, -1])?.f_matmul(&columns)?)
}
