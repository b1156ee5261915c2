//! Regions of an image, resampled to one size (He et al., 2017).

use tch::{Device, Kind, Tensor};

use crate::fault::Fault;
use crate::ops::operands::whole_numbers;
use crate::ops::{Kernel, Node, Operands, bounded, extent};

/// Most samples along one side of a bin: a region may be as large as a file says.
const MAX_SAMPLES: i64 = 1 << 10;

/// Settings of the operator.
struct Align {
    rows: i64,
    columns: i64,
    ratio: i64,
    scale: f64,
    maximum: bool,
    /// By how much places lie off the centres of pixels.
    shift: f64,
}

pub(crate) fn prepare(node: &Node<'_>) -> Result<Kernel, Fault> {
    let half = if node.opset() < 16 { "output_half_pixel" } else { "half_pixel" };
    let shifted = match node.string("coordinate_transformation_mode", half) {
        "half_pixel" => true,
        "output_half_pixel" => false,
        other => return Err(Fault::model(format!("there is no coordinate_transformation_mode {other}"))),
    };
    let align = Align {
        rows: node.int("output_height", 1),
        columns: node.int("output_width", 1),
        ratio: node.int("sampling_ratio", 0),
        scale: node.float("spatial_scale", 1.0),
        maximum: node.string("mode", "avg") == "max",
        shift: if shifted { 0.5 } else { 0.0 },
    };
    if align.rows < 1 || align.columns < 1 || align.ratio < 0 {
        return Err(Fault::model("its extents are below 1"));
    }
    Ok(Kernel::one(move |o| align.apply(o)))
}

impl Align {
    /// Operands: images, regions `[count, 4]` as x, y, x, y, and the image of each.
    fn apply(&self, o: &Operands<'_>) -> Result<Tensor, Fault> {
        let (images, regions) = (o.get(0)?, o.get(1)?);
        let batch = whole_numbers(o.get(2)?)?;
        let flat = regions.f_to(Device::Cpu)?.f_to_kind(Kind::Double)?.f_reshape([-1])?;
        let flat: Vec<f64> = Vec::try_from(&flat)?;
        let (regions, rest) = flat.as_chunks::<4>();
        if regions.len() != batch.len() || !rest.is_empty() {
            return Err(Fault::model(format!("{} regions lie in {} images", regions.len(), batch.len())));
        }
        bounded(&[regions.len() as i64, extent(images, 1), self.rows, self.columns])?;
        let cut = |(region, &image): (&[f64; 4], &i64)| {
            if !(0..extent(images, 0)).contains(&image) {
                return Err(Fault::model(format!("there is no image {image}")));
            }
            self.region(&images.f_select(0, image)?, *region)
        };
        let parts = regions.iter().zip(&batch).map(cut).collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            let shape = [0, extent(images, 1), self.rows, self.columns];
            return Ok(Tensor::f_zeros(shape, (images.kind(), images.device()))?);
        }
        Ok(Tensor::f_stack(&parts, 0)?)
    }

    /// `[C, rows, columns]` of an image `[C, H, W]`. Sampling between pixels is a product with a matrix along either axis.
    fn region(&self, image: &Tensor, region: [f64; 4]) -> Result<Tensor, Fault> {
        let [x0, y0, x1, y1] = region.map(|place| place * self.scale - self.shift);
        // Without the shift, regions are at least one pixel large.
        let side = |from: f64, to: f64| if self.shift > 0.0 { to - from } else { (to - from).max(1.0) };
        let rows = self.side(y0, side(y0, y1), self.rows, extent(image, 1))?;
        let columns = self.side(x0, side(x0, x1), self.columns, extent(image, 2))?;
        let place = |side: &Side| -> Result<Tensor, Fault> {
            let matrix = Tensor::f_from_slice(&side.shares)?.f_reshape([-1, side.extent])?;
            Ok(matrix.f_to_kind(image.kind())?.f_to(image.device())?)
        };
        if self.maximum {
            return self.maxima(image, &rows, &columns);
        }
        let sampled = place(&rows)?.f_matmul(image)?.f_matmul(&place(&columns)?.f_transpose(0, 1)?)?;
        let bins = sampled.f_reshape([-1, self.rows, rows.samples, self.columns, columns.samples])?;
        Ok(bins.f_mean_dim([2, 4].as_slice(), false, None)?)
    }

    /// The standard takes the maximum over the four weighted pixels of every sample, not over samples.
    fn maxima(&self, image: &Tensor, rows: &Side, columns: &Side) -> Result<Tensor, Fault> {
        let (row_pairs, row_shares) = rows.pairs(image)?;
        let (column_pairs, column_shares) = columns.pairs(image)?;
        let mut best: Option<Tensor> = None;
        for (row, row_share) in row_pairs.iter().zip(&row_shares) {
            for (column, column_share) in column_pairs.iter().zip(&column_shares) {
                let pixels = image.f_index_select(1, row)?.f_index_select(2, column)?;
                let weighted = pixels.f_mul(&row_share.f_reshape([-1, 1])?)?.f_mul(column_share)?;
                best = Some(match best {
                    Some(best) => best.f_maximum(&weighted)?,
                    None => weighted,
                });
            }
        }
        let best = best.ok_or_else(|| Fault::model("there is nothing to take the maximum of"))?;
        let bins = best.f_reshape([-1, self.rows, rows.samples, self.columns, columns.samples])?;
        Ok(bins.f_amax([2, 4].as_slice(), false)?)
    }

    fn side(&self, start: f64, length: f64, bins: i64, extent: i64) -> Result<Side, Fault> {
        let bin = length / bins as f64;
        let samples = if self.ratio > 0 { self.ratio } else { (bin.ceil() as i64).max(1) };
        if samples > MAX_SAMPLES || !length.is_finite() || extent < 1 {
            return Err(Fault::model(format!(
                "a region has a side of {length}, which is no part of an image"
            )));
        }
        let place =
            |bin_at: i64, sample: i64| start + bin * (bin_at as f64 + (sample as f64 + 0.5) / samples as f64);
        let places: Vec<f64> =
            (0..bins).flat_map(|b| (0..samples).map(move |s| (b, s))).map(|(b, s)| place(b, s)).collect();
        bounded(&[places.len() as i64, extent])?;
        let neighbours: Vec<Neighbours> =
            places.into_iter().map(|place| Neighbours::of(place, extent)).collect();
        let shares = neighbours.iter().flat_map(|n| n.row(extent)).collect();
        Ok(Side { samples, extent, shares, neighbours })
    }
}

/// The two pixels around a place, and their shares.
struct Neighbours {
    at: [i64; 2],
    shares: [f32; 2],
}

impl Neighbours {
    /// More than a pixel outside, nothing is there; less, the edge is.
    fn of(place: f64, extent: i64) -> Self {
        if place < -1.0 || place > extent as f64 {
            return Self { at: [0, 0], shares: [0.0, 0.0] };
        }
        let place = place.max(0.0);
        let low = (place.floor() as i64).min(extent - 1);
        let within = if low >= extent - 1 { 0.0 } else { place - low as f64 };
        Self { at: [low, (low + 1).min(extent - 1)], shares: [(1.0 - within) as f32, within as f32] }
    }

    fn row(&self, extent: i64) -> Vec<f32> {
        let share = |at: i64| {
            let pairs = self.at.iter().zip(&self.shares);
            pairs.filter(|(own, _)| **own == at).map(|(_, share)| share).sum()
        };
        (0..extent).map(share).collect()
    }
}

/// The samples of all bins along one axis.
struct Side {
    samples: i64,
    extent: i64,
    /// A matrix of shares, one row a sample.
    shares: Vec<f32>,
    neighbours: Vec<Neighbours>,
}

impl Side {
    /// Lower and upper pixel of every sample, and their shares.
    fn pairs(&self, like: &Tensor) -> Result<([Tensor; 2], [Tensor; 2]), Fault> {
        let at = |which: fn(&Neighbours) -> i64| {
            Tensor::f_from_slice(&self.neighbours.iter().map(which).collect::<Vec<_>>())?.f_to(like.device())
        };
        let share = |which: fn(&Neighbours) -> f32| {
            let shares = Tensor::f_from_slice(&self.neighbours.iter().map(which).collect::<Vec<_>>())?;
            shares.f_to_kind(like.kind())?.f_to(like.device())
        };
        Ok(([at(|n| n.at[0])?, at(|n| n.at[1])?], [share(|n| n.shares[0])?, share(|n| n.shares[1])?]))
    }
}
