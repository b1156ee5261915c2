//! Elements written by index.

use tch::{Kind, Tensor};

use super::gather::{counting, from_front};
use crate::fault::Fault;
use crate::ops::{Kernel, Node, Prepare, axis, extent};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        // The older name of the same operator.
        "ScatterElements" | "Scatter" => scatter_elements,
        "ScatterND" => scatter_nd,
        _ => return None,
    })
}

/// What becomes of an element that is written.
#[derive(Clone, Copy)]
enum Reduction {
    Replace,
    Add,
    /// libtorch's word for another.
    Other(&'static str),
}

fn reduction(node: &Node<'_>) -> Result<Reduction, Fault> {
    Ok(match node.string("reduction", "none") {
        "none" => Reduction::Replace,
        "add" => Reduction::Add,
        "mul" => Reduction::Other("prod"),
        "max" => Reduction::Other("amax"),
        "min" => Reduction::Other("amin"),
        other => return Err(Fault::model(format!("there is no reduction {other}"))),
    })
}

/// Writes rows of `new` to the rows of `x` that `places` names.
fn write(x: &Tensor, places: &Tensor, new: &Tensor, how: Reduction) -> Result<Tensor, Fault> {
    Ok(match how {
        Reduction::Replace => x.f_index_copy(0, places, new)?,
        Reduction::Add => x.f_index_add(0, places, new)?,
        Reduction::Other(how) => x.f_index_reduce(0, places, new, how, true)?,
    })
}

fn scatter_elements(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (at, how) = (node.int("axis", 0), reduction(node)?);
    Ok(Kernel::one(move |o| {
        let (x, new) = (o.get(0)?, o.get(2)?);
        let at = axis(at, x.dim())?;
        let index = from_front(o.get(1)?, extent(x, at))?;
        if matches!(how, Reduction::Replace) {
            return Ok(x.f_scatter(at, &index, new)?);
        }
        let places = elements(&index, at, x)?.f_reshape([-1])?;
        Ok(write(&x.f_reshape([-1])?, &places, &new.f_reshape([-1])?, how)?.f_reshape(x.size())?)
    }))
}

/// For every index the number of the element that it names, counted through the whole of `x`.
fn elements(index: &Tensor, at: i64, x: &Tensor) -> Result<Tensor, Fault> {
    let whole = index.f_unsqueeze(-1)?;
    let mut stride = 1;
    let mut places = index.f_zeros_like()?;
    for axis in (0..x.dim() as i64).rev() {
        let along = if axis == at { index.shallow_clone() } else { counting(&whole, axis)? };
        places = places.f_add(&along.f_mul_scalar(stride)?)?;
        stride *= extent(x, axis);
    }
    Ok(places)
}

/// The last axis of the indices counts through the leading axes of the elements; what it finds is a block of the rest.
fn scatter_nd(node: &Node<'_>) -> Result<Kernel, Fault> {
    let how = reduction(node)?;
    Ok(Kernel::one(move |o| {
        let (x, index, new) = (o.get(0)?, o.get(1)?, o.get(2)?);
        let depth = usize::try_from(extent(index, index.dim() as i64 - 1)).unwrap_or(0);
        let sizes = x.size();
        let Some((counted, block)) = sizes.split_at_checked(depth) else {
            return Err(Fault::model(format!("{depth} axes are counted of {}", sizes.len())));
        };
        let block = block.iter().product::<i64>();
        let places = blocks(&index.f_reshape([-1, depth as i64])?, counted)?;
        Ok(write(&x.f_reshape([-1, block])?, &places, &new.f_reshape([-1, block])?, how)?.f_reshape(sizes)?)
    }))
}

/// Rows of indices as the numbers of blocks.
fn blocks(rows: &Tensor, counted: &[i64]) -> Result<Tensor, Fault> {
    let mut place = Tensor::f_zeros([extent(rows, 0)], (Kind::Int64, rows.device()))?;
    for (&length, index) in counted.iter().zip(rows.f_unbind(-1)?) {
        place = place.f_mul_scalar(length)?.f_add(&from_front(&index, length)?)?;
    }
    Ok(place)
}
