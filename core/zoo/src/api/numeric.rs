//! Arithmetic on tensors: of two, element by element, over axes, and at places.

use convwise_graph::{Op, Reduction, Unary};
use convwise_script::Complaint;
use convwise_types::did_you_mean;
use rhai::{Array, Engine, Map};

use super::net::{Raised, Tensor};
use super::options::{Options, size, sizes};

pub(super) fn register(engine: &mut Engine) {
    register_pairs(engine);
    register_functions(engine);
    engine.register_fn("reduce", reduce);
    register_places(engine);
}

/// Each as an operator and as a method.
fn register_pairs(engine: &mut Engine) {
    let pairs = [("+", "add", Op::Add), ("*", "mul", Op::Mul), ("-", "sub", Op::Sub), ("/", "div", Op::Div)];
    for (sign, word, op) in pairs {
        let same = op.clone();
        engine.register_fn(sign, move |x: Tensor, y: Tensor| x.apply_with(op.clone(), &[y], ""));
        engine.register_fn(word, move |x: &mut Tensor, y: Tensor| x.apply_with(same.clone(), &[y], ""));
    }
}

/// Functions of one number under the names that scripts use.
const FUNCTIONS: [(&str, Unary); 6] = [
    ("exp", Unary::Exp),
    ("log", Unary::Log),
    ("sin", Unary::Sin),
    ("cos", Unary::Cos),
    ("sqrt", Unary::Sqrt),
    ("floor", Unary::Floor),
];

fn register_functions(engine: &mut Engine) {
    for (name, function) in FUNCTIONS {
        engine.register_fn(name, move |x: &mut Tensor| x.apply(Op::Unary(function), ""));
    }
    engine.register_fn("clamp", |x: &mut Tensor, low: f64, high: f64| {
        x.apply(Op::Clamp { low: Some(low), high: Some(high) }, "")
    });
    engine.register_fn("at_least", |x: &mut Tensor, low: f64| {
        x.apply(Op::Clamp { low: Some(low), high: None }, "")
    });
    engine.register_fn("at_most", |x: &mut Tensor, high: f64| {
        x.apply(Op::Clamp { low: None, high: Some(high) }, "")
    });
}

const REDUCTIONS: [(&str, Reduction); 3] =
    [("mean", Reduction::Mean), ("max", Reduction::Max), ("sum", Reduction::Sum)];

fn reduce(x: &mut Tensor, what: &str, axes: Array) -> Raised<Tensor> {
    let Some((_, reduction)) = REDUCTIONS.iter().find(|(word, _)| *word == what) else {
        let near = did_you_mean(what, REDUCTIONS.iter().map(|(word, _)| *word));
        let text = format!("there is no reduction `{what}`{near}");
        return Err(Complaint::new("wrong-option", text).with_help("use mean, max or sum").into());
    };
    let axes = sizes("reduce", "the axes", &axes)?;
    x.apply(Op::Reduce { reduction: *reduction, axes }, "")
}

fn register_places(engine: &mut Engine) {
    engine.register_fn("top_places", |x: &mut Tensor, count: i64| {
        x.apply(Op::TopPlaces { count: size("top_places", "the count", &count.into())? }, "")
    });
    engine.register_fn("arg_max", |x: &mut Tensor| x.apply(Op::ArgMax, ""));
    engine.register_fn("numbers", |x: &mut Tensor| x.apply(Op::Numbers, ""));
    engine.register_fn("places", |x: &mut Tensor| x.apply(Op::Places, ""));
    engine.register_fn("kept", kept);
    engine.register_fn("rows", |x: &mut Tensor, places: Tensor| x.apply_with(Op::Rows, &[places], ""));
    engine.register_fn("grid_sample", |x: &mut Tensor, points: Tensor| sample(x, points, &Map::new()));
    engine.register_fn("grid_sample", |x: &mut Tensor, points: Tensor, options: Map| {
        sample(x, points, &options)
    });
}

fn kept(boxes: &mut Tensor, scores: Tensor, options: Map) -> Raised<Tensor> {
    let options = Options::of("kept", &options, &["count", "iou", "score"])?;
    let (count, iou) = (options.size("count")?, options.real("iou", 0.5)?);
    boxes.apply_with(Op::Kept { count, iou, score: options.real("score", 0.0)? }, &[scores], "")
}

fn sample(x: &Tensor, points: Tensor, options: &Map) -> Raised<Tensor> {
    let options = Options::of("grid_sample", options, &["align_corners"])?;
    let align_corners = options.flag("align_corners", false)?;
    x.apply_with(Op::GridSample { align_corners }, &[points], "")
}
