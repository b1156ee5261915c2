//! One axis of a resized image: which elements of the old axis make each element of the new one, and in what shares
//! (ONNX, `Resize`).

use crate::fault::Fault;

/// How a place in the new image is one in the old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
}

impl Coordinates {
    pub(super) fn named(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "half_pixel" => Self::HalfPixel,
            "half_pixel_symmetric" => Self::HalfPixelSymmetric,
            "pytorch_half_pixel" => Self::PytorchHalfPixel,
            "align_corners" => Self::AlignCorners,
            "asymmetric" => Self::Asymmetric,
            other => return Err(Fault::unsupported(format!("coordinate_transformation_mode is {other}"))),
        })
    }
}

/// Which of the neighbours is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

impl Nearest {
    pub(super) fn named(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "round_prefer_floor" | "" => Self::RoundPreferFloor,
            "round_prefer_ceil" => Self::RoundPreferCeil,
            "floor" => Self::Floor,
            "ceil" => Self::Ceil,
            other => return Err(Fault::model(format!("there is no nearest_mode {other}"))),
        })
    }

    fn round(self, place: f64) -> f64 {
        match self {
            Self::RoundPreferFloor => (place - 0.5).ceil(),
            Self::RoundPreferCeil => (place + 0.5).floor(),
            Self::Floor => place.floor(),
            Self::Ceil => place.ceil(),
        }
    }
}

/// An axis that changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    /// Its number.
    pub(super) at: i64,
    /// Its extent before.
    pub(super) from: i64,
    /// Its extent after.
    pub(super) to: i64,
    /// The factor, which need not be the quotient of the extents.
    pub(super) scale: f64,
}

/// Shares of neighbours that are not the nearest one alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shares {
    Linear,
    /// Keys' cubic with this coefficient; what lies outside counts as the edge, or not at all.
    Cubic {
        coefficient: f64,
        exclude_outside: bool,
    },
}

impl Axis {
    /// Where the element `x` of the new axis lies on the old one.
    fn place(&self, coordinates: Coordinates, x: i64) -> f64 {
        let (x, from, to) = (x as f64, self.from as f64, self.to as f64);
        let half_pixel = (x + 0.5) / self.scale - 0.5;
        match coordinates {
            Coordinates::HalfPixel => half_pixel,
            Coordinates::HalfPixelSymmetric => from / 2.0 * (1.0 - to / (self.scale * from)) + half_pixel,
            Coordinates::PytorchHalfPixel => {
                if self.to > 1 {
                    half_pixel
                } else {
                    0.0
                }
            }
            Coordinates::AlignCorners => {
                if self.to > 1 {
                    x * (from - 1.0) / (to - 1.0)
                } else {
                    0.0
                }
            }
            Coordinates::Asymmetric => x / self.scale,
        }
    }

    /// The nearest element for every new one.
    pub(super) fn nearest(&self, coordinates: Coordinates, nearest: Nearest) -> Vec<i64> {
        (0..self.to)
            .map(|x| (nearest.round(self.place(coordinates, x)) as i64).clamp(0, self.from - 1))
            .collect()
    }

    /// A matrix of `to` rows of `from` shares.
    pub(super) fn shares(&self, coordinates: Coordinates, shares: Shares, antialias: bool) -> Vec<f32> {
        // Where the image shrinks, an element is made of all that it covers.
        let width = if antialias { self.scale.min(1.0).recip() } else { 1.0 };
        (0..self.to).flat_map(|x| self.row(self.place(coordinates, x), shares, width)).collect()
    }

    fn row(&self, place: f64, shares: Shares, width: f64) -> Vec<f32> {
        let (reach, exclude) = match shares {
            Shares::Linear => (width, false),
            Shares::Cubic { exclude_outside, .. } => (2.0 * width, exclude_outside),
        };
        let first = place.floor();
        let start = first - reach.ceil() + 1.0;
        let mut row = vec![0.0; usize::try_from(self.from).unwrap_or(0)];
        for at in start as i64..=(first + reach.ceil()) as i64 {
            let weight = shares.at((at as f64 - place).abs() / width);
            let inside = (0..self.from).contains(&at);
            let at = usize::try_from(at.clamp(0, self.from - 1)).unwrap_or(0);
            if let Some(share) = row.get_mut(at).filter(|_| inside || !exclude) {
                *share += weight;
            }
        }
        let sum: f64 = if exclude || width > 1.0 { row.iter().sum() } else { 1.0 };
        row.into_iter().map(|share| (share / sum) as f32).collect()
    }
}

impl Shares {
    /// The share of an element at this distance, before all shares are made to add up to 1.
    fn at(self, distance: f64) -> f64 {
        match self {
            Self::Linear => (1.0 - distance).max(0.0),
            Self::Cubic { coefficient, .. } => cubic(distance, coefficient),
        }
    }
}

/// Keys, "Cubic convolution interpolation" (1981), equation 4.
fn cubic(d: f64, a: f64) -> f64 {
    match d {
        ..=1.0 => ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0,
        ..2.0 => ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWICE: Axis = Axis { at: 2, from: 2, to: 4, scale: 2.0 };

    #[test]
    fn nearest_elements() {
        let check = |coordinates, nearest, expect: [i64; 4]| {
            assert_eq!(TWICE.nearest(coordinates, nearest), expect, "{coordinates:?} {nearest:?}");
        };
        check(Coordinates::Asymmetric, Nearest::Floor, [0, 0, 1, 1]);
        check(Coordinates::Asymmetric, Nearest::Ceil, [0, 1, 1, 1]);
        check(Coordinates::HalfPixel, Nearest::RoundPreferFloor, [0, 0, 1, 1]);
        check(Coordinates::AlignCorners, Nearest::RoundPreferFloor, [0, 0, 1, 1]);
    }

    #[test]
    fn shares_add_up() {
        let linear = TWICE.shares(Coordinates::HalfPixel, Shares::Linear, false);
        assert_eq!(linear, [1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0]);
        for exclude_outside in [false, true] {
            let cubic = Shares::Cubic { coefficient: -0.75, exclude_outside };
            for row in TWICE.shares(Coordinates::HalfPixel, cubic, false).chunks(2) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{row:?}");
            }
        }
    }
}
