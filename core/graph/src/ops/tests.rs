//! Every operation's shape rule, through one `check`.

use super::*;
use crate::op::{Activation, Conv2d, Padding, Pool, Reduction, ResizeMode, Rows, Unary};

/// `expect` is the resulting shape or the words of the refusal.
#[track_caller]
fn check<const N: usize>(op: Op, operands: [&[usize]; N], expect: &str) {
    let shapes = operands.map(|dims| Shape(dims.to_vec()));
    let operands = shapes.each_ref();
    let got = match Facts::of(&op, &Given { batch: 2, operands: &operands }) {
        Ok(facts) => facts.shape.to_string(),
        Err(reason) => reason,
    };
    assert_eq!(got, expect, "{op:?}");
}

fn conv() -> Conv2d {
    Conv2d {
        out_channels: 8,
        kernel: [3, 3],
        stride: [1, 1],
        padding: Padding::default(),
        dilation: [1, 1],
        groups: 1,
        bias: false,
    }
}

fn pool(kernel: usize, stride: usize, pad: usize, ceil: bool) -> Pool {
    let padding = Padding::symmetric(pad, pad);
    Pool { kernel: [kernel; 2], stride: [stride; 2], padding, ceil }
}

fn padding(top: usize, left: usize, bottom: usize, right: usize) -> Padding {
    Padding { top, left, bottom, right }
}

#[test]
fn input_puts_the_batch_first() {
    check(Op::Input { dims: vec![3, 224, 224] }, [], "[2x3x224x224]");
    check(Op::Input { dims: vec![] }, [], "[2]");
    check(
        Op::Input { dims: vec![3, 0, 8] },
        [],
        "the tensor [2x3x0x8] is empty; expected at least 1 along axis 2",
    );
    check(Op::Input { dims: vec![1; 8] }, [], "a tensor of 9 axes; expected at most 8");
    let huge = "the tensor [2x18446744073709551615x9] is too large; expected at most 2^40 elements";
    check(Op::Input { dims: vec![usize::MAX, 9] }, [], huge);
}

// Expected extents: torch.nn.functional.conv2d, PyTorch 2.13.0.
#[test]
fn convolution_rounds_down() {
    let image: [&[usize]; 1] = [&[2, 6, 17, 23]];
    check(Op::Conv2d(conv()), image, "[2x8x15x21]");
    let padded = Conv2d { stride: [2, 3], padding: Padding::symmetric(1, 2), ..conv() };
    check(Op::Conv2d(padded), image, "[2x8x9x9]");
    let dilated = Conv2d { dilation: [3, 2], groups: 2, ..conv() };
    check(Op::Conv2d(dilated), image, "[2x8x11x19]");
    let asymmetric = Conv2d { stride: [2, 2], padding: padding(0, 0, 1, 1), ..conv() };
    check(Op::Conv2d(asymmetric), image, "[2x8x8x11]");
}

#[test]
fn convolution_refuses() {
    let image: [&[usize]; 1] = [&[2, 6, 4, 23]];
    let with = |change: fn(&mut Conv2d)| {
        let mut changed = conv();
        change(&mut changed);
        Op::Conv2d(changed)
    };
    check(with(|c| c.groups = 0), image, "groups is 0; expected at least 1");
    check(with(|c| c.stride = [0, 1]), image, "stride is 0; expected at least 1");
    check(with(|c| c.kernel = [1, 0]), image, "kernel is 0; expected at least 1");
    check(with(|c| c.dilation = [1, 0]), image, "dilation is 0; expected at least 1");
    let groups = "4 groups do not divide 6 input and 8 output channels; expected a common divisor";
    check(with(|c| c.groups = 4), image, groups);
    let empty = "the tensor [2x0x2x21] is empty; expected at least 1 along axis 1";
    check(with(|c| c.out_channels = 0), image, empty);
    let large = "the window does not fit: height 4 padded by 0 and 0, kernel 5, dilation 1; \
                 expected a kernel within the padded image";
    check(with(|c| c.kernel = [5, 1]), image, large);
    let rank = "the operand has 2 axes; expected the 4 of [batch, channels, height, width]";
    check(Op::Conv2d(conv()), [&[2, 6]], rank);
}

#[test]
fn convolution_weights_and_reduction() {
    let shape = Shape::from([1, 6, 9, 9]);
    let given = Given { batch: 1, operands: &[&shape] };
    let grouped = Conv2d { groups: 2, bias: true, ..conv() };
    let params = grouped.params(&given).unwrap();
    let found: Vec<_> = params.iter().map(|p| format!("{} {}", p.suffix, p.shape)).collect();
    assert_eq!(found, [".weight [8x3x3x3]", ".bias [8]"]);
    assert_eq!(grouped.reduction(&given), 27);
}

// Expected extents: torch.nn.functional.max_pool2d and avg_pool2d, PyTorch 2.13.0.
#[test]
fn pooling_rounds_as_told() {
    let image: [&[usize]; 1] = [&[2, 6, 14, 15]];
    check(Op::MaxPool(pool(3, 2, 1, false)), image, "[2x6x7x8]");
    check(Op::MaxPool(pool(3, 2, 0, true)), image, "[2x6x7x7]");
    check(Op::MaxPool(pool(2, 2, 0, true)), image, "[2x6x7x8]");
    // The last window would start in the padding, so it is left out.
    check(Op::MaxPool(pool(2, 2, 1, true)), [&[1, 1, 3, 3]], "[1x1x2x2]");
    check(Op::MaxPool(pool(2, 3, 1, true)), [&[1, 1, 2, 2]], "[1x1x1x1]");
    check(Op::MaxPool(pool(2, 2, 0, true)), [&[1, 1, 1, 1]], "[1x1x1x1]");
    check(Op::AvgPool { pool: pool(2, 2, 0, false), count_include_pad: true }, image, "[2x6x7x7]");
    check(Op::GlobalAvgPool, image, "[2x6x1x1]");
    let stretched = Pool { padding: padding(0, 0, 1, 1), ..pool(2, 1, 0, false) };
    check(Op::MaxPool(stretched), image, "[2x6x14x15]");
}

#[test]
fn pooling_refuses() {
    let image: [&[usize]; 1] = [&[2, 6, 14, 15]];
    let padded = "padding 2 of a window of 3; expected at most half the window";
    check(Op::MaxPool(pool(3, 2, 2, false)), image, padded);
    check(Op::MaxPool(pool(2, 0, 0, false)), image, "stride is 0; expected at least 1");
    let rank = "the operand has 3 axes; expected the 4 of [batch, channels, height, width]";
    check(Op::GlobalAvgPool, [&[2, 6, 14]], rank);
}

#[test]
fn norms_keep_the_shape() {
    check(Op::BatchNorm { eps: 1e-5, frozen: false }, [&[2, 6, 4, 4]], "[2x6x4x4]");
    check(Op::BatchNorm { eps: 1e-5, frozen: false }, [&[2, 6]], "[2x6]");
    check(
        Op::BatchNorm { eps: 1e-5, frozen: false },
        [&[2]],
        "there is no axis 1 in [2]; expected one below 1",
    );
    let eps = "eps is NaN; expected a finite number of at least 0";
    check(Op::BatchNorm { eps: f64::NAN, frozen: false }, [&[2, 6]], eps);
    check(Op::LayerNorm { eps: 1e-6 }, [&[2, 7, 96]], "[2x7x96]");
    check(Op::Softmax { axis: -1 }, [&[2, 10]], "[2x10]");
    check(Op::Softmax { axis: 2 }, [&[2, 10]], "there is no axis 2 in [2x10]; expected one below 2");
    check(
        Op::Softmax { axis: i64::MIN },
        [&[2]],
        &format!("there is no axis {} in [2]; expected one below 1", i64::MIN),
    );
}

#[test]
fn elementwise_operations_broadcast() {
    check(Op::Activation(Activation::Relu), [&[2, 6]], "[2x6]");
    check(Op::Add, [&[2, 6, 4, 4], &[2, 6, 4, 4]], "[2x6x4x4]");
    check(Op::Mul, [&[2, 6, 4, 4], &[2, 6, 1, 1]], "[2x6x4x4]");
    check(Op::Mul, [&[6, 1, 1], &[2, 1, 4, 5]], "[2x6x4x5]");
    let misfit = "axis 1 has 6 and 4; expected equal extents, or 1 in one of them";
    check(Op::Add, [&[2, 6, 4, 4], &[2, 4, 4, 4]], misfit);
    check(Op::Scale { dims: vec![6, 1, 1] }, [&[2, 6, 4, 4]], "[2x6x4x4]");
    let stretch = "the trained tensor [3x1x1x1] would stretch the operand; expected extents within [1x6x4x4]";
    check(Op::Scale { dims: vec![3, 1, 1, 1] }, [&[1, 6, 4, 4]], stretch);
}

#[test]
fn matrix_products() {
    check(Op::Linear { out_features: 10, bias: true, rows: None }, [&[2, 49, 512]], "[2x49x10]");
    let empty = "the tensor [2x0] is empty; expected at least 1 along axis 1";
    check(Op::Linear { out_features: 0, bias: true, rows: None }, [&[2, 512]], empty);
    check(Op::MatMul, [&[2, 8, 7, 16], &[2, 1, 16, 5]], "[2x8x7x5]");
    let depth = "16 columns on the left and 15 rows on the right; expected as many of each";
    check(Op::MatMul, [&[2, 7, 16], &[2, 15, 5]], depth);
    check(Op::MatMul, [&[7], &[7, 2]], "an operand of 1 axes; expected at least 2");
    let large = "the tensor [1099511627776x2] is too large; expected at most 2^40 elements";
    check(
        Op::Linear { out_features: 1 << 40, bias: false, rows: None },
        [&[2, 2]],
        "the tensor [2x1099511627776] is too large; expected at most 2^40 elements",
    );
    check(Op::Linear { out_features: 1 << 40, bias: false, rows: None }, [&[1, 2]], large);
    let work = "the result [1048576x1048576] needs more than 281474976710656 multiplications";
    check(Op::MatMul, [&[1 << 20, 1 << 9], &[1 << 9, 1 << 20]], work);
}

#[test]
fn concatenation() {
    check(Op::Concat { axis: 1 }, [&[2, 6, 4], &[2, 1, 4], &[2, 2, 4]], "[2x9x4]");
    check(Op::Concat { axis: 1 }, [&[2, 6]], "[2x6]");
    let off = "axis 2 has 4 and 5; expected equal extents off axis 1";
    check(Op::Concat { axis: 1 }, [&[2, 6, 4], &[2, 6, 5]], off);
    check(Op::Concat { axis: 1 }, [&[2, 6], &[2, 6, 5]], "2 and 3 axes; expected as many in each");
    check(Op::Concat { axis: 2 }, [&[2, 6]], "there is no axis 2 in [2x6]; expected one below 2");
}

#[test]
fn layout() {
    check(Op::Flatten { from: 1 }, [&[2, 6, 4, 4]], "[2x96]");
    check(Op::Flatten { from: 0 }, [&[2, 6]], "[12]");
    check(Op::Flatten { from: 2 }, [&[2, 6]], "there is no axis 2 in [2x6]; expected one below 2");
    check(Op::Transpose { perm: vec![0, 2, 3, 1] }, [&[2, 6, 4, 5]], "[2x4x5x6]");
    let twice = "permutation [0, 1, 1]; expected every axis below 3 once";
    check(Op::Transpose { perm: vec![0, 1, 1] }, [&[2, 6, 4]], twice);
    check(Op::Slice { axis: 1, start: 2, end: 6 }, [&[2, 6]], "[2x4]");
    let range = "elements 3..3 of 6; expected a non-empty range within them";
    check(Op::Slice { axis: 1, start: 3, end: 3 }, [&[2, 6]], range);
    let past = "elements 3..7 of 6; expected a non-empty range within them";
    check(Op::Slice { axis: 1, start: 3, end: 7 }, [&[2, 6]], past);
}

#[test]
fn reshape_fills_in_one_extent() {
    let image: [&[usize]; 1] = [&[2, 6, 4]];
    check(Op::Reshape { dims: vec![3, -1] }, image, "[2x3x8]");
    check(Op::Reshape { dims: vec![4, 6] }, image, "[2x4x6]");
    check(Op::Reshape { dims: vec![] }, [&[2, 1, 1]], "[2]");
    let misfit = "extents [5, -1] for 24 elements after the batch axis; expected as many";
    check(Op::Reshape { dims: vec![5, -1] }, image, misfit);
    let fewer = "extents [4, 3] for 24 elements after the batch axis; expected as many";
    check(Op::Reshape { dims: vec![4, 3] }, image, fewer);
    for bad in [vec![-1, -1], vec![0, 24], vec![-2, 12], vec![i64::MIN]] {
        let words = format!("extents {bad:?}; expected positive ones, and -1 at most once");
        check(Op::Reshape { dims: bad }, image, &words);
    }
}

#[test]
fn image_operations() {
    let image: [&[usize]; 1] = [&[2, 6, 4, 5]];
    check(Op::ChannelShuffle { groups: 3 }, image, "[2x6x4x5]");
    let divisor = "4 groups of 6 channels; expected a divisor of the channels";
    check(Op::ChannelShuffle { groups: 4 }, image, divisor);
    let none = "0 groups of 6 channels; expected a divisor of the channels";
    check(Op::ChannelShuffle { groups: 0 }, image, none);
    check(Op::Pad { padding: padding(1, 2, 3, 4), value: 0.0 }, image, "[2x6x8x11]");
    let nan = "the padding value is not a number; expected a number";
    check(Op::Pad { padding: padding(1, 2, 3, 4), value: f64::NAN }, image, nan);
    let resize = Op::Resize { height: 8, width: 9, mode: ResizeMode::Bilinear, align_corners: false };
    check(resize, image, "[2x6x8x9]");
}

/// No setting, however absurd, makes a rule panic or wrap round.
#[test]
fn hostile_settings_are_refused() {
    for huge in [usize::MAX, usize::MAX / 2 + 1, 1 << 41] {
        let everywhere = padding(huge, huge, huge, huge);
        let wide = Pool { padding: everywhere, ..pool(2, 1, 0, true) };
        let ops = [
            Op::Conv2d(Conv2d { kernel: [huge, huge], ..conv() }),
            Op::Conv2d(Conv2d { dilation: [huge, huge], ..conv() }),
            Op::Conv2d(Conv2d { out_channels: huge, ..conv() }),
            Op::Conv2d(Conv2d { padding: everywhere, ..conv() }),
            Op::Conv2d(Conv2d {
                padding: everywhere,
                kernel: [huge, huge],
                dilation: [huge, huge],
                ..conv()
            }),
            Op::MaxPool(Pool { kernel: [huge, huge], ..pool(2, 1, 0, true) }),
            Op::MaxPool(Pool { kernel: [huge, huge], ..wide.clone() }),
            Op::MaxPool(wide),
            Op::AdaptiveAvgPool { height: huge, width: 2 },
            Op::AdaptiveAvgPool { height: 2, width: 1 << 23 },
            Op::Linear { out_features: huge, bias: true, rows: None },
            Op::Scale { dims: vec![huge, huge] },
            Op::Flatten { from: huge },
            Op::Softmax { axis: i64::MAX },
            Op::Reshape { dims: vec![i64::MAX, i64::MAX] },
            Op::Transpose { perm: vec![huge] },
            Op::Slice { axis: huge, start: huge, end: huge },
            Op::Slice { axis: 1, start: 0, end: huge },
            Op::ChannelShuffle { groups: huge },
            Op::Pad { padding: everywhere, value: 0.0 },
            Op::Resize { height: huge, width: huge, mode: ResizeMode::Nearest, align_corners: true },
        ];
        let shape = Shape::from([1, 8, 4, 4]);
        for op in ops {
            let facts = Facts::of(&op, &Given { batch: 1, operands: &[&shape] });
            assert!(facts.is_err(), "{op:?} gave {facts:?}");
        }
    }
    let stride = Op::Conv2d(Conv2d { stride: [usize::MAX, usize::MAX], ..conv() });
    check(stride, [&[1, 8, 4, 4]], "[1x8x1x1]");
}

#[test]
fn rows_of_a_packed_matrix() {
    let linear = |start| Op::Linear { out_features: 4, bias: true, rows: Some(Rows { start, of: 12 }) };
    check(linear(8), [&[2, 5, 6]], "[2x5x4]");
    check(linear(9), [&[2, 5, 6]], "rows 9..13 of 12; expected rows within them");
    let shapes = [Shape(vec![2, 5, 6])];
    let operands = shapes.each_ref();
    let facts = Facts::of(&linear(4), &Given { batch: 2, operands: &operands }).unwrap();
    let params: Vec<_> = facts.params.iter().map(|p| format!("{}{}", p.suffix, p.shape)).collect();
    assert_eq!(params, ["_weight[12x6]", "_bias[12]"]);
}

#[test]
fn functions_of_one_number() {
    check(Op::Unary(Unary::Sin), [&[2, 5]], "[2x5]");
    check(Op::LeakyRelu { slope: 0.1 }, [&[2, 5]], "[2x5]");
    check(Op::LeakyRelu { slope: f64::NAN }, [&[2, 5]], "slope NaN; expected a finite number");
    let clamp = |low, high| Op::Clamp { low, high };
    check(clamp(Some(0.0), None), [&[2, 5]], "[2x5]");
    let none = "no finite limit; expected a least or a greatest result";
    check(clamp(None, None), [&[2, 5]], none);
    check(clamp(Some(0.0), Some(f64::INFINITY)), [&[2, 5]], none);
    check(clamp(Some(1.0), Some(0.0)), [&[2, 5]], "limits 1 and 0; expected the lower one first");
}

#[test]
fn reductions_keep_their_axes() {
    let reduce = |axes: &[usize]| Op::Reduce { reduction: Reduction::Mean, axes: axes.to_vec() };
    check(reduce(&[1]), [&[2, 6, 4, 5]], "[2x1x4x5]");
    check(reduce(&[2, 3]), [&[2, 6, 4, 5]], "[2x6x1x1]");
    check(reduce(&[4]), [&[2, 6, 4, 5]], "there is no axis 4 in [2x6x4x5]; expected one below 4");
    for wrong in [&[0][..], &[], &[2, 1], &[1, 1]] {
        let text = format!("axes {wrong:?}; expected ascending ones after the batch axis");
        check(reduce(wrong), [&[2, 6, 4, 5]], &text);
    }
}

#[test]
fn stored_tensors_serve_every_image() {
    let constant = |values: &[f32]| Op::Constant { dims: vec![2, 1], values: values.to_vec() };
    check(constant(&[1.0, 2.0]), [], "[1x2x1]");
    check(constant(&[1.0]), [], "1 numbers for [1x2x1]; expected as many as it has elements");
    let infinite = "a number is not finite; expected numbers of single precision";
    check(constant(&[1.0, f32::INFINITY]), [], infinite);
    check(Op::Trained { dims: vec![100, 256], frozen: true }, [], "[1x100x256]");
    check(Op::Add, [&[2, 3, 2, 4], &[1, 2, 1]], "[2x3x2x4]");
}

#[test]
fn rows_at_places() {
    check(Op::TopPlaces { count: 5 }, [&[2, 9]], "[2x5]");
    check(Op::TopPlaces { count: 10 }, [&[2, 9]], "the 10 greatest of 9; expected 1 to 9");
    check(Op::TopPlaces { count: 1 }, [&[9]], "an operand of 1 axes; expected the 2 of [batch, numbers]");
    check(Op::ArgMax, [&[2, 9]], "[2]");
    check(Op::ArgMax, [&[2, 9, 4, 5]], "[2x4x5]");
    check(Op::ArgMax, [&[2]], "expected [batch, numbers, ...]");
    check(Op::Rows, [&[2, 9, 4], &[2, 5]], "[2x5x4]");
    let misfit = "expected [batch, rows, ...] and places [batch, count]";
    check(Op::Rows, [&[2, 9, 4], &[1, 5]], misfit);
    check(Op::Rows, [&[2, 9, 4], &[5]], misfit);
    let kept = |iou| Op::Kept { count: 100, iou, score: 0.05 };
    check(kept(0.5), [&[1, 9, 4], &[1, 9]], "[1x100]");
    check(kept(1.5), [&[1, 9, 4], &[1, 9]], "overlap 1.5 and score 0.05; expected a share and a number");
    let one = "2 images; expected 1, because each keeps another number of boxes";
    check(kept(0.5), [&[2, 9, 4], &[2, 9]], one);
    check(kept(0.5), [&[1, 9, 5], &[1, 9]], "expected boxes [1, count, 4] and scores [1, count]");
    check(Op::Numbers, [&[2, 5]], "[2x5]");
    check(Op::GridSample { align_corners: false }, [&[2, 6, 9, 7], &[2, 3, 5, 2]], "[2x6x3x5]");
    let points = "points [2x3x5x3]; expected [2, rows, columns, 2]";
    check(Op::GridSample { align_corners: true }, [&[2, 6, 9, 7], &[2, 3, 5, 3]], points);
}
