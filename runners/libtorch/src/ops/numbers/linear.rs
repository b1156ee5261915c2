//! Products of matrices.

use tch::Tensor;

use crate::fault::Fault;
use crate::ops::{Kernel, Node, Prepare};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "MatMul" => matmul,
        "Gemm" => gemm,
        "Linear" => linear,
        "Einsum" => einsum,
        _ => return None,
    })
}

fn matmul(node: &Node<'_>) -> Result<Kernel, Fault> {
    match node.known(1) {
        Some(weight) if weight.dim() == 2 => linear(node),
        _ => Ok(Kernel::one(|o| Ok(o.get(0)?.f_matmul(o.get(1)?)?))),
    }
}

/// A product with a known matrix, and a sum with a known vector if there is one: what planning makes of `MatMul` and
/// `Add`. libtorch wants the matrix turned, which is done here once.
fn linear(node: &Node<'_>) -> Result<Kernel, Fault> {
    let weight = node.take(1).ok_or_else(|| Fault::model("its matrix is not known"))?;
    let weight = weight.f_transpose(0, 1)?.f_contiguous()?;
    let bias = node.take(2).map(Tensor::shallow_clone);
    Ok(Kernel::one(move |o| Ok(o.get(0)?.f_linear(&weight, bias.as_ref())?)))
}

/// `alpha A B + beta C`, either matrix turned if asked for.
fn gemm(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (alpha, beta) = (node.float("alpha", 1.0), node.float("beta", 1.0));
    let turned = [node.flag("transA", false), node.flag("transB", false)];
    if (alpha, beta) == (1.0, 1.0)
        && let Some(kernel) = plain_gemm(node, turned)?
    {
        return Ok(kernel);
    }
    Ok(Kernel::one(move |o| {
        let [a, b] = [(o.get(0)?, turned[0]), (o.get(1)?, turned[1])].map(|(m, turn)| turn_if(m, turn));
        let product = a?.f_mm(&b?)?.f_mul_scalar(alpha)?;
        match o.optional(2) {
            Some(c) => Ok(product.f_add(&c.f_mul_scalar(beta)?)?),
            None => Ok(product),
        }
    }))
}

/// The usual form: a known matrix, and a known vector or nothing to add.
fn plain_gemm(node: &Node<'_>, [turn_a, turn_b]: [bool; 2]) -> Result<Option<Kernel>, Fault> {
    let Some(weight) = node.known(1).filter(|weight| weight.dim() == 2) else { return Ok(None) };
    let bias = node.known(2);
    if node.has(2) && bias.is_none_or(|bias| bias.dim() != 1 || bias.size().first() == Some(&1)) {
        return Ok(None);
    }
    let weight = turn_if(weight, !turn_b)?.f_contiguous()?;
    let bias = bias.map(Tensor::shallow_clone);
    node.take(1);
    node.take(2);
    Ok(Some(Kernel::one(move |o| Ok(turn_if(o.get(0)?, turn_a)?.f_linear(&weight, bias.as_ref())?))))
}

fn turn_if(matrix: &Tensor, turn: bool) -> Result<Tensor, Fault> {
    Ok(if turn { matrix.f_transpose(0, 1)? } else { matrix.shallow_clone() })
}

fn einsum(node: &Node<'_>) -> Result<Kernel, Fault> {
    let equation = node.string("equation", "").replace(' ', "");
    if equation.is_empty() {
        return Err(Fault::model("it has no equation"));
    }
    Ok(Kernel::one(move |o| Ok(Tensor::f_einsum(&equation, &o.all(), None::<i64>)?)))
}
