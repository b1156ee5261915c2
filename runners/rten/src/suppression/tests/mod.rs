//! Models that suppress, rewritten and run in rten.

mod definition;

use std::path::PathBuf;

use convwise_onnx::encode_model;
use convwise_onnx::proto::tensor_proto::DataType;
use convwise_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use convwise_onnx::proto::{
    OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto, type_proto,
};
use convwise_sdk::{ErrorCode, Options, Runner, Session};

use super::*;
use crate::RtenRunner;
use definition::{Case, Chance};

/// The inputs that the operator has, in their order.
const INPUTS: [&str; 5] = ["boxes", "scores", "most", "iou", "least"];

fn value(name: &str, kind: DataType, rank: usize) -> ValueInfoProto {
    let dim = |axis| Dimension {
        value: Some(dimension::Value::DimParam(format!("{name}{axis}"))),
        ..Dimension::default()
    };
    let shape = Some(TensorShapeProto { dim: (0..rank).map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: Some(kind.into()), shape };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto { value, ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

fn node(given: &[bool; 5], centres: bool) -> NodeProto {
    let input = INPUTS.iter().zip(given).map(|(name, given)| if *given { *name } else { "" }.to_owned());
    let attribute = AttributeProto {
        name: Some("center_point_box".to_owned()),
        i: Some(i64::from(centres)),
        r#type: Some(attribute_proto::AttributeType::Int.into()),
        ..AttributeProto::default()
    };
    NodeProto {
        input: input.collect(),
        output: vec!["selected".to_owned()],
        name: Some("nms".to_owned()),
        op_type: Some(OPERATOR.to_owned()),
        attribute: if centres { vec![attribute] } else { Vec::new() },
        ..NodeProto::default()
    }
}

fn model(given: &[bool; 5], node: NodeProto) -> ModelProto {
    let float = DataType::Float;
    // A limit may be a list of one or a plain number.
    let kinds = [(float, 3), (float, 3), (DataType::Int64, 1), (float, 0), (float, 1)];
    let inputs = INPUTS.iter().zip(kinds).zip(given).filter(|(_, given)| **given);
    let graph = GraphProto {
        node: vec![node],
        input: inputs.map(|((name, (kind, rank)), _)| value(name, kind, rank)).collect(),
        output: vec![value("selected", DataType::Int64, 2)],
        ..GraphProto::default()
    };
    let standard = OperatorSetIdProto { version: Some(17), ..OperatorSetIdProto::default() };
    ModelProto {
        ir_version: Some(8),
        graph: Some(graph),
        opset_import: vec![standard],
        ..ModelProto::default()
    }
}

fn saved(folder: &tempfile::TempDir, model: &ModelProto) -> PathBuf {
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, encode_model(model)).unwrap();
    path
}

fn load(model: &ModelProto) -> Result<Box<dyn Session>, RunnerError> {
    let folder = tempfile::tempdir().unwrap();
    RtenRunner.load(&saved(&folder, model), &[("threads", "1")].into_iter().collect::<Options>())
}

#[test]
fn every_name_is_given_once() {
    for given in [[true; 5], [true, true, false, false, false]] {
        for centres in [false, true] {
            let node = node(&given, centres);
            let nodes = Suppression::of(&node).unwrap().nodes().unwrap();
            assert!(nodes.iter().all(|node| node.name().starts_with("nms/")), "{nodes:?}");
            let inner: Vec<_> = nodes.iter().flat_map(graphs).collect();
            let inputs = inner.iter().flat_map(|graph| &graph.input).map(|input| input.name().to_owned());
            let outputs = nodes.iter().chain(inner.iter().flat_map(|graph| &graph.node));
            let mut names: Vec<_> = outputs.flat_map(|node| node.output.clone()).chain(inputs).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }
}

#[test]
fn several_stand_in_one_model() {
    let mut twice = model(&[true; 5], node(&[true; 5], false));
    let graph = twice.graph.as_mut().unwrap();
    graph.node.push(NodeProto {
        output: vec!["others".to_owned()],
        name: None,
        ..node(&[true, true, true, true, false], false)
    });
    graph.output.push(value("others", DataType::Int64, 2));
    // A file may lack it.
    twice.ir_version = None;
    let mut session = load(&twice).unwrap();
    let limited = |other: Case| {
        let mut one = other.clone();
        one.least = Some(0.5);
        let (few, all) = (one.expected().len(), other.expected().len());
        (few > 5 && few < all).then_some((one, other))
    };
    let (one, other) = (0..).find_map(|seed| limited(Chance(seed).case(3, false))).unwrap();
    assert_eq!(one.answer(session.as_mut()), one.expected());
    assert_eq!(session.output(1).unwrap().to_i32().unwrap(), other.expected().as_flattened());
}

#[test]
fn what_cannot_be_written_otherwise_is_refused() {
    let given = [true; 5];
    let refused = |model: &ModelProto, why: &str| {
        let error = load(model).err().unwrap();
        assert_eq!(error.code, ErrorCode::Unsupported, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    };
    let altered = |alter: fn(&mut NodeProto)| {
        let mut node = node(&given, true);
        alter(&mut node);
        model(&given, node)
    };
    refused(&altered(|node| node.attribute[0].i = Some(2)), "no setting but center_point_box, 0 or 1");
    refused(&altered(|node| node.attribute[0].name = Some("x".into())), "no setting but center_point_box");
    refused(&altered(|node| node.input.truncate(1)), "it takes boxes, scores");
    refused(&altered(|node| node.input.push("sixth".into())), "it takes boxes, scores");
    refused(&altered(|node| node.output.push("second".into())), "it gives one output");

    let inner = GraphProto { node: vec![node(&given, false)], ..GraphProto::default() };
    let branch = AttributeProto { g: Some(inner), ..AttributeProto::default() };
    let around = NodeProto { op_type: Some("If".into()), attribute: vec![branch], ..NodeProto::default() };
    refused(&model(&given, around), "stands in a graph within the graph");

    let mut scattered = model(&given, node(&given, false));
    let elsewhere = TensorProto { data_location: Some(1), ..TensorProto::default() };
    scattered.graph.as_mut().unwrap().initializer.push(elsewhere);
    refused(&scattered, "weights in a file of their own");

    let mut many = model(&given, node(&given, false));
    many.graph.as_mut().unwrap().node = vec![node(&given, false); MOST + 1];
    refused(&many, "stands in the model 1001 times");

    refused(
        &altered(|node| node.domain = Some("house".into())),
        "house/NonMaxSuppression operator not supported",
    );
}

#[test]
fn damage_is_an_error_or_nothing_to_this() {
    let whole = encode_model(&model(&[true; 5], node(&[true; 5], false)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let mut read = 0;
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 0x55;
        for bytes in [&whole[..at], &bent] {
            std::fs::write(&path, bytes).unwrap();
            read += usize::from(replaced(&path).is_ok());
        }
    }
    assert!(read > 0 && read < whole.len(), "{read} of {}", whole.len());
}
