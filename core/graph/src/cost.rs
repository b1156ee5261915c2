//! What a graph costs, counted from shapes alone: parameters, multiply-accumulates, activations and
//! bytes. Time is not among them; it has to be measured.

use std::collections::{BTreeMap, HashSet};

use convwise_types::{Bytes, Macs, Params, Precision};

use crate::fold::Folding;
use crate::graph::{Graph, Node, NodeId};
use crate::infer::Shapes;
use crate::live::Live;
use crate::memory::{self, MemoryOptions, MemoryPlan};
use crate::op::{Op, ParamRole};
use crate::ops::{self, Given, with_layer};

/// The cost of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCost {
    /// Multiply-accumulates.
    pub macs: Macs,
    /// Elements of its trained tensors, buffers apart.
    pub params: Params,
    /// Elements of its result.
    pub output_elements: u64,
}

/// The cost of one run of a graph, for the batch its shapes were inferred for.
///
/// Parameters and buffers are those of every layer; everything else counts the layers that an output
/// depends on ([`Live`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Elements of all trained tensors, buffers apart.
    pub params: Params,
    /// Elements of all buffers (batch norm's running statistics; no batch counters).
    pub buffers: u64,
    /// Multiply-accumulates of convolutions, linear layers and matrix products: half of what
    /// `torch.utils.flop_counter` counts. Biases, norms and pooling count nothing.
    pub macs: Macs,
    /// The part of `macs` in convolutions with one group a channel.
    pub depthwise_macs: Macs,
    /// Elements written by convolutions, linear layers and matrix products ("activations" in
    /// arXiv:2003.13678, section 4.1).
    pub activations: u64,
    /// How often each operation occurs, by [`Op::name`].
    pub ops: BTreeMap<&'static str, usize>,
    /// Every node's own cost, in graph order.
    pub nodes: Vec<NodeCost>,
    /// Peak activation memory, and the operator order that reaches it.
    pub memory: MemoryPlan,
    deployed: Deployed,
}

/// Elements of the tensors that a deployed network stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Deployed {
    /// Filters and matrices.
    weights: u64,
    /// Biases, and everything that belongs to a norm or a layer scale.
    vectors: u64,
}

impl Cost {
    /// Bytes of the weights as deployed.
    ///
    /// Batch norm is folded into a convolution directly before it (see [`Folding`]), which then has a
    /// bias; one that stands elsewhere keeps its four tensors. fp32 and fp16 store every element in
    /// 4 or 2 bytes. int8 stores filters and matrices in 1 byte, and biases, norms and layer scales
    /// as 32-bit numbers in 4; the few quantisation scales are not counted.
    #[must_use]
    pub fn weight_bytes(&self, precision: Precision) -> Bytes {
        let Deployed { weights, vectors } = self.deployed;
        let vector_bytes = precision.bytes() * if precision == Precision::Int8 { 4 } else { 1 };
        Bytes(weights.saturating_mul(precision.bytes()).saturating_add(vectors.saturating_mul(vector_bytes)))
    }

    /// Bytes of the unfolded trained tensors and buffers in fp32, as in a file of reference weights.
    #[must_use]
    pub fn state_bytes(&self) -> Bytes {
        Bytes(self.params.0.saturating_add(self.buffers).saturating_mul(Precision::Fp32.bytes()))
    }

    /// Bytes of the activations that are live at the worst moment, in the best operator order found.
    #[must_use]
    pub fn peak_activation_bytes(&self, precision: Precision) -> Bytes {
        self.memory.peak_bytes(precision)
    }
}

/// Counts the cost of `graph`, whose tensors have `shapes` (from [`crate::infer()`]).
#[must_use]
pub fn cost(graph: &Graph, shapes: &Shapes) -> Cost {
    let live = Live::of(graph);
    let mut total = Cost {
        params: Params(0),
        buffers: 0,
        macs: Macs(0),
        depthwise_macs: Macs(0),
        activations: 0,
        ops: BTreeMap::new(),
        nodes: Vec::with_capacity(graph.nodes.len()),
        memory: memory::plan(graph, shapes, MemoryOptions::default()),
        deployed: deployed(graph, &live),
    };
    for (id, node) in graph.iter() {
        let cost = node_cost(id, node, shapes);
        total.own(node, cost);
        if live.contains(id) {
            total.run(node, cost, shapes);
        }
        total.nodes.push(cost);
    }
    total
}

impl Cost {
    /// Adds what a node stores.
    fn own(&mut self, node: &Node, cost: NodeCost) {
        self.params.0 = self.params.0.saturating_add(cost.params.0);
        self.buffers = self.buffers.saturating_add(own_elements(node, |role| is_buffer(node, role)));
    }

    /// Adds what running a node takes.
    fn run(&mut self, node: &Node, cost: NodeCost, shapes: &Shapes) {
        self.macs.0 = self.macs.0.saturating_add(cost.macs.0);
        if cost.macs.0 > 0 {
            self.activations = self.activations.saturating_add(cost.output_elements);
        }
        if is_depthwise(node, shapes) {
            self.depthwise_macs.0 = self.depthwise_macs.0.saturating_add(cost.macs.0);
        }
        *self.ops.entry(node.op.name()).or_default() += 1;
    }
}

fn node_cost(id: NodeId, node: &Node, shapes: &Shapes) -> NodeCost {
    let result = shapes.of(id);
    let operands = shapes.operands(&node.inputs);
    let given = Given { batch: shapes.batch(), operands: &operands };
    NodeCost {
        macs: Macs(with_layer(&node.op, |layer| ops::macs(layer, &given, result))),
        params: Params(own_elements(node, |role| !is_buffer(node, role))),
        output_elements: result.elements(),
    }
}

fn is_depthwise(node: &Node, shapes: &Shapes) -> bool {
    let (Op::Conv2d(conv), [operand]) = (&node.op, node.inputs.as_slice()) else { return false };
    shapes.of(*operand).dim(1).is_some_and(|channels| conv.is_depthwise(channels))
}

/// Whether a tensor is stored without being trained; of a frozen norm all are.
fn is_buffer(node: &Node, role: ParamRole) -> bool {
    role.is_buffer() || matches!(node.op, Op::BatchNorm { frozen: true, .. })
}

/// Elements of a node's own tensors; what it shares is another's.
fn own_elements(node: &Node, counts: impl Fn(ParamRole) -> bool) -> u64 {
    if node.shares.is_some() { 0 } else { elements(node, counts) }
}

fn elements(node: &Node, counts: impl Fn(ParamRole) -> bool) -> u64 {
    let tensors = node.params.iter().filter(|p| counts(p.role));
    tensors.fold(0, |sum, p| sum.saturating_add(p.shape.elements()))
}

fn deployed(graph: &Graph, live: &Live) -> Deployed {
    let folding = Folding::of(graph);
    let mut sum = Deployed::default();
    let mut counted = HashSet::new();
    for (id, node) in graph.iter().filter(|(id, _)| live.contains(*id)) {
        if !counted.insert(node.shares.unwrap_or(id)) {
            continue;
        }
        if let Op::Constant { values, .. } = &node.op {
            sum.vectors = sum.vectors.saturating_add(values.len() as u64);
        }
        let weights = elements(node, |role| role == ParamRole::Weight);
        let vectors = match folding.convolution_of(id) {
            Some(conv) => bias_gained(graph, conv),
            None => elements(node, |role| role != ParamRole::Weight),
        };
        sum.weights = sum.weights.saturating_add(weights);
        sum.vectors = sum.vectors.saturating_add(vectors);
    }
    sum
}

/// Bias elements that a convolution without bias gains from the norm folded into it.
fn bias_gained(graph: &Graph, conv: NodeId) -> u64 {
    match graph.node(conv).map(|n| &n.op) {
        Some(Op::Conv2d(c)) if !c.bias => c.out_channels as u64,
        _ => 0,
    }
}
