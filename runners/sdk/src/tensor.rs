//! Tensors as bytes with an element type and a shape: dense, row-major, in the machine's byte order.

use convwise_abi::dtype;
use serde::{Deserialize, Serialize};

/// Element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// 32-bit float.
    F32,
    /// Unsigned byte.
    U8,
    /// Signed byte.
    I8,
    /// Unsigned 16-bit integer.
    U16,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// One byte, 0 or 1.
    Bool,
    /// IEEE half precision.
    F16,
    /// 64-bit float.
    F64,
    /// The upper half of a 32-bit float.
    Bf16,
}

/// Every element type with its ABI number, size in bytes and name in documents.
const DTYPES: [(DType, u32, usize, &str); 11] = [
    (DType::F32, dtype::F32, 4, "f32"),
    (DType::U8, dtype::U8, 1, "u8"),
    (DType::I8, dtype::I8, 1, "i8"),
    (DType::U16, dtype::U16, 2, "u16"),
    (DType::I16, dtype::I16, 2, "i16"),
    (DType::I32, dtype::I32, 4, "i32"),
    (DType::I64, dtype::I64, 8, "i64"),
    (DType::Bool, dtype::BOOL, 1, "bool"),
    (DType::F16, dtype::F16, 2, "f16"),
    (DType::F64, dtype::F64, 8, "f64"),
    (DType::Bf16, dtype::BF16, 2, "bf16"),
];

impl DType {
    /// The number that crosses the ABI.
    #[must_use]
    pub fn to_abi(self) -> u32 {
        self.row().1
    }

    /// The element type behind an ABI number.
    #[must_use]
    pub fn from_abi(number: u32) -> Option<Self> {
        DTYPES.iter().find(|row| row.1 == number).map(|row| row.0)
    }

    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        self.row().2
    }

    /// The name in documents, such as `f32`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> &'static (Self, u32, usize, &'static str) {
        let [first, ..] = &DTYPES;
        DTYPES.iter().find(|row| row.0 == self).unwrap_or(first)
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why bytes are not a tensor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
    /// The byte count does not follow from element type and shape.
    #[error("a {dtype} tensor of shape {shape:?} has {expected} bytes, not {found}")]
    Bytes {
        /// Element type.
        dtype: DType,
        /// Dimensions.
        shape: Vec<usize>,
        /// Bytes that the shape asks for.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// The shape asks for more bytes than can be counted.
    #[error("a tensor of shape {shape:?} is too large to address")]
    TooLarge {
        /// Dimensions.
        shape: Vec<usize>,
    },
    /// The elements are of another type.
    #[error("the tensor holds {found} where {expected} is wanted")]
    Type {
        /// Element type asked for.
        expected: DType,
        /// Element type there is.
        found: DType,
    },
    /// An element type number of no type we know.
    #[error("there is no element type number {0}")]
    UnknownType(u32),
    /// The data is not where a machine can read such elements.
    #[error("the data of a {0} tensor is not aligned to its element size")]
    Alignment(DType),
    /// A negative dimension.
    #[error("dimension {axis} of a tensor is {size}; sizes start at 0")]
    Dimension {
        /// Which dimension, from 0.
        axis: usize,
        /// Its value.
        size: i64,
    },
}

/// Bytes that `dtype` and `shape` ask for.
fn byte_count(dtype: DType, shape: &[usize]) -> Result<usize, TensorError> {
    shape
        .iter()
        .try_fold(dtype.size(), |bytes, &size| bytes.checked_mul(size))
        .ok_or_else(|| TensorError::TooLarge { shape: shape.to_vec() })
}

fn check_bytes(dtype: DType, shape: &[usize], found: usize) -> Result<(), TensorError> {
    let expected = byte_count(dtype, shape)?;
    if expected == found {
        Ok(())
    } else {
        Err(TensorError::Bytes { dtype, shape: shape.to_vec(), expected, found })
    }
}

/// A borrowed tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorView<'a> {
    // INVARIANT: `data.len()` is the element count of `shape` times the size of `dtype`.
    dtype: DType,
    shape: Shape<'a>,
    data: &'a [u8],
}

/// Shapes live as `usize` in Rust and as `i64` in the ABI; a view may come from either side.
#[derive(Clone, Copy, Debug)]
enum Shape<'a> {
    Native(&'a [usize]),
    Abi(&'a [i64]),
}

impl PartialEq for Shape<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.to_vec() == other.to_vec()
    }
}

impl Shape<'_> {
    fn to_vec(self) -> Vec<usize> {
        match self {
            Self::Native(shape) => shape.to_vec(),
            Self::Abi(shape) => shape.iter().map(|&size| usize::try_from(size).unwrap_or_default()).collect(),
        }
    }
}

impl<'a> TensorView<'a> {
    /// A view of `data`.
    ///
    /// # Errors
    /// When the byte count does not follow from `dtype` and `shape`.
    pub fn new(dtype: DType, shape: &'a [usize], data: &'a [u8]) -> Result<Self, TensorError> {
        check_bytes(dtype, shape, data.len())?;
        Ok(Self { dtype, shape: Shape::Native(shape), data })
    }

    /// A view of floats.
    ///
    /// # Errors
    /// When there are not as many as `shape` says.
    pub fn from_f32(shape: &'a [usize], data: &'a [f32]) -> Result<Self, TensorError> {
        Self::new(DType::F32, shape, bytes_of_f32(data))
    }

    /// A view with the ABI's shape type.
    ///
    /// # Errors
    /// For a negative dimension, and as [`TensorView::new`].
    pub fn from_abi_shape(dtype: DType, shape: &'a [i64], data: &'a [u8]) -> Result<Self, TensorError> {
        let native = shape
            .iter()
            .enumerate()
            .map(|(axis, &size)| usize::try_from(size).map_err(|_| TensorError::Dimension { axis, size }))
            .collect::<Result<Vec<_>, _>>()?;
        check_bytes(dtype, &native, data.len())?;
        Ok(Self { dtype, shape: Shape::Abi(shape), data })
    }

    /// Element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Dimensions, outermost first.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.shape.to_vec()
    }

    /// The elements as bytes.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len() / self.dtype.size()
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The elements as floats.
    ///
    /// # Errors
    /// When they are of another type.
    pub fn to_f32(&self) -> Result<Vec<f32>, TensorError> {
        self.decode(DType::F32, f32::from_ne_bytes)
    }

    /// The elements as 64-bit integers.
    ///
    /// # Errors
    /// When they are of another type.
    pub fn to_i64(&self) -> Result<Vec<i64>, TensorError> {
        self.decode(DType::I64, i64::from_ne_bytes)
    }

    /// The elements as 32-bit integers.
    ///
    /// # Errors
    /// When they are of another type.
    pub fn to_i32(&self) -> Result<Vec<i32>, TensorError> {
        self.decode(DType::I32, i32::from_ne_bytes)
    }

    /// The elements as numbers, be they floats or whole numbers of 32 or 64 bits. Beyond 2^53 these lose digits.
    ///
    /// # Errors
    /// When they are of another type.
    #[expect(clippy::cast_precision_loss, reason = "said above")]
    pub fn to_numbers(&self) -> Result<Vec<f64>, TensorError> {
        match self.dtype {
            DType::I32 => Ok(self.to_i32()?.into_iter().map(f64::from).collect()),
            DType::I64 => Ok(self.to_i64()?.into_iter().map(|whole| whole as f64).collect()),
            _ => Ok(self.to_f32()?.into_iter().map(f64::from).collect()),
        }
    }

    /// A copy that owns its bytes.
    #[must_use]
    pub fn to_owned(&self) -> Tensor {
        Tensor { dtype: self.dtype, shape: self.shape.to_vec(), data: self.data.to_vec() }
    }

    fn decode<T, const N: usize>(
        &self,
        expected: DType,
        read: fn([u8; N]) -> T,
    ) -> Result<Vec<T>, TensorError> {
        if self.dtype != expected {
            return Err(TensorError::Type { expected, found: self.dtype });
        }
        Ok(self.data.as_chunks::<N>().0.iter().map(|bytes| read(*bytes)).collect())
    }
}

/// A tensor that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    // INVARIANT: as in TensorView.
    dtype: DType,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Tensor {
    /// A tensor of `data`.
    ///
    /// # Errors
    /// When the byte count does not follow from `dtype` and `shape`.
    pub fn new(dtype: DType, shape: Vec<usize>, data: Vec<u8>) -> Result<Self, TensorError> {
        check_bytes(dtype, &shape, data.len())?;
        Ok(Self { dtype, shape, data })
    }

    /// A tensor of floats.
    ///
    /// # Errors
    /// When there are not as many as `shape` says.
    pub fn from_f32(shape: &[usize], data: &[f32]) -> Result<Self, TensorError> {
        TensorView::from_f32(shape, data).map(|view| view.to_owned())
    }

    /// Borrows it.
    #[must_use]
    pub fn view(&self) -> TensorView<'_> {
        TensorView { dtype: self.dtype, shape: Shape::Native(&self.shape), data: &self.data }
    }

    /// Element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Dimensions, outermost first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements as bytes.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The elements as floats.
    ///
    /// # Errors
    /// When they are of another type.
    pub fn to_f32(&self) -> Result<Vec<f32>, TensorError> {
        self.view().to_f32()
    }
}

/// The same memory, as bytes.
fn bytes_of_f32(data: &[f32]) -> &[u8] {
    // SAFETY: floats have no padding and every byte pattern is a valid u8; length and lifetime are those of `data`.
    #[expect(unsafe_code, reason = "reading floats as bytes without copying")]
    unsafe {
        std::slice::from_raw_parts(data.as_ptr().cast(), size_of_val(data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_the_abi_and_has_its_own_name() {
        for (dtype, number, size, name) in DTYPES {
            assert_eq!((dtype.to_abi(), dtype.size(), dtype.name()), (number, size, name));
            assert_eq!(DType::from_abi(number), Some(dtype));
            assert_eq!(serde_json::to_string(&dtype).unwrap(), format!("\"{name}\""));
        }
        assert_eq!(DType::from_abi(8), None);
    }

    #[test]
    fn bytes_must_follow_from_the_shape() {
        assert!(Tensor::new(DType::F32, vec![2, 3], vec![0; 24]).is_ok());
        let error = Tensor::new(DType::F32, vec![2, 3], vec![0; 23]).unwrap_err();
        assert_eq!(error.to_string(), "a f32 tensor of shape [2, 3] has 24 bytes, not 23");
        let error = Tensor::new(DType::F32, vec![usize::MAX, 2], vec![]).unwrap_err();
        assert!(matches!(error, TensorError::TooLarge { .. }));
        let error = TensorView::from_abi_shape(DType::U8, &[2, -1], &[]).unwrap_err();
        assert_eq!(error.to_string(), "dimension 1 of a tensor is -1; sizes start at 0");
    }

    #[test]
    fn floats_come_back_as_they_went_in() {
        let tensor = Tensor::from_f32(&[2], &[1.5, -0.0]).unwrap();
        assert_eq!(tensor.to_f32().unwrap(), [1.5, -0.0]);
        assert_eq!(tensor.view().to_numbers().unwrap(), [1.5, 0.0]);
        let whole = [-3_i64, 1 << 40].map(i64::to_ne_bytes).concat();
        let whole = Tensor::new(DType::I64, vec![2], whole).unwrap();
        assert_eq!(whole.view().to_numbers().unwrap(), [-3.0, (1_i64 << 40) as f64]);
        assert_eq!(
            tensor.view().to_i64().unwrap_err().to_string(),
            "the tensor holds f32 where i64 is wanted"
        );
        assert_eq!(Tensor::from_f32(&[], &[1.0]).unwrap().view().len(), 1);
    }
}
