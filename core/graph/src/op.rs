//! The layer operations. Plain data: shapes, parameters and costs are computed elsewhere
//! ([`crate::infer()`], [`crate::cost()`]), so that a graph and the facts about it stay two values.

use serde::{Deserialize, Serialize};

/// One layer operation. Every operation yields exactly one tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// A graph input.
    Input {
        /// Extents without the batch axis, `[C, H, W]` for images.
        dims: Vec<usize>,
    },
    /// 2-D convolution over NCHW.
    Conv2d(Conv2d),
    /// Inference-time batch normalisation over axis 1: `(x - mean) / sqrt(var + eps) * weight + bias`.
    BatchNorm {
        /// Added to the variance.
        eps: f64,
        /// Whether all four of its tensors are buffers: no training changes the gain and the offset either.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        frozen: bool,
    },
    /// Layer normalisation over the last axis (biased variance), with gain and offset.
    LayerNorm {
        /// Added to the variance.
        eps: f64,
    },
    /// Element-wise activation.
    Activation(Activation),
    /// `x` where it is positive, else `slope * x`.
    LeakyRelu {
        /// The factor of negative numbers.
        slope: f64,
    },
    /// Element-wise function of one number.
    Unary(Unary),
    /// `min(max(x, low), high)`; what is absent does not limit.
    Clamp {
        /// Least result.
        low: Option<f64>,
        /// Greatest result.
        high: Option<f64>,
    },
    /// Max pooling over NCHW, padding with minus infinity.
    MaxPool(Pool),
    /// Average pooling over NCHW.
    AvgPool {
        /// The window.
        pool: Pool,
        /// Whether padding counts in the divisor.
        count_include_pad: bool,
    },
    /// Mean over bins that share out H and W: bin `i` of `n` over an extent `e` holds
    /// `floor(i e / n)..ceil((i + 1) e / n)` (PyTorch's `AdaptiveAvgPool2d`). Bins may overlap.
    AdaptiveAvgPool {
        /// Bins along H.
        height: usize,
        /// Bins along W.
        width: usize,
    },
    /// Mean over H and W, both kept with extent 1: `[N, C, H, W] -> [N, C, 1, 1]`.
    GlobalAvgPool,
    /// `x W^T + b` over the last axis; weight is `[out, in]`.
    Linear {
        /// Extent of the last axis of the result.
        out_features: usize,
        /// Whether a bias of `[out]` is added.
        bias: bool,
        /// The rows of a larger matrix that this layer multiplies with, if it is not the whole of it: PyTorch's packed
        /// projections of attention. The tensors are then called `{name}_weight` and `{name}_bias`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rows: Option<Rows>,
    },
    /// Matrix product over the last two axes; the axes before them broadcast.
    MatMul,
    /// Softmax over one axis.
    Softmax {
        /// The axis; negative counts from the end.
        axis: i64,
    },
    /// Concatenation along one axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// Element-wise sum of two tensors with NumPy broadcasting.
    Add,
    /// Element-wise product of two tensors with NumPy broadcasting.
    Mul,
    /// Element-wise difference of two tensors with NumPy broadcasting.
    Sub,
    /// Element-wise quotient of two tensors with NumPy broadcasting.
    Div,
    /// Mean, greatest or sum over axes, which stay with extent 1.
    Reduce {
        /// What is computed.
        reduction: Reduction,
        /// The axes, ascending; not the batch.
        axes: Vec<usize>,
    },
    /// Numbers that are not trained, the same for every image: `[1, dims...]`.
    Constant {
        /// Extents after the batch axis.
        dims: Vec<usize>,
        /// The numbers, row-major.
        values: Vec<f32>,
    },
    /// A trained tensor as a value, the same for every image: `[1, dims...]`. Its parameter is called exactly like the
    /// node.
    Trained {
        /// Extents after the batch axis.
        dims: Vec<usize>,
        /// Whether it is a buffer: stored with the weights, but not trained.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        frozen: bool,
    },
    /// Places of the `count` greatest numbers of `[N, T]`, the greatest first: `[N, count]` whole numbers.
    TopPlaces {
        /// How many.
        count: usize,
    },
    /// Place of the greatest number along axis 1, the first of equal ones: `[N, C, ...] -> [N, ...]` whole numbers.
    ArgMax,
    /// Rows of `[N, T, ...]` at places `[N, K]`: `[N, K, ...]`.
    Rows,
    /// Places of the boxes that non-maximum suppression keeps, the best first: `[1, count]` whole numbers, from boxes
    /// `[1, K, 4]` (two opposite corners) and scores `[1, K]`. Where fewer are kept, the rest is `K`: one past the boxes.
    Kept {
        /// Most boxes.
        count: usize,
        /// Boxes that overlap a better one by more than this share of their union go.
        iou: f64,
        /// Boxes must score more than this.
        score: f64,
    },
    /// Places as numbers to calculate with.
    Numbers,
    /// Numbers as places; what follows the point is cut off.
    Places,
    /// Bilinear samples of an image `[N, C, H, W]` at `[N, h, w, 2]` points (x, y), where -1 and 1 are the edges of the
    /// image, or with `align_corners` the centres of its outermost pixels: `[N, C, h, w]`. Beyond the image are zeros.
    GridSample {
        /// What -1 and 1 are.
        align_corners: bool,
    },
    /// Element-wise product with one trained tensor (ConvNeXt's layer scale), broadcast from the right.
    /// Its parameter is called exactly like the node, without a `.weight` suffix.
    Scale {
        /// Extents of the trained tensor.
        dims: Vec<usize>,
    },
    /// `x * scale[c] + shift[c]` with constants for each channel, which are not trained.
    ChannelAffine {
        /// One factor a channel.
        scale: Vec<f64>,
        /// One summand a channel.
        shift: Vec<f64>,
    },
    /// Collapses all axes from `from` on into one.
    Flatten {
        /// First axis to collapse.
        from: usize,
    },
    /// New extents after the batch axis, which stays.
    Reshape {
        /// The extents; one of them may be -1 and takes what is left.
        dims: Vec<i64>,
    },
    /// Permutes the axes: output axis `i` is input axis `perm[i]`.
    Transpose {
        /// The input axis of every output axis.
        perm: Vec<usize>,
    },
    /// Elements `start..end` of one axis.
    Slice {
        /// The axis.
        axis: usize,
        /// First element kept.
        start: usize,
        /// First element no longer kept.
        end: usize,
    },
    /// Interleaves channel groups (ShuffleNet): reshape to `[g, C/g]`, transpose, flatten.
    ChannelShuffle {
        /// Number of groups; divides the channels.
        groups: usize,
    },
    /// Constant padding of H and W.
    Pad {
        /// The amounts.
        padding: Padding,
        /// The constant.
        value: f64,
    },
    /// Spatial resize of an NCHW tensor to fixed extents.
    Resize {
        /// Height of the result.
        height: usize,
        /// Width of the result.
        width: usize,
        /// Interpolation.
        mode: ResizeMode,
        /// Whether the corner pixels of both images coincide.
        align_corners: bool,
    },
}

impl Op {
    /// The operation's name in text forms, histograms and messages, e.g. `conv2d` or `hard_swish`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        crate::ops::with_layer(self, |layer| layer.name())
    }

    /// Whether the result is whole numbers that name places, which [`Op::Rows`] and [`Op::Numbers`] can take.
    #[must_use]
    pub fn yields_places(&self) -> bool {
        matches!(self, Self::TopPlaces { .. } | Self::ArgMax | Self::Kept { .. } | Self::Places)
    }

    /// Whether operand `index` must be such places.
    #[must_use]
    pub fn takes_places(&self, index: usize) -> bool {
        matches!((self, index), (Self::Rows, 1) | (Self::Numbers, 0))
    }

    /// Whether the result is known before any image is: what is stored, not computed.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Constant { .. } | Self::Trained { .. })
    }
}

/// The part of a packed matrix that a linear layer multiplies with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// First row.
    pub start: usize,
    /// Rows of the whole matrix.
    pub of: usize,
}

/// Functions of [`Op::Unary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unary {
    /// e to the power of x.
    Exp,
    /// Natural logarithm.
    Log,
    /// Sine of radians.
    Sin,
    /// Cosine of radians.
    Cos,
    /// Square root.
    Sqrt,
    /// Greatest whole number that is not greater.
    Floor,
}

/// What [`Op::Reduce`] computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Arithmetic mean.
    Mean,
    /// The greatest.
    Max,
    /// Sum.
    Sum,
}

/// Zero padding of an image, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Columns before.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns after.
    pub right: usize,
}

impl Padding {
    /// The same amount above and below (`rows`), before and after (`columns`).
    #[must_use]
    pub fn symmetric(rows: usize, columns: usize) -> Self {
        Self { top: rows, left: columns, bottom: rows, right: columns }
    }
}

/// A 2-D convolution; weight is `[out, in / groups, kernel height, kernel width]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Output channels.
    pub out_channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Zero padding.
    pub padding: Padding,
    /// Vertical and horizontal dilation.
    pub dilation: [usize; 2],
    /// Channel groups; equal to the input channels for a depthwise convolution.
    pub groups: usize,
    /// Whether a bias of `[out]` is added.
    pub bias: bool,
}

/// A pooling window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Window height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Padding.
    pub padding: Padding,
    /// Rounds the output extents up instead of down; a window never starts in the far padding.
    pub ceil: bool,
}

/// Element-wise activation functions, as PyTorch defines them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x * hard_sigmoid(x)` (arXiv:1905.02244, section 5.2).
    HardSwish,
    /// `clamp(x / 6 + 1/2, 0, 1)`.
    HardSigmoid,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x * sigmoid(x)`, also called Swish.
    Silu,
    /// `x * Phi(x)` with the exact error function.
    Gelu,
    /// Hyperbolic tangent.
    Tanh,
}

/// Interpolation of [`Op::Resize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeMode {
    /// Nearest neighbour (floor).
    Nearest,
    /// Bilinear.
    Bilinear,
}

/// What a trained tensor is for; decides how it is initialised and whether it counts as a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamRole {
    /// Convolution or linear weight.
    Weight,
    /// Bias of a convolution or linear layer.
    Bias,
    /// Normalisation gain.
    NormWeight,
    /// Normalisation offset.
    NormBias,
    /// Batch-norm running mean: a buffer, not a parameter.
    RunningMean,
    /// Batch-norm running variance: a buffer, not a parameter.
    RunningVar,
    /// Layer scale.
    Scale,
    /// A trained tensor that is a value itself, such as the queries of a detector.
    Table,
    /// The same, but not trained: a buffer, not a parameter.
    Frozen,
}

impl ParamRole {
    /// The role in words, e.g. `running mean`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Bias => "bias",
            Self::NormWeight => "norm weight",
            Self::NormBias => "norm bias",
            Self::RunningMean => "running mean",
            Self::RunningVar => "running variance",
            Self::Scale => "scale",
            Self::Table => "table",
            Self::Frozen => "frozen table",
        }
    }

    /// Buffers are stored with the weights but are not trained, and do not count as parameters.
    #[must_use]
    pub fn is_buffer(self) -> bool {
        matches!(self, Self::RunningMean | Self::RunningVar | Self::Frozen)
    }
}
