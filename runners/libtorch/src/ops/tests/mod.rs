//! Every operator, alone in a model: against the built-in runner where that has it, against numbers from its definition
//! elsewhere. Each is run twice and in two layouts, so that a plan that eats its constants would be found.

mod detection;
mod image;
mod layout;
mod numbers;
mod plans;
mod refusals;

/// Operators that exports of this program and PyTorch's exports of vision models contain; every one of them must be
/// there.
#[test]
fn what_exports_contain_is_there() {
    let names = "Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv \
        ConvInteger ConvTranspose Cos CumSum DeformConv DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear \
        Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool \
        GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Identity \
        InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization \
        MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonMaxSuppression NonZero Not \
        OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum \
        ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize RoiAlign \
        Round ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split \
        Sqrt Squeeze Sub Sum Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor";
    let missing: Vec<_> = names.split_whitespace().filter(|name| super::find(name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
