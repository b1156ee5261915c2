//! Operations that read at places which other tensors name.

use std::ops::RangeInclusive;

use super::{Attributes, Given, Layer, Reason};
use crate::shape::Shape;

/// [`crate::Op::TopPlaces`].
pub(super) struct TopPlaces {
    pub count: usize,
}

/// [`crate::Op::Rows`].
pub(super) struct Rows;

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
