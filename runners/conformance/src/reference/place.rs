//! Over axes, at places that tensors name, and what is there before any image is.

use convwise_graph::Reduction;

use super::tensor::{Values, with};

pub(super) fn reduce(x: &Values, reduction: Reduction, axes: &[usize], shape: &[usize]) -> Values {
    Values::at_every(shape, |place| {
        let mut places = vec![place.to_vec()];
        for &axis in axes {
            let along = |place: Vec<usize>| (0..x.extent(axis)).map(move |index| with(&place, axis, index));
            places = places.into_iter().flat_map(along).collect();
        }
        let numbers = places.iter().map(|place| x.get(place));
        match reduction {
            Reduction::Mean => numbers.sum::<f64>() / places.len() as f64,
            Reduction::Max => numbers.fold(f64::NEG_INFINITY, f64::max),
            Reduction::Sum => numbers.sum(),
        }
    })
}

/// Places of the greatest numbers of each row; of equal ones the first comes first.
pub(super) fn top_places(x: &Values, shape: &[usize]) -> Values {
    let order = |row: usize| {
        let mut places: Vec<usize> = (0..x.extent(1)).collect();
        places.sort_by(|&a, &b| x.get(&[row, b]).total_cmp(&x.get(&[row, a])));
        places
    };
    Values::at_every(shape, |place| match place {
        [row, rank] => order(*row).get(*rank).map_or(0.0, |place| *place as f64),
        _ => 0.0,
    })
}

/// Place of the greatest number along axis 1; of equal ones the first.
pub(super) fn arg_max(x: &Values, shape: &[usize]) -> Values {
    Values::at_every(shape, |place| {
        let along = |index: usize| {
            let (batch, rest) = place.split_at(1.min(place.len()));
            x.get(&[batch, &[index], rest].concat())
        };
        let best = (0..x.extent(1)).rev().max_by(|&a, &b| along(a).total_cmp(&along(b)));
        best.unwrap_or(0) as f64
    })
}

pub(super) fn rows(x: &Values, places: &Values, shape: &[usize]) -> Values {
    Values::at_every(shape, |place| {
        let named = places.get(place.get(..2).unwrap_or_default());
        x.get(&with(place, 1, named as usize))
    })
}

/// Greedy suppression: the best box that is left stays, and those that overlap it too much go.
pub(super) fn kept(boxes: &Values, scores: &Values, (iou, least): (f64, f64), shape: &[usize]) -> Values {
    let count = boxes.extent(1);
    let mut left: Vec<usize> = (0..count).filter(|&at| scores.get(&[0, at]) > least).collect();
    left.sort_by(|&a, &b| scores.get(&[0, b]).total_cmp(&scores.get(&[0, a])));
    let mut kept: Vec<usize> = Vec::new();
    for at in left {
        if kept.iter().all(|&better| overlap(boxes, better, at) <= iou) {
            kept.push(at);
        }
    }
    Values::at_every(shape, |place| {
        let rank = place.get(1).copied().unwrap_or(0);
        kept.get(rank).copied().unwrap_or(count) as f64
    })
}

/// Intersection over union.
fn overlap(boxes: &Values, a: usize, b: usize) -> f64 {
    let side = |of: usize, axis: usize| {
        let (p, q) = (boxes.get(&[0, of, axis]), boxes.get(&[0, of, axis + 2]));
        (p.min(q), p.max(q))
    };
    let area = |of: usize| [0, 1].map(|axis| side(of, axis)).iter().map(|(p, q)| q - p).product::<f64>();
    let common = [0, 1].map(|axis| {
        let ((a_low, a_high), (b_low, b_high)) = (side(a, axis), side(b, axis));
        (a_high.min(b_high) - a_low.max(b_low)).max(0.0)
    });
    let common: f64 = common.iter().product();
    common / (area(a) + area(b) - common)
}

/// Bilinear samples at points from -1 to 1.
pub(super) fn grid_sample(x: &Values, points: &Values, align_corners: bool, shape: &[usize]) -> Values {
    let pixel = |point: f64, extent: usize| {
        let extent = extent as f64;
        if align_corners {
            (point + 1.0) / 2.0 * (extent - 1.0)
        } else {
            ((point + 1.0) * extent - 1.0) / 2.0
        }
    };
    Values::at_every(shape, |place| {
        let &[n, c, i, j] = place else { return 0.0 };
        let (column, row) = (points.get(&[n, i, j, 0]), points.get(&[n, i, j, 1]));
        let (column, row) = (pixel(column, x.extent(3)), pixel(row, x.extent(2)));
        let corner = |down: f64, right: f64| {
            let (at_row, at_column) = (row.floor() + down, column.floor() + right);
            let share = (1.0 - (row - at_row).abs()) * (1.0 - (column - at_column).abs());
            let inside = at_row >= 0.0 && at_column >= 0.0;
            if inside { share * x.get(&[n, c, at_row as usize, at_column as usize]) } else { 0.0 }
        };
        corner(0.0, 0.0) + corner(0.0, 1.0) + corner(1.0, 0.0) + corner(1.0, 1.0)
    })
}
