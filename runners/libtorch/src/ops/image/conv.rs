//! Convolution over any number of axes.

use tch::Tensor;

use super::window::{Placed, Window, pad_images, spatial};
use crate::convert::channels_last;
use crate::fault::Fault;
use crate::ops::{Kernel, Node};
use crate::settings::Layout;

/// A convolution without its weights.
pub(crate) struct Convolve {
    window: Window,
    groups: i64,
}

/// Reads the settings of a convolution.
pub(crate) fn convolve(node: &Node<'_>) -> Result<Convolve, Fault> {
    let groups = node.int("group", 1);
    if groups < 1 {
        return Err(Fault::model(format!("there are no {groups} groups")));
    }
    Ok(Convolve { window: Window::of(node)?, groups })
}

impl Convolve {
    /// The convolution of images with weights.
    pub(crate) fn apply(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, Fault> {
        let placed = self.window.on(&spatial(weight), &spatial(x))?;
        run(x, weight, bias, &placed, self.groups)
    }
}

fn run(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    placed: &Placed,
    groups: i64,
) -> Result<Tensor, Fault> {
    let Placed { before, after, strides, dilations } = placed;
    let none = vec![0; before.len()];
    if placed.is_even() {
        return Ok(x.f_convolution(
            weight,
            bias,
            &strides[..],
            &before[..],
            &dilations[..],
            false,
            &none[..],
            groups,
        )?);
    }
    let padded = pad_images(x, before, after, 0.0)?;
    Ok(padded.f_convolution(
        weight,
        bias,
        &strides[..],
        &none[..],
        &dilations[..],
        false,
        &none[..],
        groups,
    )?)
}

/// Weights that the file has are laid out once.
pub(crate) fn prepare(node: &Node<'_>) -> Result<Kernel, Fault> {
    let conv = convolve(node)?;
    let known_bias = !node.has(2) || node.known(2).is_some();
    let Some(weight) = node.known(1).filter(|_| known_bias) else {
        return Ok(Kernel::one(move |o| conv.apply(o.get(0)?, o.get(1)?, o.optional(2))));
    };
    let bias = node.take(2).map(Tensor::shallow_clone);
    node.take(1);
    let weight = laid_out(node, weight)?;
    Ok(match conv.window.always(&spatial(&weight)) {
        Some(placed) => Kernel::one(move |o| run(o.get(0)?, &weight, bias.as_ref(), &placed, conv.groups)),
        None => Kernel::one(move |o| conv.apply(o.get(0)?, &weight, bias.as_ref())),
    })
}

fn laid_out(node: &Node<'_>, weight: &Tensor) -> Result<Tensor, Fault> {
    Ok(if node.layout() == Layout::ChannelsLast { channels_last(weight)? } else { weight.shallow_clone() })
}
