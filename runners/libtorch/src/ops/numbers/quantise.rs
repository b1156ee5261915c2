//! Whole numbers that stand for others. What lies between is computed with floats, exactly as the standard defines it,
//! and not with kernels for bytes; weights become floats once, when the model is loaded.

use tch::{Kind, Tensor};

use crate::fault::Fault;
use crate::ops::image::convolve;
use crate::ops::{Kernel, Node, Operands, Prepare, axis};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "QuantizeLinear" => quantise,
        "DequantizeLinear" => dequantise,
        "DynamicQuantizeLinear" => |_| Ok(Kernel::many(dynamic)),
        "QLinearConv" => quantised_conv,
        "QLinearMatMul" => |_| Ok(Kernel::one(quantised_matmul)),
        "MatMulInteger" => |_| Ok(Kernel::one(whole_matmul)),
        "ConvInteger" => whole_conv,
        _ => return None,
    })
}

/// Smallest and largest number of a type.
fn range(kind: Kind) -> Result<(f64, f64), Fault> {
    match kind {
        Kind::Uint8 => Ok((0.0, 255.0)),
        Kind::Int8 => Ok((-128.0, 127.0)),
        Kind::Int16 => Ok((-32768.0, 32767.0)),
        other => Err(Fault::unsupported(format!("numbers cannot be kept as {other:?}"))),
    }
}

/// A scale or zero point, shaped so that it meets its axis of `x`.
fn along(constant: &Tensor, x: &Tensor, over: i64) -> Result<Tensor, Fault> {
    if constant.dim() == 0 || constant.numel() == 1 {
        return Ok(constant.f_reshape([] as [i64; 0])?);
    }
    let over = usize::try_from(axis(over, x.dim())?).unwrap_or(0);
    let shape: Vec<i64> = (0..x.dim()).map(|at| if at == over { -1 } else { 1 }).collect();
    Ok(constant.f_reshape(shape)?)
}

/// `round(x / scale) + zero`, within what the type holds.
fn to_whole(x: &Tensor, scale: &Tensor, zero: Option<&Tensor>, kind: Kind) -> Result<Tensor, Fault> {
    let (low, high) = range(kind)?;
    let mut rounded = x.f_div(scale)?.f_round_()?;
    if let Some(zero) = zero {
        rounded = rounded.f_add_(&zero.f_to_kind(rounded.kind())?)?;
    }
    Ok(rounded.f_clamp_(low, high)?.f_to_kind(kind)?)
}

/// `(x - zero) * scale`.
fn to_float(x: &Tensor, scale: &Tensor, zero: Option<&Tensor>) -> Result<Tensor, Fault> {
    let mut centred = x.f_to_kind(scale.kind())?;
    if let Some(zero) = zero {
        centred = centred.f_sub(&zero.f_to_kind(scale.kind())?)?;
    }
    Ok(centred.f_mul(scale)?)
}

fn no_blocks(node: &Node<'_>) -> Result<i64, Fault> {
    node.only("block_size", 0)?;
    Ok(node.int("axis", 1))
}

fn quantise(node: &Node<'_>) -> Result<Kernel, Fault> {
    let over = no_blocks(node)?;
    let stated = match i32::try_from(node.int("output_dtype", 0)) {
        Ok(0) | Err(_) => None,
        Ok(number) => Some(crate::convert::kind_of_onnx(number)?),
    };
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let zero = o.optional(2).map(|zero| along(zero, x, over)).transpose()?;
        let kind = zero.as_ref().map(Tensor::kind).or(stated).unwrap_or(Kind::Uint8);
        to_whole(x, &along(o.get(1)?, x, over)?, zero.as_ref(), kind)
    }))
}

fn dequantise(node: &Node<'_>) -> Result<Kernel, Fault> {
    let over = no_blocks(node)?;
    Ok(Kernel::one(move |o| dequantised(o, [0, 1, 2], over)))
}

/// The operand `x` as floats, by the operands `scale` and `zero`.
fn dequantised(o: &Operands<'_>, [x, scale, zero]: [usize; 3], over: i64) -> Result<Tensor, Fault> {
    let x = o.get(x)?;
    let zero = o.optional(zero).map(|zero| along(zero, x, over)).transpose()?;
    to_float(x, &along(o.get(scale)?, x, over)?, zero.as_ref())
}

/// Scale and zero point from the range of what is there, which always contains 0.
fn dynamic(o: &Operands<'_>) -> Result<Vec<Tensor>, Fault> {
    let x = o.get(0)?;
    let (low, high) = (x.f_min()?.f_clamp_max(0.0)?, x.f_max()?.f_clamp_min(0.0)?);
    let scale = high.f_sub(&low)?.f_div_scalar(255.0)?;
    let zero = low.f_neg()?.f_div(&scale)?.f_nan_to_num(0.0, 0.0, 0.0)?.f_round()?.f_clamp(0.0, 255.0)?;
    let zero = zero.f_to_kind(Kind::Uint8)?;
    Ok(vec![to_whole(x, &scale, Some(&zero), Kind::Uint8)?, scale, zero])
}

/// What the last three operands of a quantised operator say of its result.
fn requantised(o: &Operands<'_>, result: &Tensor, [scale, zero]: [usize; 2]) -> Result<Tensor, Fault> {
    let zero = o.get(zero)?.f_reshape([] as [i64; 0])?;
    to_whole(result, &o.get(scale)?.f_reshape([] as [i64; 0])?, Some(&zero), zero.kind())
}

/// Operands: x, its scale and zero, weight, its scale and zero, the result's scale and zero, bias.
fn quantised_conv(node: &Node<'_>) -> Result<Kernel, Fault> {
    let conv = convolve(node)?;
    Ok(Kernel::one(move |o| {
        let (x, weight) = (dequantised(o, [0, 1, 2], 1)?, dequantised(o, [3, 4, 5], 0)?);
        let mut bias = None;
        if let Some(whole) = o.optional(8) {
            let unit = o.get(1)?.f_mul(o.get(4)?)?.f_reshape([-1])?;
            bias = Some(whole.f_to_kind(unit.kind())?.f_mul(&unit)?);
        }
        requantised(o, &conv.apply(&x, &weight, bias.as_ref())?, [6, 7])
    }))
}

fn quantised_matmul(o: &Operands<'_>) -> Result<Tensor, Fault> {
    let (a, b) = (dequantised(o, [0, 1, 2], -2)?, dequantised(o, [3, 4, 5], -1)?);
    requantised(o, &a.f_matmul(&b)?, [6, 7])
}

/// An operand less its zero point, in numbers that hold every product of bytes.
fn centred(o: &Operands<'_>, x: usize, zero: usize, over: i64) -> Result<Tensor, Fault> {
    let x = o.get(x)?;
    let whole = x.f_to_kind(Kind::Double)?;
    match o.optional(zero) {
        Some(zero) => Ok(whole.f_sub(&along(zero, x, over)?.f_to_kind(Kind::Double)?)?),
        None => Ok(whole),
    }
}

fn whole_matmul(o: &Operands<'_>) -> Result<Tensor, Fault> {
    Ok(centred(o, 0, 2, -2)?.f_matmul(&centred(o, 1, 3, -1)?)?.f_to_kind(Kind::Int)?)
}

fn whole_conv(node: &Node<'_>) -> Result<Kernel, Fault> {
    let conv = convolve(node)?;
    Ok(Kernel::one(move |o| {
        let (x, weight) = (centred(o, 0, 2, 1)?, centred(o, 1, 3, 0)?);
        Ok(conv.apply(&x, &weight, None)?.f_to_kind(Kind::Int)?)
    }))
}
