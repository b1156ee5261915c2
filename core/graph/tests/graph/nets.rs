//! Reference networks built by hand, so that counts can be compared with the reference implementation.

use convwise_graph::{Activation, Builder, Conv2d, Graph, NodeId, Op, Padding, Pool};

/// A builder that panics at the first mistake, for tests.
pub struct Net(pub Builder);

/// What differs between the convolutions of these networks.
#[derive(Clone, Copy)]
pub struct Shape {
    pub out: usize,
    pub kernel: usize,
    pub stride: usize,
    pub groups: usize,
}

impl Net {
    pub fn new(name: &str) -> (Self, NodeId) {
        let mut net = Self(Builder::new(name));
        let x = net.add(Op::Input { dims: vec![3, 224, 224] }, &[], "input");
        (net, x)
    }

    pub fn add(&mut self, op: Op, inputs: &[NodeId], name: &str) -> NodeId {
        self.0.add(op, inputs, name).unwrap()
    }

    pub fn conv_bn(&mut self, x: NodeId, shape: Shape, conv: &str, bn: &str) -> NodeId {
        let pad = (shape.kernel - 1) / 2;
        let op = Op::Conv2d(Conv2d {
            out_channels: shape.out,
            kernel: [shape.kernel; 2],
            stride: [shape.stride; 2],
            padding: Padding::symmetric(pad, pad),
            dilation: [1, 1],
            groups: shape.groups,
            bias: false,
        });
        let x = self.add(op, &[x], conv);
        self.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[x], bn)
    }

    pub fn act(&mut self, x: NodeId, activation: Activation) -> NodeId {
        self.add(Op::Activation(activation), &[x], "")
    }

    pub fn classify(mut self, x: NodeId, name: &str) -> Graph {
        let x = self.add(Op::GlobalAvgPool, &[x], "avgpool");
        let x = self.add(Op::Flatten { from: 1 }, &[x], "");
        let x = self.add(Op::Linear { out_features: 1000, bias: true, rows: None }, &[x], name);
        self.0.output("logits", x).unwrap();
        self.0.finish().unwrap()
    }

    fn residual(&mut self, x: NodeId, convs: &[Shape], stride: usize, name: &str) -> NodeId {
        let mut y = x;
        for (i, &shape) in (1..).zip(convs) {
            y = self.conv_bn(y, shape, &format!("{name}.conv{i}"), &format!("{name}.bn{i}"));
            if i < convs.len() {
                y = self.act(y, Activation::Relu);
            }
        }
        let out = convs.last().unwrap().out;
        let channels = self.0.shape(x).unwrap().dim(1).unwrap();
        let mut identity = x;
        if stride != 1 || channels != out {
            let shape = Shape { out, kernel: 1, stride, groups: 1 };
            let (conv, bn) = (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
            identity = self.conv_bn(x, shape, &conv, &bn);
        }
        let sum = self.add(Op::Add, &[y, identity], &format!("{name}.add"));
        self.act(sum, Activation::Relu)
    }
}

/// torchvision's ResNet v1.5 with basic blocks (`bottleneck` false) or bottlenecks.
pub fn resnet(name: &str, depths: [usize; 4], bottleneck: bool) -> Graph {
    let (mut net, x) = Net::new(name);
    let x = net.conv_bn(x, Shape { out: 64, kernel: 7, stride: 2, groups: 1 }, "conv1", "bn1");
    let x = net.act(x, Activation::Relu);
    let pool = Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::symmetric(1, 1), ceil: false };
    let mut x = net.add(Op::MaxPool(pool), &[x], "maxpool");
    for (stage, depth) in (1..).zip(depths) {
        for block in 0..depth {
            let width = 32 << stage;
            let stride = if block == 0 && stage > 1 { 2 } else { 1 };
            let conv = |out, kernel, stride| Shape { out, kernel, stride, groups: 1 };
            let basic = [conv(width, 3, stride), conv(width, 3, 1)];
            let bottle = [conv(width, 1, 1), conv(width, 3, stride), conv(4 * width, 1, 1)];
            let convs: &[Shape] = if bottleneck { &bottle } else { &basic };
            x = net.residual(x, convs, stride, &format!("layer{stage}.{block}"));
        }
        net.0.stage(&format!("c{}", stage + 1), x).unwrap();
    }
    net.classify(x, "fc")
}

/// torchvision's MobileNetV2 at width 1.
pub fn mobilenet_v2() -> Graph {
    let (mut net, x) = Net::new("mobilenet_v2");
    let conv = |out, kernel, stride, groups| Shape { out, kernel, stride, groups };
    let x = net.conv_bn(x, conv(32, 3, 2, 1), "features.0.0", "features.0.1");
    let mut x = net.act(x, Activation::Relu6);
    let settings = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    let mut index = 1;
    for (expand, out, repeats, first_stride) in settings {
        for repeat in 0..repeats {
            let stride = if repeat == 0 { first_stride } else { 1 };
            let channels = net.0.shape(x).unwrap().dim(1).unwrap();
            let (hidden, name) = (channels * expand, format!("features.{index}.conv"));
            let (mut y, mut part) = (x, 0);
            if expand != 1 {
                y = net.conv_bn(y, conv(hidden, 1, 1, 1), &format!("{name}.0.0"), &format!("{name}.0.1"));
                y = net.act(y, Activation::Relu6);
                part = 1;
            }
            let depthwise = conv(hidden, 3, stride, hidden);
            y = net.conv_bn(y, depthwise, &format!("{name}.{part}.0"), &format!("{name}.{part}.1"));
            y = net.act(y, Activation::Relu6);
            let (project, bn) = (format!("{name}.{}", part + 1), format!("{name}.{}", part + 2));
            y = net.conv_bn(y, conv(out, 1, 1, 1), &project, &bn);
            x = if stride == 1 && channels == out { net.add(Op::Add, &[x, y], "") } else { y };
            index += 1;
        }
    }
    let x = net.conv_bn(x, conv(1280, 1, 1, 1), "features.18.0", "features.18.1");
    let x = net.act(x, Activation::Relu6);
    net.classify(x, "classifier.1")
}
