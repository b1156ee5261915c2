//! Descriptions of inputs and outputs.

use convwise_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use convwise_onnx::proto::{ValueInfoProto, type_proto};
use convwise_sdk::{DType, Dim, RunnerError, TensorInfo};

use crate::convert::dtype_of_onnx;

/// An input, whose rank must be known.
pub(crate) fn input(value: &ValueInfoProto) -> Result<TensorInfo, RunnerError> {
    let (dtype, shape) = facts(value)?;
    let shape = shape.ok_or_else(|| {
        RunnerError::unsupported(format!("input {} has no shape in the model", value.name()))
    })?;
    Ok(TensorInfo { name: value.name().to_owned(), dtype, shape })
}

/// An output; what the file does not say is known after a run.
pub(crate) fn output(value: &ValueInfoProto) -> Result<TensorInfo, RunnerError> {
    let (dtype, shape) = facts(value)?;
    Ok(match shape {
        Some(shape) => TensorInfo { name: value.name().to_owned(), dtype, shape },
        None => TensorInfo::of_unknown_rank(value.name(), dtype),
    })
}

fn facts(value: &ValueInfoProto) -> Result<(DType, Option<Vec<Dim>>), RunnerError> {
    let unsupported =
        || RunnerError::unsupported(format!("{} is no tensor of a type that this runner has", value.name()));
    let Some(type_proto::Value::TensorType(tensor)) =
        value.r#type.as_ref().and_then(|kind| kind.value.as_ref())
    else {
        return Err(unsupported());
    };
    let dtype = dtype_of_onnx(tensor.elem_type()).ok_or_else(unsupported)?;
    Ok((dtype, tensor.shape.as_ref().map(|shape| shape.dim.iter().map(dim).collect())))
}

fn dim(dimension: &Dimension) -> Dim {
    match &dimension.value {
        Some(dimension::Value::DimValue(extent)) => {
            usize::try_from(*extent).map_or_else(|_| Dim::Dynamic(String::new()), Dim::Fixed)
        }
        Some(dimension::Value::DimParam(name)) => Dim::Dynamic(name.clone()),
        None => Dim::Dynamic(String::new()),
    }
}
