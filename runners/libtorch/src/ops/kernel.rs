//! What a node becomes: a function from operands to results, prepared when the model is loaded.

use tch::Tensor;

use super::operands::Operands;
use crate::fault::Fault;

/// What an operator computes.
pub(crate) type Compute = Box<dyn Fn(&Operands<'_>) -> Result<Vec<Tensor>, Fault> + Send>;
/// What an operator with one result computes.
pub(crate) type ComputeOne = Box<dyn Fn(&Operands<'_>) -> Result<Tensor, Fault> + Send>;
/// The same, written over the operand of the given number, which is taken out of the operands.
pub(crate) type Overwrite = Box<dyn Fn(Tensor, usize, &Operands<'_>) -> Result<Tensor, Fault> + Send>;

/// Whether results may lie in the memory of operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Results have memory of their own.
    Nothing,
    /// Results may be views of operands.
    Memory,
    /// As views, in which several elements may even lie in one place, so that they cannot be written.
    Elements,
}

/// A prepared operator.
pub(crate) enum Kernel {
    /// Any operator.
    Whole { compute: Compute, sharing: Sharing },
    /// One result of the shape of an operand, which may be overwritten where it is not needed any more.
    InPlace { compute: ComputeOne, overwrite: Overwrite, candidates: usize },
}

impl Kernel {
    /// One result in memory of its own.
    pub(crate) fn one(compute: impl Fn(&Operands<'_>) -> Result<Tensor, Fault> + Send + 'static) -> Self {
        Self::many(move |operands| Ok(vec![compute(operands)?]))
    }

    /// Results in memory of their own.
    pub(crate) fn many(
        compute: impl Fn(&Operands<'_>) -> Result<Vec<Tensor>, Fault> + Send + 'static,
    ) -> Self {
        Self::Whole { compute: Box::new(compute), sharing: Sharing::Nothing }
    }

    /// One result that may be a view of an operand.
    pub(crate) fn view(compute: impl Fn(&Operands<'_>) -> Result<Tensor, Fault> + Send + 'static) -> Self {
        Self::views(move |operands| Ok(vec![compute(operands)?]))
    }

    /// Results that may be views of operands.
    pub(crate) fn views(
        compute: impl Fn(&Operands<'_>) -> Result<Vec<Tensor>, Fault> + Send + 'static,
    ) -> Self {
        Self::Whole { compute: Box::new(compute), sharing: Sharing::Memory }
    }

    /// One result in which several elements may lie in one place.
    pub(crate) fn spread(compute: impl Fn(&Operands<'_>) -> Result<Tensor, Fault> + Send + 'static) -> Self {
        let compute: Compute = Box::new(move |operands| Ok(vec![compute(operands)?]));
        Self::Whole { compute, sharing: Sharing::Elements }
    }

    /// A function of the first operand alone, and the same written over it.
    pub(crate) fn in_place(
        compute: impl Fn(&Tensor) -> tch::Result<Tensor> + Send + 'static,
        overwrite: impl Fn(&mut Tensor) -> tch::Result<Tensor> + Send + 'static,
    ) -> Self {
        Self::InPlace {
            compute: Box::new(move |operands| Ok(compute(operands.get(0)?)?)),
            overwrite: Box::new(move |mut target, _, _| Ok(overwrite(&mut target)?)),
            candidates: 1,
        }
    }

    /// Whether results may lie in the memory of operands.
    pub(crate) fn sharing(&self) -> Sharing {
        match self {
            Self::Whole { sharing, .. } => *sharing,
            Self::InPlace { .. } => Sharing::Nothing,
        }
    }

    /// The result, with all operands left as they are.
    pub(crate) fn compute(&self, operands: &Operands<'_>) -> Result<Vec<Tensor>, Fault> {
        match self {
            Self::Whole { compute, .. } => compute(operands),
            Self::InPlace { compute, .. } => Ok(vec![compute(operands)?]),
        }
    }
}
