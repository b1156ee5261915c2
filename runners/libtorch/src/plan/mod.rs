//! A model made ready to run: [`fuse`] joins nodes that libtorch computes as one, [`compile`] prepares every operator and
//! computes what depends on no input, [`lifetime`] says what dies where, and [`Plan`] runs the rest.

mod compile;
mod fuse;
mod lifetime;

use std::time::Instant;

use convwise_sdk::{LayerTime, RunnerError, TensorInfo};
use tch::{Device, Tensor};

use crate::fault::Fault;
use crate::ops::{Kernel, Operands, Slot};

pub(crate) use compile::compile;

/// One operator with its place among the others.
pub(crate) struct Step {
    kernel: Kernel,
    /// The node's name in the file.
    node: String,
    /// Its operator.
    operator: String,
    inputs: Vec<Option<Slot>>,
    outputs: Vec<Option<Slot>>,
    /// The operand that the result is written over.
    overwritten: Option<usize>,
    /// Values that nothing reads after this.
    dying: Vec<Slot>,
    /// Whether all operands must lie on one graphics card.
    on_card: Option<Device>,
}

/// A model ready to run.
pub(crate) struct Plan {
    steps: Vec<Step>,
    /// Constants and inputs stay; everything else lives from one step to another.
    values: Vec<Option<Tensor>>,
    inputs: Vec<(Slot, TensorInfo)>,
    outputs: Vec<(Slot, TensorInfo)>,
    /// Whether images are to lie with the channels of a pixel side by side.
    channels_last: bool,
    /// What a reader of a measurement should know.
    notes: Vec<String>,
}

impl Plan {
    /// What a caller sets.
    pub(crate) fn inputs(&self) -> Vec<TensorInfo> {
        self.inputs.iter().map(|(_, info)| info.clone()).collect()
    }

    /// What a run gives.
    pub(crate) fn outputs(&self) -> Vec<TensorInfo> {
        self.outputs.iter().map(|(_, info)| info.clone()).collect()
    }

    /// What a reader of a measurement should know.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Sets an input, laid out as the first operators read it.
    pub(crate) fn set(&mut self, index: usize, tensor: Tensor) -> Result<(), RunnerError> {
        let laid_out = if self.channels_last { crate::convert::channels_last(&tensor) } else { Ok(tensor) };
        let tensor = laid_out.map_err(|error| Fault::from(error).at("an input"))?;
        let slot = self.inputs.get(index).and_then(|(slot, _)| self.values.get_mut(*slot));
        if let Some(slot) = slot {
            *slot = Some(tensor);
        }
        Ok(())
    }

    /// Computes the outputs, in order.
    pub(crate) fn run(&mut self) -> Result<Vec<Tensor>, RunnerError> {
        let done = self.steps.iter().try_for_each(|step| step.run(&mut self.values));
        let outputs = done.and_then(|()| self.collect());
        self.sweep();
        outputs
    }

    /// The median time of every step over some runs.
    pub(crate) fn profile(&mut self, runs: u32, device: Device) -> Result<Vec<LayerTime>, RunnerError> {
        let mut times = vec![Vec::new(); self.steps.len()];
        for _ in 0..runs {
            for (step, times) in self.steps.iter().zip(&mut times) {
                let start = Instant::now();
                step.run(&mut self.values)?;
                crate::device::finish(device);
                times.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
            self.sweep();
        }
        let timed = self.steps.iter().zip(times);
        Ok(timed.map(|(step, times)| step.layer(median(times), device)).collect())
    }

    fn collect(&self) -> Result<Vec<Tensor>, RunnerError> {
        let value = |(slot, info): &(Slot, TensorInfo)| {
            let value = self.values.get(*slot).and_then(Option::as_ref).map(Tensor::shallow_clone);
            value.ok_or_else(|| RunnerError::internal(format!("output {} was not computed", info.name)))
        };
        self.outputs.iter().map(value).collect()
    }

    /// Frees what steps made and has not died: outputs, or everything after a failure.
    fn sweep(&mut self) {
        for slot in self.steps.iter().flat_map(|step| step.outputs.iter().flatten()) {
            if let Some(value) = self.values.get_mut(*slot) {
                *value = None;
            }
        }
    }
}

fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or(0)
}

impl Step {
    fn layer(&self, ns: u64, device: Device) -> LayerTime {
        let provider = if device.is_cuda() { "cuda" } else { "cpu" };
        LayerTime { node: self.node.clone(), op: self.operator.clone(), provider: provider.into(), ns }
    }

    fn run(&self, values: &mut [Option<Tensor>]) -> Result<(), RunnerError> {
        let place = || format!("node {} ({})", self.node, self.operator);
        let outputs = self.compute(values).map_err(|fault| fault.at(&place()))?;
        for (slot, tensor) in self.outputs.iter().zip(outputs) {
            if let Some(value) = slot.and_then(|slot| values.get_mut(slot)) {
                *value = Some(tensor);
            }
        }
        for slot in &self.dying {
            if let Some(value) = values.get_mut(*slot) {
                *value = None;
            }
        }
        Ok(())
    }

    fn compute(&self, values: &mut [Option<Tensor>]) -> Result<Vec<Tensor>, Fault> {
        if let Some(card) = self.on_card {
            gather_on(card, values, &self.inputs)?;
        }
        if let (Kernel::InPlace { overwrite, .. }, Some(index)) = (&self.kernel, self.overwritten) {
            let slot = self.inputs.get(index).copied().flatten();
            let target = slot.and_then(|slot| values.get_mut(slot)).and_then(Option::take);
            let target = target.ok_or_else(|| Fault::model(format!("operand {index} is missing")))?;
            return Ok(vec![overwrite(target, index, &Operands::new(values, &self.inputs))?]);
        }
        self.kernel.compute(&Operands::new(values, &self.inputs))
    }
}

/// Moves operands to a card where some of them lie there already: extents that a model computes start on the processor.
fn gather_on(card: Device, values: &mut [Option<Tensor>], slots: &[Option<Slot>]) -> Result<(), Fault> {
    let is_there = |slot: &Slot| matches!(values.get(*slot), Some(Some(tensor)) if tensor.device() == card);
    if !slots.iter().flatten().any(is_there) {
        return Ok(());
    }
    for slot in slots.iter().flatten() {
        if let Some(Some(tensor)) = values.get_mut(*slot)
            && tensor.device() != card
        {
            *tensor = tensor.f_to(card)?;
        }
    }
    Ok(())
}
