use convwise_sdk::DType;

use crate::ops::testing::{Single, float, floats, int, numbers, whole, word};

#[test]
fn overlapping_boxes_are_suppressed() {
    let boxes = || {
        let corners = [
            [0.0, 0.0, 1.0, 1.0],
            [0.0, 0.1, 1.0, 1.1],
            [0.0, -0.1, 1.0, 0.9],
            [0.0, 10.0, 1.0, 11.0],
            [0.0, 10.1, 1.0, 11.1],
            [0.0, 100.0, 1.0, 101.0],
        ];
        floats(&[1, 6, 4], corners.as_flattened())
    };
    let scores = || floats(&[1, 1, 6], &[0.9, 0.75, 0.6, 0.95, 0.5, 0.3]);
    let suppress = |count: i64, overlap: f32, score: f32| {
        let single = Single::of("NonMaxSuppression").gives(&[DType::I64]).given(boxes()).given(scores());
        single.stored(whole(&[1], &[count])).stored(floats(&[1], &[overlap])).stored(floats(&[1], &[score]))
    };
    // The example of the standard.
    suppress(3, 0.5, 0.0).is(&[0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0]);
    suppress(2, 0.5, 0.0).is(&[0.0, 0.0, 3.0, 0.0, 0.0, 0.0]);
    suppress(3, 0.5, 0.4).is(&[0.0, 0.0, 3.0, 0.0, 0.0, 0.0]);
    let every = [3.0, 0.0, 1.0, 2.0, 4.0, 5.0].map(|best| [0.0, 0.0, best]);
    suppress(9, 1.0, 0.0).is(every.as_flattened());
    let none = Single::of("NonMaxSuppression").gives(&[DType::I64]).given(boxes()).given(scores());
    assert_eq!(none.run().unwrap()[0].shape(), [0, 3]);
}

#[test]
fn regions_are_resampled() {
    let image = || floats(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let align = |mode: &str, region: &[f32; 4]| {
        let single = Single::of("RoiAlign")
            .with(word("coordinate_transformation_mode", mode))
            .with(int("sampling_ratio", 1));
        single.given(image()).given(floats(&[1, 4], region)).given(whole(&[1], &[0]))
    };
    // The one sample lies between all four pixels.
    align("half_pixel", &[0.0, 0.0, 2.0, 2.0]).is(&[2.5]);
    align("output_half_pixel", &[0.0, 0.0, 1.0, 1.0]).is(&[2.5]);
    // Of the four pixels, each weighted by a quarter, the largest.
    align("half_pixel", &[0.0, 0.0, 2.0, 2.0]).with(word("mode", "max")).is(&[1.0]);
    let scaled = Single::of("RoiAlign")
        .with(float("spatial_scale", 0.5))
        .with(int("output_height", 2))
        .with(int("output_width", 2));
    let scaled = scaled.given(image()).given(floats(&[1, 4], &[0.0, 0.0, 4.0, 4.0])).given(whole(&[1], &[0]));
    scaled.is(&[1.0, 2.0, 3.0, 4.0]);
    let two = Single::of("RoiAlign")
        .given(numbers(&[2, 3, 5, 5]))
        .given(floats(&[0, 4], &[]))
        .given(whole(&[0], &[]));
    assert_eq!(two.run().unwrap()[0].shape(), [0, 3, 1, 1]);
}
