//! Sums, products and what else takes two operands or more of one type.

use tch::{Kind, Tensor};

use crate::convert::is_whole;
use crate::fault::Fault;
use crate::ops::{Kernel, Node, Operands, Prepare};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Add" => |_| Ok(commuting(Tensor::f_add, Tensor::f_add_)),
        "Mul" => |_| Ok(commuting(Tensor::f_mul, Tensor::f_mul_)),
        "Sub" => |_| Ok(leading(Tensor::f_sub, Tensor::f_sub_)),
        "Div" => |_| Ok(leading(quotient, quotient_over)),
        "Pow" => |_| Ok(Kernel::one(|o| power(o.get(0)?, o.get(1)?))),
        "Mod" => modulo,
        "Min" => |_| Ok(Kernel::view(|o| fold(o, Tensor::f_minimum))),
        "Max" => |_| Ok(Kernel::view(|o| fold(o, Tensor::f_maximum))),
        "Sum" => |_| Ok(Kernel::view(|o| fold(o, Tensor::f_add))),
        "Mean" => |_| Ok(Kernel::one(mean)),
        _ => return None,
    })
}

type Two = fn(&Tensor, &Tensor) -> Result<Tensor, tch::TchError>;
type Over = fn(&mut Tensor, &Tensor) -> Result<Tensor, tch::TchError>;

/// Either operand may be overwritten.
fn commuting(compute: Two, over: Over) -> Kernel {
    two(compute, over, 2)
}

/// Only the first operand may be overwritten.
fn leading(compute: Two, over: Over) -> Kernel {
    two(compute, over, 1)
}

fn two(compute: Two, over: Over, candidates: usize) -> Kernel {
    Kernel::InPlace {
        compute: Box::new(move |o| Ok(compute(o.get(0)?, o.get(1)?)?)),
        overwrite: Box::new(move |mut target, index, o| {
            let other = o.get(1 - index.min(1))?;
            if fits(&target, other) {
                return Ok(over(&mut target, other)?);
            }
            Ok(if index == 0 { compute(&target, other)? } else { compute(other, &target)? })
        }),
        candidates,
    }
}

/// Whether the result of both has the shape and type of `target`.
fn fits(target: &Tensor, other: &Tensor) -> bool {
    let (own, given) = (target.size(), other.size());
    let trailing = own.iter().rev().zip(given.iter().rev());
    given.len() <= own.len()
        && target.kind() == other.kind()
        && trailing.into_iter().all(|(own, given)| own == given || *given == 1)
}

/// Whole numbers are divided towards zero.
fn quotient(a: &Tensor, b: &Tensor) -> Result<Tensor, tch::TchError> {
    if is_whole(a.kind()) { a.f_div_tensor_mode(b, "trunc") } else { a.f_div(b) }
}

fn quotient_over(a: &mut Tensor, b: &Tensor) -> Result<Tensor, tch::TchError> {
    if is_whole(a.kind()) { a.f_div_tensor_mode_(b, "trunc") } else { a.f_div_(b) }
}

/// The result is of the base's type, whatever the exponent's.
fn power(base: &Tensor, exponent: &Tensor) -> Result<Tensor, Fault> {
    Ok(base.f_pow(exponent)?.f_to_kind(base.kind())?)
}

/// The remainder has the sign of the divisor, or with `fmod` that of the dividend.
fn modulo(node: &Node<'_>) -> Result<Kernel, Fault> {
    let apply: Two =
        if node.flag("fmod", false) { Tensor::f_fmod_tensor } else { Tensor::f_remainder_tensor };
    Ok(Kernel::one(move |o| Ok(apply(o.get(0)?, o.get(1)?)?)))
}

fn fold(operands: &Operands<'_>, apply: Two) -> Result<Tensor, Fault> {
    let all = operands.all();
    let (first, rest) = all.split_first().ok_or_else(|| Fault::model("it has no operand"))?;
    Ok(rest.iter().try_fold(first.shallow_clone(), |sum, next| apply(&sum, next))?)
}

fn mean(operands: &Operands<'_>) -> Result<Tensor, Fault> {
    let count = operands.all().len() as f64;
    Ok(fold(operands, Tensor::f_add)?.f_div_scalar(count)?)
}

/// `tensor` in the type of its elements, or of floats where they are whole numbers.
pub(crate) fn floating(tensor: &Tensor) -> Result<Tensor, Fault> {
    let kind = if is_whole(tensor.kind()) { Kind::Float } else { tensor.kind() };
    Ok(tensor.f_to_kind(kind)?)
}
