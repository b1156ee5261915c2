//! Windows over images: convolution and pooling.

use convwise_graph::{Conv2d, Pool};

use super::tensor::{Values, with};

/// One axis of a window: the pixel under tap `tap` of output `at`; nothing in the padding.
#[derive(Clone, Copy)]
struct Track {
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
    extent: usize,
}

impl Track {
    fn of(pool: &Pool, axis: usize, x: &Values) -> Self {
        let pick = |pair: [usize; 2]| pair.get(axis).copied().unwrap_or(1);
        let p = pool.padding;
        let (before, after) = if axis == 0 { (p.top, p.bottom) } else { (p.left, p.right) };
        let (kernel, stride) = (pick(pool.kernel), pick(pool.stride));
        Self { kernel, stride, dilation: 1, before, after, extent: x.extent(axis + 2) }
    }

    fn of_conv(conv: &Conv2d, axis: usize, x: &Values) -> Self {
        let pool = Pool { kernel: conv.kernel, stride: conv.stride, padding: conv.padding, ceil: false };
        Self { dilation: conv.dilation.get(axis).copied().unwrap_or(1), ..Self::of(&pool, axis, x) }
    }

    fn pixel(self, at: usize, tap: usize) -> Option<usize> {
        (at * self.stride + tap * self.dilation).checked_sub(self.before).filter(|pixel| *pixel < self.extent)
    }

    /// Taps with their pixels.
    fn taps(self, at: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        (0..self.kernel).filter_map(move |tap| Some((tap, self.pixel(at, tap)?)))
    }

    /// Taps that do not pass the padding.
    fn counted(self, at: usize) -> usize {
        let end = self.before + self.extent + self.after;
        (0..self.kernel).filter(|tap| at * self.stride + tap < end).count()
    }
}

fn at(place: &[usize], axis: usize) -> usize {
    place.get(axis).copied().unwrap_or(0)
}

pub(super) fn conv(
    x: &Values,
    weight: Option<&Values>,
    bias: Option<&Values>,
    conv: &Conv2d,
    shape: &[usize],
) -> Values {
    let Some(weight) = weight else { return Values::new(shape.to_vec(), Vec::new()) };
    let (rows, columns) = (Track::of_conv(conv, 0, x), Track::of_conv(conv, 1, x));
    let (members, filters) = (weight.extent(1), conv.out_channels / conv.groups.max(1));
    Values::at_every(shape, |place| {
        let (image, out) = (at(place, 0), at(place, 1));
        let mut sum = bias.map_or(0.0, |bias| bias.get(&[out]));
        for member in 0..members {
            let channel = out / filters.max(1) * members + member;
            for (row_tap, row) in rows.taps(at(place, 2)) {
                for (column_tap, column) in columns.taps(at(place, 3)) {
                    let factor = weight.get(&[out, member, row_tap, column_tap]);
                    sum += factor * x.get(&[image, channel, row, column]);
                }
            }
        }
        sum
    })
}

pub(super) fn max_pool(x: &Values, pool: &Pool, shape: &[usize]) -> Values {
    let (rows, columns) = (Track::of(pool, 0, x), Track::of(pool, 1, x));
    Values::at_every(shape, |place| {
        let rows = rows.taps(at(place, 2));
        let pixels =
            rows.flat_map(|(_, row)| columns.taps(at(place, 3)).map(move |(_, column)| (row, column)));
        pixels.map(|(row, column)| pixel(x, place, row, column)).fold(f64::NEG_INFINITY, f64::max)
    })
}

pub(super) fn average_pool(x: &Values, pool: &Pool, count_padding: bool, shape: &[usize]) -> Values {
    let (rows, columns) = (Track::of(pool, 0, x), Track::of(pool, 1, x));
    Values::at_every(shape, |place| {
        let (row, column) = (at(place, 2), at(place, 3));
        let rows_with_columns =
            rows.taps(row).flat_map(|(_, row)| columns.taps(column).map(move |(_, c)| (row, c)));
        let sum: f64 = rows_with_columns.map(|(row, column)| pixel(x, place, row, column)).sum();
        let count = match count_padding {
            true => rows.counted(row) * columns.counted(column),
            false => rows.taps(row).count() * columns.taps(column).count(),
        };
        sum / count as f64
    })
}

/// Bin `i` of `n` over an extent `e` holds `floor(i e / n)..ceil((i + 1) e / n)`; one bin is the mean of all.
pub(super) fn adaptive_pool(x: &Values, shape: &[usize]) -> Values {
    let bin = |axis: usize, index: usize| {
        let (extent, bins) = (x.extent(axis), shape.get(axis).copied().unwrap_or(1));
        index * extent / bins..((index + 1) * extent).div_ceil(bins)
    };
    Values::at_every(shape, |place| {
        let (rows, columns) = (bin(2, at(place, 2)), bin(3, at(place, 3)));
        let count = rows.len() * columns.len();
        let pixels = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
        pixels.map(|(row, column)| pixel(x, place, row, column)).sum::<f64>() / count as f64
    })
}

fn pixel(x: &Values, place: &[usize], row: usize, column: usize) -> f64 {
    x.get(&with(&with(place, 2, row), 3, column))
}
