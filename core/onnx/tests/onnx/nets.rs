//! Small networks that between them use every operation in the ways that real ones do.

use convwise_graph::{
    Activation, Builder, Conv2d, Graph, NodeId, Op, Padding, Pool, Reduction, ResizeMode, Rows, Unary,
};

/// A network under construction; every mistake in it is a mistake of the test.
pub struct Net(Builder);

impl Net {
    pub fn new(name: &str, dims: [usize; 3]) -> (Self, NodeId) {
        let mut builder = Builder::new(name);
        let x = builder.add(Op::Input { dims: dims.to_vec() }, &[], "input").unwrap();
        (Self(builder), x)
    }

    pub fn add(&mut self, op: Op, inputs: &[NodeId], name: &str) -> NodeId {
        self.0.add(op, inputs, name).unwrap()
    }

    pub fn share(&mut self, op: Op, inputs: &[NodeId], name: &str) -> NodeId {
        self.0.add_shared(op, inputs, name).unwrap()
    }

    pub fn act(&mut self, x: NodeId, function: Activation, name: &str) -> NodeId {
        self.add(Op::Activation(function), &[x], name)
    }

    pub fn conv(&mut self, x: NodeId, conv: Conv2d, name: &str) -> NodeId {
        self.add(Op::Conv2d(conv), &[x], name)
    }

    /// Convolution without bias, and batch norm.
    pub fn conv_bn(&mut self, x: NodeId, conv: Conv2d, [conv_name, bn_name]: [&str; 2]) -> NodeId {
        let y = self.conv(x, conv, conv_name);
        self.add(Op::BatchNorm { eps: 1e-3, frozen: false }, &[y], bn_name)
    }

    pub fn done(mut self, outputs: &[(&str, NodeId)]) -> Graph {
        for &(name, id) in outputs {
            self.0.output(name, id).unwrap();
        }
        self.0.finish().unwrap()
    }
}

pub fn square(out_channels: usize, kernel: usize, stride: usize, groups: usize) -> Conv2d {
    let padding = Padding::symmetric(kernel / 2, kernel / 2);
    let (kernel, stride) = ([kernel; 2], [stride; 2]);
    Conv2d { out_channels, kernel, stride, padding, dilation: [1, 1], groups, bias: false }
}

fn biased(conv: Conv2d) -> Conv2d {
    Conv2d { bias: true, ..conv }
}

pub fn pool(kernel: usize, stride: usize, padding: usize, ceil: bool) -> Pool {
    Pool { kernel: [kernel; 2], stride: [stride; 2], padding: Padding::symmetric(padding, padding), ceil }
}

fn transpose(perm: [usize; 4]) -> Op {
    Op::Transpose { perm: perm.to_vec() }
}

/// A stem, a residual block with a projection, and a classifier.
pub fn residual() -> Graph {
    let (mut n, x) = Net::new("residual", [3, 12, 12]);
    let x = n.conv_bn(x, square(4, 7, 2, 1), ["conv1", "bn1"]);
    let x = n.act(x, Activation::Relu, "relu");
    let x = n.add(Op::MaxPool(pool(3, 2, 1, false)), &[x], "maxpool");
    let y = n.conv_bn(x, square(8, 3, 2, 1), ["block.conv1", "block.bn1"]);
    let y = n.act(y, Activation::Relu, "block.relu1");
    let y = n.conv_bn(y, square(8, 3, 1, 1), ["block.conv2", "block.bn2"]);
    let shortcut = n.conv_bn(x, square(8, 1, 2, 1), ["block.downsample.0", "block.downsample.1"]);
    let x = n.add(Op::Add, &[y, shortcut], "block.add");
    let x = n.act(x, Activation::Relu, "block.relu2");
    let x = n.add(Op::GlobalAvgPool, &[x], "avgpool");
    let x = n.add(Op::Flatten { from: 1 }, &[x], "flatten");
    let x = n.add(Op::Linear { out_features: 5, bias: true, rows: None }, &[x], "fc");
    n.done(&[("logits", x)])
}

/// An inverted bottleneck with squeeze-and-excitation and a shortcut, then one with ReLU6 and SiLU.
pub fn mbconv() -> Graph {
    let (mut n, x) = Net::new("mbconv", [4, 8, 8]);
    let y = n.conv_bn(x, square(12, 1, 1, 1), ["a.0", "a.1"]);
    let y = n.act(y, Activation::HardSwish, "a.2");
    let y = n.conv_bn(y, square(12, 5, 1, 12), ["b.0", "b.1"]);
    let y = n.act(y, Activation::HardSwish, "b.2");
    let z = n.add(Op::GlobalAvgPool, &[y], "se.pool");
    let z = n.conv(z, biased(square(4, 1, 1, 1)), "se.fc1");
    let z = n.act(z, Activation::Relu, "se.relu");
    let z = n.conv(z, biased(square(12, 1, 1, 1)), "se.fc2");
    let z = n.act(z, Activation::HardSigmoid, "se.gate");
    let y = n.add(Op::Mul, &[z, y], "se.mul");
    let y = n.conv_bn(y, square(4, 1, 1, 1), ["c.0", "c.1"]);
    let x = n.add(Op::Add, &[y, x], "add");
    let x = n.conv_bn(x, square(12, 1, 1, 1), ["d.0", "d.1"]);
    let x = n.act(x, Activation::Relu6, "d.2");
    let x = n.conv_bn(x, square(12, 3, 2, 12), ["e.0", "e.1"]);
    let x = n.act(x, Activation::Silu, "e.2");
    n.done(&[("features", x)])
}

/// A patch stem and a ConvNeXt block: depthwise convolution, layer norm, two linear layers, layer scale.
pub fn convnext() -> Graph {
    let (mut n, x) = Net::new("convnext", [3, 12, 12]);
    let patches =
        Conv2d { kernel: [2; 2], stride: [2; 2], padding: Padding::default(), ..square(6, 2, 2, 1) };
    let x = n.conv(x, biased(patches), "stem");
    let y = n.conv(x, biased(square(6, 7, 1, 6)), "block.0");
    let y = n.add(transpose([0, 2, 3, 1]), &[y], "block.1");
    let y = n.add(Op::LayerNorm { eps: 1e-6 }, &[y], "block.2");
    let y = n.add(Op::Linear { out_features: 24, bias: true, rows: None }, &[y], "block.3");
    let y = n.act(y, Activation::Gelu, "block.4");
    let y = n.add(Op::Linear { out_features: 6, bias: true, rows: None }, &[y], "block.5");
    let y = n.add(transpose([0, 3, 1, 2]), &[y], "block.6");
    let y = n.add(Op::Scale { dims: vec![6, 1, 1] }, &[y], "layer_scale");
    let x = n.add(Op::Add, &[y, x], "add");
    n.done(&[("features", x)])
}

/// A ShuffleNetV2 unit that splits its input.
pub fn shuffle() -> Graph {
    let (mut n, x) = Net::new("shuffle", [8, 6, 6]);
    let left = n.add(Op::Slice { axis: 1, start: 0, end: 4 }, &[x], "left");
    let y = n.add(Op::Slice { axis: 1, start: 4, end: 8 }, &[x], "right");
    let y = n.conv_bn(y, square(4, 1, 1, 1), ["branch2.0", "branch2.1"]);
    let y = n.act(y, Activation::Relu, "branch2.2");
    let y = n.conv_bn(y, square(4, 3, 1, 4), ["branch2.3", "branch2.4"]);
    let y = n.conv_bn(y, square(4, 1, 1, 1), ["branch2.5", "branch2.6"]);
    let y = n.act(y, Activation::Relu, "branch2.7");
    let x = n.add(Op::Concat { axis: 1 }, &[left, y], "concat");
    let x = n.add(Op::ChannelShuffle { groups: 2 }, &[x], "shuffle");
    n.done(&[("features", x)])
}

/// Windows that end past the image, uneven padding, and zero padding before pooling, on values below zero.
pub fn windows() -> Graph {
    let (mut n, x) = Net::new("windows", [2, 7, 6]);
    let uneven = Padding { top: 0, left: 1, bottom: 2, right: 0 };
    let conv = Conv2d { kernel: [3, 2], padding: uneven, dilation: [1, 2], ..biased(square(3, 3, 1, 1)) };
    let conv = n.conv(x, conv, "conv");
    let padded = n.add(Op::Pad { padding: uneven, value: 0.0 }, &[x], "pad");
    let square = pool(2, 1, 0, false);
    let padded_max = n.add(Op::MaxPool(square.clone()), &[padded], "padded_max");
    let padded_avg = n.add(Op::AvgPool { pool: square, count_include_pad: false }, &[padded], "padded_avg");
    let max = n.add(Op::MaxPool(pool(2, 2, 0, true)), &[x], "max");
    let avg = Op::AvgPool { pool: pool(3, 2, 1, true), count_include_pad: false };
    let avg = n.add(avg, &[x], "avg");
    let counted = Op::AvgPool { pool: pool(3, 2, 1, false), count_include_pad: true };
    let counted = n.add(counted, &[x], "counted");
    let past = Op::AvgPool { pool: pool(2, 2, 0, true), count_include_pad: true };
    let past = n.add(past, &[x], "counted_past");
    let bins = |height, width| Op::AdaptiveAvgPool { height, width };
    let adaptive = n.add(bins(3, 4), &[x], "adaptive");
    let adaptive_even = n.add(bins(7, 2), &[x], "adaptive_even");
    let adaptive_up = n.add(bins(9, 5), &[x], "adaptive_up");
    let affine = Op::ChannelAffine { scale: vec![0.458, 0.448], shift: vec![-0.03, -0.088] };
    let affine = n.add(affine, &[x], "affine");
    n.done(&[
        ("conv", conv),
        ("adaptive", adaptive),
        ("adaptive_even", adaptive_even),
        ("adaptive_up", adaptive_up),
        ("affine", affine),
        ("padded_max", padded_max),
        ("padded_avg", padded_avg),
        ("max", max),
        ("avg", avg),
        ("counted", counted),
        ("counted_past", past),
    ])
}

/// Everything that moves elements, attention's arithmetic, and the remaining activations.
pub fn layout() -> Graph {
    let (mut n, x) = Net::new("layout", [4, 5, 6]);
    let resize = |height, width, mode, align_corners| Op::Resize { height, width, mode, align_corners };
    let nearest = n.add(resize(10, 9, ResizeMode::Nearest, false), &[x], "nearest");
    let linear = n.add(resize(10, 9, ResizeMode::Bilinear, false), &[x], "linear");
    let corners = n.add(resize(3, 12, ResizeMode::Bilinear, true), &[x], "corners");
    let tokens = n.add(Op::Flatten { from: 2 }, &[x], "tokens");
    let turned = n.add(Op::Transpose { perm: vec![0, 2, 1] }, &[tokens], "turned");
    let scores = n.add(Op::MatMul, &[tokens, turned], "scores");
    let attention = n.add(Op::Softmax { axis: -1 }, &[scores], "attention");
    let mixed = n.add(Op::MatMul, &[attention, tokens], "mixed");
    let mixed = n.add(Op::Linear { out_features: 3, bias: false, rows: None }, &[mixed], "head");
    let mixed = n.act(mixed, Activation::Tanh, "tanh");
    let reshaped = n.add(Op::Reshape { dims: vec![2, -1] }, &[x], "reshaped");
    let reshaped = n.act(reshaped, Activation::Sigmoid, "sigmoid");
    let normed = n.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[x], "norm");
    let slice = n.add(Op::Slice { axis: 3, start: 1, end: 4 }, &[normed], "slice");
    n.done(&[
        ("nearest", nearest),
        ("linear", linear),
        ("corners", corners),
        ("mixed", mixed),
        ("reshaped", reshaped),
        ("slice", slice),
        ("copy", x),
    ])
}

/// What detectors are made of: a head over two levels, packed attention, queries, the best rows, and samples.
pub fn detector() -> Graph {
    let (mut n, x) = Net::new("detector", [4, 6, 6]);
    let half = n.add(Op::MaxPool(pool(2, 2, 0, false)), &[x], "half");
    let heads = [x, half].map(|level| {
        let head = n.share(Op::Conv2d(biased(square(4, 3, 1, 1))), &[level], "head");
        n.add(Op::Reshape { dims: vec![4, -1] }, &[head], "")
    });
    let levels = n.add(Op::Concat { axis: 2 }, &heads, "levels");
    let tokens = n.add(Op::Transpose { perm: vec![0, 2, 1] }, &[levels], "tokens");
    let score = n.add(Op::Reduce { reduction: Reduction::Max, axes: vec![2] }, &[tokens], "score");
    let row = n.add(Op::Flatten { from: 1 }, &[score], "row");
    let places = n.add(Op::TopPlaces { count: 3 }, &[row], "places");
    let best = n.add(Op::Rows, &[tokens, places], "best");
    let queries = n.add(Op::Trained { dims: vec![3, 4], frozen: false }, &[], "queries.weight");
    let asked = n.add(Op::Add, &[best, queries], "asked");
    let third = |n: &mut Net, start| {
        let rows = Some(Rows { start, of: 12 });
        n.share(Op::Linear { out_features: 4, bias: true, rows }, &[asked], "attention.in_proj")
    };
    let [query, key] = [third(&mut n, 0), third(&mut n, 4)];
    let step = n.add(Op::Constant { dims: vec![1, 1], values: vec![0.5] }, &[], "step");
    let scaled = n.add(Op::Mul, &[query, step], "scaled");
    let difference = n.add(Op::Sub, &[scaled, key], "difference");
    let bounded = n.add(Op::Clamp { low: None, high: Some(2.0) }, &[difference], "bounded");
    let wave = n.add(Op::Unary(Unary::Sin), &[bounded], "wave");
    let leaky = n.add(Op::LeakyRelu { slope: 0.1 }, &[wave], "leaky");
    let points = n.add(Op::Reshape { dims: vec![3, 2, 2] }, &[leaky], "points");
    let sampled = n.add(Op::GridSample { align_corners: false }, &[x, points], "sampled");
    let mean = n.add(Op::Reduce { reduction: Reduction::Mean, axes: vec![1] }, &[sampled], "mean");
    let sum = n.add(Op::Reduce { reduction: Reduction::Sum, axes: vec![2, 3] }, &[mean], "sum");
    n.done(&[("best", best), ("sum", sum)])
}

/// All of them.
pub fn all() -> [Graph; 7] {
    [residual(), mbconv(), convnext(), shuffle(), windows(), layout(), detector()]
}

/// Those of which PyTorch's outputs are known; the operations of the other are compared with their definitions where
/// runners are checked.
pub fn referenced() -> impl Iterator<Item = Graph> {
    all().into_iter().filter(is_referenced)
}

pub fn is_referenced(graph: &Graph) -> bool {
    graph.name != "detector"
}
