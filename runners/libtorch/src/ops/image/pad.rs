//! Padding of any axes.

use tch::{Kind, Tensor};

use super::window::pad_images;
use crate::fault::Fault;
use crate::ops::operands::{List, numbers};
use crate::ops::{Kernel, Node, Operands, axis, bounded, extent};

/// What stands in the padding.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filling {
    Constant,
    /// The image mirrored at its outermost elements.
    Reflect,
    /// The outermost elements.
    Edge,
    /// The image again from its other end.
    Wrap,
}

/// Pads and the value are settings before operator set 11, and operands from then on.
pub(crate) fn prepare(node: &Node<'_>) -> Result<Kernel, Fault> {
    let filling = match node.string("mode", "constant") {
        "constant" => Filling::Constant,
        "reflect" => Filling::Reflect,
        "edge" => Filling::Edge,
        "wrap" => Filling::Wrap,
        other => return Err(Fault::model(format!("there is no mode {other}"))),
    };
    let pads = node.list_or(1, "pads")?.ok_or_else(|| Fault::model("it does not say how much to pad"))?;
    let axes = node.list(3)?;
    let value = node.float("value", 0.0);
    let known = node.known(2).map(value_of).transpose()?;
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let around = around(x, &pads, axes.as_ref(), o)?;
        if filling != Filling::Constant {
            return around.iter().try_fold(x.shallow_clone(), |x, side| by_index(&x, side, filling));
        }
        let value = match (known, o.optional(2)) {
            (Some(value), _) => value,
            (None, Some(value)) => value_of(value)?,
            (None, None) => value,
        };
        with_constant(x, &around, value)
    }))
}

fn value_of(tensor: &Tensor) -> Result<f64, Fault> {
    numbers(tensor)?.first().copied().ok_or_else(|| Fault::model("its value is empty"))
}

/// What is added to one axis; what is negative is cropped.
struct Side {
    axis: i64,
    before: i64,
    after: i64,
}

fn around(x: &Tensor, pads: &List, axes: Option<&List>, o: &Operands<'_>) -> Result<Vec<Side>, Fault> {
    let pads = pads.read(o)?;
    let axes = match axes {
        Some(axes) => axes.read(o)?.iter().map(|&a| axis(a, x.dim())).collect::<Result<Vec<_>, _>>()?,
        None => (0..x.dim() as i64).collect(),
    };
    if pads.len() != axes.len() * 2 {
        return Err(Fault::model(format!("{} numbers are given to pad {} axes", pads.len(), axes.len())));
    }
    let (before, after) = pads.split_at(axes.len());
    let sides = axes.iter().zip(before.iter().zip(after));
    Ok(sides.map(|(&axis, (&before, &after))| Side { axis, before, after }).collect())
}

fn with_constant(x: &Tensor, around: &[Side], value: f64) -> Result<Tensor, Fault> {
    let mut both = vec![[0, 0]; x.dim()];
    for side in around {
        if let Some(slot) = usize::try_from(side.axis).ok().and_then(|axis| both.get_mut(axis)) {
            *slot = [side.before, side.after];
        }
    }
    let sizes = x.size();
    let grown: Vec<i64> =
        both.iter().zip(sizes).map(|([b, a], size)| size.saturating_add(*b).saturating_add(*a)).collect();
    bounded(&grown)?;
    let leading = both.iter().take(2).all(|pads| *pads == [0, 0]);
    if leading && both.iter().flatten().all(|&pad| pad >= 0) {
        let (before, after): (Vec<i64>, Vec<i64>) = both.iter().skip(2).map(|[b, a]| (*b, *a)).unzip();
        return pad_images(x, &before, &after, value);
    }
    Ok(x.f_pad(both.into_iter().rev().flatten().collect::<Vec<_>>(), "constant", value)?)
}

/// Which element of the axis stands at each place.
fn by_index(x: &Tensor, side: &Side, filling: Filling) -> Result<Tensor, Fault> {
    if (side.before, side.after) == (0, 0) {
        return Ok(x.shallow_clone());
    }
    let length = extent(x, side.axis);
    bounded(&[length.saturating_add(side.before).saturating_add(side.after)])?;
    if length == 0 {
        return Err(Fault::model("an empty axis has nothing to pad with"));
    }
    let source = |at: i64| match filling {
        Filling::Edge | Filling::Constant => at.clamp(0, length - 1),
        Filling::Wrap => at.rem_euclid(length),
        Filling::Reflect => mirrored(at, length),
    };
    let index: Vec<i64> = (-side.before..length + side.after).map(source).collect();
    let index = Tensor::f_from_slice(&index)?.f_to_kind(Kind::Int64)?.f_to(x.device())?;
    Ok(x.f_index_select(side.axis, &index)?)
}

fn mirrored(at: i64, length: i64) -> i64 {
    let period = (2 * (length - 1)).max(1);
    let at = at.rem_euclid(period);
    if at < length { at } else { period - at }
}

#[cfg(test)]
mod tests {
    use super::mirrored;

    #[test]
    fn mirrors_stand_on_the_outermost_elements() {
        let row: Vec<_> = (-4..7).map(|at| mirrored(at, 3)).collect();
        assert_eq!(row, [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
        assert_eq!(mirrored(5, 1), 0);
    }
}
