//! Inputs and outputs that stay in the memory of the device: copied there by `set_input`, copied back by `output`, so that
//! a run is nothing but the run.

use convwise_sdk::{RunnerError, TensorView};
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, Session as Model};
use ort::value::{DynTensor, DynTensorValueType};

use crate::error::from_ort;
use crate::tensor::view;

/// A model's inputs and outputs, bound to memory.
pub(crate) struct Bound {
    binding: IoBinding,
    memory: MemoryInfo<'static>,
    /// Names of the outputs.
    names: Vec<String>,
    /// Outputs of the last run, where it left them.
    outputs: Vec<DynTensor>,
    /// Those that were asked for, in the memory of the CPU.
    copies: Vec<Option<DynTensor>>,
}

impl Bound {
    /// Binds the outputs of `model` to `place`, or else to the memory of the CPU.
    pub(crate) fn new(
        model: &Model,
        place: Option<AllocationDevice<'static>>,
        device: i32,
    ) -> Result<Self, RunnerError> {
        let made = || {
            let place = place.unwrap_or(AllocationDevice::CPU);
            let memory = MemoryInfo::new(place, device, AllocatorType::Device, MemoryType::Default)?;
            ort::Result::Ok((model.create_binding()?, memory))
        };
        let (binding, memory) = made().map_err(|error| from_ort("bind inputs and outputs", &error))?;
        let names: Vec<_> = model.outputs().iter().map(|outlet| outlet.name().to_owned()).collect();
        let copies = names.iter().map(|_| None).collect();
        Ok(Self { binding, memory, names, outputs: Vec::new(), copies })
    }

    /// Copies an input to where the model reads it, and waits until it is there.
    pub(crate) fn set(&mut self, name: &str, tensor: &DynTensor) -> Result<(), RunnerError> {
        self.forget();
        let mut set = || {
            self.binding.bind_input(name, tensor)?;
            // Memory of an earlier run has the sizes of its inputs.
            self.binding.clear_outputs();
            for name in &self.names {
                self.binding.bind_output_to_device(name.as_str(), &self.memory)?;
            }
            self.binding.synchronize_inputs()
        };
        set().map_err(|error| from_ort("copy an input to the device", &error))
    }

    /// Lets go of the outputs of the last run.
    pub(crate) fn forget(&mut self) {
        self.outputs.clear();
        self.copies.fill_with(|| None);
    }

    /// Whether there are outputs of a run.
    pub(crate) fn has_run(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// One run; the device has finished when it returns.
    pub(crate) fn run(&mut self, model: &mut Model) -> Result<(), RunnerError> {
        self.forget();
        let mut run = || {
            let outputs = model.run_binding(&self.binding)?;
            self.binding.synchronize_outputs()?;
            for (_, value) in outputs {
                self.outputs.push(value.downcast::<DynTensorValueType>()?);
            }
            ort::Result::Ok(())
        };
        run().map_err(|error| from_ort("run the model", &error))
    }

    /// One output of the last run, copied back if it is not in the memory of the CPU.
    pub(crate) fn output(&mut self, index: usize) -> Option<Result<TensorView<'_>, RunnerError>> {
        let (made, copy) = (self.outputs.get(index)?, self.copies.get_mut(index)?);
        if self.memory.is_cpu_accessible() {
            return Some(view(made));
        }
        Some(copied(made, copy))
    }
}

fn copied<'a>(made: &DynTensor, copy: &'a mut Option<DynTensor>) -> Result<TensorView<'a>, RunnerError> {
    let here = match copy.take() {
        Some(here) => here,
        None => made
            .to(AllocationDevice::CPU, 0)
            .map_err(|error| from_ort("copy an output from the device", &error))?,
    };
    view(copy.insert(here))
}
