//! Operators that look at images through windows, or move their pixels.

mod conv;
mod deform;
mod pad;
mod pool;
mod resize;
mod resize_axis;
mod sample;
mod transposed;
mod window;

use super::Prepare;

pub(crate) use conv::convolve;

/// The operators of this folder.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Conv" => conv::prepare,
        "ConvTranspose" => transposed::prepare,
        "DeformConv" => deform::prepare,
        "MaxPool" => pool::max,
        "AveragePool" => pool::average,
        "GlobalAveragePool" => pool::global_average,
        "GlobalMaxPool" => pool::global_max,
        "Pad" => pad::prepare,
        "Resize" => resize::prepare,
        "Upsample" => resize::upsample,
        "GridSample" => sample::prepare,
        _ => return None,
    })
}
