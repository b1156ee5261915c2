//! A session that computes next to nothing and reports the times it was given.

use convwise_sdk::{Dim, Io, Profile, RunnerError, Session, Tensor, TensorInfo, TensorView};

use crate::mischief::Phase;
use crate::script::{Lie, Script};

/// A loaded pretence of a model.
pub(crate) struct MockSession {
    script: Script,
    /// Batch and checksum of the input.
    input: Option<(usize, f32)>,
    outputs: Vec<Tensor>,
    runs: u64,
}

impl MockSession {
    pub(crate) fn new(script: Script) -> Self {
        Self { script, input: None, outputs: Vec::new(), runs: 0 }
    }

    /// Element `i` of output `k` is the input's checksum plus `k + i / 1000`.
    fn output_of(
        &self,
        index: usize,
        info: &TensorInfo,
        batch: usize,
        checksum: f32,
    ) -> Result<Tensor, RunnerError> {
        let mut shape: Vec<usize> = info
            .shape
            .iter()
            .map(|dim| match dim {
                Dim::Fixed(size) => *size,
                Dim::Dynamic(_) => batch,
            })
            .collect();
        if self.script.lie == Some(Lie::Shape) {
            shape.push(1);
        }
        let count = shape.iter().product();
        let mut values: Vec<f32> = (0..count).map(|i| checksum + index as f32 + i as f32 / 1000.0).collect();
        if let (true, Some(last)) = (self.script.nan, values.last_mut()) {
            *last = f32::NAN;
        }
        let tensor = Tensor::from_f32(&shape, &values)?;
        if self.script.lie == Some(Lie::Type) {
            return Ok(Tensor::new(convwise_sdk::DType::I32, shape, tensor.data().to_vec())?);
        }
        Ok(tensor)
    }
}

impl Drop for MockSession {
    fn drop(&mut self) {
        self.script.mischief.strike(Phase::Exit, 1);
    }
}

impl Session for MockSession {
    fn io(&self) -> Result<Io, RunnerError> {
        let mut input = self.script.input.clone();
        if self.script.lie == Some(Lie::Input) {
            input.shape.push(Dim::Fixed(2));
        }
        Ok(Io::new(vec![input], self.script.outputs.clone()))
    }

    fn set_input(&mut self, index: usize, tensor: TensorView<'_>) -> Result<(), RunnerError> {
        let info = &self.script.input;
        let shape = tensor.shape();
        if index != 0 {
            return Err(RunnerError::invalid(format!("there is no input {index}; this model has 1")));
        }
        if tensor.dtype() != info.dtype || !info.accepts(&shape) {
            return Err(RunnerError::invalid(format!(
                "input {} does not take {} {shape:?}",
                info.name,
                tensor.dtype()
            )));
        }
        // Bytes, not values: so that it is the same for every element type.
        let sum: u64 = tensor.data().iter().map(|byte| u64::from(*byte)).sum();
        self.input = Some((shape.first().copied().unwrap_or(1), (sum % 997) as f32));
        self.outputs.clear();
        Ok(())
    }

    fn run(&mut self) -> Result<(), RunnerError> {
        let (batch, checksum) = self.input.ok_or_else(|| RunnerError::state("set input 0 first"))?;
        self.runs += 1;
        self.script.mischief.strike(Phase::Run, self.runs);
        self.script.refuse_in(Phase::Run, self.runs)?;
        if self.outputs.is_empty() {
            let outputs = self.script.outputs.iter().enumerate();
            self.outputs = outputs
                .map(|(index, info)| self.output_of(index, info, batch, checksum))
                .collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    fn output(&mut self, index: usize) -> Result<TensorView<'_>, RunnerError> {
        self.script.mischief.strike(Phase::Output, 1);
        if self.outputs.is_empty() {
            return Err(RunnerError::state("run first"));
        }
        let output = self.outputs.get(index).map(Tensor::view);
        output.ok_or_else(|| RunnerError::invalid(format!("there is no output {index}")))
    }

    fn last_run_ns(&mut self) -> Result<u64, RunnerError> {
        let times = &self.script.times_ns;
        let turn = self.runs.checked_sub(1).ok_or_else(|| RunnerError::state("run first"))?;
        let index = usize::try_from(turn).unwrap_or(0) % times.len().max(1);
        times.get(index).copied().ok_or_else(|| RunnerError::internal("there are no times"))
    }

    fn load_ns(&mut self) -> Result<u64, RunnerError> {
        Ok(self.script.load_ns)
    }

    fn profile(&mut self, runs: u32) -> Result<Profile, RunnerError> {
        if runs == 0 {
            return Err(RunnerError::invalid("a profile takes one run at least"));
        }
        self.input.ok_or_else(|| RunnerError::state("set input 0 first"))?;
        self.outputs.clear();
        Ok(Profile::new(runs, self.script.kernels.clone()))
    }
}
