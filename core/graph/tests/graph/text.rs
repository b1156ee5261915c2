//! Snapshots of the text and DOT forms.

use convwise_graph::{Activation, Builder, Conv2d, Graph, Op, Padding, Pool, ResizeMode, dot, infer, text};

use crate::nets;

fn print(graph: &Graph) -> String {
    text::print(graph, &infer(graph, 1).unwrap())
}

/// Stem and first two blocks of a residual network with one strided shortcut.
fn block() -> Graph {
    nets::resnet("block", [1, 1, 0, 0], true)
}

#[test]
fn residual_blocks() {
    insta::assert_snapshot!(print(&block()));
}

#[test]
fn dot_form() {
    let graph = nets::resnet("block", [1, 0, 0, 0], false);
    insta::assert_snapshot!(dot::print(&graph, &infer(&graph, 1).unwrap()));
}

/// One node of every operation, with settings that differ from the usual ones.
fn everything() -> Graph {
    let mut b = Builder::new("everything, with \"quotes\"");
    let mut x = b.add(Op::Input { dims: vec![8, 12, 12] }, &[], "input").unwrap();
    let (padding, skewed) = (Padding::symmetric(1, 2), Padding { top: 0, left: 1, bottom: 1, right: 0 });
    let conv = Conv2d {
        out_channels: 8,
        kernel: [3, 5],
        stride: [2, 1],
        padding,
        dilation: [1, 1],
        groups: 8,
        bias: true,
    };
    let pool = Pool { kernel: [3, 3], stride: [1, 1], padding: Padding::symmetric(1, 1), ceil: true };
    let (height, width) = (6, 6);
    let unary = [
        Op::Conv2d(conv.clone()),
        Op::Conv2d(Conv2d { padding: skewed, dilation: [1, 2], stride: [1, 1], ..conv }),
        Op::BatchNorm { eps: 1e-3, frozen: false },
        Op::Activation(Activation::HardSwish),
        Op::MaxPool(pool.clone()),
        Op::AvgPool { pool, count_include_pad: true },
        Op::Resize { height, width, mode: ResizeMode::Bilinear, align_corners: true },
        Op::Pad { padding: skewed, value: -1.5 },
        Op::ChannelShuffle { groups: 4 },
        Op::Scale { dims: vec![8, 1, 1] },
        Op::Slice { axis: 2, start: 1, end: 7 },
        Op::Reshape { dims: vec![8, -1] },
        Op::Transpose { perm: vec![0, 2, 1] },
        Op::LayerNorm { eps: 1e-6 },
        Op::Linear { out_features: 42, bias: false, rows: None },
        Op::Softmax { axis: -1 },
    ];
    for (i, op) in unary.into_iter().enumerate() {
        x = b.add(op, &[x], &format!("layer{i}")).unwrap();
    }
    let square = b.add(Op::MatMul, &[x, x], "").unwrap();
    let sum = b.add(Op::Add, &[square, x], "").unwrap();
    let product = b.add(Op::Mul, &[sum, x], "odd name\n").unwrap();
    let all = b.add(Op::Concat { axis: 1 }, &[sum, product, x], "").unwrap();
    let flat = b.add(Op::Flatten { from: 1 }, &[all], "").unwrap();
    b.stage("last map", all).unwrap();
    b.output("flat", flat).unwrap();
    b.output("sum", sum).unwrap();
    b.finish().unwrap()
}

#[test]
fn every_operation() {
    insta::assert_snapshot!(print(&everything()));
}

#[test]
fn hostile_labels_stay_in_their_quotes() {
    let mut b = Builder::new("a\"; evil [label=\"");
    let x = b.add(Op::Input { dims: vec![1] }, &[], "x\\\"\n\u{1b}[31m").unwrap();
    b.output("y\"z", x).unwrap();
    let graph = b.finish().unwrap();
    insta::assert_snapshot!(dot::print(&graph, &infer(&graph, 1).unwrap()));
    insta::assert_snapshot!(print(&graph));
}

#[test]
fn graphs_survive_serialisation() {
    let graph = everything();
    let json = serde_json::to_string(&graph).unwrap();
    assert_eq!(serde_json::from_str::<Graph>(&json).unwrap(), graph);
}
