//! Comparisons, truth values and bits.

use tch::{Kind, Tensor};

use crate::fault::Fault;
use crate::ops::{Kernel, Node, Prepare};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Equal" => |_| two(Tensor::f_eq_tensor),
        "Greater" => |_| two(Tensor::f_gt_tensor),
        "GreaterOrEqual" => |_| two(Tensor::f_ge_tensor),
        "Less" => |_| two(Tensor::f_lt_tensor),
        "LessOrEqual" => |_| two(Tensor::f_le_tensor),
        "And" => |_| two(Tensor::f_logical_and),
        "Or" => |_| two(Tensor::f_logical_or),
        "Xor" => |_| two(Tensor::f_logical_xor),
        "Not" => |_| one(Tensor::f_logical_not),
        "BitwiseAnd" => |_| two(Tensor::f_bitwise_and_tensor),
        "BitwiseOr" => |_| two(Tensor::f_bitwise_or_tensor),
        "BitwiseXor" => |_| two(Tensor::f_bitwise_xor_tensor),
        "BitwiseNot" => |_| one(Tensor::f_bitwise_not),
        "BitShift" => bit_shift,
        "IsNaN" => |_| one(Tensor::f_isnan),
        "IsInf" => is_inf,
        "Where" => |_| Ok(Kernel::one(|o| Ok(o.get(1)?.f_where_self(o.get(0)?, o.get(2)?)?))),
        _ => return None,
    })
}

fn one(apply: fn(&Tensor) -> Result<Tensor, tch::TchError>) -> Result<Kernel, Fault> {
    Ok(Kernel::one(move |o| Ok(apply(o.get(0)?)?)))
}

fn two(apply: fn(&Tensor, &Tensor) -> Result<Tensor, tch::TchError>) -> Result<Kernel, Fault> {
    Ok(Kernel::one(move |o| Ok(apply(o.get(0)?, o.get(1)?)?)))
}

fn bit_shift(node: &Node<'_>) -> Result<Kernel, Fault> {
    match node.string("direction", "") {
        "LEFT" => two(Tensor::f_bitwise_left_shift),
        "RIGHT" => two(Tensor::f_bitwise_right_shift),
        other => Err(Fault::model(format!("there is no direction \"{other}\""))),
    }
}

fn is_inf(node: &Node<'_>) -> Result<Kernel, Fault> {
    match (node.flag("detect_negative", true), node.flag("detect_positive", true)) {
        (true, true) => one(Tensor::f_isinf),
        (true, false) => one(Tensor::f_isneginf),
        (false, true) => one(Tensor::f_isposinf),
        (false, false) => one(|x| x.f_zeros_like()?.f_to_kind(Kind::Bool)),
    }
}
