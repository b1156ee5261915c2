//! Parts of an axis, and what joins them.

use tch::Tensor;

use crate::fault::Fault;
use crate::ops::operands::List;
use crate::ops::{Kernel, Node, Operands, Prepare, axis, extent};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Slice" => slice,
        "Split" => split,
        "Concat" => concat,
        _ => return None,
    })
}

/// Where parts begin and end: settings before operator set 10, operands from then on.
struct Slice {
    starts: List,
    ends: List,
    axes: Option<List>,
    steps: Option<List>,
}

fn slice(node: &Node<'_>) -> Result<Kernel, Fault> {
    let missing = || Fault::model("it does not say where to begin and end");
    let slice = Slice {
        starts: node.list_or(1, "starts")?.ok_or_else(missing)?,
        ends: node.list_or(2, "ends")?.ok_or_else(missing)?,
        axes: node.list_or(3, "axes")?,
        steps: node.list(4)?,
    };
    Ok(Kernel::view(move |o| slice.apply(o)))
}

impl Slice {
    fn apply(&self, o: &Operands<'_>) -> Result<Tensor, Fault> {
        let x = o.get(0)?;
        let (starts, ends) = (self.starts.read(o)?, self.ends.read(o)?);
        let count = starts.len();
        let optional = |list: &Option<List>, default: Vec<i64>| match list {
            Some(list) => Ok::<_, Fault>(list.read(o)?.into_owned()),
            None => Ok(default),
        };
        let axes = optional(&self.axes, (0..count as i64).collect())?;
        let steps = optional(&self.steps, vec![1; count])?;
        if [ends.len(), axes.len(), steps.len()] != [count; 3] {
            return Err(Fault::model("it has lists of different lengths"));
        }
        let parts = starts.iter().zip(ends.iter()).zip(axes.iter().zip(&steps));
        parts.into_iter().try_fold(x.shallow_clone(), |x, ((&start, &end), (&at, &step))| {
            part(&x, axis(at, x.dim())?, [start, end, step])
        })
    }
}

/// Bounds are counted from the end where they are negative, and cut to the axis.
fn part(x: &Tensor, at: i64, [start, end, step]: [i64; 3]) -> Result<Tensor, Fault> {
    let length = extent(x, at);
    let counted = |bound: i64| if bound < 0 { bound.saturating_add(length) } else { bound };
    let (start, end) = (counted(start), counted(end));
    match step {
        0 => Err(Fault::model("its step is 0")),
        1.. => {
            let start = start.clamp(0, length);
            Ok(x.f_slice(at, start, end.clamp(start, length), step)?)
        }
        _ => {
            let (start, end) = (start.clamp(-1, length - 1), end.clamp(-1, length - 1));
            let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
            let index: Vec<i64> = (end + 1..=start).rev().step_by(stride).collect();
            Ok(x.f_index_select(at, &Tensor::f_from_slice(&index)?.f_to(x.device())?)?)
        }
    }
}

/// Sizes are a setting before operator set 13, and an operand from then on; without any, the parts are equal.
fn split(node: &Node<'_>) -> Result<Kernel, Fault> {
    let sizes = node.list_or(1, "split")?;
    let at = node.int("axis", 0);
    let parts = node.int("num_outputs", i64::try_from(node.results()).unwrap_or(1));
    if parts < 1 {
        return Err(Fault::model("it has no parts"));
    }
    Ok(Kernel::views(move |o| {
        let x = o.get(0)?;
        let at = axis(at, x.dim())?;
        let sizes = match &sizes {
            Some(sizes) => sizes.read(o)?.into_owned(),
            None => equal(extent(x, at), parts),
        };
        Ok(x.f_split_with_sizes(sizes, at)?)
    }))
}

/// The last part is smaller where the axis cannot be divided.
fn equal(length: i64, parts: i64) -> Vec<i64> {
    let size = length / parts + i64::from(length % parts != 0);
    (0..parts).map(|part| (length - part * size).clamp(0, size)).collect()
}

fn concat(node: &Node<'_>) -> Result<Kernel, Fault> {
    let at = node.int("axis", 1);
    Ok(Kernel::one(move |o| Ok(Tensor::f_cat(&o.all(), at)?)))
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn the_last_part_is_the_smallest() {
        assert_eq!(equal(7, 3), [3, 3, 1]);
        assert_eq!(equal(6, 3), [2, 2, 2]);
        assert_eq!(equal(2, 4), [1, 1, 0, 0]);
    }
}
