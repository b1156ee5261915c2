//! What makes one number of many.

use tch::{Kind, Tensor};

use super::arith::floating;
use crate::fault::Fault;
use crate::ops::operands::List;
use crate::ops::{Kernel, Node, Prepare, axis};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "ReduceSum" => |node| over_axes(node, 13, sum),
        "ReduceMean" => |node| over_axes(node, 18, |x, axes, keep| Ok(x.f_mean_dim(axes, keep, None)?)),
        "ReduceMax" => |node| over_axes(node, 18, |x, axes, keep| Ok(x.f_amax(axes, keep)?)),
        "ReduceMin" => |node| over_axes(node, 18, |x, axes, keep| Ok(x.f_amin(axes, keep)?)),
        "ReduceProd" => |node| over_axes(node, 18, product),
        "ReduceL1" => |node| over_axes(node, 18, |x, axes, keep| sum(&x.f_abs()?, axes, keep)),
        "ReduceL2" => {
            |node| over_axes(node, 18, |x, axes, keep| Ok(sum(&x.f_square()?, axes, keep)?.f_sqrt()?))
        }
        "ReduceSumSquare" => |node| over_axes(node, 18, |x, axes, keep| sum(&x.f_square()?, axes, keep)),
        "ReduceLogSum" => |node| over_axes(node, 18, |x, axes, keep| Ok(sum(x, axes, keep)?.f_log()?)),
        "ReduceLogSumExp" => {
            |node| over_axes(node, 18, |x, axes, keep| Ok(floating(x)?.f_logsumexp(axes, keep)?))
        }
        "ArgMax" => |node| arg(node, Tensor::f_argmax),
        "ArgMin" => |node| arg(node, Tensor::f_argmin),
        "CumSum" => cumulative,
        _ => return None,
    })
}

type Reduce = fn(&Tensor, &[i64], bool) -> Result<Tensor, Fault>;

fn sum(x: &Tensor, axes: &[i64], keep: bool) -> Result<Tensor, Fault> {
    Ok(x.f_sum_dim_intlist(axes, keep, x.kind())?)
}

fn product(x: &Tensor, axes: &[i64], keep: bool) -> Result<Tensor, Fault> {
    let over_one = |x: Tensor, &axis: &i64| x.f_prod_dim_int(axis, true, x.kind());
    let product = axes.iter().try_fold(x.shallow_clone(), over_one)?;
    if keep {
        return Ok(product);
    }
    let mut falling = axes.to_vec();
    falling.sort_unstable_by(|a, b| b.cmp(a));
    Ok(falling.iter().try_fold(product, |x, &axis| x.f_squeeze_dim(axis))?)
}

/// Axes are a setting before operator set `since`, and an operand from then on. None means all, unless the node says
/// that it means nothing.
fn over_axes(node: &Node<'_>, since: i64, reduce: Reduce) -> Result<Kernel, Fault> {
    let keep = node.flag("keepdims", true);
    let axes = if node.opset() < since { node.list_or(1, "axes")? } else { node.list(1)? };
    let axes = axes.unwrap_or(List::Known(vec![]));
    let empty_is_none = node.flag("noop_with_empty_axes", false);
    Ok(Kernel::view(move |o| {
        let x = o.get(0)?;
        let named = axes.read(o)?.iter().map(|&a| axis(a, x.dim())).collect::<Result<Vec<_>, _>>()?;
        match named.as_slice() {
            [] if empty_is_none => Ok(x.shallow_clone()),
            [] => reduce(x, &(0..x.dim() as i64).collect::<Vec<_>>(), keep),
            axes => reduce(x, axes, keep),
        }
    }))
}

type Arg = fn(&Tensor, Option<i64>, bool) -> Result<Tensor, tch::TchError>;

/// Of several equal elements the first, or the last if asked for.
fn arg(node: &Node<'_>, find: Arg) -> Result<Kernel, Fault> {
    let (over, keep) = (node.int("axis", 0), node.flag("keepdims", true));
    let last = node.flag("select_last_index", false);
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let over = axis(over, x.dim())?;
        if !last {
            return Ok(find(x, Some(over), keep)?);
        }
        let from_end = find(&x.f_flip([over])?, Some(over), keep)?;
        Ok(from_end.f_neg()?.f_add_scalar(crate::ops::extent(x, over) - 1)?)
    }))
}

fn cumulative(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (exclusive, reverse) = (node.flag("exclusive", false), node.flag("reverse", false));
    let over = node.list(1)?.ok_or_else(|| Fault::model("it has no axis"))?;
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let over = axis(over.first(o)?, x.dim())?;
        let turned = if reverse { x.f_flip([over])? } else { x.shallow_clone() };
        let sums = turned.f_cumsum(over, None::<Kind>)?;
        let sums = if exclusive { sums.f_sub(&turned)? } else { sums };
        Ok(if reverse { sums.f_flip([over])? } else { sums }.f_to_kind(x.kind())?)
    }))
}
