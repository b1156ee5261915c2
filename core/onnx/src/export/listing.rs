//! A model as text: what a person reads, and what snapshots compare.

use std::fmt::Write;

use crate::proto::attribute_proto::AttributeType;
use crate::proto::tensor_shape_proto::dimension::Value;
use crate::proto::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, type_proto};

use super::model::Tensor;

pub(super) fn listing(graph: &GraphProto, tensors: &[Tensor]) -> String {
    let mut out = String::new();
    for (what, values) in [("input ", &graph.input), ("output", &graph.output)] {
        for value in values {
            line(&mut out, format_args!("{what} {} [{}]", value.name(), dims(value)));
        }
    }
    for node in &graph.node {
        line(&mut out, format_args!("{}", describe(node)));
    }
    for constant in &graph.initializer {
        line(&mut out, format_args!("const  {} = {}", constant.name(), numbers(constant)));
    }
    for tensor in tensors {
        line(&mut out, format_args!("weight {} {:?}", tensor.name, tensor.dims));
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn describe(node: &NodeProto) -> String {
    let settings: Vec<_> = node.attribute.iter().map(setting).collect();
    let settings = if settings.is_empty() { String::new() } else { format!(" {{{}}}", settings.join(", ")) };
    let operands: Vec<_> = node.input.iter().map(|i| if i.is_empty() { "-" } else { i.as_str() }).collect();
    format!("{} = {}({}){settings}", node.output.join(", "), node.op_type(), operands.join(", "))
}

fn setting(a: &AttributeProto) -> String {
    let value = match a.r#type() {
        AttributeType::Int => a.i().to_string(),
        AttributeType::Float => a.f().to_string(),
        AttributeType::Ints => format!("{:?}", a.ints),
        _ => String::from_utf8_lossy(a.s()).into_owned(),
    };
    format!("{}: {value}", a.name())
}

fn dims(value: &ValueInfoProto) -> String {
    let Some(type_proto::Value::TensorType(tensor)) = value.r#type.as_ref().and_then(|t| t.value.as_ref())
    else {
        return String::new();
    };
    let dims = tensor.shape.iter().flat_map(|s| &s.dim).map(|d| match &d.value {
        Some(Value::DimValue(extent)) => extent.to_string(),
        Some(Value::DimParam(name)) => name.clone(),
        None => "?".to_owned(),
    });
    dims.collect::<Vec<_>>().join(", ")
}

fn numbers(tensor: &TensorProto) -> String {
    const INT64: i32 = crate::proto::tensor_proto::DataType::Int64 as i32;
    let raw = tensor.raw_data();
    if tensor.data_type() == INT64 {
        let (numbers, _) = raw.as_chunks::<8>();
        return format!("{:?}", numbers.iter().map(|&b| i64::from_le_bytes(b)).collect::<Vec<_>>());
    }
    let (numbers, _) = raw.as_chunks::<4>();
    format!("{:?}", numbers.iter().map(|&b| f32::from_le_bytes(b)).collect::<Vec<_>>())
}
