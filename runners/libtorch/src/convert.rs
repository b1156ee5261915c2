//! Tensors and their types, from the contract's terms to libtorch's and back.

use convwise_sdk::{DType, RunnerError, TensorView};
use tch::{Device, Kind, Tensor};

use crate::fault::{Fault, first_line};

/// Element types that both sides have, with ONNX's number.
const TYPES: [(DType, Kind, i32); 10] = [
    (DType::F32, Kind::Float, 1),
    (DType::U8, Kind::Uint8, 2),
    (DType::I8, Kind::Int8, 3),
    (DType::I16, Kind::Int16, 5),
    (DType::I32, Kind::Int, 6),
    (DType::I64, Kind::Int64, 7),
    (DType::Bool, Kind::Bool, 9),
    (DType::F16, Kind::Half, 10),
    (DType::F64, Kind::Double, 11),
    (DType::Bf16, Kind::BFloat16, 16),
];

/// The contract's name for an element type of libtorch.
pub(crate) fn dtype(kind: Kind) -> Option<DType> {
    TYPES.iter().find(|row| row.1 == kind).map(|row| row.0)
}

/// libtorch's name for an element type of the contract.
pub(crate) fn kind(dtype: DType) -> Option<Kind> {
    TYPES.iter().find(|row| row.0 == dtype).map(|row| row.1)
}

/// libtorch's element type for one of ONNX's numbers.
pub(crate) fn kind_of_onnx(number: i32) -> Result<Kind, Fault> {
    let row = TYPES.iter().find(|row| row.2 == number);
    row.map(|row| row.1).ok_or_else(|| {
        Fault::unsupported(format!("element type {number} of ONNX is one that this runner has not"))
    })
}

/// The contract's element type for one of ONNX's numbers.
pub(crate) fn dtype_of_onnx(number: i32) -> Option<DType> {
    TYPES.iter().find(|row| row.2 == number).map(|row| row.0)
}

/// Whether elements are whole numbers.
pub(crate) fn is_whole(kind: Kind) -> bool {
    matches!(kind, Kind::Uint8 | Kind::Int8 | Kind::Int16 | Kind::Int | Kind::Int64)
}

/// A copy of `view` in libtorch's memory on `device`.
pub(crate) fn copy_in(view: &TensorView<'_>, device: Device) -> Result<Tensor, RunnerError> {
    let kind = kind(view.dtype());
    let kind =
        kind.ok_or_else(|| RunnerError::unsupported(format!("there are no {} inputs", view.dtype())))?;
    let shape: Vec<i64> = view.shape().iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect();
    let tensor = Tensor::f_from_data_size(view.data(), &shape, kind).and_then(|tensor| tensor.f_to(device));
    tensor.map_err(|error| RunnerError::internal(format!("an input cannot be set: {}", first_line(&error))))
}

/// The same elements with the channels of a pixel side by side; what is no image stays as it is.
pub(crate) fn channels_last(tensor: &Tensor) -> Result<Tensor, tch::TchError> {
    match tensor.dim() {
        4 => tensor.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2]),
        _ => Ok(tensor.shallow_clone()),
    }
}

/// An output in host memory, row-major, with its shape.
pub(crate) struct Output {
    // INVARIANT: dense, row-major and on the processor.
    tensor: Tensor,
    shape: Vec<i64>,
    dtype: DType,
}

impl Output {
    /// Takes an output from the device; it is copied only where it is not as the host wants it.
    pub(crate) fn of(tensor: &Tensor) -> Result<Self, RunnerError> {
        let fail = |error: tch::TchError| {
            RunnerError::internal(format!("an output is lost: {}", first_line(&error)))
        };
        let kind = tensor.f_kind().map_err(fail)?;
        let dtype = dtype(kind).ok_or_else(|| {
            RunnerError::unsupported(format!("an output holds {kind:?}, which has no name here"))
        })?;
        let tensor = tensor.f_to(Device::Cpu).and_then(|tensor| tensor.f_contiguous()).map_err(fail)?;
        Ok(Self { shape: tensor.size(), tensor, dtype })
    }

    /// A view of its elements.
    #[expect(unsafe_code, reason = "elements are bytes on our side and typed on theirs")]
    pub(crate) fn view(&self) -> Result<TensorView<'_>, RunnerError> {
        let bytes = self.tensor.numel() * self.dtype.size();
        let data: &[u8] = match bytes {
            0 => &[],
            // SAFETY: the tensor is dense and on the processor, so that it has this many elements of this type in a
            // row; it is not written again, and the view borrows it.
            _ => unsafe { std::slice::from_raw_parts(self.tensor.data_ptr().cast::<u8>(), bytes) },
        };
        Ok(TensorView::from_abi_shape(self.dtype, &self.shape, data)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_come_back_as_they_went_in() {
        let data: Vec<f32> = (0..24_u8).map(f32::from).collect();
        let tensor = copy_in(&TensorView::from_f32(&[1, 2, 3, 4], &data).unwrap(), Device::Cpu).unwrap();
        let turned = channels_last(&tensor).unwrap();
        assert_eq!(turned.stride(), [24, 1, 8, 2]);
        let output = Output::of(&turned).unwrap();
        assert_eq!(output.view().unwrap().to_f32().unwrap(), data);
        assert_eq!(output.view().unwrap().shape(), [1, 2, 3, 4]);
    }

    #[test]
    fn every_type_is_found_from_every_side() {
        for (ours, theirs, number) in TYPES {
            assert_eq!((dtype(theirs), kind(ours)), (Some(ours), Some(theirs)));
            assert_eq!((kind_of_onnx(number), dtype_of_onnx(number)), (Ok(theirs), Some(ours)));
        }
        assert!(kind_of_onnx(8).is_err());
    }
}
