//! What a layer graph computes, by definition: every operation written out over indices in double precision. Slow,
//! and of no use but to say what a runner must answer; it shares nothing with any of them.

mod arith;
mod image;
mod linear;
mod place;
mod tensor;
mod window;

use convwise_graph::{Activation, Graph, Node, NodeId, Op, Shapes, Unary, infer};
use convwise_onnx::WeightSource;

pub use tensor::Values;

/// The outputs of `graph` for a batch of one, in their order, with `input` for every graph input and the numbers of
/// `weights` rounded to single precision, as a runner gets them.
///
/// # Errors
/// A graph that is wrong, or weights that do not fit it.
pub fn outputs(
    graph: &Graph,
    weights: &dyn WeightSource,
    input: &dyn Fn(&[usize]) -> Vec<f64>,
) -> Result<Vec<Values>, String> {
    let shapes = infer(graph, 1).map_err(|error| error.to_string())?;
    let mut known: Vec<Values> = Vec::with_capacity(graph.nodes.len());
    for (id, node) in graph.iter() {
        let params = params(node, weights)?;
        let operands: Vec<&Values> =
            node.inputs.iter().filter_map(|operand| known.get(operand.index())).collect();
        known.push(Step { node, operands, params, shape: extents(&shapes, id) }.values(input));
    }
    let find = |id: NodeId| known.get(id.index()).cloned().ok_or("an output is missing");
    graph.outputs.iter().map(|output| find(output.node).map_err(str::to_owned)).collect()
}

fn extents(shapes: &Shapes, id: NodeId) -> Vec<usize> {
    shapes.of(id).0.clone()
}

fn params(node: &Node, weights: &dyn WeightSource) -> Result<Vec<Values>, String> {
    let read = |param: &convwise_graph::Param| {
        let mut values = vec![0.0_f32; usize::try_from(param.shape.elements()).unwrap_or(0)];
        weights.fill(param, &mut values).map_err(|error| error.to_string())?;
        Ok(Values::new(param.shape.0.clone(), values.into_iter().map(f64::from).collect()))
    };
    node.params.iter().map(read).collect()
}

/// One node with what it works on.
struct Step<'a> {
    node: &'a Node,
    operands: Vec<&'a Values>,
    params: Vec<Values>,
    /// Extents of the result.
    shape: Vec<usize>,
}

impl Step<'_> {
    fn operand(&self, index: usize) -> Values {
        self.operands.get(index).copied().cloned().unwrap_or_default()
    }

    fn param(&self, index: usize) -> Option<&Values> {
        self.params.get(index)
    }

    fn values(&self, input: &dyn Fn(&[usize]) -> Vec<f64>) -> Values {
        let (x, shape) = (self.operand(0), self.shape.as_slice());
        match &self.node.op {
            Op::Input { .. } => Values::new(shape.to_vec(), input(shape)),
            Op::Conv2d(conv) => window::conv(&x, self.param(0), self.param(1), conv, shape),
            Op::BatchNorm { eps, .. } => arith::batch_norm(&x, &self.params, *eps),
            Op::LayerNorm { eps } => arith::layer_norm(&x, &self.params, *eps),
            Op::Activation(activation) => x.map(|value| activate(*activation, value)),
            Op::LeakyRelu { slope } => x.map(|value| if value > 0.0 { value } else { slope * value }),
            Op::Unary(function) => x.map(|value| apply(*function, value)),
            Op::Clamp { low, high } => x.map(|value| {
                let raised = low.map_or(value, |low| value.max(low));
                high.map_or(raised, |high| raised.min(high))
            }),
            Op::MaxPool(pool) => window::max_pool(&x, pool, shape),
            Op::AvgPool { pool, count_include_pad } => {
                window::average_pool(&x, pool, *count_include_pad, shape)
            }
            Op::AdaptiveAvgPool { .. } | Op::GlobalAvgPool => window::adaptive_pool(&x, shape),
            Op::Linear { rows, .. } => {
                let start = rows.map_or(0, |rows| rows.start);
                linear::linear(&x, self.param(0), self.param(1), start, shape)
            }
            Op::MatMul => linear::matmul(&x, &self.operand(1), shape),
            Op::Softmax { axis } => arith::softmax(&x, *axis),
            Op::Concat { axis } => arith::concat(&self.operands, *axis, shape),
            Op::Add => arith::broadcast(&x, &self.operand(1), shape, |a, b| a + b),
            Op::Mul => arith::broadcast(&x, &self.operand(1), shape, |a, b| a * b),
            Op::Sub => arith::broadcast(&x, &self.operand(1), shape, |a, b| a - b),
            Op::Div => arith::broadcast(&x, &self.operand(1), shape, |a, b| a / b),
            Op::Reduce { reduction, axes } => place::reduce(&x, *reduction, axes, shape),
            Op::Constant { values, .. } => {
                Values::new(shape.to_vec(), values.iter().copied().map(f64::from).collect())
            }
            Op::Trained { .. } => {
                let values = self.param(0).map(|values| values.data().to_vec());
                Values::new(shape.to_vec(), values.unwrap_or_default())
            }
            Op::TopPlaces { .. } => place::top_places(&x, shape),
            Op::ArgMax => place::arg_max(&x, shape),
            Op::Rows => place::rows(&x, &self.operand(1), shape),
            Op::Kept { iou, score, .. } => place::kept(&x, &self.operand(1), (*iou, *score), shape),
            Op::Numbers => x,
            Op::Places => x.map(f64::trunc),
            Op::GridSample { align_corners } => {
                place::grid_sample(&x, &self.operand(1), *align_corners, shape)
            }
            Op::Scale { .. } => {
                let scale = self.param(0).cloned().unwrap_or_default();
                arith::broadcast(&x, &scale, shape, |a, b| a * b)
            }
            Op::ChannelAffine { scale, shift } => arith::channel_affine(&x, scale, shift),
            Op::Flatten { .. } | Op::Reshape { .. } => Values::new(shape.to_vec(), x.data().to_vec()),
            Op::Transpose { perm } => image::transpose(&x, perm, shape),
            Op::Slice { axis, start, .. } => image::slice(&x, *axis, *start, shape),
            Op::ChannelShuffle { groups } => image::channel_shuffle(&x, *groups, shape),
            Op::Pad { padding, value } => image::pad(&x, *padding, *value, shape),
            Op::Resize { mode, align_corners, .. } => image::resize(&x, *mode, *align_corners, shape),
        }
    }
}

fn activate(activation: Activation, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let hard_sigmoid = |x: f64| (x / 6.0 + 0.5).clamp(0.0, 1.0);
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::HardSwish => x * hard_sigmoid(x),
        Activation::HardSigmoid => hard_sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Silu => x * sigmoid(x),
        Activation::Gelu => x * arith::normal_distribution(x),
        Activation::Tanh => x.tanh(),
    }
}

fn apply(function: Unary, x: f64) -> f64 {
    match function {
        Unary::Exp => x.exp(),
        Unary::Log => x.ln(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Sqrt => x.sqrt(),
        Unary::Floor => x.floor(),
    }
}
