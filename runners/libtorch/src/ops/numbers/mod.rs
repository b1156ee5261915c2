//! Operators that compute with numbers, element by element or over axes.

mod activation;
mod arith;
mod compare;
mod elements;
mod linear;
mod norm;
mod quantise;
mod reduce;

use super::Prepare;

pub(crate) use activation::single;

/// The operators of this folder.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    activation::find(operator)
        .or_else(|| arith::find(operator))
        .or_else(|| compare::find(operator))
        .or_else(|| elements::find(operator))
        .or_else(|| linear::find(operator))
        .or_else(|| norm::find(operator))
        .or_else(|| quantise::find(operator))
        .or_else(|| reduce::find(operator))
}
