use convwise_sdk::DType;

use crate::ops::testing::{Single, bytes, float, floats, int, ints, numbers, whole, word};

const X: &[usize] = &[2, 3, 4, 5];

#[test]
fn activations_are_those_of_the_built_in_runner() {
    for operator in ["Relu", "Sigmoid", "Tanh", "HardSwish", "Softplus", "Elu", "LeakyRelu", "HardSigmoid"] {
        Single::of(operator).given(numbers(X)).is_as_rten();
    }
    Single::of("LeakyRelu").with(float("alpha", 0.3)).given(numbers(X)).is_as_rten();
    Single::of("Elu").with(float("alpha", 0.5)).given(numbers(X)).is_as_rten();
    Single::of("HardSigmoid").with(float("alpha", 1.0 / 6.0)).given(numbers(X)).is_as_rten();
    Single::of("Gelu").opset(20).given(numbers(X)).is_as_rten();
    Single::of("Gelu").opset(20).with(word("approximate", "tanh")).given(numbers(X)).is_as_rten();
    Single::of("PRelu").given(numbers(X)).stored(floats(&[3, 1, 1], &[0.1, 0.2, 0.3])).is_as_rten();
    Single::of("PRelu").given(numbers(X)).stored(floats(&[5], &[0.1, 0.2, 0.3, 0.4, 0.5])).is_as_rten();
    Single::of("PRelu").given(numbers(X)).given(floats(&[1], &[0.25])).is_as_rten();
}

#[test]
fn activations_by_their_definition() {
    let x = [-2.0, -0.5, 0.0, 0.5, 3.0];
    let check = |single: Single, f: &dyn Fn(f64) -> f64| {
        single.given(floats(&[5], &x.map(|v| v as f32))).is(&x.map(f));
    };
    check(Single::of("Mish"), &|v| v * v.exp().ln_1p().tanh());
    check(Single::of("Softsign"), &|v| v / (1.0 + v.abs()));
    check(Single::of("Celu").with(float("alpha", 2.0)), &|v| {
        v.max(0.0) + (2.0 * ((v / 2.0).exp() - 1.0)).min(0.0)
    });
    let (alpha, gamma) = (1.673_263_242_354_377_3, 1.050_700_987_355_480_5);
    check(Single::of("Selu"), &|v| gamma * if v > 0.0 { v } else { alpha * (v.exp() - 1.0) });
    check(Single::of("ThresholdedRelu").with(float("alpha", 0.5)), &|v| if v > 0.5 { v } else { 0.0 });
    check(Single::of("Hardmax"), &|v| if v == 3.0 { 1.0 } else { 0.0 });
}

#[test]
fn bounds_are_settings_or_operands() {
    let x = || floats(&[4], &[-3.0, -1.0, 1.0, 9.0]);
    Single::of("Clip")
        .opset(6)
        .with(float("min", -2.0))
        .with(float("max", 6.0))
        .given(x())
        .is(&[-2.0, -1.0, 1.0, 6.0]);
    let bound = |value: f32| floats(&[], &[value]);
    Single::of("Clip").given(x()).stored(bound(-2.0)).stored(bound(6.0)).is(&[-2.0, -1.0, 1.0, 6.0]);
    Single::of("Clip").given(x()).left_out().stored(bound(0.0)).is(&[-3.0, -1.0, 0.0, 0.0]);
    Single::of("Clip").given(x()).stored(bound(0.0)).is(&[0.0, 0.0, 1.0, 9.0]);
    Single::of("Clip").given(x()).given(bound(0.0)).left_out().is(&[0.0, 0.0, 1.0, 9.0]);
    Single::of("Clip").given(x()).is(&[-3.0, -1.0, 1.0, 9.0]);
    Single::of("Clip")
        .gives(&[DType::I64])
        .given(whole(&[2], &[-5, 5]))
        .stored(whole(&[], &[0]))
        .is(&[0.0, 5.0]);
}

#[test]
fn sums_and_products_broadcast() {
    for operator in ["Add", "Sub", "Mul", "Div", "Min", "Max", "Pow"] {
        let positive = || floats(&[3, 1, 1], &[0.5, 2.0, 3.0]);
        let square = || floats(&[4, 5], &(1..=20).map(|i| i as f32).collect::<Vec<_>>());
        Single::of(operator).given(square()).stored(positive()).is_as_rten();
        Single::of(operator).given(positive()).given(square()).is_as_rten();
    }
    for operator in ["Sum", "Mean"] {
        let expect = if operator == "Sum" { [6.0, 12.0] } else { [2.0, 4.0] };
        let single = Single::of(operator).given(floats(&[2], &[1.0, 2.0])).given(floats(&[2], &[2.0, 4.0]));
        single.given(floats(&[2], &[3.0, 6.0])).is(&expect);
    }
}

#[test]
fn whole_numbers_are_divided_towards_zero_and_keep_their_type() {
    let two = |operator: &str, a: &[i64], b: &[i64]| {
        Single::of(operator).gives(&[DType::I64]).given(whole(&[a.len()], a)).given(whole(&[b.len()], b))
    };
    two("Div", &[7, -7, 6], &[2, 2, 3]).is(&[3.0, -3.0, 2.0]);
    two("Mod", &[7, -7], &[3, 3]).is(&[1.0, 2.0]);
    two("Mod", &[7, -7], &[3, 3]).with(int("fmod", 1)).is(&[1.0, -1.0]);
    let power =
        Single::of("Pow").gives(&[DType::I64]).given(whole(&[2], &[2, 3])).given(floats(&[1], &[2.0]));
    assert_eq!((power.run().unwrap()[0].dtype(), power.values()), (DType::I64, vec![4.0, 9.0]));
}

#[test]
fn functions_of_one_number() {
    for operator in ["Abs", "Neg", "Sign", "Ceil", "Floor", "Round", "Exp", "Erf", "Sin", "Cos", "Identity"] {
        Single::of(operator).given(numbers(&[3, 7])).is_as_rten();
    }
    for operator in ["Sqrt", "Log", "Reciprocal"] {
        Single::of(operator).given(floats(&[3], &[0.25, 1.0, 4.0])).is_as_rten();
    }
    Single::of("Round").given(floats(&[4], &[0.5, 1.5, -0.5, 2.5])).is(&[0.0, 2.0, 0.0, 2.0]);
    let x = 0.5_f64;
    type Function = fn(f64) -> f64;
    let inverse: [(&str, Function); 8] = [
        ("Tan", f64::tan),
        ("Asin", f64::asin),
        ("Acos", f64::acos),
        ("Atan", f64::atan),
        ("Sinh", f64::sinh),
        ("Cosh", f64::cosh),
        ("Asinh", f64::asinh),
        ("Atanh", f64::atanh),
    ];
    for (operator, f) in inverse {
        Single::of(operator).given(floats(&[1], &[0.5])).is(&[f(x)]);
    }
    Single::of("Cast")
        .with(int("to", 7))
        .gives(&[DType::I64])
        .given(floats(&[3], &[1.9, -1.9, 0.0]))
        .is(&[1.0, -1.0, 0.0]);
    Single::of("Cast")
        .with(int("to", 9))
        .gives(&[DType::Bool])
        .given(floats(&[2], &[0.0, 2.0]))
        .is(&[0.0, 1.0]);
    Single::of("Dropout").opset(13).given(floats(&[2], &[1.0, 2.0])).is(&[1.0, 2.0]);
}

#[test]
fn comparisons_and_truth() {
    for operator in ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"] {
        let pair = Single::of(operator).gives(&[DType::Bool]);
        let [a, b] = [floats(&[3], &[1.0, 2.0, 3.0]), floats(&[3], &[2.0, 2.0, 2.0])];
        let expect: [f64; 3] = match operator {
            "Equal" => [0.0, 1.0, 0.0],
            "Greater" => [0.0, 0.0, 1.0],
            "GreaterOrEqual" => [0.0, 1.0, 1.0],
            "Less" => [1.0, 0.0, 0.0],
            _ => [1.0, 1.0, 0.0],
        };
        pair.given(a).given(b).is(&expect);
    }
    let truth = |values: &[u8]| bytes(DType::Bool, &[4], values);
    for (operator, expect) in
        [("And", [0.0, 0.0, 0.0, 1.0]), ("Or", [0.0, 1.0, 1.0, 1.0]), ("Xor", [0.0, 1.0, 1.0, 0.0])]
    {
        Single::of(operator)
            .gives(&[DType::Bool])
            .given(truth(&[0, 0, 1, 1]))
            .given(truth(&[0, 1, 0, 1]))
            .is(&expect);
    }
    Single::of("Not").gives(&[DType::Bool]).given(truth(&[0, 1, 0, 1])).is(&[1.0, 0.0, 1.0, 0.0]);
    let chosen = Single::of("Where")
        .given(truth(&[1, 0, 0, 1]))
        .given(floats(&[4], &[1.0; 4]))
        .given(floats(&[1], &[2.0]));
    chosen.is(&[1.0, 2.0, 2.0, 1.0]);
    let odd = || floats(&[4], &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0]);
    Single::of("IsNaN").gives(&[DType::Bool]).given(odd()).is(&[1.0, 0.0, 0.0, 0.0]);
    Single::of("IsInf")
        .gives(&[DType::Bool])
        .with(int("detect_negative", 0))
        .given(odd())
        .is(&[0.0, 1.0, 0.0, 0.0]);
    let bits =
        |operator: &str| Single::of(operator).gives(&[DType::U8]).given(bytes(DType::U8, &[2], &[12, 5]));
    bits("BitwiseAnd").given(bytes(DType::U8, &[1], &[6])).is(&[4.0, 4.0]);
    bits("BitwiseOr").given(bytes(DType::U8, &[1], &[1])).is(&[13.0, 5.0]);
    bits("BitwiseXor").given(bytes(DType::U8, &[1], &[4])).is(&[8.0, 1.0]);
    bits("BitwiseNot").is(&[243.0, 250.0]);
    bits("BitShift").with(word("direction", "LEFT")).given(bytes(DType::U8, &[1], &[1])).is(&[24.0, 10.0]);
    bits("BitShift").with(word("direction", "RIGHT")).given(bytes(DType::U8, &[1], &[2])).is(&[3.0, 1.0]);
}

#[test]
fn products_of_matrices() {
    Single::of("MatMul").given(numbers(&[2, 4, 3])).stored(numbers(&[3, 5])).is_as_rten();
    Single::of("MatMul").stored(numbers(&[4, 6])).given(numbers(&[2, 3, 6, 5])).is_as_rten();
    Single::of("MatMul").given(numbers(&[2, 4, 3])).given(numbers(&[2, 3, 5])).is_as_rten();
    for (turn_a, turn_b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let gemm = Single::of("Gemm").with(int("transA", turn_a)).with(int("transB", turn_b));
        let a = if turn_a == 1 { [3, 2] } else { [2, 3] };
        let b = if turn_b == 1 { [4, 3] } else { [3, 4] };
        let gemm = gemm.given(numbers(&a)).stored(numbers(&b));
        gemm.is_as_rten();
        gemm.clone().stored(numbers(&[4])).is_as_rten();
        gemm.clone().stored(numbers(&[2, 1])).is_as_rten();
        gemm.with(float("alpha", 0.5)).with(float("beta", 2.0)).given(numbers(&[4])).is_as_rten();
    }
    Single::of("Einsum")
        .with(word("equation", "bij, bjk -> bik"))
        .given(numbers(&[2, 3, 4]))
        .given(numbers(&[2, 4, 5]))
        .is_as_rten();
}

#[test]
fn norms() {
    let vector = |from: usize| floats(&[3], &[from as f32, 0.5, 1.5]);
    let batch = Single::of("BatchNormalization").with(float("epsilon", 1e-3)).given(numbers(X));
    batch.stored(vector(1)).stored(vector(2)).stored(vector(3)).stored(vector(1)).is_as_rten();
    let row = || floats(&[5], &[1.0, 2.0, 3.0, 4.0, 5.0]);
    Single::of("LayerNormalization").given(numbers(X)).stored(row()).stored(row()).is_as_rten();
    Single::of("LayerNormalization").given(numbers(X)).stored(row()).is_as_rten();
    let plane = Single::of("LayerNormalization").with(int("axis", 2)).given(numbers(X));
    plane.clone().stored(numbers(&[4, 5])).is_as_rten();
    plane.stored(row()).is_as_rten();
    Single::of("InstanceNormalization").given(numbers(X)).stored(vector(1)).stored(vector(2)).is_as_rten();
    Single::of("LRN")
        .with(int("size", 3))
        .with(float("alpha", 3.0))
        .with(float("beta", 0.5))
        .with(float("bias", 2.0))
        .given(floats(&[1, 4, 1, 1], &[1.0, 2.0, 3.0, 4.0]))
        .is(&[1.0 / 7.0_f64.sqrt(), 2.0 / 16.0_f64.sqrt(), 3.0 / 31.0_f64.sqrt(), 4.0 / 27.0_f64.sqrt()]);
    Single::of("LpNormalization").given(floats(&[2, 2], &[3.0, 4.0, 0.0, 0.0])).is(&[0.6, 0.8, 0.0, 0.0]);
    Single::of("LpNormalization").with(int("p", 1)).given(floats(&[2], &[1.0, -3.0])).is(&[0.25, -0.75]);
    Single::of("MeanVarianceNormalization").given(floats(&[1, 1, 1, 2], &[1.0, 3.0])).is(&[-1.0, 1.0]);
    Single::of("RMSNormalization")
        .opset(23)
        .given(floats(&[2], &[3.0, 4.0]))
        .stored(floats(&[2], &[1.0, 2.0]))
        .is(&[3.0 / 12.5_f64.sqrt(), 8.0 / 12.5_f64.sqrt()]);
}

#[test]
fn groups_are_scaled_one_by_one_or_channel_by_channel() {
    let x = || floats(&[1, 4, 1, 1], &[1.0, 3.0, 10.0, 14.0]);
    let norm = |opset| {
        Single::of("GroupNormalization").opset(opset).with(int("num_groups", 2)).with(float("epsilon", 0.0))
    };
    let old = norm(18).given(x()).stored(floats(&[2], &[1.0, 2.0])).stored(floats(&[2], &[0.0, 1.0]));
    old.is(&[-1.0, 1.0, -1.0, 3.0]);
    let new = norm(21).given(x()).stored(floats(&[4], &[1.0, 2.0, 3.0, 4.0])).stored(floats(&[4], &[0.0; 4]));
    new.is(&[-1.0, 2.0, -3.0, 4.0]);
}

#[test]
fn reductions_take_axes_from_either_place() {
    for operator in
        ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceSumSquare"]
    {
        let since = if operator == "ReduceSum" { 13 } else { 18 };
        for keep in [0, 1] {
            let reduce = Single::of(operator).with(int("keepdims", keep));
            reduce.clone().opset(since).given(numbers(X)).stored(whole(&[2], &[1, -1])).is_as_rten();
            reduce.clone().opset(11).with(ints("axes", &[2, 3])).given(numbers(X)).is_as_rten();
            reduce.opset(18).given(numbers(X)).is_as_rten();
        }
    }
    let same = Single::of("ReduceSum").with(int("noop_with_empty_axes", 1)).given(floats(&[2], &[1.0, 2.0]));
    same.is(&[1.0, 2.0]);
    let x = || floats(&[3], &[1.0, -2.0, 4.0]);
    Single::of("ReduceL1").given(x()).with(int("keepdims", 0)).is(&[7.0]);
    Single::of("ReduceLogSum").given(x()).with(int("keepdims", 0)).is(&[3.0_f64.ln()]);
    let sum = [1.0_f64, -2.0, 4.0].map(f64::exp).iter().sum::<f64>();
    Single::of("ReduceLogSumExp").given(x()).with(int("keepdims", 0)).is(&[sum.ln()]);
    for operator in ["ArgMax", "ArgMin"] {
        let arg = Single::of(operator).gives(&[DType::I64]).with(int("axis", 1)).with(int("keepdims", 0));
        arg.given(numbers(X)).is_as_rten();
    }
    let tied = Single::of("ArgMax").gives(&[DType::I64]).given(floats(&[3], &[5.0, 1.0, 5.0]));
    tied.is(&[0.0]);
    tied.with(int("select_last_index", 1)).is(&[2.0]);
}

#[test]
fn running_sums() {
    let sum = || Single::of("CumSum").given(floats(&[3], &[1.0, 2.0, 3.0])).stored(whole(&[], &[0]));
    sum().is(&[1.0, 3.0, 6.0]);
    sum().with(int("exclusive", 1)).is(&[0.0, 1.0, 3.0]);
    sum().with(int("reverse", 1)).is(&[6.0, 5.0, 3.0]);
    sum().with(int("reverse", 1)).with(int("exclusive", 1)).is(&[5.0, 3.0, 0.0]);
}

#[test]
fn shares_over_one_axis_or_over_all_from_one_on() {
    for operator in ["Softmax", "LogSoftmax"] {
        Single::of(operator).opset(13).with(int("axis", 1)).given(numbers(X)).is_as_rten();
        Single::of(operator).opset(13).given(numbers(X)).is_as_rten();
    }
    let old = Single::of("Softmax").opset(11).with(int("axis", 1)).given(floats(&[1, 2, 2], &[0.0; 4]));
    old.is(&[0.25; 4]);
}

#[test]
fn quantised_numbers() {
    let scale = || floats(&[], &[0.5]);
    let zero = |value: u8| bytes(DType::U8, &[], &[value]);
    let quantise =
        Single::of("QuantizeLinear").gives(&[DType::U8]).given(floats(&[5], &[-1.0, 0.25, 0.75, 1.0, 1e9]));
    quantise.stored(scale()).stored(zero(10)).is(&[8.0, 10.0, 12.0, 12.0, 255.0]);
    let back = Single::of("DequantizeLinear").given(bytes(DType::U8, &[3], &[8, 10, 12]));
    back.stored(scale()).stored(zero(10)).is(&[-1.0, 0.0, 1.0]);
    let by_row =
        Single::of("DequantizeLinear").with(int("axis", 0)).given(bytes(DType::I8, &[2, 2], &[1, 255, 3, 4]));
    by_row.stored(floats(&[2], &[1.0, 10.0])).is(&[1.0, -1.0, 30.0, 40.0]);
    Single::of("DynamicQuantizeLinear")
        .gives(&[DType::U8, DType::F32, DType::U8])
        .given(numbers(&[17]))
        .is_as_rten();
}

#[test]
fn quantised_products() {
    let byte = |values: &[u8]| bytes(DType::U8, &[values.len()], values);
    let one = |value: u8| bytes(DType::U8, &[], &[value]);
    let scale = |value: f32| floats(&[], &[value]);
    let a = bytes(DType::U8, &[1, 2], &[3, 5]);
    let b = bytes(DType::U8, &[2, 1], &[10, 20]);
    // (3 - 1) (10 - 2) + (5 - 1) (20 - 2) = 88
    let whole = Single::of("MatMulInteger").gives(&[DType::I32]).given(a.clone()).given(b.clone());
    whole.stored(byte(&[1])).stored(one(2)).is(&[88.0]);
    let real =
        Single::of("QLinearMatMul").gives(&[DType::U8]).given(a).stored(scale(0.5)).stored(one(1)).stored(b);
    real.stored(scale(0.25)).stored(one(2)).stored(scale(1.0)).stored(one(7)).is(&[18.0]);
    let image = bytes(DType::U8, &[1, 1, 1, 2], &[3, 5]);
    let weight = bytes(DType::U8, &[1, 1, 1, 2], &[10, 20]);
    let conv = Single::of("ConvInteger").gives(&[DType::I32]).given(image.clone()).stored(weight.clone());
    conv.stored(one(1)).stored(one(2)).is(&[88.0]);
    let conv = Single::of("QLinearConv").gives(&[DType::U8]).given(image).stored(scale(0.5)).stored(one(1));
    let conv = conv.stored(weight).stored(scale(0.25)).stored(one(2)).stored(scale(1.0)).stored(one(7));
    conv.is(&[18.0]);
    let bias = convwise_sdk::Tensor::new(DType::I32, vec![1], 16_i32.to_ne_bytes().to_vec()).unwrap();
    conv.stored(bias).is(&[20.0]);
}
