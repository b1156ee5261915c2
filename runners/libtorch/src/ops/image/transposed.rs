//! Transposed convolution.

use tch::Tensor;

use super::window::spatial;
use crate::fault::Fault;
use crate::ops::{Kernel, Node, bounded};

/// Settings of a transposed convolution.
struct Transposed {
    strides: Option<Vec<i64>>,
    dilations: Option<Vec<i64>>,
    added: Option<Vec<i64>>,
    pads: Option<Vec<i64>>,
    extents: Option<Vec<i64>>,
    auto_pad: Auto,
    groups: i64,
}

/// How the result is cropped where no numbers say it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auto {
    Off,
    /// To the image's extents times the steps; an odd row is cropped after, or before.
    Same {
        odd_before: bool,
    },
}

pub(crate) fn prepare(node: &Node<'_>) -> Result<Kernel, Fault> {
    let auto_pad = match node.string("auto_pad", "NOTSET") {
        "SAME_UPPER" => Auto::Same { odd_before: false },
        "SAME_LOWER" => Auto::Same { odd_before: true },
        _ => Auto::Off,
    };
    let list = |name: &str| node.ints(name).filter(|list| !list.is_empty());
    let settings = Transposed {
        strides: list("strides"),
        dilations: list("dilations"),
        added: list("output_padding"),
        pads: list("pads"),
        extents: list("output_shape").map(|shape| shape.into_iter().rev().take(64).collect()),
        auto_pad,
        groups: node.int("group", 1),
    };
    Ok(Kernel::one(move |o| settings.apply(o.get(0)?, o.get(1)?, o.optional(2))))
}

/// What the full result of one axis is, and what is cropped of it.
struct Crop {
    stride: i64,
    dilation: i64,
    full: i64,
    before: i64,
    extent: i64,
}

impl Transposed {
    /// The full result by libtorch, cropped where it cannot crop itself.
    fn apply(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, Fault> {
        let crops = self.crops(&spatial(weight), &spatial(x))?;
        bounded(
            &crops
                .iter()
                .map(|crop| crop.full.max(crop.before.saturating_add(crop.extent)))
                .collect::<Vec<_>>(),
        )?;
        let (none, axes) = (vec![0; crops.len()], crops.len());
        let strides: Vec<i64> = crops.iter().map(|crop| crop.stride).collect();
        let dilations: Vec<i64> = crops.iter().map(|crop| crop.dilation).collect();
        let full = x.f_convolution(
            weight,
            bias,
            &strides[..],
            &none[..],
            &dilations[..],
            true,
            &none[..],
            self.groups,
        )?;
        crops.iter().zip((2..).take(axes)).try_fold(full, |image, (crop, axis)| cut(&image, axis, crop, bias))
    }

    fn crops(&self, kernel: &[i64], image: &[i64]) -> Result<Vec<Crop>, Fault> {
        let axes = kernel.len();
        let at = |list: &Option<Vec<i64>>, axis: usize, default: i64| match list {
            None => Ok(default),
            Some(list) => {
                list.get(axis).copied().ok_or_else(|| Fault::model("its settings have too few axes"))
            }
        };
        let axis = |(axis, (&kernel, &image)): (usize, (&i64, &i64))| {
            let (stride, dilation) = (at(&self.strides, axis, 1)?, at(&self.dilations, axis, 1)?);
            let added = at(&self.added, axis, 0)?;
            let pads = [at(&self.pads, axis, 0)?, at(&self.pads, axis + axes, 0)?];
            let stated = self.extents.as_ref().and_then(|extents| extents.get(axes - 1 - axis).copied());
            if stride < 1 || dilation < 1 || added < 0 || pads.iter().any(|&pad| pad < 0) {
                return Err(Fault::model("its settings are below what they can be"));
            }
            let full =
                stride.saturating_mul(image - 1).saturating_add((kernel - 1).saturating_mul(dilation) + 1);
            let (before, extent) =
                self.cropped(full.saturating_add(added), image.saturating_mul(stride), stated, pads);
            Ok(Crop { stride, dilation, full, before, extent })
        };
        kernel.iter().zip(image).enumerate().map(axis).collect()
    }

    /// What is cropped before, and what is left, of `full`.
    fn cropped(&self, full: i64, same: i64, stated: Option<i64>, pads: [i64; 2]) -> (i64, i64) {
        let extent = match (stated, self.auto_pad) {
            (Some(extent), _) => extent,
            (None, Auto::Same { .. }) => same,
            (None, Auto::Off) => return (pads[0], full - pads[0] - pads[1]),
        };
        let total = full.saturating_sub(extent).max(0);
        let before = match self.auto_pad {
            Auto::Same { odd_before: false } => total / 2,
            _ => total - total / 2,
        };
        (before, extent)
    }
}

/// Rows past the full result hold the bias alone.
fn cut(image: &Tensor, axis: i64, crop: &Crop, bias: Option<&Tensor>) -> Result<Tensor, Fault> {
    if crop.extent < 1 {
        return Err(Fault::model(format!("nothing is left of axis {axis}")));
    }
    let missing = crop.before + crop.extent - crop.full;
    if missing <= 0 {
        return Ok(image.f_narrow(axis, crop.before, crop.extent)?);
    }
    let mut shape = image.size();
    if let Some(extent) = usize::try_from(axis).ok().and_then(|axis| shape.get_mut(axis)) {
        *extent = missing;
    }
    let mut rest = Tensor::f_zeros(&shape[..], (image.kind(), image.device()))?;
    if let Some(bias) = bias {
        let ones = shape.iter().skip(2).map(|_| 1);
        rest = rest.f_add(&bias.f_reshape([1, -1].into_iter().chain(ones).collect::<Vec<i64>>())?)?;
    }
    Ok(Tensor::f_cat(&[image, &rest], axis)?.f_narrow(axis, crop.before, crop.extent)?)
}
