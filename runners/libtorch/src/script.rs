//! TorchScript files. They do not say what they take or give: the shapes of inputs are an option, and what comes out is
//! found by one run with zeros.

use std::path::Path;

use convwise_sdk::{DType, Dim, Io, RunnerError, TensorInfo};
use tch::{CModule, Device, IValue, Kind, Tensor};

use crate::fault::{Fault, first_line};
use crate::settings::{Layout, Settings};

/// A loaded TorchScript module.
pub(crate) struct Script {
    module: CModule,
    io: Io,
    values: Vec<Tensor>,
    channels_last: bool,
}

impl Script {
    /// Loads a file.
    pub(crate) fn load(path: &Path, settings: &Settings) -> Result<Self, RunnerError> {
        let unreadable = |error: tch::TchError| {
            RunnerError::model(format!("{} is no TorchScript file: {}", path.display(), first_line(&error)))
        };
        if let Err(error) = std::fs::File::open(path) {
            return Err(RunnerError::model(format!("{}: {error}", path.display())));
        }
        let mut module = CModule::load_on_device(path, settings.device).map_err(unreadable)?;
        module.f_set_eval().map_err(unreadable)?;
        let io = Io { notes: vec![], ..Io::new(inputs(&settings.input_shapes), vec![]) };
        let channels_last = settings.layout == Layout::ChannelsLast;
        let mut script = Self { module, io, values: vec![], channels_last };
        script.io.outputs = script.find_outputs(settings)?;
        if settings.input_shapes.is_empty() {
            script.io.notes.push("the option input_shape says what this TorchScript file takes".into());
        }
        Ok(script)
    }

    /// What it takes and gives.
    pub(crate) fn io(&self) -> Io {
        self.io.clone()
    }

    /// Sets an input.
    pub(crate) fn set(&mut self, index: usize, tensor: Tensor) -> Result<(), RunnerError> {
        let laid_out = if self.channels_last { crate::convert::channels_last(&tensor) } else { Ok(tensor) };
        let tensor = laid_out.map_err(|error| Fault::from(error).at("an input"))?;
        match self.values.get_mut(index) {
            Some(value) => *value = tensor,
            None => self.values.push(tensor),
        }
        Ok(())
    }

    /// Computes the outputs, in order.
    pub(crate) fn run(&self) -> Result<Vec<Tensor>, RunnerError> {
        let made = run(&self.module, &self.values)?;
        if made.len() == self.io.outputs.len() {
            return Ok(made);
        }
        Err(RunnerError::unsupported(format!(
            "it gives {} tensors; say input_shape, so that they can be counted when it is loaded",
            made.len()
        )))
    }

    /// One run with zeros, where the shapes of all inputs are known.
    fn find_outputs(&self, settings: &Settings) -> Result<Vec<TensorInfo>, RunnerError> {
        if settings.input_shapes.is_empty() {
            return Ok(vec![TensorInfo::of_unknown_rank("output", DType::F32)]);
        }
        let zeros = settings.input_shapes.iter().map(|shape| zeros(shape, settings.device));
        let zeros =
            zeros.collect::<Result<Vec<_>, Fault>>().map_err(|fault| fault.at("option input_shape"))?;
        run(&self.module, &zeros)?.iter().enumerate().map(|(index, tensor)| describe(index, tensor)).collect()
    }
}

fn inputs(shapes: &[Vec<usize>]) -> Vec<TensorInfo> {
    if shapes.is_empty() {
        let shape = ["N", "channels", "height", "width"].map(|name| Dim::Dynamic(name.into())).to_vec();
        return vec![TensorInfo { name: "input".into(), dtype: DType::F32, shape }];
    }
    let name = |index: usize| if index == 0 { "input".to_owned() } else { format!("input{index}") };
    shapes
        .iter()
        .enumerate()
        .map(|(index, shape)| TensorInfo::fixed(name(index), DType::F32, shape))
        .collect()
}

fn zeros(shape: &[usize], device: Device) -> Result<Tensor, Fault> {
    let shape: Vec<i64> = shape.iter().map(|&extent| i64::try_from(extent).unwrap_or(i64::MAX)).collect();
    Ok(Tensor::f_zeros(crate::ops::bounded(&shape)?, (Kind::Float, device))?)
}

fn describe(index: usize, tensor: &Tensor) -> Result<TensorInfo, RunnerError> {
    let kind = tensor.kind();
    let dtype = crate::convert::dtype(kind).ok_or_else(|| {
        RunnerError::unsupported(format!("output {index} holds {kind:?}, which has no name here"))
    })?;
    let shape: Vec<usize> =
        tensor.size().iter().map(|&extent| usize::try_from(extent).unwrap_or(0)).collect();
    let name = if index == 0 { "output".to_owned() } else { format!("output{index}") };
    Ok(TensorInfo::fixed(name, dtype, &shape))
}

fn run(module: &CModule, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunnerError> {
    let values: Vec<IValue> = inputs.iter().map(|tensor| IValue::Tensor(tensor.shallow_clone())).collect();
    let result =
        module.forward_is(&values).map_err(|error| Fault::from(error).at("the TorchScript module"))?;
    let mut tensors = Vec::new();
    flatten(result, &mut tensors)?;
    Ok(tensors)
}

/// The tensors of a result, through tuples, lists and dictionaries in their order.
fn flatten(value: IValue, tensors: &mut Vec<Tensor>) -> Result<(), RunnerError> {
    match value {
        IValue::Tensor(tensor) => tensors.push(tensor),
        IValue::TensorList(list) => tensors.extend(list),
        IValue::Tuple(values) | IValue::GenericList(values) => {
            return values.into_iter().try_for_each(|value| flatten(value, tensors));
        }
        IValue::GenericDict(pairs) => {
            return pairs.into_iter().try_for_each(|(_, value)| flatten(value, tensors));
        }
        _ => {
            return Err(RunnerError::unsupported("the TorchScript module gives something else than tensors"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use convwise_sdk::{ErrorCode, Options, Runner, Session};

    use super::*;
    use crate::Libtorch;
    use crate::ops::testing::{alone, floats};

    /// Twice the input plus one, traced.
    fn traced(folder: &Path, name: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        let example = Tensor::zeros([1, 2], (Kind::Float, Device::Cpu));
        let mut double = |inputs: &[Tensor]| vec![&inputs[0] * 2.0 + 1.0];
        CModule::create_by_tracing("double", "forward", &[example], &mut double)
            .unwrap()
            .save(&path)
            .unwrap();
        path
    }

    fn load(path: &Path, options: &[(&str, &str)]) -> Result<Box<dyn Session>, RunnerError> {
        Libtorch.load(path, &options.iter().copied().collect::<Options>())
    }

    #[test]
    fn a_traced_module_runs_as_its_file_says() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        for name in ["double.pt", "double.torchscript"] {
            let path = traced(folder.path(), name);
            let mut session = load(&path, &[("input_shape", "1x2")]).unwrap();
            let io = session.io().unwrap();
            assert_eq!(io.inputs, [TensorInfo::fixed("input", DType::F32, &[1, 2])]);
            assert_eq!(io.outputs, [TensorInfo::fixed("output", DType::F32, &[1, 2])]);
            session.set_input(0, floats(&[1, 2], &[1.0, -3.0]).view()).unwrap();
            session.run().unwrap();
            assert_eq!(session.output(0).unwrap().to_f32().unwrap(), [3.0, -5.0]);
        }
    }

    #[test]
    fn without_a_shape_an_image_is_expected_and_the_output_unknown() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let mut session = load(&traced(folder.path(), "double.pt"), &[]).unwrap();
        let io = session.io().unwrap();
        assert_eq!(io.outputs, [TensorInfo::of_unknown_rank("output", DType::F32)]);
        assert!(io.inputs[0].accepts(&[2, 3, 8, 8]) && io.notes[0].contains("input_shape"));
        session.set_input(0, floats(&[1, 1, 1, 2], &[1.0, -3.0]).view()).unwrap();
        session.run().unwrap();
        assert_eq!(session.output(0).unwrap().to_f32().unwrap(), [3.0, -5.0]);
    }

    #[test]
    fn what_is_no_module_is_refused() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let whole = std::fs::read(traced(folder.path(), "double.pt")).unwrap();
        let path = folder.path().join("broken.pt");
        let code = || load(&path, &[]).err().map(|error| error.code);
        assert_eq!(code(), Some(ErrorCode::Model));
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(code(), Some(ErrorCode::Model), "{length}");
        }
        let wrong = load(&traced(folder.path(), "double.pt"), &[("input_shape", "99999999x99999999")]);
        assert_eq!(wrong.err().map(|error| error.code), Some(ErrorCode::Model));
    }
}
