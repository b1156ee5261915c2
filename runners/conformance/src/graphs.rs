//! One small graph for every operation that can be exported, in every form in which it changes what a runner must do.

use convwise_graph::{
    Activation, Builder, Conv2d, Graph, GraphError, NodeId, Op, Padding, Param, ParamRole, Pool, Reduction,
    ResizeMode, Rows, Unary,
};
use convwise_host::{DType, fill_tensor};
use convwise_onnx::{WeightError, WeightSource};

/// A graph of few layers around one operation.
pub(crate) struct Small {
    /// The operation, and what is special about this one.
    pub name: &'static str,
    /// The graph; its input is called `input`.
    pub graph: Graph,
}

/// Extents of every input but those of the heavy one.
const IMAGE: [usize; 3] = [4, 9, 7];

/// All of them.
///
/// # Errors
/// A mistake in this file.
pub(crate) fn all() -> Result<Vec<Small>, GraphError> {
    let mut graphs = Vec::new();
    for (name, op) in on_images() {
        graphs.push(small(name, &IMAGE, |net, x| net.add(op, &[x], "op"))?);
    }
    graphs.push(small("layer_norm", &IMAGE, layer_norm)?);
    graphs.push(small("linear", &IMAGE, linear)?);
    graphs.push(small("matmul", &IMAGE, matmul)?);
    graphs.push(small("concat", &IMAGE, concat)?);
    graphs.push(small("add: of two tensors, of one with itself", &IMAGE, add)?);
    graphs.push(small("mul: a gate for each channel", &IMAGE, gate)?);
    graphs.push(small("linear: rows of one packed matrix", &IMAGE, packed)?);
    graphs.push(small("conv2d: one for two levels", &IMAGE, shared)?);
    graphs.push(small("sub, div, exp, log, sqrt, clamp", &IMAGE, quotient)?);
    graphs.push(small("sin, cos, floor of positions", &IMAGE, waves)?);
    graphs.push(small("kept boxes", &IMAGE, suppressed)?);
    graphs.push(small("places that are calculated", &IMAGE, halved)?);
    graphs.push(small("rows at the greatest numbers", &IMAGE, greatest)?);
    graphs.push(small("the greatest of every column", &IMAGE, classes)?);
    for (name, align_corners) in [("grid_sample", false), ("grid_sample, corners aligned", true)] {
        graphs.push(small(name, &IMAGE, |net, x| sampled(net, x, align_corners))?);
    }
    Ok(graphs)
}

/// A network that takes a while on any machine and answers in few numbers.
///
/// # Errors
/// A mistake in this file.
pub(crate) fn heavy() -> Result<Graph, GraphError> {
    let conv = |net: &mut Builder, x, name: &str| net.add(Op::Conv2d(conv(64, 3, 1, 1)), &[x], name);
    let heavy = small("heavy", &[3, 56, 56], |net, x| {
        let first = conv(net, x, "conv1")?;
        let second = conv(net, first, "conv2")?;
        let third = conv(net, second, "conv3")?;
        net.add(Op::GlobalAvgPool, &[third], "pool")
    })?;
    Ok(heavy.graph)
}

/// Two convolutions, a residual sum, and a head: what every runner is expected to have.
///
/// # Errors
/// A mistake in this file.
pub(crate) fn plain() -> Result<Graph, GraphError> {
    let plain = small("plain", &IMAGE, |net, x| {
        let stem = net.add(Op::Conv2d(conv(4, 3, 1, 1)), &[x], "stem")?;
        let active = net.add(Op::Activation(Activation::Relu), &[stem], "")?;
        let sum = net.add(Op::Add, &[active, x], "")?;
        let pooled = net.add(Op::GlobalAvgPool, &[sum], "")?;
        let flat = net.add(Op::Flatten { from: 1 }, &[pooled], "")?;
        net.add(Op::Linear { out_features: 5, bias: true, rows: None }, &[flat], "head")
    })?;
    Ok(plain.graph)
}

fn small(
    name: &'static str,
    input: &[usize],
    build: impl FnOnce(&mut Builder, NodeId) -> Result<NodeId, GraphError>,
) -> Result<Small, GraphError> {
    let mut net = Builder::new(name);
    let x = net.add(Op::Input { dims: input.to_vec() }, &[], "input")?;
    let y = build(&mut net, x)?;
    net.output("output", y)?;
    Ok(Small { name, graph: net.finish()? })
}

/// Operations with one image as operand.
fn on_images() -> Vec<(&'static str, Op)> {
    let mut all = convolutions();
    all.extend(activations());
    all.extend(pools());
    all.extend([
        ("batch_norm", Op::BatchNorm { eps: 1e-3, frozen: false }),
        ("softmax over channels", Op::Softmax { axis: 1 }),
        ("softmax over the last axis", Op::Softmax { axis: -1 }),
        ("scale", Op::Scale { dims: vec![4, 1, 1] }),
        ("channel_affine", affine()),
        ("flatten", Op::Flatten { from: 1 }),
        ("reshape", Op::Reshape { dims: vec![2, -1, 7] }),
        ("transpose", Op::Transpose { perm: vec![0, 2, 3, 1] }),
        ("slice", Op::Slice { axis: 2, start: 1, end: 6 }),
        ("channel_shuffle", Op::ChannelShuffle { groups: 2 }),
        ("pad", Op::Pad { padding: uneven(), value: -1.5 }),
        ("leaky_relu", Op::LeakyRelu { slope: 0.1 }),
        ("reduce_mean over channels", Op::Reduce { reduction: Reduction::Mean, axes: vec![1] }),
        ("reduce_max over channels", Op::Reduce { reduction: Reduction::Max, axes: vec![1] }),
        ("reduce_sum over an image", Op::Reduce { reduction: Reduction::Sum, axes: vec![2, 3] }),
    ]);
    all.extend(resizes());
    all
}

fn affine() -> Op {
    Op::ChannelAffine { scale: vec![0.5, 1.0, 2.0, -1.0], shift: vec![0.1, -0.2, 0.3, 0.0] }
}

fn uneven() -> Padding {
    Padding { top: 1, left: 2, bottom: 0, right: 1 }
}

fn conv(out_channels: usize, kernel: usize, stride: usize, padding: usize) -> Conv2d {
    Conv2d {
        out_channels,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: Padding::symmetric(padding, padding),
        dilation: [1, 1],
        groups: 1,
        bias: true,
    }
}

fn convolutions() -> Vec<(&'static str, Op)> {
    let depthwise = Conv2d { groups: 4, ..conv(4, 5, 1, 2) };
    let forms = [
        ("conv2d", conv(6, 3, 1, 1)),
        ("conv2d 1x1 without bias", Conv2d { bias: false, ..conv(6, 1, 1, 0) }),
        ("conv2d with a stride and uneven padding", Conv2d { padding: uneven(), ..conv(6, 3, 2, 0) }),
        ("conv2d of unequal sides", Conv2d { kernel: [1, 7], ..conv(6, 1, 1, 3) }),
        ("conv2d dilated", Conv2d { dilation: [2, 2], ..conv(6, 3, 1, 2) }),
        ("conv2d in groups", Conv2d { groups: 2, ..conv(6, 3, 1, 1) }),
        ("conv2d depthwise", depthwise.clone()),
        ("conv2d depthwise with a stride", Conv2d { stride: [2, 2], ..depthwise }),
    ];
    forms.into_iter().map(|(name, conv)| (name, Op::Conv2d(conv))).collect()
}

fn activations() -> [(&'static str, Op); 8] {
    [
        ("relu", Activation::Relu),
        ("relu6", Activation::Relu6),
        ("hard_swish", Activation::HardSwish),
        ("hard_sigmoid", Activation::HardSigmoid),
        ("sigmoid", Activation::Sigmoid),
        ("silu", Activation::Silu),
        ("gelu", Activation::Gelu),
        ("tanh", Activation::Tanh),
    ]
    .map(|(name, activation)| (name, Op::Activation(activation)))
}

fn pools() -> Vec<(&'static str, Op)> {
    let pool = |ceil| Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::symmetric(1, 1), ceil };
    let average = |ceil, count_include_pad| Op::AvgPool { pool: pool(ceil), count_include_pad };
    vec![
        ("max_pool", Op::MaxPool(pool(false))),
        ("max_pool rounded up", Op::MaxPool(Pool { kernel: [2, 2], ..pool(true) })),
        ("average_pool", average(false, false)),
        ("average_pool that counts padding", average(false, true)),
        ("average_pool rounded up", average(true, false)),
        ("adaptive_avg_pool of equal bins", Op::AdaptiveAvgPool { height: 3, width: 1 }),
        ("adaptive_avg_pool of unequal bins", Op::AdaptiveAvgPool { height: 4, width: 3 }),
        ("global_avg_pool", Op::GlobalAvgPool),
    ]
}

fn resizes() -> [(&'static str, Op); 4] {
    let to = |height, width, mode, align_corners| Op::Resize { height, width, mode, align_corners };
    [
        ("resize to the nearest", to(18, 14, ResizeMode::Nearest, false)),
        ("resize bilinear", to(18, 21, ResizeMode::Bilinear, false)),
        ("resize bilinear, smaller", to(5, 4, ResizeMode::Bilinear, false)),
        ("resize bilinear, corners aligned", to(17, 13, ResizeMode::Bilinear, true)),
    ]
}

fn layer_norm(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let last = net.add(Op::Transpose { perm: vec![0, 2, 3, 1] }, &[x], "")?;
    net.add(Op::LayerNorm { eps: 1e-6 }, &[last], "op")
}

fn linear(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let rows = net.add(Op::Linear { out_features: 5, bias: true, rows: None }, &[x], "rows")?;
    let flat = net.add(Op::Flatten { from: 1 }, &[rows], "")?;
    net.add(Op::Linear { out_features: 3, bias: false, rows: None }, &[flat], "head")
}

fn matmul(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let turned = net.add(Op::Transpose { perm: vec![0, 1, 3, 2] }, &[x], "")?;
    net.add(Op::MatMul, &[x, turned], "")
}

fn concat(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let other = net.add(Op::Conv2d(conv(3, 1, 1, 0)), &[x], "branch")?;
    net.add(Op::Concat { axis: 1 }, &[x, other, x], "")
}

fn add(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let other = net.add(Op::Conv2d(conv(4, 3, 1, 1)), &[x], "branch")?;
    let sum = net.add(Op::Add, &[other, x], "")?;
    net.add(Op::Add, &[sum, sum], "")
}

fn gate(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let pooled = net.add(Op::GlobalAvgPool, &[x], "")?;
    let squeezed = net.add(Op::Conv2d(conv(4, 1, 1, 0)), &[pooled], "squeeze")?;
    let gate = net.add(Op::Activation(Activation::HardSigmoid), &[squeezed], "")?;
    net.add(Op::Mul, &[x, gate], "")
}

/// Three thirds of a matrix, as attention's queries, keys and values.
fn packed(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let third = |net: &mut Builder, start| {
        let rows = Some(Rows { start, of: 15 });
        net.add_shared(Op::Linear { out_features: 5, bias: true, rows }, &[x], "in_proj")
    };
    let [query, key, value] = [third(net, 0)?, third(net, 5)?, third(net, 10)?];
    let product = net.add(Op::Mul, &[query, key], "")?;
    net.add(Op::Add, &[product, value], "")
}

fn shared(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let half = net.add(
        Op::MaxPool(Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default(), ceil: false }),
        &[x],
        "",
    )?;
    let mut ends = Vec::new();
    for level in [x, half] {
        let head = net.add_shared(Op::Conv2d(conv(3, 3, 1, 1)), &[level], "head")?;
        ends.push(net.add(Op::Reshape { dims: vec![3, -1] }, &[head], "")?);
    }
    net.add(Op::Concat { axis: 2 }, &ends, "")
}

fn quotient(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let positive = net.add(Op::Unary(Unary::Exp), &[x], "")?;
    let root = net.add(Op::Unary(Unary::Sqrt), &[positive], "")?;
    let kept = net.add(Op::Clamp { low: Some(0.7), high: None }, &[root], "")?;
    let share = net.add(Op::Div, &[x, kept], "")?;
    let log = net.add(Op::Unary(Unary::Log), &[kept], "")?;
    let difference = net.add(Op::Sub, &[share, log], "")?;
    net.add(Op::Clamp { low: Some(-0.5), high: Some(0.5) }, &[difference], "")
}

fn waves(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let steps =
        net.add(Op::Constant { dims: vec![1, 1, 7], values: (0_u8..7).map(f32::from).collect() }, &[], "")?;
    let table = net.add(Op::Trained { dims: vec![4, 1, 1], frozen: false }, &[], "table")?;
    let angle = net.add(Op::Mul, &[steps, table], "")?;
    let angle = net.add(Op::Add, &[angle, x], "")?;
    let (sine, cosine) =
        (net.add(Op::Unary(Unary::Sin), &[angle], "")?, net.add(Op::Unary(Unary::Cos), &[angle], "")?);
    let whole = net.add(Op::Unary(Unary::Floor), &[steps], "")?;
    let sum = net.add(Op::Add, &[sine, cosine], "")?;
    net.add(Op::Add, &[sum, whole], "")
}

/// Tokens `[N, 63, 4]`, of which the best five by their sum are taken.
fn greatest(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let tokens = net.add(Op::Reshape { dims: vec![4, -1] }, &[x], "")?;
    let tokens = net.add(Op::Transpose { perm: vec![0, 2, 1] }, &[tokens], "")?;
    let score = net.add(Op::Reduce { reduction: Reduction::Sum, axes: vec![2] }, &[tokens], "")?;
    let score = net.add(Op::Flatten { from: 1 }, &[score], "")?;
    let places = net.add(Op::TopPlaces { count: 5 }, &[score], "")?;
    net.add(Op::Rows, &[tokens, places], "")
}

/// The best of four classes at every point, as whole numbers.
fn classes(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    net.add(Op::ArgMax, &[x], "")
}

/// Boxes of which some overlap: those that are kept, at most six, and a row of zeros where fewer are.
fn suppressed(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let tokens = net.add(Op::Reshape { dims: vec![4, -1] }, &[x], "")?;
    let tokens = net.add(Op::Transpose { perm: vec![0, 2, 1] }, &[tokens], "")?;
    let part = |net: &mut Builder, start, end| net.add(Op::Slice { axis: 2, start, end }, &[tokens], "");
    let (corner, size) = (part(net, 0, 2)?, part(net, 2, 4)?);
    let size = net.add(Op::Unary(Unary::Exp), &[size], "")?;
    let far = net.add(Op::Add, &[corner, size], "")?;
    let boxes = net.add(Op::Concat { axis: 2 }, &[corner, far], "boxes")?;
    let score = net.add(Op::Reduce { reduction: Reduction::Mean, axes: vec![2] }, &[tokens], "")?;
    let score = net.add(Op::Flatten { from: 1 }, &[score], "")?;
    let kept = net.add(Op::Kept { count: 12, iou: 0.3, score: 0.1 }, &[boxes, score], "kept")?;
    let nothing = net.add(Op::Constant { dims: vec![1, 4], values: vec![0.0; 4] }, &[], "")?;
    let padded = net.add(Op::Concat { axis: 1 }, &[boxes, nothing], "")?;
    net.add(Op::Rows, &[padded, kept], "")
}

/// Rows at every second of the best places.
fn halved(net: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let row = net.add(Op::Flatten { from: 1 }, &[x], "")?;
    let places = net.add(Op::TopPlaces { count: 8 }, &[row], "")?;
    let numbers = net.add(Op::Numbers, &[places], "")?;
    let half = net.add(Op::Constant { dims: vec![1], values: vec![0.5] }, &[], "")?;
    let halves = net.add(Op::Mul, &[numbers, half], "")?;
    let whole = net.add(Op::Places, &[halves], "")?;
    net.add(Op::Rows, &[row, whole], "")
}

/// Samples at points that the image itself names, some of them beyond its edges.
fn sampled(net: &mut Builder, x: NodeId, align_corners: bool) -> Result<NodeId, GraphError> {
    let points = net.add(Op::Slice { axis: 1, start: 0, end: 2 }, &[x], "")?;
    let spread =
        net.add(Op::ChannelAffine { scale: vec![1.3, 1.2], shift: vec![0.05, -0.1] }, &[points], "")?;
    let points = net.add(Op::Transpose { perm: vec![0, 2, 3, 1] }, &[spread], "")?;
    net.add(Op::GridSample { align_corners }, &[x, points], "")
}

/// Weights of which no tensor is the identity: uniform over what keeps numbers near one.
pub(crate) struct Lively;

impl WeightSource for Lively {
    fn describe(&self) -> String {
        "conformance".to_owned()
    }

    fn fill(&self, param: &Param, out: &mut [f32]) -> Result<(), WeightError> {
        let fan_in = param.shape.0.iter().skip(1).product::<usize>().max(1) as f64;
        let (centre, spread) = match param.role {
            ParamRole::Weight => (0.0, (3.0 / fan_in).sqrt()),
            ParamRole::Bias | ParamRole::NormBias | ParamRole::RunningMean => (0.0, 0.5),
            ParamRole::NormWeight | ParamRole::RunningVar | ParamRole::Scale => (1.0, 0.5),
            ParamRole::Table | ParamRole::Frozen => (0.0, 1.0),
        };
        let seed = param.name.bytes().fold(1_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte));
        let units = fill_tensor(DType::F32, &[out.len()], seed).and_then(|tensor| tensor.to_f32());
        for (value, unit) in out.iter_mut().zip(units.unwrap_or_default()) {
            *value = (centre + spread * f64::from(unit)) as f32;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every operation there is. A new one fails to compile here until it is named, and then the test until it is used.
    fn names() -> BTreeSet<&'static str> {
        let _ = |op: &Op| match op {
            Op::Input { .. } | Op::Conv2d(_) | Op::BatchNorm { .. } | Op::LayerNorm { .. } => {}
            Op::Activation(_) | Op::MaxPool(_) | Op::AvgPool { .. } | Op::AdaptiveAvgPool { .. } => {}
            Op::GlobalAvgPool | Op::Linear { .. } | Op::MatMul | Op::Softmax { .. } | Op::Concat { .. } => {}
            Op::Add | Op::Mul | Op::Scale { .. } | Op::ChannelAffine { .. } | Op::Flatten { .. } => {}
            Op::Reshape { .. } | Op::Transpose { .. } | Op::Slice { .. } | Op::ChannelShuffle { .. } => {}
            Op::Pad { .. } | Op::Resize { .. } | Op::LeakyRelu { .. } | Op::Unary(_) | Op::Clamp { .. } => {}
            Op::Sub | Op::Div | Op::Reduce { .. } | Op::Constant { .. } | Op::Trained { .. } => {}
            Op::TopPlaces { .. } | Op::ArgMax | Op::Rows | Op::GridSample { .. } => {}
            Op::Kept { .. } | Op::Numbers | Op::Places => {}
        };
        [
            "input",
            "conv2d",
            "batch_norm",
            "layer_norm",
            "relu",
            "relu6",
            "hard_swish",
            "hard_sigmoid",
            "sigmoid",
            "silu",
            "gelu",
            "tanh",
            "max_pool",
            "avg_pool",
            "adaptive_avg_pool",
            "global_avg_pool",
            "linear",
            "matmul",
            "softmax",
            "concat",
            "add",
            "mul",
            "scale",
            "channel_affine",
            "flatten",
            "reshape",
            "transpose",
            "slice",
            "channel_shuffle",
            "pad",
            "resize",
            "leaky_relu",
            "exp",
            "log",
            "sin",
            "cos",
            "sqrt",
            "floor",
            "clamp",
            "sub",
            "div",
            "reduce_mean",
            "reduce_max",
            "reduce_sum",
            "constant",
            "trained",
            "top_places",
            "arg_max",
            "rows",
            "kept",
            "numbers",
            "places",
            "grid_sample",
        ]
        .into()
    }

    #[test]
    fn every_operation_is_tried() {
        let graphs = all().unwrap();
        let used: BTreeSet<_> =
            graphs.iter().flat_map(|small| &small.graph.nodes).map(|n| n.op.name()).collect();
        assert_eq!(used, names());
    }
}
