//! Normalisation.

use tch::Tensor;

use super::arith::floating;
use crate::fault::Fault;
use crate::ops::{Kernel, Node, Operands, Prepare, axis, extent};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "BatchNormalization" => batch_norm,
        "LayerNormalization" => layer_norm,
        "RMSNormalization" => rms_norm,
        "InstanceNormalization" => instance_norm,
        "GroupNormalization" => group_norm,
        "LRN" => local_response,
        "LpNormalization" => lp_norm,
        "MeanVarianceNormalization" => mean_variance,
        _ => return None,
    })
}

fn batch_norm(node: &Node<'_>) -> Result<Kernel, Fault> {
    node.only("training_mode", 0)?;
    node.at_most(1)?;
    let eps = node.float("epsilon", 1e-5);
    Ok(Kernel::one(move |o| {
        let constants = [Some(o.get(1)?), Some(o.get(2)?), Some(o.get(3)?), Some(o.get(4)?)];
        let [weight, bias, mean, variance] = constants;
        Ok(o.get(0)?.f_batch_norm(weight, bias, mean, variance, false, 0.0, eps, true)?)
    }))
}

/// Over all axes from one on.
fn trailing(x: &Tensor, first: i64) -> Result<Vec<i64>, Fault> {
    let first = usize::try_from(axis(first, x.dim())?).unwrap_or(0);
    Ok(x.size().split_off(first))
}

fn layer_norm(node: &Node<'_>) -> Result<Kernel, Fault> {
    node.at_most(1)?;
    let (first, eps) = (node.int("axis", -1), node.float("epsilon", 1e-5));
    Ok(Kernel::one(move |o| {
        let (x, weight) = (o.get(0)?, o.get(1)?);
        let extents = trailing(x, first)?;
        if weight.size() == extents {
            return Ok(x.f_layer_norm(&extents[..], Some(weight), o.optional(2), eps, true)?);
        }
        scaled(x.f_layer_norm(&extents[..], None::<&Tensor>, None, eps, true)?, o)
    }))
}

fn rms_norm(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (first, eps) = (node.int("axis", -1), node.float("epsilon", 1e-5));
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        scaled(x.f_rms_norm(trailing(x, first)?, None::<&Tensor>, eps)?, o)
    }))
}

/// Times the second operand, plus the third if there is one, both broadcast.
fn scaled(normal: Tensor, operands: &Operands<'_>) -> Result<Tensor, Fault> {
    let product = normal.f_mul(operands.get(1)?)?;
    match operands.optional(2) {
        Some(bias) => Ok(product.f_add(bias)?),
        None => Ok(product),
    }
}

fn instance_norm(node: &Node<'_>) -> Result<Kernel, Fault> {
    let eps = node.float("epsilon", 1e-5);
    Ok(Kernel::one(move |o| {
        let (weight, bias) = (Some(o.get(1)?), Some(o.get(2)?));
        Ok(o.get(0)?.f_instance_norm(weight, bias, None, None, true, 0.0, eps, true)?)
    }))
}

/// Scale and bias are one a group before operator set 21, and one a channel from then on.
fn group_norm(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (groups, eps) = (node.int("num_groups", 0), node.float("epsilon", 1e-5));
    if groups < 1 {
        return Err(Fault::model(format!("there are no {groups} groups")));
    }
    let by_group = node.opset() < 21;
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let members = extent(x, 1) / groups;
        let wide = |constant: &Tensor| match by_group {
            true => constant.f_repeat_interleave_self_int(members, 0, None::<i64>),
            false => Ok(constant.shallow_clone()),
        };
        Ok(x.f_group_norm(groups, Some(wide(o.get(1)?)?), Some(wide(o.get(2)?)?), eps, true)?)
    }))
}

/// Each channel by the squares of `size` channels around it (Krizhevsky et al., 2012).
fn local_response(node: &Node<'_>) -> Result<Kernel, Fault> {
    let size = node.int("size", 0);
    let (alpha, beta, bias) = (node.float("alpha", 1e-4), node.float("beta", 0.75), node.float("bias", 1.0));
    if size < 1 {
        return Err(Fault::model(format!("there are no {size} channels to sum over")));
    }
    let (before, after) = ((size - 1) / 2, size / 2);
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let [n, c] = [extent(x, 0), extent(x, 1)];
        let squares =
            x.f_square()?.f_reshape([n, 1, c, -1])?.f_pad([0, 0, before, after], "constant", 0.0)?;
        let means =
            squares.f_avg_pool2d([size, 1], [1, 1], [0, 0], false, true, None::<i64>)?.f_reshape(x.size())?;
        Ok(x.f_div(&means.f_mul_scalar(alpha)?.f_add_scalar(bias)?.f_pow_tensor_scalar(beta)?)?)
    }))
}

fn lp_norm(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (over, p) = (node.int("axis", -1), node.int("p", 2));
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        // What is all zeros stays so.
        let norm = x.f_norm_scalaropt_dim(p, [axis(over, x.dim())?], true)?;
        Ok(x.f_div(&norm.f_clamp_min(f64::from(f32::MIN_POSITIVE))?)?)
    }))
}

/// The standard's own definition adds 1e-9 to the deviation.
fn mean_variance(node: &Node<'_>) -> Result<Kernel, Fault> {
    let axes = node.ints("axes").unwrap_or_else(|| vec![0, 2, 3]);
    Ok(Kernel::one(move |o| {
        let x = floating(o.get(0)?)?;
        let centred = x.f_sub(&x.f_mean_dim(&axes[..], true, None)?)?;
        let deviation = centred.f_square()?.f_mean_dim(&axes[..], true, None)?.f_sqrt()?;
        Ok(centred.f_div(&deviation.f_add_scalar(1e-9)?)?)
    }))
}
