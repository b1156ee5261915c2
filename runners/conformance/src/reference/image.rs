//! Moving pixels about.

use convwise_graph::{Padding, ResizeMode};

use super::tensor::{Values, with};

pub(super) fn transpose(x: &Values, perm: &[usize], shape: &[usize]) -> Values {
    Values::at_every(shape, |place| {
        let mut from = vec![0; place.len()];
        for (at, axis) in place.iter().zip(perm) {
            if let Some(index) = from.get_mut(*axis) {
                *index = *at;
            }
        }
        x.get(&from)
    })
}

pub(super) fn slice(x: &Values, axis: usize, start: usize, shape: &[usize]) -> Values {
    Values::at_every(shape, |place| x.get(&with(place, axis, place.get(axis).copied().unwrap_or(0) + start)))
}

/// Channel `j g + i` of the result is channel `i C/g + j` of the operand.
pub(super) fn channel_shuffle(x: &Values, groups: usize, shape: &[usize]) -> Values {
    let members = x.extent(1) / groups.max(1);
    Values::at_every(shape, |place| {
        let channel = place.get(1).copied().unwrap_or(0);
        x.get(&with(place, 1, channel % groups * members + channel / groups))
    })
}

pub(super) fn pad(x: &Values, padding: Padding, value: f64, shape: &[usize]) -> Values {
    Values::at_every(shape, |place| {
        let inside = |axis: usize, before: usize| {
            place.get(axis).and_then(|at| at.checked_sub(before)).filter(|at| *at < x.extent(axis))
        };
        match (inside(2, padding.top), inside(3, padding.left)) {
            (Some(row), Some(column)) => x.get(&with(&with(place, 2, row), 3, column)),
            _ => value,
        }
    })
}

/// PyTorch's `interpolate`.
pub(super) fn resize(x: &Values, mode: ResizeMode, align_corners: bool, shape: &[usize]) -> Values {
    let axis =
        |axis: usize| Axis { from: x.extent(axis), to: shape.get(axis).copied().unwrap_or(1), align_corners };
    let (rows, columns) = (axis(2), axis(3));
    Values::at_every(shape, |place| {
        let at = |axis: usize| place.get(axis).copied().unwrap_or(0);
        let pixel = |row, column| x.get(&with(&with(place, 2, row), 3, column));
        match mode {
            ResizeMode::Nearest => pixel(rows.nearest(at(2)), columns.nearest(at(3))),
            ResizeMode::Bilinear => {
                let (rows, columns) = (rows.between(at(2)), columns.between(at(3)));
                let mix = |row: usize| {
                    columns.iter().map(|(column, share)| share * pixel(row, *column)).sum::<f64>()
                };
                rows.iter().map(|(row, share)| share * mix(*row)).sum()
            }
        }
    })
}

/// One axis of a resize.
struct Axis {
    from: usize,
    to: usize,
    align_corners: bool,
}

impl Axis {
    fn nearest(&self, at: usize) -> usize {
        (at * self.from / self.to.max(1)).min(self.from.saturating_sub(1))
    }

    /// The two neighbours of a pixel's centre, with their shares.
    fn between(&self, at: usize) -> [(usize, f64); 2] {
        let (from, to, at) = (self.from as f64, self.to as f64, at as f64);
        let centre = match self.align_corners {
            true if self.to > 1 => at * (from - 1.0) / (to - 1.0),
            true => 0.0,
            false => ((at + 0.5) * from / to - 0.5).max(0.0),
        };
        let low = centre.floor();
        let last = self.from.saturating_sub(1);
        [((low as usize).min(last), 1.0 - (centre - low)), ((low as usize + 1).min(last), centre - low)]
    }
}
