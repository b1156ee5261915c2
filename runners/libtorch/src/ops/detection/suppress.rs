//! Non-maximum suppression: of boxes that overlap, the best alone is kept.

use tch::{Device, Kind, Tensor};

use crate::fault::Fault;
use crate::ops::operands::numbers;
use crate::ops::{Kernel, Node, Operands, extent};

/// Two corners, or centre and extents, as four numbers.
type Numbers = [f32; 4];

/// A box as its low and high corner.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bounds {
    low: [f32; 2],
    high: [f32; 2],
}

impl Bounds {
    /// Corners may come in any order.
    fn of([a, b, c, d]: Numbers, centred: bool) -> Self {
        if centred {
            return Self { low: [a - c / 2.0, b - d / 2.0], high: [a + c / 2.0, b + d / 2.0] };
        }
        Self { low: [a.min(c), b.min(d)], high: [a.max(c), b.max(d)] }
    }

    fn area(&self) -> f32 {
        (self.high[0] - self.low[0]) * (self.high[1] - self.low[1])
    }

    /// Shared area over joint area.
    fn overlap(&self, other: &Self) -> f32 {
        let side = |axis: usize| {
            let (own, theirs) = ([self.low, self.high], [other.low, other.high]);
            let at = |corner: [f32; 2]| if axis == 0 { corner[0] } else { corner[1] };
            (at(own[1]).min(at(theirs[1])) - at(own[0]).max(at(theirs[0]))).max(0.0)
        };
        let shared = side(0) * side(1);
        let joint = self.area() + other.area() - shared;
        if joint > 0.0 { shared / joint } else { 0.0 }
    }
}

/// What is kept.
struct Limits {
    centred: bool,
    count: usize,
    overlap: f32,
    score: f32,
}

/// Operands: boxes `[N, boxes, 4]`, scores `[N, classes, boxes]`, most boxes of a class, overlap, score.
pub(crate) fn prepare(node: &Node<'_>) -> Result<Kernel, Fault> {
    let centred = node.flag("center_point_box", false);
    Ok(Kernel::one(move |o| {
        let limits = Limits {
            centred,
            count: number(o, 2)?.map_or(0, |count| if count > 0.0 { count as usize } else { 0 }),
            overlap: number(o, 3)?.unwrap_or(0.0) as f32,
            score: number(o, 4)?.map_or(f32::NEG_INFINITY, |score| score as f32),
        };
        suppress(o.get(0)?, o.get(1)?, &limits)
    }))
}

fn number(o: &Operands<'_>, index: usize) -> Result<Option<f64>, Fault> {
    Ok(match o.optional(index) {
        Some(tensor) => numbers(tensor)?.first().copied(),
        None => None,
    })
}

/// Rows of batch, class and box.
fn suppress(boxes: &Tensor, scores: &Tensor, limits: &Limits) -> Result<Tensor, Fault> {
    let (batch, classes, count) = (extent(scores, 0), extent(scores, 1), extent(scores, 2));
    if boxes.size() != [batch, count, 4] || scores.dim() != 3 {
        return Err(Fault::model(format!(
            "its boxes {:?} and scores {:?} do not fit",
            boxes.size(),
            scores.size()
        )));
    }
    let (boxes, scores) = (floats(boxes)?, floats(scores)?);
    let width = usize::try_from(count.max(1)).unwrap_or(1);
    let (boxes, _) = boxes.as_chunks::<4>();
    let bounds: Vec<Bounds> = boxes.iter().map(|&numbers| Bounds::of(numbers, limits.centred)).collect();
    let mut rows: Vec<i64> = Vec::new();
    for (n, bounds) in (0..batch).zip(bounds.chunks(width)) {
        let first = usize::try_from(n * classes).unwrap_or(0);
        for (class, scores) in (0..classes).zip(scores.chunks(width).skip(first)) {
            rows.extend(best(bounds, scores, limits).into_iter().flat_map(|index| [n, class, index as i64]));
        }
    }
    Ok(Tensor::f_from_slice(&rows)?.f_reshape([-1, 3])?)
}

fn floats(tensor: &Tensor) -> Result<Vec<f32>, Fault> {
    let flat = tensor.f_to(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?.f_reshape([-1])?;
    Ok(Vec::try_from(&flat)?)
}

/// Indices of what is kept, the best first; of equal scores the lower index.
fn best(bounds: &[Bounds], scores: &[f32], limits: &Limits) -> Vec<usize> {
    let mut order: Vec<(f32, usize, &Bounds)> = scores
        .iter()
        .zip(bounds)
        .enumerate()
        .filter(|(_, (score, _))| **score > limits.score)
        .map(|(index, (score, bounds))| (*score, index, bounds))
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut kept: Vec<(usize, &Bounds)> = Vec::new();
    for (_, index, bounds) in order {
        if kept.len() >= limits.count {
            break;
        }
        if kept.iter().all(|(_, other)| bounds.overlap(other) <= limits.overlap) {
            kept.push((index, bounds));
        }
    }
    kept.into_iter().map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps() {
        let unit = Bounds::of([0.0, 0.0, 1.0, 1.0], false);
        assert_eq!(unit.overlap(&Bounds::of([1.0, 1.0, 0.0, 0.0], false)), 1.0);
        assert_eq!(unit.overlap(&Bounds::of([0.5, 0.5, 1.0, 1.0], true)), 1.0);
        assert_eq!(unit.overlap(&Bounds::of([0.0, 0.5, 1.0, 1.5], false)), 1.0 / 3.0);
        assert_eq!(unit.overlap(&Bounds::of([2.0, 2.0, 3.0, 3.0], false)), 0.0);
    }
}
