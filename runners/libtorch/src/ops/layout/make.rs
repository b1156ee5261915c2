//! Tensors made of nothing but numbers.

use std::path::Path;

use tch::{Device, Kind, Tensor};

use crate::convert::{is_whole, kind_of_onnx};
use crate::fault::Fault;
use crate::model::tensor;
use crate::ops::operands::{List, numbers};
use crate::ops::{Kernel, Node, Operands, Prepare, bounded, extent};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Constant" => constant,
        "ConstantOfShape" => constant_of_shape,
        "Range" => |node| {
            let device = node.device();
            Ok(Kernel::one(move |o| range(o, device)))
        },
        "EyeLike" => eye_like,
        "Trilu" => trilu,
        _ => return None,
    })
}

fn constant(node: &Node<'_>) -> Result<Kernel, Fault> {
    let value = value(node)?.f_to(node.device())?;
    Ok(Kernel::view(move |_| Ok(value.shallow_clone())))
}

fn value(node: &Node<'_>) -> Result<Tensor, Fault> {
    if let Some(proto) = node.tensor("value") {
        // A constant's data always stands in the node.
        return tensor(proto, Path::new(""));
    }
    let scalar = |tensor: Tensor| Ok(tensor.f_reshape([] as [i64; 0])?);
    if let Some(number) = node.attribute("value_float").and_then(|a| a.f) {
        return scalar(Tensor::f_from_slice(&[number])?);
    }
    if let Some(number) = node.attribute("value_int").and_then(|a| a.i) {
        return scalar(Tensor::f_from_slice(&[number])?);
    }
    if let Some(list) = node.attribute("value_floats") {
        return Ok(Tensor::f_from_slice(&list.floats)?);
    }
    if let Some(list) = node.attribute("value_ints") {
        return Ok(Tensor::f_from_slice(&list.ints)?);
    }
    Err(Fault::unsupported("it holds no tensor and no number"))
}

fn constant_of_shape(node: &Node<'_>) -> Result<Kernel, Fault> {
    let shape = node.list(0)?.ok_or_else(|| Fault::model("it has no shape"))?;
    let element = match node.tensor("value") {
        Some(proto) => tensor(proto, Path::new(""))?,
        None => Tensor::f_zeros([1], (Kind::Float, Device::Cpu))?,
    };
    let element = element.f_reshape([] as [i64; 0])?.f_to(node.device())?;
    // One element, seen from every place.
    Ok(Kernel::spread(move |o| {
        let shape = shape.read(o)?;
        Ok(element.f_expand(bounded(&shape)?, false)?)
    }))
}

/// From a number up to another, by a step.
fn range(o: &Operands<'_>, device: Device) -> Result<Tensor, Fault> {
    let kind = o.get(0)?.kind();
    let number = |index: usize| -> Result<f64, Fault> {
        numbers(o.get(index)?)?.first().copied().ok_or_else(|| Fault::model("a bound is empty"))
    };
    let (start, end, step) = (number(0)?, number(1)?, number(2)?);
    let count = ((end - start) / step).ceil().max(0.0);
    if !count.is_finite() {
        return Err(Fault::model(format!("no step of {step} leads from {start} to {end}")));
    }
    bounded(&[count as i64])?;
    // A range of extents is read on the processor.
    let device = if is_whole(kind) { Device::Cpu } else { device };
    let counted = Tensor::f_arange_start_step(0_i64, count as i64, 1_i64, (Kind::Double, device))?;
    Ok(counted.f_mul_scalar(step)?.f_add_scalar(start)?.f_to_kind(kind)?)
}

fn eye_like(node: &Node<'_>) -> Result<Kernel, Fault> {
    let shift = node.int("k", 0);
    let stated = match i32::try_from(node.int("dtype", 0)) {
        Ok(0) | Err(_) => None,
        Ok(number) => Some(kind_of_onnx(number)?),
    };
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let places =
            |axis: i64| Tensor::f_arange_start_step(0_i64, extent(x, axis), 1_i64, (Kind::Int64, x.device()));
        let rows = places(0)?.f_reshape([-1, 1])?.f_add_scalar(shift)?;
        Ok(rows.f_eq_tensor(&places(1)?)?.f_to_kind(stated.unwrap_or(x.kind()))?)
    }))
}

fn trilu(node: &Node<'_>) -> Result<Kernel, Fault> {
    let upper = node.flag("upper", true);
    let shift = node.list(1)?.unwrap_or(List::Known(vec![0]));
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let shift = shift.first(o)?;
        Ok(if upper { x.f_triu(shift)? } else { x.f_tril(shift)? })
    }))
}
