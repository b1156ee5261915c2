//! A node of the file while its operator is prepared.

use std::cell::RefCell;
use std::collections::BTreeSet;

use convwise_onnx::proto::{AttributeProto, NodeProto, TensorProto};
use tch::{Device, Tensor};

use super::operands::{List, Slot, numbers, whole_numbers};
use crate::fault::Fault;
use crate::settings::Layout;

/// What an operator is prepared from.
pub(crate) struct Node<'a> {
    proto: &'a NodeProto,
    opset: i64,
    slots: &'a [Option<Slot>],
    constants: &'a [Option<Tensor>],
    layout: Layout,
    device: Device,
    /// Operands that the kernel has taken in while it was prepared.
    taken: RefCell<BTreeSet<usize>>,
}

/// What is the same for all nodes of a model.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings {
    /// Version of the standard operator set.
    pub(crate) opset: i64,
    /// How images lie in memory.
    pub(crate) layout: Layout,
    /// Where it is computed.
    pub(crate) device: Device,
}

impl<'a> Node<'a> {
    /// A node whose operands lie at `slots`; of those, `constants` has the ones that are known already.
    pub(crate) fn new(
        proto: &'a NodeProto,
        slots: &'a [Option<Slot>],
        constants: &'a [Option<Tensor>],
        surroundings: Surroundings,
    ) -> Self {
        let Surroundings { opset, layout, device } = surroundings;
        Self { proto, opset, slots, constants, layout, device, taken: RefCell::default() }
    }

    /// Version of the standard operator set.
    pub(crate) fn opset(&self) -> i64 {
        self.opset
    }

    /// How images lie in memory.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Where it is computed.
    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// How many results are asked for: the number of the last one that has a name.
    pub(crate) fn results(&self) -> usize {
        self.proto.output.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1)
    }

    /// Number of operands, left-out ones in between included.
    pub(crate) fn operands(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is an operand of this number.
    pub(crate) fn has(&self, index: usize) -> bool {
        self.slots.get(index).is_some_and(Option::is_some)
    }

    /// A setting of the node.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a AttributeProto> {
        self.proto.attribute.iter().find(|attribute| attribute.name() == name)
    }

    /// A whole number.
    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.i).unwrap_or(default)
    }

    /// A whole number that says yes or no.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name, default.into()) != 0
    }

    /// A number.
    pub(crate) fn float(&self, name: &str, default: f32) -> f64 {
        f64::from(self.attribute(name).and_then(|attribute| attribute.f).unwrap_or(default))
    }

    /// Whole numbers.
    pub(crate) fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|attribute| attribute.ints.clone())
    }

    /// A word.
    pub(crate) fn string(&self, name: &str, default: &'a str) -> &'a str {
        let bytes = self.attribute(name).and_then(|attribute| attribute.s.as_deref());
        bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or(default)
    }

    /// A stored tensor.
    pub(crate) fn tensor(&self, name: &str) -> Option<&'a TensorProto> {
        self.attribute(name).and_then(|attribute| attribute.t.as_ref())
    }

    /// An operand, if it is known already. The node goes on reading it when it runs.
    pub(crate) fn known(&self, index: usize) -> Option<&'a Tensor> {
        let slot = (*self.slots.get(index)?)?;
        self.constants.get(slot)?.as_ref()
    }

    /// An operand, if it is known already. The kernel keeps it, and the node does not read it any more.
    pub(crate) fn take(&self, index: usize) -> Option<&'a Tensor> {
        let tensor = self.known(index)?;
        self.taken.borrow_mut().insert(index);
        Some(tensor)
    }

    /// The numbers of the operands that kernels have taken in.
    pub(crate) fn taken(&self) -> BTreeSet<usize> {
        self.taken.borrow().clone()
    }

    /// A list in an operand; nothing where the operand is left out.
    pub(crate) fn list(&self, index: usize) -> Result<Option<List>, Fault> {
        if !self.has(index) {
            return Ok(None);
        }
        match self.take(index) {
            Some(tensor) => Ok(Some(List::Known(whole_numbers(tensor)?))),
            None => Ok(Some(List::At(index))),
        }
    }

    /// A list that older operator sets have as a setting and newer ones as an operand.
    pub(crate) fn list_or(&self, index: usize, attribute: &str) -> Result<Option<List>, Fault> {
        match self.ints(attribute) {
            Some(numbers) => Ok(Some(List::Known(numbers))),
            None => self.list(index),
        }
    }

    /// A single number in an operand, which must be known already; nothing where the operand is left out.
    pub(crate) fn number(&self, index: usize, what: &str) -> Result<Option<f64>, Fault> {
        if !self.has(index) {
            return Ok(None);
        }
        let tensor = self.take(index);
        let tensor =
            tensor.ok_or_else(|| Fault::unsupported(format!("its {what} is computed by the model")))?;
        let first = numbers(tensor)?.first().copied();
        first.map(Some).ok_or_else(|| Fault::model(format!("its {what} is empty")))
    }

    /// Refuses a setting that has another value than the one that is supported.
    pub(crate) fn only(&self, name: &str, supported: i64) -> Result<(), Fault> {
        match self.int(name, supported) {
            value if value == supported => Ok(()),
            value => Err(Fault::unsupported(format!("{name} is {value}; only {supported} can be run"))),
        }
    }

    /// Refuses more results than are made.
    pub(crate) fn at_most(&self, results: usize) -> Result<(), Fault> {
        match self.results() {
            asked if asked <= results => Ok(()),
            asked => {
                Err(Fault::unsupported(format!("{asked} results are asked for; only {results} can be had")))
            }
        }
    }
}
