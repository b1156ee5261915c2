//! Elements chosen by index.

use tch::{Kind, Tensor};

use crate::fault::Fault;
use crate::ops::{Kernel, Node, Prepare, axis, bounded, extent};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Gather" => gather,
        "GatherElements" => gather_elements,
        "GatherND" => gather_nd,
        "OneHot" => one_hot,
        "Compress" => compress,
        _ => return None,
    })
}

/// Indices counted from the front.
pub(crate) fn from_front(index: &Tensor, length: i64) -> Result<Tensor, Fault> {
    let index = index.f_to_kind(Kind::Int64)?;
    Ok(index.f_add_scalar(length)?.f_where_self(&index.f_lt(0_i64)?, &index)?)
}

fn gather(node: &Node<'_>) -> Result<Kernel, Fault> {
    let at = node.int("axis", 0);
    Ok(Kernel::view(move |o| {
        let (x, index) = (o.get(0)?, o.get(1)?);
        let at = axis(at, x.dim())?;
        let chosen = from_front(&index.f_reshape([-1])?, extent(x, at))?;
        let sizes = x.size();
        let (before, after) = sizes.split_at(usize::try_from(at).unwrap_or(0));
        let shape: Vec<i64> =
            before.iter().copied().chain(index.size()).chain(after.iter().skip(1).copied()).collect();
        bounded(&shape)?;
        Ok(x.f_index_select(at, &chosen)?.f_reshape(shape)?)
    }))
}

fn gather_elements(node: &Node<'_>) -> Result<Kernel, Fault> {
    let at = node.int("axis", 0);
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let at = axis(at, x.dim())?;
        Ok(x.f_gather(at, &from_front(o.get(1)?, extent(x, at))?, false)?)
    }))
}

/// The last axis of the indices counts through the leading axes of the elements, after those that both share.
fn gather_nd(node: &Node<'_>) -> Result<Kernel, Fault> {
    let shared = node.int("batch_dims", 0);
    Ok(Kernel::one(move |o| {
        let (x, index) = (o.get(0)?, o.get(1)?.f_to_kind(Kind::Int64)?);
        let rank = index.dim() as i64;
        if !(0..rank).contains(&shared) {
            return Err(Fault::model(format!("{shared} axes cannot be shared")));
        }
        let mut indices = (0..shared).map(|at| counting(&index, at)).collect::<Result<Vec<_>, _>>()?;
        indices.extend(index.f_unbind(-1)?);
        let indices: Vec<Option<Tensor>> = indices.into_iter().map(Some).collect();
        Ok(x.f_index(&indices)?)
    }))
}

/// The place on one axis of the indices, shaped so that it meets all others but the last.
pub(crate) fn counting(index: &Tensor, at: i64) -> Result<Tensor, Fault> {
    let shape: Vec<i64> = (0..index.dim() as i64 - 1).map(|axis| if axis == at { -1 } else { 1 }).collect();
    let places = Tensor::f_arange_start_step(0_i64, extent(index, at), 1_i64, (Kind::Int64, index.device()))?;
    Ok(places.f_reshape(shape)?)
}

/// Operands: indices, number of places, and the values of places without and with the index.
fn one_hot(node: &Node<'_>) -> Result<Kernel, Fault> {
    let at = node.int("axis", -1);
    let depth = node.list(1)?.ok_or_else(|| Fault::model("it has no depth"))?;
    Ok(Kernel::one(move |o| {
        let (index, values) = (o.get(0)?, o.get(2)?);
        let (at, depth) = (axis(at, index.dim() + 1)?, depth.first(o)?);
        bounded(&[depth])?;
        let index = from_front(index, depth)?.f_unsqueeze(at)?;
        let shape: Vec<i64> = (0..index.dim() as i64).map(|axis| if axis == at { -1 } else { 1 }).collect();
        let places = Tensor::f_arange_start_step(0_i64, depth, 1_i64, (Kind::Int64, index.device()))?;
        let here = index.f_eq_tensor(&places.f_reshape(shape)?)?;
        Ok(values.f_get(1)?.f_where_self(&here, &values.f_get(0)?)?)
    }))
}

fn compress(node: &Node<'_>) -> Result<Kernel, Fault> {
    let over = node.attribute("axis").and_then(|axis| axis.i);
    Ok(Kernel::one(move |o| {
        let (x, kept) = (o.get(0)?, o.get(1)?.f_nonzero()?.f_reshape([-1])?);
        match over {
            Some(at) => Ok(x.f_index_select(axis(at, x.dim())?, &kept)?),
            None => Ok(x.f_reshape([-1])?.f_index_select(0, &kept)?),
        }
    }))
}
