//! The largest elements, and which are not zero.

use tch::Kind;

use crate::fault::Fault;
use crate::ops::operands::List;
use crate::ops::{Kernel, Node, Prepare, axis, extent};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "TopK" => top_k,
        "NonZero" => |_| Ok(Kernel::one(|o| Ok(o.get(0)?.f_nonzero()?.f_transpose(0, 1)?.f_contiguous()?))),
        _ => return None,
    })
}

/// Of equal elements the one with the lower index comes first, as the standard wants; libtorch's own does not say.
fn top_k(node: &Node<'_>) -> Result<Kernel, Fault> {
    let at = node.int("axis", -1);
    let count = match node.attribute("k").and_then(|k| k.i) {
        Some(count) => List::Known(vec![count]),
        None => node.list(1)?.ok_or_else(|| Fault::model("it does not say how many"))?,
    };
    let largest = node.flag("largest", true);
    Ok(Kernel::many(move |o| {
        let x = o.get(0)?;
        let at = axis(at, x.dim())?;
        let count = count.read(o)?.first().copied().unwrap_or(0);
        if !(0..=extent(x, at)).contains(&count) {
            return Err(Fault::model(format!("{count} elements are asked for of {}", extent(x, at))));
        }
        let (values, places) = x.f_sort_stable(true, at, largest)?;
        let first = |sorted: &tch::Tensor| sorted.f_narrow(at, 0, count)?.f_contiguous();
        Ok(vec![first(&values)?, first(&places)?.f_to_kind(Kind::Int64)?])
    }))
}
