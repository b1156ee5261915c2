//! Descriptions of inputs and outputs.

use convwise_graph::Shape;

use crate::proto::tensor_shape_proto::{Dimension, dimension};
use crate::proto::{TensorShapeProto, TypeProto, ValueInfoProto, extent, tensor_proto, type_proto};

/// What the batch axis is called in a file for any batch.
const BATCH: &str = "N";

/// A named tensor. `doubled` is its shape for two images instead of one where the batch is dynamic.
pub(super) fn value_info(
    name: &str,
    kind: tensor_proto::DataType,
    shape: &Shape,
    doubled: Option<&Shape>,
) -> ValueInfoProto {
    let dims = shape.0.iter().enumerate().map(|(axis, &d)| dim(d, doubled.and_then(|s| s.dim(axis))));
    let shape = TensorShapeProto { dim: dims.collect() };
    let tensor = type_proto::Tensor { elem_type: Some(kind.into()), shape: Some(shape) };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(kind), ..ValueInfoProto::default() }
}

/// An extent that grows with the batch is unknown, and is the batch itself where it is 1 for one image.
fn dim(one: usize, two: Option<usize>) -> Dimension {
    let value = match two {
        Some(two) if one == 1 && two == 2 => Some(dimension::Value::DimParam(BATCH.to_owned())),
        Some(two) if one != two => None,
        _ => Some(dimension::Value::DimValue(extent(one))),
    };
    Dimension { value, ..Dimension::default() }
}
