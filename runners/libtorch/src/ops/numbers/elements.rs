//! Functions of one number.

use tch::Tensor;

use crate::convert::kind_of_onnx;
use crate::fault::Fault;
use crate::ops::{Kernel, Node, Prepare};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Abs" => |_| one(Tensor::f_abs, Tensor::f_abs_),
        "Neg" => |_| one(Tensor::f_neg, Tensor::f_neg_),
        "Sign" => |_| one(Tensor::f_sign, Tensor::f_sign_),
        "Ceil" => |_| one(Tensor::f_ceil, Tensor::f_ceil_),
        "Floor" => |_| one(Tensor::f_floor, Tensor::f_floor_),
        // Both round halves to even.
        "Round" => |_| one(Tensor::f_round, Tensor::f_round_),
        "Reciprocal" => |_| one(Tensor::f_reciprocal, Tensor::f_reciprocal_),
        "Sqrt" => |_| one(Tensor::f_sqrt, Tensor::f_sqrt_),
        "Exp" => |_| one(Tensor::f_exp, Tensor::f_exp_),
        "Log" => |_| one(Tensor::f_log, Tensor::f_log_),
        "Erf" => |_| one(Tensor::f_erf, Tensor::f_erf_),
        "Sin" => |_| one(Tensor::f_sin, Tensor::f_sin_),
        "Cos" => |_| one(Tensor::f_cos, Tensor::f_cos_),
        "Tan" => |_| one(Tensor::f_tan, Tensor::f_tan_),
        "Asin" => |_| one(Tensor::f_asin, Tensor::f_asin_),
        "Acos" => |_| one(Tensor::f_acos, Tensor::f_acos_),
        "Atan" => |_| one(Tensor::f_atan, Tensor::f_atan_),
        "Sinh" => |_| one(Tensor::f_sinh, Tensor::f_sinh_),
        "Cosh" => |_| one(Tensor::f_cosh, Tensor::f_cosh_),
        "Asinh" => |_| one(Tensor::f_asinh, Tensor::f_asinh_),
        "Acosh" => |_| one(Tensor::f_acosh, Tensor::f_acosh_),
        "Atanh" => |_| one(Tensor::f_atanh, Tensor::f_atanh_),
        "Cast" => cast,
        "CastLike" => |_| Ok(Kernel::view(|o| Ok(o.get(0)?.f_to_kind(o.get(1)?.kind())?))),
        "Identity" => |_| Ok(Kernel::view(|o| Ok(o.get(0)?.shallow_clone()))),
        "Dropout" => dropout,
        _ => return None,
    })
}

fn one(
    compute: fn(&Tensor) -> Result<Tensor, tch::TchError>,
    over: fn(&mut Tensor) -> Result<Tensor, tch::TchError>,
) -> Result<Kernel, Fault> {
    Ok(Kernel::in_place(compute, over))
}

fn cast(node: &Node<'_>) -> Result<Kernel, Fault> {
    let kind = kind_of_onnx(i32::try_from(node.int("to", 0)).unwrap_or(0))?;
    Ok(Kernel::view(move |o| Ok(o.get(0)?.f_to_kind(kind)?)))
}

/// Drops nothing at inference; the mask of what was dropped is of no use then.
fn dropout(node: &Node<'_>) -> Result<Kernel, Fault> {
    node.at_most(1)?;
    if node.number(2, "training_mode")?.is_some_and(|training| training != 0.0) {
        return Err(Fault::unsupported("it drops elements, which only training does"));
    }
    Ok(Kernel::view(|o| Ok(o.get(0)?.shallow_clone())))
}
