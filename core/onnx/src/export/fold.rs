//! Folding of batch norm and layer scale into the convolution or linear layer before them.
//!
//! At inference both are `y = a x + b` with constants for each channel, and so is what they follow:
//! `a (W x + c) + b = (a W) x + (a c + b)`. Done in double precision and rounded once.

use std::collections::HashMap;

use convwise_graph::{Graph, Node, NodeId, Op, Shapes};

use super::plan::Uses;

/// Which nodes disappear into which.
#[derive(Default)]
pub(super) struct Folds {
    /// For each folded node, the layer that took it in.
    host: HashMap<NodeId, NodeId>,
    /// For each such layer, what it took in, in graph order.
    guests: HashMap<NodeId, Vec<NodeId>>,
}

impl Folds {
    pub fn of(graph: &Graph, shapes: &Shapes, uses: &Uses) -> Self {
        let mut folds = Self::default();
        let shared = graph.shared();
        for (id, node) in graph.iter().filter(|&(id, _)| uses.is_live(id)) {
            let host = channel_axis(node, shapes.of(id).rank())
                .and_then(|axis| folds.find_host(graph, shapes, uses, node, axis))
                .filter(|host| !shared.contains(host) && !shared.contains(&id));
            if let Some(host) = host {
                folds.host.insert(id, host);
                folds.guests.entry(host).or_default().push(id);
            }
        }
        folds
    }

    /// Whether this node is part of an earlier one.
    pub fn is_folded(&self, id: NodeId) -> bool {
        self.host.contains_key(&id)
    }

    /// What this layer took in, in graph order.
    pub fn guests(&self, host: NodeId) -> &[NodeId] {
        self.guests.get(&host).map_or(&[], Vec::as_slice)
    }

    /// Walks up from `node` through folded nodes and permutations to a layer whose output channels
    /// lie on the axis that `axis` came from. Nothing on the way may have another reader.
    fn find_host(
        &self,
        graph: &Graph,
        shapes: &Shapes,
        uses: &Uses,
        node: &Node,
        mut axis: usize,
    ) -> Option<NodeId> {
        let mut at = *node.inputs.first()?;
        loop {
            let node = graph.node(at).filter(|_| uses.is_private(at))?;
            match &node.op {
                Op::Conv2d(_) => return (axis == 1).then_some(at),
                Op::Linear { .. } => return (axis + 1 == shapes.of(at).rank()).then_some(at),
                Op::Transpose { perm } => axis = *perm.get(axis)?,
                _ if self.is_folded(at) => {}
                _ => return None,
            }
            at = *node.inputs.first()?;
        }
    }
}

/// The one axis along which a foldable node's constants vary.
fn channel_axis(node: &Node, rank: usize) -> Option<usize> {
    match &node.op {
        Op::BatchNorm { .. } => Some(1),
        Op::Scale { dims } => {
            let mut varying = (0..dims.len()).filter(|&i| dims.get(i).is_some_and(|&d| d != 1));
            let (axis, more) = (varying.next()?, varying.next());
            if more.is_some() { None } else { Some(axis + rank.checked_sub(dims.len())?) }
        }
        _ => None,
    }
}

/// `y[c] = scale[c] * x[c] + shift[c]`.
pub(super) struct Affine {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl Affine {
    /// Leaves `channels` channels as they are, but for a bias.
    pub fn of_bias(channels: usize, bias: Option<&[f32]>) -> Self {
        let shift = bias.map_or_else(|| vec![0.0; channels], |b| b.iter().map(|&x| f64::from(x)).collect());
        Self { scale: vec![1.0; channels], shift }
    }

    /// Appends a multiplication.
    pub fn then_scale(&mut self, factors: &[f32]) {
        for ((a, b), &f) in self.scale.iter_mut().zip(&mut self.shift).zip(factors) {
            *a *= f64::from(f);
            *b *= f64::from(f);
        }
    }

    /// Appends `(x - mean) / sqrt(var + eps) * weight + bias`.
    pub fn then_norm(&mut self, [weight, bias, mean, var]: &[Vec<f32>; 4], eps: f64) {
        let constants = weight.iter().zip(bias).zip(mean).zip(var);
        for ((a, b), (((&w, &c), &m), &v)) in self.scale.iter_mut().zip(&mut self.shift).zip(constants) {
            let factor = f64::from(w) / (f64::from(v) + eps).sqrt();
            *a *= factor;
            *b = (*b - f64::from(m)) * factor + f64::from(c);
        }
    }

    /// Multiplies each channel's row of a weight of `[channels, ...]`.
    pub fn apply(&self, weight: &mut [f32]) {
        let row = (weight.len() / self.scale.len().max(1)).max(1);
        for (row, &factor) in weight.chunks_mut(row).zip(&self.scale) {
            for w in row {
                *w = (f64::from(*w) * factor) as f32;
            }
        }
    }

    /// The bias that is left.
    pub fn bias(&self) -> Vec<f32> {
        self.shift.iter().map(|&b| b as f32).collect()
    }
}
