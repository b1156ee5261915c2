//! Operations that only rearrange: flatten, reshape, transpose.

use super::given::no_axis;
use super::{Attributes, Given, Layer, Reason, Storage};
use crate::shape::Shape;

/// [`crate::Op::Flatten`].
pub(super) struct Flatten {
    pub from: usize,
}

/// [`crate::Op::Reshape`].
pub(super) struct Reshape<'a> {
    pub dims: &'a [i64],
}

/// [`crate::Op::Transpose`].
pub(super) struct Transpose<'a> {
    pub perm: &'a [usize],
}

impl Layer for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let x = given.first()?;
        match x.0.split_at_checked(self.from) {
            Some((kept, rest @ [_, ..])) => {
                let collapsed = rest.iter().fold(1, |n: usize, &d| n.saturating_mul(d));
                Ok(Shape(kept.iter().copied().chain([collapsed]).collect()))
            }
            _ => Err(no_axis(self.from, x)),
        }
    }

    fn storage(&self) -> Storage {
        Storage::View
    }

    fn attributes(&self, out: &mut Attributes) {
        out.set("from", self.from);
    }
}

impl Layer for Reshape<'_> {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let x = given.first()?;
        let (batch, rest) = x.0.split_first().ok_or("the operand has no axes; expected at least 1")?;
        let available = Shape(rest.to_vec()).elements();
        let dims = self.resolve(available)?;
        let result = Shape(std::iter::once(*batch).chain(dims).collect());
        if result.elements() == x.elements() { Ok(result) } else { Err(self.misfit(available)) }
    }

    fn storage(&self) -> Storage {
        Storage::View
    }

    fn attributes(&self, out: &mut Attributes) {
        out.list("dims", self.dims);
    }
}

impl Reshape<'_> {
    /// The extents with -1 replaced by what is left of `available` elements.
    fn resolve(&self, available: u64) -> Result<Vec<usize>, Reason> {
        let known: u64 =
            self.dims.iter().filter(|&&d| d != -1).fold(1, |n: u64, &d| n.saturating_mul(d.unsigned_abs()));
        let free = self.dims.iter().filter(|&&d| d == -1).count();
        if known == 0 || free > 1 || self.dims.iter().any(|&d| d < -1) {
            return Err(format!("extents {:?}; expected positive ones, and -1 at most once", self.dims));
        }
        if !available.is_multiple_of(known) {
            return Err(self.misfit(available));
        }
        let left = available / known;
        self.dims.iter().map(|&d| if d == -1 { fit(left) } else { fit(d.unsigned_abs()) }).collect()
    }

    fn misfit(&self, available: u64) -> Reason {
        format!("extents {:?} for {available} elements after the batch axis; expected as many", self.dims)
    }
}

fn fit(extent: u64) -> Result<usize, Reason> {
    usize::try_from(extent)
        .map_err(|_| format!("extent {extent}; expected one that this machine can address"))
}

impl Layer for Transpose<'_> {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason> {
        let x = given.first()?;
        let mut sorted = self.perm.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..x.rank()) {
            return Err(format!("permutation {:?}; expected every axis below {} once", self.perm, x.rank()));
        }
        Ok(Shape(self.perm.iter().filter_map(|&axis| x.dim(axis)).collect()))
    }

    fn attributes(&self, out: &mut Attributes) {
        out.list("perm", self.perm);
    }
}
