//! Exported networks give PyTorch's numbers when they are run, folded or not, for any batch.

use std::collections::BTreeMap;

use convwise_graph::Graph;
use convwise_onnx::{Batch, ExportOptions, Golden, OPSETS, export, golden};
use rten::Value;
use rten_tensor::Tensor;
use rten_tensor::prelude::*;
use serde::Deserialize;

use crate::nets;

/// Sampled outputs of every network, made by PyTorch under the parity rule.
const REFERENCE: &str = include_str!("../data/blocks.json");

/// Largest error against the largest value. Single precision leaves 2e-7 here; the smallest mistake
/// worth naming (a wrong epsilon) makes 1e-4.
const TOLERANCE: f32 = 2e-6;
/// Factors of a resize, rounded to single precision, move the points that are read.
const RESIZE_TOLERANCE: f32 = 1e-5;

#[derive(Deserialize)]
struct Reference {
    nets: BTreeMap<String, BTreeMap<String, Sample>>,
}

#[derive(Deserialize)]
struct Sample {
    shape: Vec<usize>,
    indices: Vec<usize>,
    values: Vec<f32>,
}

/// Outputs by name, each as shape and values.
type Outputs = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn image(graph: &Graph) -> (Vec<usize>, Vec<f32>) {
    let shapes = convwise_graph::infer(graph, 1).unwrap();
    let (_, shape) = shapes.iter().next().unwrap();
    let mut values = vec![0.0; shape.elements() as usize];
    golden::fill_input("input", &mut values);
    // Below zero, a maximum that takes in padding differs from one that does not.
    if graph.name == "windows" {
        values.iter_mut().for_each(|v| *v = -v.abs());
    }
    (shape.0.clone(), values)
}

fn run(graph: &Graph, options: &ExportOptions, (shape, values): (Vec<usize>, Vec<f32>)) -> Outputs {
    let bytes = export(graph, &Golden::default(), options).unwrap().to_bytes();
    let model = rten::Model::load(bytes).unwrap();
    let input = Value::from_shape(shape.as_slice(), values).unwrap();
    let outputs = model.run(vec![(model.input_ids()[0], input.into())], model.output_ids(), None).unwrap();
    let named = graph.outputs.iter().map(|o| o.name.clone());
    named.zip(outputs).map(|(name, value)| (name, numbers(value))).collect()
}

fn numbers(value: Value) -> (Vec<usize>, Vec<f32>) {
    let tensor: Tensor<f32> = value.try_into().unwrap();
    (tensor.shape().to_vec(), tensor.to_vec())
}

fn check(graph: &Graph, options: &ExportOptions) {
    let reference: Reference = serde_json::from_str(REFERENCE).unwrap();
    let outputs = run(graph, options, image(graph));
    for (name, expected) in &reference.nets[&graph.name] {
        let (shape, values) = &outputs[name];
        assert_eq!(shape, &expected.shape, "{name} of {}", graph.name);
        let scale = values.iter().fold(0f32, |m, v| m.max(v.abs()));
        for (&i, &value) in expected.indices.iter().zip(&expected.values) {
            let error = (values[i] - value).abs() / scale;
            assert!(
                error <= tolerance(name, options),
                "{name}[{i}] of {}: {error:e}, {options:?}",
                graph.name
            );
        }
    }
}

fn tolerance(output: &str, options: &ExportOptions) -> f32 {
    let resized = ["nearest", "linear", "corners"].contains(&output);
    if resized && options.batch == Batch::Dynamic { RESIZE_TOLERANCE } else { TOLERANCE }
}

#[test]
fn folded_and_kept_networks_give_the_reference_in_every_operator_set() {
    for graph in nets::referenced() {
        for opset in OPSETS {
            for keep_batchnorm in [false, true] {
                check(&graph, &ExportOptions { opset, keep_batchnorm, batch: Batch::Fixed(1) });
            }
        }
    }
}

#[test]
fn a_dynamic_batch_gives_each_image_what_it_gets_alone() {
    let options = ExportOptions { batch: Batch::Dynamic, ..ExportOptions::default() };
    for graph in nets::all() {
        if nets::is_referenced(&graph) {
            check(&graph, &options);
        }
        let (mut shape, values) = image(&graph);
        let half: Vec<f32> = values.iter().map(|v| v / 2.0).collect();
        let alone = [values.clone(), half.clone()].map(|v| run(&graph, &options, (shape.clone(), v)));
        shape[0] = 2;
        let together = run(&graph, &options, (shape, [values, half].concat()));
        for (name, (shape, values)) in &together {
            assert_eq!(shape[0], 2, "{name} of {}", graph.name);
            for (image, alone) in values.chunks(values.len() / 2).zip(&alone) {
                close(image, &alone[name].1, &format!("{name} of {}", graph.name));
            }
        }
    }
}

fn close(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let scale = b.iter().fold(0f32, |m, v| m.max(v.abs()));
    let error = a.iter().zip(b).fold(0f32, |m, (x, y)| m.max((x - y).abs()));
    assert!(error <= TOLERANCE * scale, "{what}: {error:e} of {scale}");
}
