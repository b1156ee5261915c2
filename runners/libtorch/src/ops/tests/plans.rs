//! Several nodes: what is joined, folded and overwritten changes no result.

use convwise_onnx::proto::NodeProto;
use convwise_sdk::{DType, Tensor};

use crate::Libtorch;
use crate::ops::testing::{assert_near, floats, model, node, numbers, run, stored, value, values, whole};

/// What the nodes make of an input `x` of 2 by 4, beside constants.
fn check(
    nodes: Vec<NodeProto>,
    constants: &[(&str, Tensor)],
    results: usize,
    expect: &[&dyn Fn(f64) -> f64],
) {
    let x = numbers(&[2, 4]);
    let constants = constants.iter().map(|(name, tensor)| stored(name, tensor)).collect();
    let model =
        model(17, nodes, constants, vec![value("x", DType::F32, Some(&[2, 4]))], &vec![DType::F32; results]);
    let made = run(&Libtorch, &model, std::slice::from_ref(&x), &[]).unwrap();
    for (made, expect) in made.iter().zip(expect) {
        let expect: Vec<f64> = values(&x).into_iter().map(expect).collect();
        assert_near(&values(made), &expect, &model.graph);
    }
}

fn number(value: f32) -> Tensor {
    floats(&[], &[value])
}

/// Abramowitz and Stegun, formula 7.1.26; good to 1.5e-7.
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let sum = [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let poly = sum.iter().rev().fold(0.0, |poly, a| (poly + a) * t);
    (1.0 - poly * (-x * x).exp()).copysign(x)
}

fn gelu(x: f64) -> f64 {
    x / 2.0 * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

#[test]
fn activations_written_in_steps() {
    let constants = [("root", number(std::f32::consts::SQRT_2)), ("one", number(1.0)), ("half", number(0.5))];
    let start = [node("Div", &["x", "root"], "a"), node("Erf", &["a"], "b"), node("Add", &["b", "one"], "c")];
    let torch = [node("Mul", &["x", "c"], "d"), node("Mul", &["d", "half"], "y0")];
    check([start.as_slice(), &torch].concat(), &constants, 1, &[&gelu]);
    let before = [node("Mul", &["half", "x"], "d"), node("Mul", &["d", "c"], "y0")];
    check([start.as_slice(), &before].concat(), &constants, 1, &[&gelu]);
    // A step that is an output of the model goes on being computed.
    let shown = [node("Mul", &["x", "c"], "y1"), node("Mul", &["y1", "half"], "y0")];
    check([start.as_slice(), &shown].concat(), &constants, 2, &[&gelu, &|x| 2.0 * gelu(x)]);
    // Another number is another function.
    let other = [("root", number(1.5)), ("one", number(1.0)), ("half", number(0.5))];
    check([start.as_slice(), &torch].concat(), &other, 1, &[&|x| x / 2.0 * (1.0 + erf(x / 1.5))]);
    let silu = vec![node("Sigmoid", &["x"], "a"), node("Mul", &["a", "x"], "y0")];
    check(silu, &[], 1, &[&|x| x / (1.0 + (-x).exp())]);
    let squared = vec![node("Sigmoid", &["x"], "a"), node("Mul", &["a", "a"], "y0")];
    check(squared, &[], 1, &[&|x| (1.0 + (-x).exp()).powi(-2)]);
}

#[test]
fn a_product_and_a_sum() {
    let identity: Vec<f32> = (0..16).map(|i| if i % 5 == 0 { 2.0 } else { 0.0 }).collect();
    let constants =
        [("w", floats(&[4, 4], &identity)), ("b", floats(&[4], &[1.0; 4])), ("c", floats(&[1], &[1.0]))];
    for bias in ["b", "c"] {
        let nodes = vec![node("MatMul", &["x", "w"], "a"), node("Add", &[bias, "a"], "y0")];
        check(nodes, &constants, 1, &[&|x| 2.0 * x + 1.0]);
    }
    let both = vec![node("MatMul", &["x", "w"], "y1"), node("Add", &["y1", "b"], "y0")];
    check(both, &constants, 2, &[&|x| 2.0 * x + 1.0, &|x| 2.0 * x]);
}

#[test]
fn nothing_that_is_still_read_is_overwritten() {
    // Through views: a reshaped value, a part of one, and one that is kept.
    let shape = [("flat", whole(&[1], &[8])), ("back", whole(&[2], &[2, 4]))];
    let nodes = vec![
        node("Neg", &["x"], "a"),
        node("Reshape", &["a", "flat"], "v"),
        node("Relu", &["a"], "b"),
        node("Reshape", &["v", "back"], "w"),
        node("Add", &["b", "w"], "y0"),
    ];
    check(nodes, &shape, 1, &[&|x| (-x).max(0.0) - x]);
    let kept = vec![node("Neg", &["x"], "y0"), node("Relu", &["y0"], "y1"), node("Sigmoid", &["x"], "y2")];
    check(kept, &[], 3, &[&|x| -x, &|x| (-x).max(0.0), &|x| 1.0 / (1.0 + (-x).exp())]);
    let twice = vec![node("Neg", &["x"], "a"), node("Add", &["a", "a"], "b"), node("Mul", &["b", "b"], "y0")];
    check(twice, &[], 1, &[&|x| 4.0 * x * x]);
    let own = vec![node("Exp", &["x"], "a"), node("Identity", &["a"], "b"), node("Sub", &["a", "b"], "y0")];
    check(own, &[], 1, &[&|_| 0.0]);
    let constant = [("k", floats(&[2, 4], &[1.0; 8]))];
    check(vec![node("Add", &["k", "x"], "a"), node("Add", &["k", "a"], "y0")], &constant, 1, &[&|x| x + 2.0]);
}

#[test]
fn a_spread_value_is_not_written_over() {
    let constants = [("small", floats(&[1, 1], &[3.0])), ("shape", whole(&[2], &[2, 4]))];
    let nodes = vec![
        node("ReduceMax", &["x"], "m"),
        node("Sub", &["m", "m"], "zero"),
        node("Add", &["zero", "small"], "a"),
        node("Expand", &["a", "shape"], "b"),
        node("Relu", &["b"], "c"),
        node("Add", &["c", "x"], "y0"),
    ];
    check(nodes, &constants, 1, &[&|x| x + 3.0]);
}

#[test]
fn what_depends_on_no_input_is_computed_once_and_idle_nodes_not_at_all() {
    let constants = [("a", number(2.0)), ("b", number(3.0)), ("shape", whole(&[2], &[2, 4]))];
    let nodes = vec![
        node("Mul", &["a", "b"], "six"),
        node("Exp", &["x"], "idle"),
        node("Expand", &["six", "shape"], "wide"),
        node("Identity", &["wide"], "y1"),
        node("Mul", &["x", "six"], "y0"),
    ];
    check(nodes, &constants, 2, &[&|x| 6.0 * x, &|_| 6.0]);
}

#[test]
fn an_input_may_be_an_output() {
    let mut model = model(
        17,
        vec![node("Relu", &["x"], "y0")],
        vec![],
        vec![value("x", DType::F32, Some(&[2]))],
        &[DType::F32],
    );
    let graph = model.graph.as_mut().unwrap();
    graph.output.push(value("x", DType::F32, Some(&[2])));
    let made = run(&Libtorch, &model, &[floats(&[2], &[-1.0, 1.0])], &[]).unwrap();
    assert_eq!((values(&made[0]), values(&made[1])), (vec![0.0, 1.0], vec![-1.0, 1.0]));
}
