//! Tensors and their types, from the contract's terms to ONNX Runtime's and back.

use convwise_sdk::{DType, Dim, RunnerError, TensorInfo, TensorView};
use ort::memory::Allocator;
use ort::value::{DynTensor, Outlet, TensorElementType, ValueType};

/// Element types that both sides have.
const TYPES: [(DType, TensorElementType); 11] = [
    (DType::F32, TensorElementType::Float32),
    (DType::U8, TensorElementType::Uint8),
    (DType::I8, TensorElementType::Int8),
    (DType::U16, TensorElementType::Uint16),
    (DType::I16, TensorElementType::Int16),
    (DType::I32, TensorElementType::Int32),
    (DType::I64, TensorElementType::Int64),
    (DType::Bool, TensorElementType::Bool),
    (DType::F16, TensorElementType::Float16),
    (DType::F64, TensorElementType::Float64),
    (DType::Bf16, TensorElementType::Bfloat16),
];

fn ours(theirs: TensorElementType) -> Option<DType> {
    TYPES.iter().find(|row| row.1 == theirs).map(|row| row.0)
}

fn theirs(ours: DType) -> Option<TensorElementType> {
    TYPES.iter().find(|row| row.0 == ours).map(|row| row.1)
}

/// An input or output of a model, as the contract describes it.
pub(crate) fn describe(outlet: &Outlet) -> Result<TensorInfo, RunnerError> {
    let unsupported = || {
        RunnerError::unsupported(format!(
            "{} is a {}, which this runner cannot pass",
            outlet.name(),
            outlet.dtype()
        ))
    };
    let ValueType::Tensor { ty, shape, dimension_symbols } = outlet.dtype() else {
        return Err(unsupported());
    };
    let dtype = ours(*ty).ok_or_else(unsupported)?;
    let symbols = dimension_symbols.iter().map(String::as_str).chain(std::iter::repeat(""));
    let dim = |(size, symbol): (&i64, &str)| match usize::try_from(*size) {
        Ok(size) => Dim::Fixed(size),
        Err(_) => Dim::Dynamic(symbol.to_owned()),
    };
    Ok(TensorInfo {
        name: outlet.name().to_owned(),
        dtype,
        shape: shape.iter().zip(symbols).map(dim).collect(),
    })
}

/// A copy of `view` in ONNX Runtime's memory.
#[expect(unsafe_code, reason = "elements are bytes on our side and typed on theirs")]
pub(crate) fn copy_in(view: &TensorView<'_>) -> Result<DynTensor, RunnerError> {
    let dtype = theirs(view.dtype());
    let dtype =
        dtype.ok_or_else(|| RunnerError::unsupported(format!("there are no {} inputs", view.dtype())))?;
    let shape: Vec<i64> = view.shape().iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect();
    let tensor = DynTensor::new(&Allocator::default(), dtype, shape);
    let mut tensor = tensor.map_err(|error| crate::error::from_ort("allocate an input", &error))?;
    let data = view.data();
    if !data.is_empty() {
        let target = tensor.data_ptr_mut().cast::<u8>();
        // SAFETY: the tensor was made with this shape and element type in memory of the CPU, so that it has exactly as
        // many bytes as the view, whose own invariant is the same; the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), target, data.len()) };
    }
    Ok(tensor)
}

/// A view of an output, in place.
#[expect(unsafe_code, reason = "elements are bytes on our side and typed on theirs")]
pub(crate) fn view(tensor: &DynTensor) -> Result<TensorView<'_>, RunnerError> {
    let (shape, theirs) = (tensor.shape(), *tensor.data_type());
    let dtype = ours(theirs).ok_or_else(|| RunnerError::unsupported(format!("an output holds {theirs}")))?;
    let bytes = shape.num_elements() * dtype.size();
    let data: &[u8] = match bytes {
        0 => &[],
        // SAFETY: a tensor of the CPU provider has this many elements of this type in a row, and the view borrows it.
        _ => unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<u8>(), bytes) },
    };
    Ok(TensorView::from_abi_shape(dtype, shape, data)?)
}
