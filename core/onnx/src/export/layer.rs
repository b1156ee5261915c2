//! The weights of a convolution or linear layer, with what was folded into it.

use convwise_graph::{Node, NodeId, Op, Param, ParamRole};

use super::emit::Emitter;
use super::fold::Affine;
use crate::error::WeightError;

/// A layer's weight in the graph's layout, and its bias if it has one by now.
pub(super) struct Layer {
    pub weight: Vec<f32>,
    pub bias: Option<Vec<f32>>,
}

impl Layer {
    /// Reads the tensors of a layer of `channels` outputs.
    pub fn load(cx: &Emitter<'_>, id: NodeId, node: &Node, channels: usize) -> Result<Self, WeightError> {
        let mut weight = role(cx, node, ParamRole::Weight)?.unwrap_or_default();
        let bias = role(cx, node, ParamRole::Bias)?;
        let guests = cx.plan.folds.guests(id);
        if guests.is_empty() {
            return Ok(Self { weight, bias });
        }
        let mut affine = Affine::of_bias(channels, bias.as_deref());
        for guest in guests.iter().filter_map(|&g| cx.graph.node(g)) {
            append(cx, guest, &mut affine)?;
        }
        affine.apply(&mut weight);
        Ok(Self { weight, bias: Some(affine.bias()) })
    }
}

/// A layer's weight tensor.
pub(super) fn weight_param(node: &Node) -> Option<&Param> {
    find(node, ParamRole::Weight)
}

/// Adds a layer's bias to the file; folding may have made one where the graph has none.
pub(super) fn store_bias(cx: &mut Emitter<'_>, node: &Node, bias: Vec<f32>) -> String {
    match find(node, ParamRole::Bias) {
        Some(param) => cx.store(param, bias),
        None => cx.store_new(&format!("{}.bias", node.name), vec![bias.len()], bias),
    }
}

fn find(node: &Node, role: ParamRole) -> Option<&Param> {
    node.params.iter().find(|p| p.role == role)
}

fn append(cx: &Emitter<'_>, guest: &Node, affine: &mut Affine) -> Result<(), WeightError> {
    if let Op::BatchNorm { eps, .. } = guest.op {
        affine.then_norm(&norm_constants(cx, guest)?, eps);
    } else if let Some(factors) = role(cx, guest, ParamRole::Scale)? {
        affine.then_scale(&factors);
    }
    Ok(())
}

/// Weight, bias, mean and variance of a batch norm.
fn norm_constants(cx: &Emitter<'_>, node: &Node) -> Result<[Vec<f32>; 4], WeightError> {
    let get = |r| Ok(role(cx, node, r)?.unwrap_or_default());
    Ok([
        get(ParamRole::NormWeight)?,
        get(ParamRole::NormBias)?,
        get(ParamRole::RunningMean)?,
        get(ParamRole::RunningVar)?,
    ])
}

fn role(cx: &Emitter<'_>, node: &Node, role: ParamRole) -> Result<Option<Vec<f32>>, WeightError> {
    find(node, role).map(|p| cx.load(p)).transpose()
}
