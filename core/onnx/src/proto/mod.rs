//! The ONNX file format, as published (`proto/onnx.proto`), and the few shorthands the export needs.
//!
//! Every message is public, so that a runner that interprets models itself needs no second reader of the format:
//! [`read_model`](crate::read_model) answers a [`ModelProto`].

#[rustfmt::skip]
#[expect(missing_docs, reason = "generated: names and their meaning are the format's")]
mod generated;

pub use generated::*;

use attribute_proto::AttributeType;

/// A named integer setting of a node.
pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) }
}

/// A named list of integers.
pub(crate) fn ints(name: &str, values: impl IntoIterator<Item = usize>) -> AttributeProto {
    AttributeProto { ints: values.into_iter().map(extent).collect(), ..attribute(name, AttributeType::Ints) }
}

/// A named number.
pub(crate) fn float(name: &str, value: f64) -> AttributeProto {
    AttributeProto { f: Some(value as f32), ..attribute(name, AttributeType::Float) }
}

/// A named string.
pub(crate) fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.into()), ..attribute(name, AttributeType::String) }
}

/// An extent in the format's signed numbers. Graph validation keeps extents below 2^40.
pub(crate) fn extent(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A key and its text, for a model's metadata.
pub(crate) fn entry(key: &str, value: impl Into<String>) -> StringStringEntryProto {
    StringStringEntryProto { key: Some(key.to_owned()), value: Some(value.into()) }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), r#type: Some(kind.into()), ..AttributeProto::default() }
}
