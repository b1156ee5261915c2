//! Activation functions.

use tch::{Kind, Scalar, Tensor};

use crate::convert::is_whole;
use crate::fault::Fault;
use crate::ops::operands::numbers;
use crate::ops::{Kernel, Node, Operands, Prepare, axis, extent};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Relu" => |_| Ok(Kernel::in_place(Tensor::f_relu, Tensor::f_relu_)),
        "Sigmoid" => |_| Ok(Kernel::in_place(Tensor::f_sigmoid, Tensor::f_sigmoid_)),
        "Tanh" => |_| Ok(Kernel::in_place(Tensor::f_tanh, Tensor::f_tanh_)),
        "HardSwish" => |_| Ok(Kernel::in_place(Tensor::f_hardswish, Tensor::f_hardswish_)),
        "Silu" => |_| Ok(Kernel::in_place(Tensor::f_silu, Tensor::f_silu_)),
        "Mish" => |_| Ok(Kernel::in_place(Tensor::f_mish, Tensor::f_mish_)),
        "Softplus" => |_| Ok(Kernel::one(|o| Ok(o.get(0)?.f_softplus()?))),
        "Softsign" => |_| Ok(Kernel::one(softsign)),
        "HardSigmoid" => hard_sigmoid,
        "Gelu" => gelu,
        "Clip" => clip,
        "LeakyRelu" => leaky_relu,
        "PRelu" => prelu,
        "Elu" => elu,
        "Celu" => celu,
        "Selu" => selu,
        "ThresholdedRelu" => thresholded_relu,
        "Softmax" => softmax,
        "LogSoftmax" => log_softmax,
        "Hardmax" => hardmax,
        _ => return None,
    })
}

fn softsign(operands: &Operands<'_>) -> Result<Tensor, Fault> {
    let x = operands.get(0)?;
    Ok(x.f_div(&x.f_abs()?.f_add_scalar(1_i64)?)?)
}

/// libtorch has the slope of a sixth; other slopes are computed.
fn hard_sigmoid(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (slope, shift) = (node.float("alpha", 0.2), node.float("beta", 0.5));
    if (slope - 1.0 / 6.0).abs() < 1e-6 && (shift - 0.5).abs() < 1e-6 {
        return Ok(Kernel::in_place(Tensor::f_hardsigmoid, Tensor::f_hardsigmoid_));
    }
    let line = move |x: &Tensor| x.f_mul_scalar(slope)?.f_add_scalar(shift)?.f_clamp_(0.0, 1.0);
    Ok(Kernel::one(move |o| Ok(line(o.get(0)?)?)))
}

fn gelu(node: &Node<'_>) -> Result<Kernel, Fault> {
    let how = match node.string("approximate", "none") {
        "none" => "none",
        "tanh" => "tanh",
        other => return Err(Fault::model(format!("there is no approximation \"{other}\""))),
    };
    Ok(Kernel::in_place(move |x| x.f_gelu(how), move |x| x.f_gelu_(how)))
}

/// Bounds are settings before operator set 11, and operands from then on.
fn clip(node: &Node<'_>) -> Result<Kernel, Fault> {
    if node.opset() >= 11 && [1, 2].iter().any(|&index| node.has(index) && node.known(index).is_none()) {
        return Ok(Kernel::one(|o| Ok(o.get(0)?.f_clamp_tensor(o.optional(1), o.optional(2))?)));
    }
    let bound = |name: &str, index: usize| match node.opset() {
        ..11 => Ok(node.attribute(name).map(|_| node.float(name, 0.0))),
        _ => node.number(index, name),
    };
    Ok(match (bound("min", 1)?, bound("max", 2)?) {
        (Some(low), Some(high)) => Kernel::in_place(
            move |x| x.f_clamp(scalar(x, low), scalar(x, high)),
            move |x| x.f_clamp_(scalar(x, low), scalar(x, high)),
        ),
        (Some(low), None) => {
            Kernel::in_place(move |x| x.f_clamp_min(scalar(x, low)), move |x| x.f_clamp_min_(scalar(x, low)))
        }
        (None, Some(high)) => Kernel::in_place(
            move |x| x.f_clamp_max(scalar(x, high)),
            move |x| x.f_clamp_max_(scalar(x, high)),
        ),
        (None, None) => Kernel::view(|o| Ok(o.get(0)?.shallow_clone())),
    })
}

/// A number of the same sort as the elements, so that these keep their type.
fn scalar(like: &Tensor, value: f64) -> Scalar {
    if is_whole(like.kind()) { Scalar::from(value as i64) } else { Scalar::from(value) }
}

fn leaky_relu(node: &Node<'_>) -> Result<Kernel, Fault> {
    let slope = node.float("alpha", 0.01);
    Ok(Kernel::one(move |o| sloped(o.get(0)?, |x| x.f_mul_scalar(slope))))
}

/// One slope for all or one a channel is libtorch's own; any other shape is broadcast as ONNX does.
fn prelu(node: &Node<'_>) -> Result<Kernel, Fault> {
    let known = node.known(1).map(|slope| (slope.numel(), slope.size()));
    let by_channel = known.is_some_and(|(count, size)| {
        count == 1
            || (size.len() >= 3 && size.iter().rev().nth(2).is_some_and(|&c| usize::try_from(c) == Ok(count)))
    });
    if !by_channel {
        return Ok(Kernel::one(|o| sloped_by(o.get(0)?, o.get(1)?)));
    }
    Ok(Kernel::one(|o| {
        let (x, slope) = (o.get(0)?, o.get(1)?.f_reshape([-1])?);
        match slope.numel() {
            1 => Ok(x.f_prelu(&slope)?),
            channels if x.dim() == 4 && usize::try_from(extent(x, 1)) == Ok(channels) => {
                Ok(x.f_prelu(&slope)?)
            }
            _ => sloped_by(x, o.get(1)?),
        }
    }))
}

fn sloped_by(x: &Tensor, slope: &Tensor) -> Result<Tensor, Fault> {
    sloped(x, |x| x.f_mul(slope))
}

/// `x` where it is positive, and what `below` makes of it elsewhere.
fn sloped(x: &Tensor, below: impl Fn(&Tensor) -> Result<Tensor, tch::TchError>) -> Result<Tensor, Fault> {
    Ok(x.f_where_self(&x.f_gt(0_i64)?, &below(x)?)?)
}

fn elu(node: &Node<'_>) -> Result<Kernel, Fault> {
    let alpha = node.float("alpha", 1.0);
    Ok(Kernel::one(move |o| sloped(o.get(0)?, |x| x.f_expm1()?.f_mul_scalar(alpha))))
}

fn celu(node: &Node<'_>) -> Result<Kernel, Fault> {
    let alpha = node.float("alpha", 1.0);
    Ok(Kernel::one(move |o| sloped(o.get(0)?, |x| x.f_div_scalar(alpha)?.f_expm1()?.f_mul_scalar(alpha))))
}

fn selu(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (alpha, gamma) = (node.float("alpha", 1.673_263_2), node.float("gamma", 1.050_701));
    Ok(Kernel::one(
        move |o| Ok(sloped(o.get(0)?, |x| x.f_expm1()?.f_mul_scalar(alpha))?.f_mul_scalar(gamma)?),
    ))
}

fn thresholded_relu(node: &Node<'_>) -> Result<Kernel, Fault> {
    let alpha = node.float("alpha", 1.0);
    Ok(Kernel::one(move |o| Ok(o.get(0)?.f_threshold(alpha, 0.0)?)))
}

/// From operator set 13 on over one axis; before, over all axes from one on, as if they were one.
fn over_axis(node: &Node<'_>, apply: fn(&Tensor, i64) -> Result<Tensor, tch::TchError>) -> Kernel {
    let joined = node.opset() < 13;
    let wanted = node.int("axis", if joined { 1 } else { -1 });
    Kernel::one(move |o| {
        let x = o.get(0)?;
        if !joined {
            return Ok(apply(x, axis(wanted, x.dim())?)?);
        }
        let first = axis(wanted, x.dim())?;
        Ok(apply(&x.f_flatten(first, -1)?, first)?.f_reshape(x.size())?)
    })
}

fn softmax(node: &Node<'_>) -> Result<Kernel, Fault> {
    Ok(over_axis(node, |x, axis| x.f_softmax(axis, None::<Kind>)))
}

fn log_softmax(node: &Node<'_>) -> Result<Kernel, Fault> {
    Ok(over_axis(node, |x, axis| x.f_log_softmax(axis, None::<Kind>)))
}

/// One at the first largest element of an axis.
fn hardmax(node: &Node<'_>) -> Result<Kernel, Fault> {
    Ok(over_axis(node, |x, axis| {
        let at = x.f_argmax(axis, true)?;
        x.f_zeros_like()?.f_scatter_value(axis, &at, 1_i64)
    }))
}

/// The single number of a tensor.
pub(crate) fn single(tensor: &Tensor) -> Option<f64> {
    if tensor.numel() == 1 { numbers(tensor).ok()?.first().copied() } else { None }
}
