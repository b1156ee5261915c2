//! The rules of the layer operations: one file a family, one arm of [`with_layer`] an operation.
//!
//! A rule answers from the shapes of the operands alone: which shape results, which tensors are
//! trained, and how many products are summed for one element of the result. It knows neither the
//! graph nor the node it stands in; [`Facts::of`] holds the checks that all operations share.

mod attributes;
mod broadcast;
mod concat;
mod conv;
mod elementwise;
mod gather;
mod given;
mod image;
mod input;
mod layout;
mod linear;
mod norm;
mod pool;
mod reduce;
mod slice;
mod stored;
mod window;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

pub(crate) use attributes::Attributes;
pub(crate) use given::{Given, Reason};
pub use window::reach;

use crate::limits::{self, MAX_NODE_MACS};
use crate::op::{Op, ParamRole};
use crate::shape::Shape;

/// How one operation behaves, for the operand shapes it is given.
pub(crate) trait Layer {
    /// Name in text forms and messages.
    fn name(&self) -> &'static str;

    /// How many operands it takes.
    fn operands(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// Shape of the result, or why these operands do not fit.
    fn shape(&self, given: &Given<'_>) -> Result<Shape, Reason>;

    /// Trained tensors and buffers, in state_dict order.
    fn params(&self, _given: &Given<'_>) -> Result<Vec<ParamSpec>, Reason> {
        Ok(Vec::new())
    }

    /// Products summed for one element of the result; 0 for everything that is not a convolution or
    /// a matrix product, which is what PyTorch's FLOP counter counts.
    fn reduction(&self, _given: &Given<'_>) -> u64 {
        0
    }

    /// What a runtime needs for the result.
    fn storage(&self) -> Storage {
        Storage::Fresh
    }

    /// The settings that tell two operations of the same name apart.
    fn attributes(&self, _out: &mut Attributes) {}
}

/// Where the result of an operation can be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// Into memory of its own: inputs are read more than once or at other places.
    Fresh,
    /// Over an operand of the same extents: each element depends on the elements at its place only.
    Elementwise,
    /// Nowhere: the operand's memory under other extents.
    View,
    /// With the weights: it is known before any image is.
    Stored,
}

/// Calls `f` with the rules of `op`.
pub(crate) fn with_layer<T>(op: &Op, f: impl FnOnce(&dyn Layer) -> T) -> T {
    match op {
        Op::Input { dims } => f(&input::Input { dims }),
        Op::Conv2d(conv) => f(conv),
        Op::BatchNorm { eps, frozen } => f(&norm::BatchNorm { eps: *eps, frozen: *frozen }),
        Op::LayerNorm { eps } => f(&norm::LayerNorm { eps: *eps }),
        Op::Activation(activation) => f(activation),
        Op::LeakyRelu { slope } => f(&elementwise::LeakyRelu { slope: *slope }),
        Op::Unary(function) => f(function),
        Op::Clamp { low, high } => f(&elementwise::Clamp { low: *low, high: *high }),
        Op::MaxPool(pool) => f(&pool::MaxPool { pool }),
        Op::AvgPool { pool, count_include_pad } => {
            f(&pool::AvgPool { pool, count_include_pad: *count_include_pad })
        }
        Op::AdaptiveAvgPool { height, width } => f(&pool::AdaptiveAvgPool { height: *height, width: *width }),
        Op::GlobalAvgPool => f(&pool::GlobalAvgPool),
        Op::Linear { out_features, bias, rows } => {
            f(&linear::Linear { out_features: *out_features, bias: *bias, rows: *rows })
        }
        Op::MatMul => f(&linear::MatMul),
        Op::Softmax { axis } => f(&norm::Softmax { axis: *axis }),
        Op::Concat { axis } => f(&concat::Concat { axis: *axis }),
        Op::Add => f(&elementwise::Binary::Add),
        Op::Mul => f(&elementwise::Binary::Mul),
        Op::Sub => f(&elementwise::Binary::Sub),
        Op::Div => f(&elementwise::Binary::Div),
        Op::Reduce { reduction, axes } => f(&reduce::Reduce { reduction: *reduction, axes }),
        Op::Constant { dims, values } => f(&stored::Constant { dims, values }),
        Op::Trained { dims, frozen } => f(&stored::Trained { dims, frozen: *frozen }),
        Op::TopPlaces { count } => f(&gather::TopPlaces { count: *count }),
        Op::ArgMax => f(&gather::ArgMax),
        Op::Rows => f(&gather::Rows),
        Op::Kept { count, iou, score } => f(&gather::Kept { count: *count, iou: *iou, score: *score }),
        Op::Numbers => f(&gather::Cast::Numbers),
        Op::Places => f(&gather::Cast::Places),
        Op::GridSample { align_corners } => f(&gather::GridSample { align_corners: *align_corners }),
        Op::Scale { dims } => f(&elementwise::Scale { dims }),
        Op::ChannelAffine { scale, shift } => f(&elementwise::ChannelAffine { scale, shift }),
        Op::Flatten { from } => f(&layout::Flatten { from: *from }),
        Op::Reshape { dims } => f(&layout::Reshape { dims }),
        Op::Transpose { perm } => f(&layout::Transpose { perm }),
        Op::Slice { axis, start, end } => f(&slice::Slice { axis: *axis, start: *start, end: *end }),
        Op::ChannelShuffle { groups } => f(&image::ChannelShuffle { groups: *groups }),
        Op::Pad { padding, value } => f(&image::Pad { padding: *padding, value: *value }),
        Op::Resize { height, width, mode, align_corners } => {
            f(&image::Resize { height: *height, width: *width, mode: *mode, align_corners: *align_corners })
        }
    }
}

/// A tensor that an operation owns; the node's name is put before `suffix`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParamSpec {
    /// `.weight`, or empty where the tensor is called like the node.
    pub suffix: &'static str,
    /// What it is for.
    pub role: ParamRole,
    /// Extents.
    pub shape: Shape,
}

impl ParamSpec {
    fn new(suffix: &'static str, role: ParamRole, shape: impl Into<Shape>) -> Self {
        Self { suffix, role, shape: shape.into() }
    }
}

/// What follows from an operation and the shapes of its operands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    /// Shape of the result.
    pub shape: Shape,
    /// Trained tensors and buffers.
    pub params: Vec<ParamSpec>,
}

impl Facts {
    /// Applies the rules of `op`, then the limits that hold for every operation.
    ///
    /// # Errors
    /// Says what about the operands or the settings does not fit, and what was expected.
    pub fn of(op: &Op, given: &Given<'_>) -> Result<Self, Reason> {
        with_layer(op, |layer| {
            let shape = layer.shape(given)?;
            limits::check_shape(&shape)?;
            let params = layer.params(given)?;
            params.iter().try_for_each(|p| limits::check_shape(&p.shape))?;
            if macs(layer, given, &shape) > MAX_NODE_MACS {
                return Err(format!("the result {shape} needs more than {MAX_NODE_MACS} multiplications"));
            }
            Ok(Self { shape, params })
        })
    }
}

/// Multiply-accumulate operations of one layer; saturates.
pub(crate) fn macs(layer: &dyn Layer, given: &Given<'_>, result: &Shape) -> u64 {
    result.elements().saturating_mul(layer.reduction(given))
}
