//! Operators that move, choose or make elements and compute nothing with them.

mod gather;
mod make;
mod order;
mod reshape;
mod scatter;
mod slice;

use super::Prepare;

/// The operators of this folder.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    gather::find(operator)
        .or_else(|| make::find(operator))
        .or_else(|| order::find(operator))
        .or_else(|| reshape::find(operator))
        .or_else(|| scatter::find(operator))
        .or_else(|| slice::find(operator))
}
