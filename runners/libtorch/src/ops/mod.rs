//! The operators: each is one function that prepares a [`Kernel`] from a node. What stands where is said by the folder of
//! its kind, in files whose `find` lists their operators.

mod detection;
mod image;
mod kernel;
mod layout;
mod node;
mod numbers;
mod operands;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use kernel::{Kernel, Sharing};
pub(crate) use node::{Node, Surroundings};
pub(crate) use numbers::single;
pub(crate) use operands::{Operands, Slot};

use crate::fault::Fault;

/// Prepares an operator.
pub(crate) type Prepare = fn(&Node<'_>) -> Result<Kernel, Fault>;

/// What prepares the operator of this name.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    let kinds = [numbers::find, image::find, layout::find, detection::find];
    kinds.iter().find_map(|find: &fn(&str) -> Option<Prepare>| find(operator))
}

/// Most elements that a tensor may have whose extents a model computes, or merely states.
const MAX_ELEMENTS: i64 = 1 << 31;

/// Refuses extents that no sound model asks for, before anything is allocated.
pub(crate) fn bounded(extents: &[i64]) -> Result<&[i64], Fault> {
    let count = extents.iter().try_fold(1_i64, |count, &extent| match extent {
        0.. => count.checked_mul(extent.max(1)).filter(|&count| count <= MAX_ELEMENTS),
        _ => None,
    });
    count.map(|_| extents).ok_or_else(|| Fault::model(format!("a tensor of {extents:?} is asked for")))
}

/// An axis counted from the front, for a tensor of this rank.
pub(crate) fn axis(axis: i64, rank: usize) -> Result<i64, Fault> {
    let rank = i64::try_from(rank).unwrap_or(i64::MAX);
    let counted = if axis < 0 { axis + rank } else { axis };
    if (0..rank).contains(&counted) {
        return Ok(counted);
    }
    Err(Fault::model(format!("there is no axis {axis} in a tensor of rank {rank}")))
}

/// The extent of a tensor along an axis.
pub(crate) fn extent(tensor: &tch::Tensor, axis: i64) -> i64 {
    usize::try_from(axis).ok().and_then(|axis| tensor.size().get(axis).copied()).unwrap_or(1)
}
