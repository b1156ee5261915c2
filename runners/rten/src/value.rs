//! Between tensors as bytes and rten's typed values. rten keeps 64-bit integers as 32-bit ones, and so do we here.

use convwise_sdk::{DType, RunnerError, Tensor, TensorView};
use rten::{DataType, Value, ValueType};
use rten_tensor::Tensor as RtenTensor;
use rten_tensor::prelude::*;

/// The element type of an rten value.
pub(crate) fn dtype_of(value_type: ValueType) -> Option<DType> {
    match value_type {
        ValueType::Tensor(DataType::Float) => Some(DType::F32),
        ValueType::Tensor(DataType::Int32) => Some(DType::I32),
        ValueType::Tensor(DataType::Int8) => Some(DType::I8),
        ValueType::Tensor(DataType::UInt8) => Some(DType::U8),
        _ => None,
    }
}

/// A value that owns a copy of the view's elements.
pub(crate) fn to_value(view: &TensorView<'_>) -> Result<Value, RunnerError> {
    let shape = view.shape();
    match view.dtype() {
        DType::F32 => Ok(RtenTensor::from_data(shape.as_slice(), view.to_f32()?).into()),
        DType::I32 => Ok(RtenTensor::from_data(shape.as_slice(), view.to_i32()?).into()),
        DType::I8 => {
            let data: Vec<i8> = view.data().iter().map(|byte| i8::from_ne_bytes([*byte])).collect();
            Ok(RtenTensor::from_data(shape.as_slice(), data).into())
        }
        DType::U8 => Ok(RtenTensor::from_data(shape.as_slice(), view.data().to_vec()).into()),
        other => Err(RunnerError::unsupported(format!("this runner has no {other} tensors"))),
    }
}

/// A copy of the value's elements in row-major order.
pub(crate) fn from_value(value: &Value) -> Result<Tensor, RunnerError> {
    fn bytes<T: Copy, const N: usize>(tensor: &RtenTensor<T>, write: fn(T) -> [u8; N]) -> Vec<u8> {
        tensor.to_vec().into_iter().flat_map(write).collect()
    }
    let (dtype, shape, data) = match value {
        Value::FloatTensor(tensor) => (DType::F32, tensor.shape().to_vec(), bytes(tensor, f32::to_ne_bytes)),
        Value::Int32Tensor(tensor) => (DType::I32, tensor.shape().to_vec(), bytes(tensor, i32::to_ne_bytes)),
        Value::Int8Tensor(tensor) => (DType::I8, tensor.shape().to_vec(), bytes(tensor, i8::to_ne_bytes)),
        Value::UInt8Tensor(tensor) => (DType::U8, tensor.shape().to_vec(), bytes(tensor, u8::to_ne_bytes)),
        _ => return Err(RunnerError::unsupported("an output is a sequence, not a tensor")),
    };
    Ok(Tensor::new(dtype, shape, data)?)
}
