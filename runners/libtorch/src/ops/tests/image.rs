use convwise_sdk::DType;

use crate::ops::testing::{Single, bytes, float, floats, int, ints, numbers, whole, word};

const IMAGE: &[usize] = &[2, 4, 7, 6];

#[test]
fn convolutions_are_those_of_the_built_in_runner() {
    let conv = || Single::of("Conv").given(numbers(IMAGE));
    conv().stored(numbers(&[5, 4, 3, 3])).is_as_rten();
    conv().stored(numbers(&[5, 4, 3, 3])).stored(numbers(&[5])).is_as_rten();
    conv().given(numbers(&[5, 4, 3, 3])).given(numbers(&[5])).is_as_rten();
    conv()
        .with(ints("pads", &[1, 2, 1, 2]))
        .with(ints("strides", &[2, 1]))
        .stored(numbers(&[5, 4, 3, 3]))
        .is_as_rten();
    conv()
        .with(ints("pads", &[0, 1, 2, 3]))
        .stored(numbers(&[5, 4, 3, 3]))
        .stored(numbers(&[5]))
        .is_as_rten();
    conv().with(ints("dilations", &[2, 2])).stored(numbers(&[5, 4, 3, 3])).is_as_rten();
    conv().with(int("group", 4)).stored(numbers(&[4, 1, 3, 3])).is_as_rten();
    conv().with(int("group", 2)).stored(numbers(&[6, 2, 3, 3])).stored(numbers(&[6])).is_as_rten();
    let same = conv().with(word("auto_pad", "SAME_UPPER")).with(ints("strides", &[2, 2]));
    same.stored(numbers(&[5, 4, 2, 4])).is_as_rten();
    let row = || {
        Single::of("Conv")
            .given(floats(&[1, 1, 3], &[1.0, 2.0, 3.0]))
            .stored(floats(&[1, 1, 2], &[1.0, 10.0]))
    };
    row().with(word("auto_pad", "SAME_UPPER")).is(&[21.0, 32.0, 3.0]);
    row().with(word("auto_pad", "VALID")).is(&[21.0, 32.0]);
    row().with(word("auto_pad", "SAME_LOWER")).is(&[10.0, 21.0, 32.0]);
    Single::of("Conv").given(numbers(&[1, 3, 9])).stored(numbers(&[2, 3, 4])).is_as_rten();
    Single::of("Conv")
        .given(floats(&[1, 1, 2, 1, 1], &[1.0, 2.0]))
        .stored(floats(&[1, 1, 2, 1, 1], &[3.0, 4.0]))
        .is(&[11.0]);
}

#[test]
fn transposed_convolutions() {
    let conv = || Single::of("ConvTranspose").given(numbers(IMAGE)).with(ints("strides", &[2, 2]));
    let weight = || numbers(&[4, 3, 3, 3]);
    conv().stored(weight()).stored(numbers(&[3])).is_as_rten();
    conv()
        .with(ints("pads", &[1, 1, 1, 1]))
        .with(ints("output_padding", &[1, 1]))
        .stored(weight())
        .is_as_rten();
    conv().with(ints("pads", &[0, 1, 1, 0])).stored(weight()).is_as_rten();
    conv().with(word("auto_pad", "SAME_UPPER")).stored(weight()).is_as_rten();
    // One row of ones under a window of ones, two rows of nothing but the bias after it.
    let single =
        Single::of("ConvTranspose").given(floats(&[1, 1, 2, 1], &[1.0, 1.0])).with(ints("strides", &[3, 1]));
    let padded = single
        .with(ints("output_padding", &[2, 0]))
        .stored(floats(&[1, 1, 1, 1], &[2.0]))
        .stored(floats(&[1], &[0.5]));
    padded.is(&[2.5, 0.5, 0.5, 2.5, 0.5, 0.5]);
    let stated =
        Single::of("ConvTranspose").given(floats(&[1, 1, 3], &[1.0, 2.0, 3.0])).with(ints("strides", &[2]));
    stated
        .with(ints("output_shape", &[6]))
        .stored(floats(&[1, 1, 3], &[1.0; 3]))
        .is(&[1.0, 3.0, 2.0, 5.0, 3.0, 3.0]);
}

/// Without offsets and with a mask of ones it is an ordinary convolution; offsets of whole pixels are a shifted one.
#[test]
fn deformed_convolutions() {
    let [n, c, h, w] = [1, 4, 6, 5];
    let image = numbers(&[n, c, h, w]);
    let settings = |single: Single| single.with(ints("pads", &[1, 1, 1, 1])).with(int("group", 2));
    let weight = numbers(&[4, 2, 3, 3]);
    let expect = settings(Single::of("Conv").given(image.clone()).stored(weight.clone())).values();
    let still = floats(&[1, 36, h, w], &vec![0.0; 36 * h * w]);
    let ones = floats(&[1, 18, h, w], &vec![1.0; 18 * h * w]);
    let deform = |offsets| {
        let single =
            Single::of("DeformConv").opset(19).given(image.clone()).stored(weight.clone()).given(offsets);
        settings(single).with(int("offset_group", 2))
    };
    deform(still.clone()).is(&expect);
    deform(still.clone()).left_out().given(ones).is(&expect);
    let halves = floats(&[1, 18, h, w], &vec![0.5; 18 * h * w]);
    let halved: Vec<f64> = expect.iter().map(|value| value / 2.0 + 1.0).collect();
    deform(still).stored(floats(&[4], &[1.0; 4])).given(halves).is(&halved);
    // One row down: the result of the row below.
    let down: Vec<f32> =
        (0..36).flat_map(|channel| vec![if channel % 2 == 0 { 1.0 } else { 0.0 }; h * w]).collect();
    let moved = deform(floats(&[1, 36, h, w], &down)).values();
    for channel in 0..4 {
        let at = |row: usize| channel * h * w + row * w;
        crate::ops::testing::assert_near(&moved[at(0)..at(h - 2)], &expect[at(1)..at(h - 1)], &channel);
    }
    // Half a pixel to the right: the mean of two.
    let pixel = Single::of("DeformConv")
        .opset(19)
        .given(floats(&[1, 1, 1, 3], &[1.0, 3.0, 7.0]))
        .stored(floats(&[1, 1, 1, 1], &[1.0]));
    pixel.given(floats(&[1, 2, 1, 3], &[0.0, 0.0, 0.0, 0.5, 0.5, 0.5])).is(&[2.0, 5.0, 3.5]);
}

#[test]
fn pools_are_those_of_the_built_in_runner() {
    for operator in ["MaxPool", "AveragePool"] {
        let pool = || Single::of(operator).given(numbers(IMAGE)).with(ints("kernel_shape", &[3, 3]));
        pool().is_as_rten();
        pool().with(ints("strides", &[2, 2])).with(ints("pads", &[1, 1, 1, 1])).is_as_rten();
        pool().with(ints("strides", &[2, 1])).with(ints("pads", &[0, 0, 1, 2])).is_as_rten();
        pool().with(ints("pads", &[2, 2, 2, 2])).is_as_rten();
        pool().with(word("auto_pad", "SAME_UPPER")).with(ints("strides", &[2, 2])).is_as_rten();
        Single::of(operator).given(numbers(&[1, 2, 9])).with(ints("kernel_shape", &[2])).is_as_rten();
    }
    let counted = Single::of("AveragePool").given(numbers(IMAGE)).with(ints("kernel_shape", &[3, 3]));
    let counted = counted.with(int("count_include_pad", 1));
    counted.clone().with(ints("pads", &[1, 1, 1, 1])).is_as_rten();
    counted.with(ints("pads", &[0, 0, 1, 1])).is_as_rten();
    for operator in ["GlobalAveragePool", "GlobalMaxPool"] {
        Single::of(operator).given(numbers(IMAGE)).is_as_rten();
        Single::of(operator).given(floats(&[1, 1, 3], &[2.0, 2.0, 2.0])).is(&[2.0]);
    }
}

#[test]
fn windows_may_end_past_the_image_and_have_gaps() {
    let row = || floats(&[1, 1, 1, 5], &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let pool = |operator: &str| {
        Single::of(operator).given(row()).with(ints("kernel_shape", &[1, 2])).with(ints("strides", &[1, 2]))
    };
    pool("MaxPool").with(int("ceil_mode", 1)).is(&[2.0, 4.0, 5.0]);
    pool("AveragePool").with(int("ceil_mode", 1)).is(&[1.5, 3.5, 5.0]);
    pool("MaxPool").with(ints("dilations", &[1, 3])).is(&[4.0]);
    let places = pool("MaxPool").gives(&[DType::F32, DType::I64]).run().unwrap();
    assert_eq!(crate::ops::testing::values(&places[1]), [1.0, 3.0]);
    let planes = Single::of("MaxPool")
        .gives(&[DType::F32, DType::I64])
        .given(floats(&[1, 2, 1, 2], &[1.0, 2.0, 4.0, 3.0]));
    let planes = planes.with(ints("kernel_shape", &[1, 2])).run().unwrap();
    assert_eq!(crate::ops::testing::values(&planes[1]), [1.0, 2.0]);
}

#[test]
fn padding() {
    let pads = || whole(&[8], &[0, 0, 1, 2, 0, 0, 2, 1]);
    for mode in ["constant", "reflect", "edge"] {
        Single::of("Pad").with(word("mode", mode)).given(numbers(IMAGE)).stored(pads()).is_as_rten();
    }
    let row = || floats(&[1, 3], &[1.0, 2.0, 3.0]);
    let valued = Single::of("Pad").given(row()).stored(whole(&[4], &[0, 1, 0, 1]));
    valued.clone().stored(floats(&[], &[9.0])).is(&[9.0, 1.0, 2.0, 3.0, 9.0]);
    valued.given(floats(&[], &[8.0])).is(&[8.0, 1.0, 2.0, 3.0, 8.0]);
    Single::of("Pad").given(row()).stored(whole(&[4], &[0, -1, 0, 1])).is(&[2.0, 3.0, 0.0]);
    Single::of("Pad")
        .given(row())
        .stored(whole(&[2], &[1, 0]))
        .left_out()
        .stored(whole(&[1], &[-1]))
        .is(&[0.0, 1.0, 2.0, 3.0]);
    Single::of("Pad").given(row()).given(whole(&[4], &[0, 1, 0, 0])).is(&[0.0, 1.0, 2.0, 3.0]);
    let wrap = Single::of("Pad").opset(19).with(word("mode", "wrap")).given(row());
    wrap.stored(whole(&[4], &[0, 1, 0, 2])).is(&[3.0, 1.0, 2.0, 3.0, 1.0, 2.0]);
    Single::of("Pad")
        .opset(10)
        .with(ints("pads", &[0, 0, 0, 1]))
        .with(float("value", 4.0))
        .given(row())
        .is(&[1.0, 2.0, 3.0, 4.0]);
}

fn resize(coordinates: &str, mode: &str) -> Single {
    Single::of("Resize").with(word("coordinate_transformation_mode", coordinates)).with(word("mode", mode))
}

#[test]
fn resizing_as_the_built_in_runner() {
    for coordinates in ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"] {
        for (h, w) in [(14, 12), (10, 9), (4, 13)] {
            let sized = |mode| resize(coordinates, mode).given(numbers(IMAGE)).left_out().left_out();
            let extents = || whole(&[4], &[2, 4, h, w]);
            sized("linear").stored(extents()).is_as_rten();
            for nearest in ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"] {
                sized("nearest").with(word("nearest_mode", nearest)).stored(extents()).is_as_rten();
            }
        }
        let scaled = |mode| {
            resize(coordinates, mode)
                .given(numbers(IMAGE))
                .left_out()
                .stored(floats(&[4], &[1.0, 1.0, 2.0, 1.5]))
        };
        scaled("linear").is_as_rten();
        scaled("nearest").with(word("nearest_mode", "floor")).is_as_rten();
    }
}

#[test]
fn resizing_by_its_definition() {
    let row = || floats(&[1, 1, 1, 4], &[1.0, 2.0, 3.0, 4.0]);
    let to = |single: Single, width: i64| {
        single.given(row()).left_out().left_out().stored(whole(&[4], &[1, 1, 1, width]))
    };
    let cubic = |coordinates| to(resize(coordinates, "cubic"), 8);
    // Shares at a quarter and three quarters of Keys' cubic with -0.75.
    let [far, near, opposite, last] = [-0.105_468_75, 0.878_906_25, 0.261_718_75, -0.035_156_25];
    let at = |a: f64, b: f64, c: f64, d: f64| far * a + near * b + opposite * c + last * d;
    let second = at(3.0, 2.0, 1.0, 1.0);
    assert!((cubic("half_pixel").values()[2] - second).abs() < 1e-5);
    // At the left edge, a quarter before the first element: two of four neighbours are outside.
    let excluded = to(resize("half_pixel", "cubic").with(int("exclude_outside", 1)), 8).values();
    let edge = (near * 1.0 + far * 2.0) / (near + far);
    assert!((excluded[0] - edge).abs() < 1e-5, "{excluded:?} {edge}");
    // Shrunk to half with smoothing, every element covers four old ones.
    let smooth = to(resize("half_pixel", "linear").with(int("antialias", 1)), 2).values();
    let first = (0.25 * 1.0 + 0.75 * 1.0 + 0.75 * 2.0 + 0.25 * 3.0) / 2.0;
    crate::ops::testing::assert_near(&smooth, &[first, 5.0 - first], &"smooth");
    to(resize("half_pixel_symmetric", "linear"), 8).is(&to(resize("half_pixel", "linear"), 8).values());
    let kept = resize("half_pixel", "nearest")
        .with(word("keep_aspect_ratio_policy", "not_larger"))
        .with(ints("axes", &[2, 3]));
    let kept =
        kept.given(numbers(&[1, 1, 2, 4])).left_out().left_out().stored(whole(&[2], &[4, 4])).run().unwrap();
    assert_eq!(kept[0].shape(), [1, 1, 2, 4]);
    let old = Single::of("Upsample")
        .opset(9)
        .with(word("mode", "nearest"))
        .given(floats(&[1, 1, 1, 2], &[1.0, 2.0]));
    old.stored(floats(&[4], &[1.0, 1.0, 1.0, 2.0])).is(&[1.0, 1.0, 2.0, 2.0]);
    let older = Single::of("Resize")
        .opset(10)
        .with(word("mode", "nearest"))
        .given(floats(&[1, 1, 1, 2], &[1.0, 2.0]));
    older.stored(floats(&[4], &[1.0, 1.0, 1.0, 3.0])).is(&[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
}

#[test]
fn sampling_at_places() {
    for align in [0, 1] {
        let sample = Single::of("GridSample")
            .opset(16)
            .with(int("align_corners", align))
            .with(word("mode", "bilinear"));
        sample.given(numbers(IMAGE)).given(numbers(&[2, 3, 5, 2])).is_as_rten();
    }
    let nearest =
        Single::of("GridSample").opset(20).with(word("mode", "nearest")).with(word("padding_mode", "border"));
    nearest
        .given(floats(&[1, 1, 1, 2], &[1.0, 2.0]))
        .given(floats(&[1, 1, 2, 2], &[-3.0, 0.0, 0.6, 0.0]))
        .is(&[1.0, 2.0]);
}

#[test]
fn bytes_are_images_too() {
    let pool = Single::of("MaxPool").opset(12).gives(&[DType::U8]).with(ints("kernel_shape", &[1, 2]));
    pool.given(bytes(DType::U8, &[1, 1, 1, 3], &[3, 200, 7])).is(&[200.0, 200.0]);
}
