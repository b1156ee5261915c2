//! A loaded model with its inputs and the outputs of its last run.

use convwise_sdk::{Dim, Io, RunnerError, Session, Tensor, TensorInfo, TensorView};
use rten::{Dimension, Model, NodeId, RunOptions, Value, ValueOrView};

use crate::error;
use crate::value::{dtype_of, from_value, to_value};

/// A session of rten.
pub(crate) struct RtenSession {
    model: Model,
    run_options: RunOptions,
    io: Io,
    inputs: Vec<Option<Value>>,
    outputs: Vec<Value>,
    /// The output that was handed out last: rten's layout need not be row-major.
    handed_out: Option<Tensor>,
}

impl RtenSession {
    pub(crate) fn new(model: Model, run_options: RunOptions) -> Result<Self, RunnerError> {
        let io = io_of(&model)?;
        let inputs = io.inputs.iter().map(|_| None).collect();
        Ok(Self { model, run_options, io, inputs, outputs: Vec::new(), handed_out: None })
    }
}

impl Session for RtenSession {
    fn io(&self) -> Result<Io, RunnerError> {
        Ok(self.io.clone())
    }

    fn set_input(&mut self, index: usize, tensor: TensorView<'_>) -> Result<(), RunnerError> {
        let (Some(slot), Some(info)) = (self.inputs.get_mut(index), self.io.inputs.get(index)) else {
            let count = self.io.inputs.len();
            return Err(RunnerError::invalid(format!("there is no input {index}; this model has {count}")));
        };
        if tensor.dtype() != info.dtype || !info.accepts(&tensor.shape()) {
            return Err(mismatch(info, &tensor));
        }
        *slot = Some(to_value(&tensor)?);
        self.outputs.clear();
        self.handed_out = None;
        Ok(())
    }

    fn run(&mut self) -> Result<(), RunnerError> {
        // Freed before the run, not during it: a second set of outputs would count as memory of the model.
        self.outputs.clear();
        self.handed_out = None;
        let inputs = self.model.input_ids().iter().zip(&self.inputs).zip(&self.io.inputs);
        let inputs: Vec<(NodeId, ValueOrView<'_>)> = inputs
            .map(|((id, value), info)| match value {
                Some(value) => Ok((*id, value.into())),
                None => Err(RunnerError::state(format!("input {} is not set", info.name))),
            })
            .collect::<Result<_, _>>()?;
        self.outputs = self
            .model
            .run(inputs, self.model.output_ids(), Some(self.run_options.clone()))
            .map_err(|error| error::running(&error))?;
        Ok(())
    }

    fn output(&mut self, index: usize) -> Result<TensorView<'_>, RunnerError> {
        if self.outputs.is_empty() {
            return Err(RunnerError::state("there are no outputs yet: run first"));
        }
        let value = self.outputs.get(index);
        let value = value.ok_or_else(|| RunnerError::invalid(format!("there is no output {index}")))?;
        Ok(self.handed_out.insert(from_value(value)?).view())
    }
}

fn mismatch(info: &TensorInfo, tensor: &TensorView<'_>) -> RunnerError {
    let dims: Vec<String> = info
        .shape
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(size) => size.to_string(),
            Dim::Dynamic(name) if name.is_empty() => "?".into(),
            Dim::Dynamic(name) => name.clone(),
        })
        .collect();
    let (found, shape) = (tensor.dtype(), tensor.shape());
    RunnerError::invalid(format!(
        "input {} takes {} [{}], not {found} {shape:?}",
        info.name,
        info.dtype,
        dims.join(", ")
    ))
}

fn io_of(model: &Model) -> Result<Io, RunnerError> {
    let inputs = model.input_ids().iter().map(|id| {
        let (name, dtype, shape) = facts(model, *id)?;
        let shape = shape
            .ok_or_else(|| RunnerError::unsupported(format!("input {name} has no shape in the model")))?;
        Ok(TensorInfo { name, dtype, shape })
    });
    let inputs = inputs.collect::<Result<Vec<_>, RunnerError>>()?;
    let outputs = model.output_ids().iter().map(|id| {
        let (name, dtype, shape) = facts(model, *id)?;
        Ok(match shape {
            Some(shape) => TensorInfo { name, dtype, shape },
            None => TensorInfo::of_unknown_rank(name, dtype),
        })
    });
    let outputs = outputs.collect::<Result<Vec<_>, RunnerError>>()?;
    if outputs.is_empty() {
        // An empty file is a valid, empty protobuf message.
        return Err(RunnerError::model("the model has no outputs; it is empty or cut short"));
    }
    Ok(Io::new(inputs, outputs))
}

type Facts = (String, convwise_sdk::DType, Option<Vec<Dim>>);

/// Name, element type and shape of an input or output.
fn facts(model: &Model, id: NodeId) -> Result<Facts, RunnerError> {
    let node =
        model.node_info(id).ok_or_else(|| RunnerError::model("an input or output is not in the graph"))?;
    let name = node.name().unwrap_or_default().to_owned();
    let dtype = node.dtype().and_then(dtype_of);
    let dtype = dtype
        .ok_or_else(|| RunnerError::unsupported(format!("{name} is of a type that this runner has not")))?;
    Ok((name, dtype, node.shape().map(|shape| shape.into_iter().map(dim).collect())))
}

fn dim(dimension: Dimension) -> Dim {
    match dimension {
        Dimension::Fixed(size) => Dim::Fixed(size),
        Dimension::Symbolic(name) => Dim::Dynamic(name),
    }
}
