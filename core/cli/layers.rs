//! From an engine's kernels back to the layers of our graph.
//!
//! An export names every node like the layer it comes from, and what it adds on the way begins with that name. Engines
//! keep the name of one of the nodes they fuse and hang their own endings on it (`relu:3_nchwc`, `fc.matmul/MatMulAddFusion`),
//! or drop it (`Gelu_token_215`). So a kernel belongs to the layer with the longest name that its own begins with; if that is
//! an element-wise layer and the kernel is a convolution or a product, to everything from there back to the convolution or
//! the linear layer; and without a name, to the only layer that is left between its neighbours.

use std::collections::{BTreeMap, BTreeSet};

use convwise_graph::{Cost, Graph, Live, Node, NodeId, Op, Shapes, cost};
use convwise_host::LayerTime;

/// Most layers that are walked back: a fused kernel has a convolution, a norm, an addition and an activation.
const LONGEST: usize = 6;

/// Operators that only change how a tensor lies in memory; engines put them in where no layer asks for them.
const LAYOUT: [&str; 7] =
    ["ReorderInput", "ReorderOutput", "Reshape", "Transpose", "MemcpyToHost", "MemcpyFromHost", "Cast"];

/// The layers of a graph, by name.
pub(crate) struct Layers<'g> {
    graph: &'g Graph,
    cost: Cost,
    live: Live,
    by_name: BTreeMap<&'g str, NodeId>,
}

/// What a kernel does of our graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// Names of the layers, in graph order; none where the kernel is the engine's own.
    pub(crate) layers: Vec<String>,
    /// Their multiply-accumulates.
    pub(crate) macs: u64,
}

impl<'g> Layers<'g> {
    /// Those of `graph`, whose tensors have `shapes`.
    pub(crate) fn new(graph: &'g Graph, shapes: &Shapes) -> Self {
        let by_name = graph.iter().map(|(id, node)| (node.name.as_str(), id)).collect();
        Self { graph, cost: cost(graph, shapes), live: Live::of(graph), by_name }
    }

    /// The part of each kernel, in the order of the kernels.
    pub(crate) fn parts(&self, kernels: &[LayerTime]) -> Vec<Part> {
        let own: Vec<_> = kernels.iter().map(|kernel| self.longest(&kernel.node)).collect();
        let taken: BTreeSet<_> = own.iter().flatten().copied().collect();
        let named = |(kernel, last): (&LayerTime, &Option<NodeId>)| {
            last.map_or_else(Vec::new, |last| self.fused(&kernel.op, last, &taken))
        };
        let mut found: Vec<Vec<NodeId>> = kernels.iter().zip(&own).map(named).collect();
        for (kernel, ids) in self.between(kernels, &found) {
            if let Some(place) = found.get_mut(kernel) {
                *place = ids;
            }
        }
        found.into_iter().map(|ids| self.part(&ids)).collect()
    }

    fn part(&self, ids: &[NodeId]) -> Part {
        let macs = ids.iter().filter_map(|id| self.cost.nodes.get(id.index())).map(|cost| cost.macs.0).sum();
        let names = ids.iter().filter_map(|id| self.graph.node(*id)).map(|node| node.name.clone());
        Part { layers: names.collect(), macs }
    }

    /// The layers of a kernel that is called like `last`: back to the convolution or the product that its operator says,
    /// unless that has a kernel of its own (a norm may be computed as a convolution, too).
    fn fused(&self, op: &str, last: NodeId, taken: &BTreeSet<NodeId>) -> Vec<NodeId> {
        let Some(fits) = wanted(op) else { return vec![last] };
        let mut path = vec![last];
        while let Some(node) = path.last().and_then(|id| self.graph.node(*id)).filter(|node| !fits(&node.op))
        {
            // Of the two sides of an addition, the later one is the one that was just computed.
            let before = node.inputs.iter().max().filter(|id| fusible(&node.op) && !taken.contains(id));
            let Some(before) = before.filter(|_| path.len() < LONGEST) else { return vec![last] };
            path.push(*before);
        }
        path.reverse();
        path
    }

    /// The layer with the longest name that `name` begins with, up to one of the signs that engines go on with.
    fn longest(&self, name: &str) -> Option<NodeId> {
        let ends = name.char_indices().filter(|(_, sign)| "./_+".contains(*sign)).map(|(at, _)| at);
        let beginnings = ends.chain([name.len()]).filter_map(|end| name.get(..end));
        beginnings.filter_map(|beginning| self.by_name.get(beginning)).next_back().copied()
    }

    /// Kernels without a layer that compute something, each with the only layer that is left where it stands.
    fn between(&self, kernels: &[LayerTime], found: &[Vec<NodeId>]) -> Vec<(usize, Vec<NodeId>)> {
        let claimed: BTreeSet<NodeId> = found.iter().flatten().copied().collect();
        let nameless = kernels.iter().zip(found).enumerate();
        let nameless = nameless.filter(|(_, (kernel, ids))| ids.is_empty() && computes(&kernel.op));
        let left = |at: usize| {
            let before = found.get(..at)?.iter().rev().find_map(|ids| ids.last())?;
            let after = found.get(at..)?.iter().find_map(|ids| ids.first())?;
            let between = (before.0 + 1..after.0).map(NodeId);
            let mut open = between.filter(|id| !claimed.contains(id) && self.is_work(*id));
            let only = open.next()?;
            open.next().is_none().then(|| (at, vec![only]))
        };
        nameless.filter_map(|(at, _)| left(at)).collect()
    }

    /// Whether the layer runs, and is more than another order in memory or a factor, which exports multiply into weights.
    fn is_work(&self, id: NodeId) -> bool {
        let moves = |node: &Node| {
            matches!(
                node.op,
                Op::Transpose { .. } | Op::Reshape { .. } | Op::Flatten { .. } | Op::Scale { .. }
            )
        };
        self.live.contains(id) && self.graph.node(id).is_some_and(|node| !moves(node))
    }
}

fn computes(op: &str) -> bool {
    !LAYOUT.contains(&op)
}

/// What engines fuse into the layer before it.
fn fusible(op: &Op) -> bool {
    matches!(
        op,
        Op::BatchNorm { .. } | Op::Activation(_) | Op::Add | Op::Scale { .. } | Op::ChannelAffine { .. }
    )
}

/// What a kernel of a convolution or of a product must lead back to.
fn wanted(op: &str) -> Option<fn(&Op) -> bool> {
    if op.contains("Conv") {
        return Some(|op| matches!(op, Op::Conv2d(_)));
    }
    let product = op.contains("Gemm") || op.contains("MatMul");
    product.then_some(|op| matches!(op, Op::Linear { .. } | Op::MatMul))
}

#[cfg(test)]
mod tests {
    use convwise_graph::{Activation, Builder, Conv2d, Padding, infer};

    use super::*;

    fn conv() -> Op {
        Op::Conv2d(Conv2d {
            out_channels: 4,
            kernel: [1, 1],
            stride: [1, 1],
            padding: Padding::default(),
            dilation: [1, 1],
            groups: 1,
            bias: true,
        })
    }

    /// Two convolutions with a shortcut, then a head of two linear layers.
    fn graph() -> Graph {
        let mut net = Builder::new("net");
        let linear = Op::Linear { out_features: 3, bias: true, rows: None };
        let input = net.add(Op::Input { dims: vec![4, 2, 2] }, &[], "input").unwrap();
        let first = net.add(conv(), &[input], "conv1").unwrap();
        let norm = net.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[first], "bn1").unwrap();
        let relu = net.add(Op::Activation(Activation::Relu), &[norm], "relu:3").unwrap();
        let second = net.add(conv(), &[relu], "block.conv2").unwrap();
        let sum = net.add(Op::Add, &[relu, second], "add:5").unwrap();
        let end = net.add(Op::Activation(Activation::Relu), &[sum], "relu:6").unwrap();
        let pooled = net.add(Op::GlobalAvgPool, &[end], "pool").unwrap();
        let flat = net.add(Op::Flatten { from: 1 }, &[pooled], "flatten:8").unwrap();
        let hidden = net.add(linear.clone(), &[flat], "head.0").unwrap();
        let gelu = net.add(Op::Activation(Activation::Gelu), &[hidden], "gelu:10").unwrap();
        let logits = net.add(linear, &[gelu], "head.1").unwrap();
        net.output("logits", logits).unwrap();
        net.finish().unwrap()
    }

    fn check(kernels: &[(&str, &str)], expect: &[(&[&str], u64)]) {
        let graph = graph();
        let shapes = infer(&graph, 1).unwrap();
        let kernel = |&(node, op): &(&str, &str)| LayerTime {
            node: node.into(),
            op: op.into(),
            provider: String::new(),
            ns: 1,
        };
        let kernels: Vec<_> = kernels.iter().map(kernel).collect();
        let parts = Layers::new(&graph, &shapes).parts(&kernels);
        let found: Vec<_> = parts.iter().map(|part| (part.layers.clone(), part.macs)).collect();
        let expect: Vec<_> = expect
            .iter()
            .map(|(layers, macs)| (layers.iter().map(|layer| (*layer).to_owned()).collect::<Vec<_>>(), *macs))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn names_lead_back_to_layers() {
        check(&[("conv1", "Conv"), ("relu:3", "Relu")], &[(&["conv1"], 64), (&["relu:3"], 0)]);
        check(&[("relu:3_nchwc", "Conv")], &[(&["conv1", "bn1", "relu:3"], 64)]);
        check(&[("relu:6", "FusedConv")], &[(&["block.conv2", "add:5", "relu:6"], 64)]);
        check(&[("head.0.matmul/MatMulAddFusion_token_7", "Gemm")], &[(&["head.0"], 12)]);
        let apart = [("conv1", "Conv"), ("bn1_bn_nchwc", "Conv")];
        check(&apart, &[(&["conv1"], 64), (&["bn1"], 0)]);
        check(&[("pool_nchwc", "Conv")], &[(&["pool"], 0)]);
        check(&[("block.conv2_nhwc", "Conv"), ("relu:31", "Relu")], &[(&["block.conv2"], 64), (&[], 0)]);
    }

    #[test]
    fn a_nameless_kernel_is_the_one_layer_between_its_neighbours() {
        let kernels =
            [("head.0", "Gemm"), ("Reshape_2", "Reshape"), ("Gelu_token_9", "Gelu"), ("head.1", "Gemm")];
        check(&kernels, &[(&["head.0"], 12), (&[], 0), (&["gelu:10"], 0), (&["head.1"], 9)]);
        let several = [("conv1", "Conv"), ("Gelu", "Gelu"), ("head.1", "Gemm")];
        check(&several, &[(&["conv1"], 64), (&[], 0), (&["head.1"], 9)]);
        check(&[("subgraph_1", "Engine")], &[(&[], 0)]);
    }
}
