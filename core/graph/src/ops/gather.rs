//! Operations that read at places which other tensors name.

use std::ops::RangeInclusive;

use super::{Attributes, Given, Layer, Reason};
use crate::shape::Shape;

/// [`crate::Op::TopPlaces`].
pub(super) struct TopPlaces {
    pub count: usize,
}

/// [`crate::Op::ArgMax`].
pub(super) struct ArgMax;

/// [`crate::Op::Rows`].
pub(super) struct Rows;

/// [`crate::Op::Kept`].
pub(super) struct Kept {
    pub count: usize,
    pub iou: f64,
    pub score: f64,
}

/// [`crate::Op::Numbers`] and [`crate::Op::Places`].
pub(super) enum Cast {
    Numbers,
    Places,
}

/// [`crate::Op::GridSample`].
pub(super) struct GridSample {
    pub align_corners: bool,
}

impl Layer for TopPlaces {
    fn name(&self) -> &'static str {
        "top_places"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let x = given.first()?;
        match x.0.as_slice() {
            [batch, extent] if (1..=*extent).contains(&self.count) => Ok([*batch, self.count].into()),
            [_, extent] => Err(format!("the {} greatest of {extent}; expected 1 to {extent}", self.count)),
            _ => Err(format!("an operand of {} axes; expected the 2 of [batch, numbers]", x.rank())),
        }
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("count", self.count);
    }
}

impl Layer for ArgMax {
    fn name(&self) -> &'static str {
        "arg_max"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        match given.first()?.0.as_slice() {
            [batch, classes, rest @ ..] if *classes > 0 => {
                Ok(Shape([*batch].iter().chain(rest).copied().collect()))
            }
            _ => Err("expected [batch, numbers, ...]".to_owned()),
        }
    }
}

impl Layer for Rows {
    fn name(&self) -> &'static str {
        "rows"
    }

    fn operands(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let (x, places) = given.pair()?;
        match (x.0.as_slice(), places.0.as_slice()) {
            ([batch, _, rest @ ..], [same, count]) if batch == same => {
                Ok(Shape([*batch, *count].into_iter().chain(rest.iter().copied()).collect()))
            }
            _ => Err("expected [batch, rows, ...] and places [batch, count]".to_owned()),
        }
    }
}

impl Layer for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn operands(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        if !(0.0..=1.0).contains(&self.iou) || !self.score.is_finite() {
            return Err(format!(
                "overlap {} and score {}; expected a share and a number",
                self.iou, self.score
            ));
        }
        let (boxes, scores) = given.pair()?;
        match (boxes.0.as_slice(), scores.0.as_slice()) {
            ([1, count, 4], [1, same]) if count == same => Ok([1, self.count].into()),
            ([batch, _, 4], [same, _]) if batch == same && *batch > 1 => {
                Err(format!("{batch} images; expected 1, because each keeps another number of boxes"))
            }
            _ => Err("expected boxes [1, count, 4] and scores [1, count]".to_owned()),
        }
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("count", self.count);
        out.set("iou", self.iou);
        out.set("score", self.score);
    }
}

impl Layer for Cast {
    fn name(&self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Places => "places",
        }
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        given.first().cloned()
    }
}

impl Layer for GridSample {
    fn name(&self) -> &'static str {
        "grid_sample"
    }

    fn operands(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let [batch, channels, ..] = given.image()?;
        let (_, grid) = given.pair()?;
        match grid.0.as_slice() {
            [same, rows, columns, 2] if *same == batch => Ok([batch, channels, *rows, *columns].into()),
            _ => Err(format!("points {grid}; expected [{batch}, rows, columns, 2]")),
        }
    }

    fn attributes(&self, out: &mut Attributes) {
        out.flag("align_corners", self.align_corners);
    }
}
