//! The window of a convolution or pooling: its extents, steps, and what is added around the image for it.

use tch::Tensor;

use crate::fault::Fault;
use crate::ops::{Node, bounded};

/// What is added around an image.
enum Around {
    /// Rows, columns and so on before and after.
    Stated { before: Vec<i64>, after: Vec<i64> },
    /// As many as make the result's extent that of the image over the step; an odd one goes after, or before.
    Same { odd_before: bool },
    /// None.
    Nothing,
}

/// Steps and surroundings of a window.
pub(crate) struct Window {
    around: Around,
    strides: Option<Vec<i64>>,
    dilations: Option<Vec<i64>>,
}

/// A window on an image of known extents.
pub(crate) struct Placed {
    /// What is added before, per axis.
    pub(crate) before: Vec<i64>,
    /// What is added after, per axis.
    pub(crate) after: Vec<i64>,
    /// Steps.
    pub(crate) strides: Vec<i64>,
    /// Distance of the window's elements.
    pub(crate) dilations: Vec<i64>,
}

impl Placed {
    /// Whether as much is added before as after.
    pub(crate) fn is_even(&self) -> bool {
        self.before == self.after
    }
}

impl Window {
    /// Reads the settings that all windows have.
    pub(crate) fn of(node: &Node<'_>) -> Result<Self, Fault> {
        let around = match node.string("auto_pad", "NOTSET") {
            "NOTSET" | "" => stated(node.ints("pads").unwrap_or_default())?,
            "SAME_UPPER" => Around::Same { odd_before: false },
            "SAME_LOWER" => Around::Same { odd_before: true },
            "VALID" => Around::Nothing,
            other => return Err(Fault::model(format!("there is no auto_pad {other}"))),
        };
        let positive = |name: &str| match node.ints(name) {
            Some(numbers) if numbers.iter().any(|&number| number < 1) => {
                Err(Fault::model(format!("its {name} are {numbers:?}")))
            }
            numbers => Ok(numbers.filter(|numbers| !numbers.is_empty())),
        };
        Ok(Self { around, strides: positive("strides")?, dilations: positive("dilations")? })
    }

    /// What it comes to for a kernel, where that is the same for every image.
    pub(crate) fn always(&self, kernel: &[i64]) -> Option<Placed> {
        match self.around {
            Around::Same { .. } => None,
            _ => self.on(kernel, kernel).ok(),
        }
    }

    /// What it comes to for a kernel on an image.
    pub(crate) fn on(&self, kernel: &[i64], image: &[i64]) -> Result<Placed, Fault> {
        let axes = kernel.len();
        let strides = self.strides.clone().unwrap_or_else(|| vec![1; axes]);
        let dilations = self.dilations.clone().unwrap_or_else(|| vec![1; axes]);
        let (before, after) = match &self.around {
            Around::Nothing => (vec![0; axes], vec![0; axes]),
            Around::Stated { before, .. } if before.is_empty() => (vec![0; axes], vec![0; axes]),
            Around::Stated { before, after } => (before.clone(), after.clone()),
            Around::Same { odd_before } => same(kernel, image, &strides, &dilations, *odd_before),
        };
        if [&strides, &dilations, &before, &after].iter().any(|list| list.len() != axes)
            || image.len() != axes
        {
            return Err(Fault::model(format!("its settings are not for {axes} axes")));
        }
        Ok(Placed { before, after, strides, dilations })
    }
}

fn stated(pads: Vec<i64>) -> Result<Around, Fault> {
    if !pads.len().is_multiple_of(2) || pads.iter().any(|&pad| pad < 0) {
        return Err(Fault::model(format!("its pads are {pads:?}")));
    }
    let (before, after) = pads.split_at(pads.len() / 2);
    Ok(Around::Stated { before: before.to_vec(), after: after.to_vec() })
}

fn same(
    kernel: &[i64],
    image: &[i64],
    strides: &[i64],
    dilations: &[i64],
    odd_before: bool,
) -> (Vec<i64>, Vec<i64>) {
    let settings = kernel.iter().zip(image).zip(strides.iter().zip(dilations));
    let both = settings.map(|((&kernel, &image), (&stride, &dilation))| {
        let steps = image.saturating_add(stride - 1) / stride.max(1);
        let reach =
            (steps - 1).saturating_mul(stride).saturating_add((kernel - 1).saturating_mul(dilation) + 1);
        let total = reach.saturating_sub(image).max(0);
        let (half, rest) = (total / 2, total - total / 2);
        if odd_before { (rest, half) } else { (half, rest) }
    });
    both.unzip()
}

/// Extents of an image: all but batch and channels.
pub(crate) fn spatial(x: &Tensor) -> Vec<i64> {
    x.size().into_iter().skip(2).collect()
}

/// An image with `value` around it.
pub(crate) fn pad_images(x: &Tensor, before: &[i64], after: &[i64], value: f64) -> Result<Tensor, Fault> {
    let sizes = spatial(x).into_iter().zip(before.iter().zip(after));
    let grown: Vec<i64> = sizes.map(|(size, (b, a))| size.saturating_add(*b).saturating_add(*a)).collect();
    bounded(&grown)?;
    // libtorch starts with the last axis.
    let pads: Vec<i64> = before.iter().zip(after).rev().flat_map(|(&b, &a)| [b, a]).collect();
    Ok(x.f_pad(pads, "constant", value)?)
}
