//! Operators of detection networks that libtorch has not. They are computed on the processor, one box after the other.

mod align;
mod suppress;

use super::Prepare;

/// The operators of this folder.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "NonMaxSuppression" => suppress::prepare,
        "RoiAlign" => align::prepare,
        _ => return None,
    })
}
