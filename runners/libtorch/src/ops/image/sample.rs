//! Sampling at places that the model computes.

use crate::fault::Fault;
use crate::ops::{Kernel, Node};

/// libtorch's numbers for ONNX's words.
pub(crate) fn prepare(node: &Node<'_>) -> Result<Kernel, Fault> {
    let between = match node.string("mode", "linear") {
        "linear" | "bilinear" => 0,
        "nearest" => 1,
        "cubic" | "bicubic" => 2,
        other => return Err(Fault::model(format!("there is no mode {other}"))),
    };
    let outside = match node.string("padding_mode", "zeros") {
        "zeros" => 0,
        "border" => 1,
        "reflection" => 2,
        other => return Err(Fault::model(format!("there is no padding_mode {other}"))),
    };
    let corners = node.flag("align_corners", false);
    Ok(Kernel::one(move |o| Ok(o.get(0)?.f_grid_sampler(o.get(1)?, between, outside, corners)?)))
}
