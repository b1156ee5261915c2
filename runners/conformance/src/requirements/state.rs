//! Inputs, outputs and the order of calls.

use convwise_host::{DType, Dim, ErrorCode, Tensor, TensorInfo, Worker, WorkerError};

use super::Requirement;
use crate::room::Room;
use crate::verdict::{Failing, Verdict, broken, here};

pub(super) const ALL: [Requirement; 3] = [
    Requirement {
        number: 16,
        title: "lists the model's inputs and outputs",
        meaning: "io() has the names, types and shapes that stand in the model, in their order.",
        check: lists_io,
    },
    Requirement {
        number: 17,
        title: "keeps its states",
        meaning: "run() without inputs and output() without a run are CW_ERR_STATE; a new input ends the outputs of the \
                  earlier run; run() may be repeated.",
        check: keeps_states,
    },
    Requirement {
        number: 18,
        title: "refuses wrong inputs and keeps the right one",
        meaning: "A wrong index, element type, rank or dimension is CW_ERR_INVALID, and the next run still has the input \
                  of before.",
        check: refuses_wrong_inputs,
    },
];

fn lists_io(room: &Room<'_>) -> Verdict {
    room.must_be_real()?;
    let mut worker = room.ready()?;
    let io = worker.io()?;
    let seen = |infos: &[TensorInfo], name: &str, shape: &[usize]| {
        let right = TensorInfo::fixed(name, DType::F32, shape);
        match infos {
            [only] if only.name == right.name && only.dtype == right.dtype && only.accepts(shape) => Ok(()),
            other => broken(format!("it lists {}, the model has {name} f32 {shape:?}", listed(other))),
        }
    };
    seen(&io.inputs, "input", &[1, 4, 9, 7])?;
    seen(&io.outputs, "output", &[1, 5])?;
    Ok("input f32 [1, 4, 9, 7], output f32 [1, 5]".to_owned())
}

/// Names, types and shapes in words.
fn listed(infos: &[TensorInfo]) -> String {
    let dim = |dim: &Dim| match dim {
        Dim::Fixed(size) => size.to_string(),
        Dim::Dynamic(name) => format!("{name}?"),
    };
    let one = |info: &TensorInfo| {
        let shape: Vec<_> = info.shape.iter().map(dim).collect();
        format!("{} {} [{}]", info.name, info.dtype, shape.join(", "))
    };
    infos.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn keeps_states(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let mut worker = room.worker()?;
    room.load(&mut worker, &room.plain()?)?;
    refused("run() before the inputs are set", worker.run(1).map(|_| ()), ErrorCode::State)?;
    worker.fill_inputs(1, 0)?;
    refused("output() before a run", worker.output(0).map(|_| ()), ErrorCode::State)?;
    worker.run(3)?;
    worker.output(0)?;
    let outputs = worker.io()?.outputs.len();
    refused("output() of a wrong index", worker.output(outputs).map(|_| ()), ErrorCode::Invalid)?;
    worker.fill_inputs(1, 1)?;
    refused("output() after a new input", worker.output(0).map(|_| ()), ErrorCode::State)?;
    worker.run(1)?;
    worker.output(0)?;
    Ok("in every order tried".to_owned())
}

fn refused(what: &str, answer: Result<(), WorkerError>, expected: ErrorCode) -> Verdict {
    match answer {
        Ok(()) => broken(format!("{what} succeeded")),
        Err(WorkerError::Refused { code, .. }) if code == expected => Ok(String::new()),
        Err(WorkerError::Refused { code, message, .. }) => broken(format!(
            "{what} was answered with \"{}: {message}\", not with {}",
            code.label(),
            expected.label()
        )),
        Err(error) => broken(format!("{what}: {error}")),
    }
}

fn refuses_wrong_inputs(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let mut worker = room.ready()?;
    worker.run(1)?;
    let before = worker.output(0)?;
    let inputs = worker.io()?.inputs;
    let Some(info) = inputs.first() else { return broken("it lists no input") };
    let shape = info.shape_for_batch(1).map_err(|axis| here(format!("dimension {axis} is open")))?;
    let right = zeros(info.dtype, &shape)?;
    set(&mut worker, "a wrong index", inputs.len(), &right)?;
    let other = if info.dtype == DType::F32 { DType::U8 } else { DType::F32 };
    set(&mut worker, "a wrong element type", 0, &zeros(other, &shape)?)?;
    let flat = shape.get(1..).unwrap_or_default();
    set(&mut worker, "a wrong rank", 0, &zeros(info.dtype, flat)?)?;
    for (axis, size) in shape.iter().enumerate() {
        if matches!(info.shape.get(axis), Some(Dim::Fixed(_))) {
            let mut wrong = shape.clone();
            wrong.splice(axis..=axis, [size + 1]);
            set(&mut worker, &format!("a wrong dimension {axis}"), 0, &zeros(info.dtype, &wrong)?)?;
        }
    }
    worker.run(1)?;
    if worker.output(0)? != before {
        return broken("after the refusals the run gave another output: the input of before is gone");
    }
    Ok("index, element type, rank, every fixed dimension".to_owned())
}

fn zeros(dtype: DType, shape: &[usize]) -> Result<Tensor, Failing> {
    let bytes = shape.iter().product::<usize>() * dtype.size();
    Tensor::new(dtype, shape.to_vec(), vec![0; bytes]).map_err(here)
}

fn set(worker: &mut Worker, what: &str, index: usize, tensor: &Tensor) -> Verdict {
    refused(&format!("set_input() with {what}"), worker.set_input(index, &tensor.view()), ErrorCode::Invalid)
}
