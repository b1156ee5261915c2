//! What an operator works on.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor};

use crate::fault::Fault;

/// The place of a value in a plan.
pub(crate) type Slot = usize;

/// Most numbers in a list of extents, axes or the like.
const MAX_LIST: usize = 1 << 16;

/// The operands of one node in one run.
pub(crate) struct Operands<'a> {
    values: &'a [Option<Tensor>],
    slots: &'a [Option<Slot>],
}

impl<'a> Operands<'a> {
    /// The operands that lie at `slots` of `values`.
    pub(crate) fn new(values: &'a [Option<Tensor>], slots: &'a [Option<Slot>]) -> Self {
        Self { values, slots }
    }

    /// The operand of this number.
    pub(crate) fn get(&self, index: usize) -> Result<&'a Tensor, Fault> {
        self.optional(index).ok_or_else(|| Fault::model(format!("operand {index} is missing")))
    }

    /// The operand of this number, if there is one.
    pub(crate) fn optional(&self, index: usize) -> Option<&'a Tensor> {
        let slot = (*self.slots.get(index)?)?;
        self.values.get(slot)?.as_ref()
    }

    /// All operands that there are.
    pub(crate) fn all(&self) -> Vec<&'a Tensor> {
        (0..self.slots.len()).filter_map(|index| self.optional(index)).collect()
    }
}

/// A list of whole numbers: told by the file, or computed by the model.
pub(crate) enum List {
    /// Told by the file.
    Known(Vec<i64>),
    /// In the operand of this number.
    At(usize),
}

impl List {
    /// The numbers.
    pub(crate) fn read<'a>(&'a self, operands: &Operands<'_>) -> Result<Cow<'a, [i64]>, Fault> {
        match self {
            Self::Known(numbers) => Ok(Cow::Borrowed(numbers)),
            Self::At(index) => Ok(Cow::Owned(whole_numbers(operands.get(*index)?)?)),
        }
    }

    /// The first number, where the list holds one.
    pub(crate) fn first(&self, operands: &Operands<'_>) -> Result<i64, Fault> {
        self.read(operands)?.first().copied().ok_or_else(|| Fault::model("a number is missing"))
    }
}

/// The elements of a tensor as whole numbers.
pub(crate) fn whole_numbers(tensor: &Tensor) -> Result<Vec<i64>, Fault> {
    if tensor.numel() > MAX_LIST {
        return Err(Fault::model(format!("a list of {} numbers is too long", tensor.numel())));
    }
    let tensor = tensor.f_to(Device::Cpu)?.f_to_kind(Kind::Int64)?.f_reshape([-1])?;
    Ok(Vec::try_from(&tensor)?)
}

/// The elements of a tensor as numbers.
pub(crate) fn numbers(tensor: &Tensor) -> Result<Vec<f64>, Fault> {
    if tensor.numel() > MAX_LIST {
        return Err(Fault::model(format!("a list of {} numbers is too long", tensor.numel())));
    }
    let tensor = tensor.f_to(Device::Cpu)?.f_to_kind(Kind::Double)?.f_reshape([-1])?;
    Ok(Vec::try_from(&tensor)?)
}
