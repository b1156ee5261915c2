use convwise_sdk::DType;

use crate::ops::testing::{Single, bytes, floats, int, ints, numbers, values, whole, word};

const X: &[usize] = &[2, 3, 4, 5];

fn shape_of(single: &Single) -> Vec<usize> {
    single.run().unwrap()[0].shape().to_vec()
}

#[test]
fn shapes() {
    let reshape =
        |shape: &[i64]| Single::of("Reshape").given(numbers(X)).stored(whole(&[shape.len()], shape));
    assert_eq!(shape_of(&reshape(&[0, -1])), [2, 60]);
    assert_eq!(shape_of(&reshape(&[4, 0, 10])), [4, 3, 10]);
    let empty =
        Single::of("Reshape").with(int("allowzero", 1)).given(numbers(&[0, 3])).stored(whole(&[2], &[3, 0]));
    assert_eq!(shape_of(&empty), [3, 0]);
    assert_eq!(shape_of(&Single::of("Reshape").given(numbers(X)).given(whole(&[1], &[-1]))), [120]);
    assert_eq!(shape_of(&Single::of("Flatten").given(numbers(X))), [2, 60]);
    assert_eq!(shape_of(&Single::of("Flatten").with(int("axis", 0)).given(numbers(X))), [1, 120]);
    assert_eq!(shape_of(&Single::of("Flatten").with(int("axis", -1)).given(numbers(X))), [24, 5]);
    assert_eq!(shape_of(&Single::of("Squeeze").given(numbers(&[1, 3, 1]))), [3]);
    assert_eq!(
        shape_of(&Single::of("Squeeze").given(numbers(&[1, 3, 1])).stored(whole(&[1], &[-1]))),
        [1, 3]
    );
    assert_eq!(
        shape_of(&Single::of("Squeeze").opset(11).with(ints("axes", &[0])).given(numbers(&[1, 3, 1]))),
        [3, 1]
    );
    assert_eq!(
        shape_of(&Single::of("Unsqueeze").given(numbers(&[3])).stored(whole(&[2], &[0, -1]))),
        [1, 3, 1]
    );
    assert_eq!(
        shape_of(&Single::of("Unsqueeze").opset(11).with(ints("axes", &[1])).given(numbers(&[3]))),
        [3, 1]
    );
    Single::of("Transpose").given(numbers(X)).is_as_rten();
    Single::of("Transpose").with(ints("perm", &[0, 2, 3, 1])).given(numbers(X)).is_as_rten();
    Single::of("Expand").given(numbers(&[3, 1])).stored(whole(&[3], &[2, 1, 4])).is_as_rten();
    Single::of("Tile").given(numbers(&[2, 3])).stored(whole(&[2], &[2, 3])).is_as_rten();
}

#[test]
fn extents_as_numbers() {
    let shape = || Single::of("Shape").gives(&[DType::I64]).given(numbers(X));
    shape().is(&[2.0, 3.0, 4.0, 5.0]);
    shape().with(int("start", 1)).with(int("end", -1)).is(&[3.0, 4.0]);
    Single::of("Size").gives(&[DType::I64]).given(numbers(X)).is(&[120.0]);
}

#[test]
fn depth_and_space() {
    for mode in ["DCR", "CRD"] {
        Single::of("DepthToSpace")
            .with(int("blocksize", 2))
            .with(word("mode", mode))
            .given(numbers(&[1, 8, 2, 3]))
            .is_as_rten();
    }
    let back = Single::of("SpaceToDepth")
        .with(int("blocksize", 2))
        .given(floats(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]));
    back.is(&[1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn parts_of_axes() {
    let slice = |starts: &[i64], ends: &[i64], axes: &[i64], steps: &[i64]| {
        let list = |values: &[i64]| whole(&[values.len()], values);
        Single::of("Slice")
            .given(numbers(X))
            .stored(list(starts))
            .stored(list(ends))
            .stored(list(axes))
            .stored(list(steps))
    };
    slice(&[1, -3], &[3, i64::MAX], &[1, 3], &[1, 2]).is_as_rten();
    slice(&[-1], &[i64::MIN], &[2], &[-1]).is_as_rten();
    slice(&[3], &[0], &[3], &[-2]).is_as_rten();
    Single::of("Slice")
        .given(floats(&[3], &[1.0, 2.0, 3.0]))
        .given(whole(&[1], &[1]))
        .given(whole(&[1], &[9]))
        .is(&[2.0, 3.0]);
    let old = Single::of("Slice")
        .opset(9)
        .with(ints("starts", &[0]))
        .with(ints("ends", &[-1]))
        .with(ints("axes", &[0]));
    old.given(floats(&[3], &[1.0, 2.0, 3.0])).is(&[1.0, 2.0]);
    let split = |single: Single| single.run().unwrap().iter().map(values).collect::<Vec<_>>();
    let row = || floats(&[5], &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let two = || Single::of("Split").gives(&[DType::F32; 2]);
    let uneven = [vec![1.0], vec![2.0, 3.0, 4.0, 5.0]];
    assert_eq!(split(two().given(row()).stored(whole(&[2], &[1, 4]))), uneven);
    assert_eq!(split(two().opset(11).with(ints("split", &[1, 4])).given(row())), uneven);
    assert_eq!(split(two().with(int("num_outputs", 2)).given(row())), [vec![1.0, 2.0, 3.0], vec![4.0, 5.0]]);
    Single::of("Concat").with(int("axis", -1)).given(numbers(X)).stored(numbers(&[2, 3, 4, 2])).is_as_rten();
}

#[test]
fn elements_by_index() {
    Single::of("Gather")
        .with(int("axis", 1))
        .given(numbers(X))
        .stored(whole(&[2, 2], &[0, 2, -1, 1]))
        .is_as_rten();
    Single::of("Gather").with(int("axis", 2)).given(numbers(X)).stored(whole(&[], &[-1])).is_as_rten();
    Single::of("GatherElements")
        .with(int("axis", 1))
        .given(numbers(&[2, 3]))
        .stored(whole(&[2, 2], &[0, -1, 2, 1]))
        .is_as_rten();
    Single::of("GatherND").given(numbers(&[2, 3, 4])).stored(whole(&[2, 2], &[0, 1, 1, 2])).is_as_rten();
    let shared =
        Single::of("GatherND").with(int("batch_dims", 1)).given(floats(&[2, 2], &[1.0, 2.0, 3.0, 4.0]));
    shared.stored(whole(&[2, 1], &[1, 0])).is(&[2.0, 3.0]);
    let hot = Single::of("OneHot")
        .given(whole(&[2], &[1, -1]))
        .stored(whole(&[], &[3]))
        .stored(floats(&[2], &[0.0, 5.0]));
    hot.is(&[0.0, 5.0, 0.0, 0.0, 0.0, 5.0]);
    let kept = Single::of("Compress").with(int("axis", 0)).given(floats(&[3], &[1.0, 2.0, 3.0]));
    kept.given(bytes(DType::Bool, &[3], &[1, 0, 1])).is(&[1.0, 3.0]);
    let places = Single::of("NonZero").gives(&[DType::I64]).given(floats(&[2, 2], &[1.0, 0.0, 0.0, 2.0]));
    places.is(&[0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn elements_are_written_by_index() {
    let scatter = |how: &str| {
        let single =
            Single::of("ScatterElements").with(word("reduction", how)).given(floats(&[3], &[1.0, 2.0, 3.0]));
        single.stored(whole(&[2], &[1, -1])).stored(floats(&[2], &[5.0, 1.0]))
    };
    scatter("none").is(&[1.0, 5.0, 1.0]);
    scatter("add").is(&[1.0, 7.0, 4.0]);
    scatter("mul").is(&[1.0, 10.0, 3.0]);
    scatter("max").is(&[1.0, 5.0, 3.0]);
    scatter("min").is(&[1.0, 2.0, 1.0]);
    let rows = |how: &str| {
        let single = Single::of("ScatterND")
            .with(word("reduction", how))
            .given(floats(&[2, 2], &[1.0, 2.0, 3.0, 4.0]));
        single.stored(whole(&[1, 1], &[1])).stored(floats(&[1, 2], &[5.0, 1.0]))
    };
    rows("none").is(&[1.0, 2.0, 5.0, 1.0]);
    rows("add").is(&[1.0, 2.0, 8.0, 5.0]);
    rows("max").is(&[1.0, 2.0, 5.0, 4.0]);
    let deep = Single::of("ScatterND").given(numbers(&[2, 3, 4])).stored(whole(&[2, 2], &[0, 1, 1, 2]));
    deep.stored(numbers(&[2, 4])).is_as_rten();
}

#[test]
fn the_largest_elements_come_first_and_equal_ones_in_order() {
    let top = |largest: i64, values: &[f32]| {
        let single = Single::of("TopK").gives(&[DType::F32, DType::I64]).with(int("largest", largest));
        single.given(floats(&[values.len()], values)).stored(whole(&[1], &[2])).run().unwrap()
    };
    let found = top(1, &[1.0, 3.0, 2.0, 3.0]);
    assert_eq!((values(&found[0]), values(&found[1])), (vec![3.0, 3.0], vec![1.0, 3.0]));
    let found = top(0, &[1.0, 0.0, 2.0, 0.0]);
    assert_eq!((values(&found[0]), values(&found[1])), (vec![0.0, 0.0], vec![1.0, 3.0]));
}

#[test]
fn tensors_of_nothing_but_numbers() {
    let filled = Single::of("ConstantOfShape").given(whole(&[2], &[2, 1]));
    filled.is(&[0.0, 0.0]);
    let range = |a: f32, b: f32, step: f32| {
        Single::of("Range").given(floats(&[], &[a])).given(floats(&[], &[b])).given(floats(&[], &[step]))
    };
    range(1.0, 2.0, 0.5).is(&[1.0, 1.5]);
    range(3.0, 0.0, -2.0).is(&[3.0, 1.0]);
    Single::of("EyeLike").with(int("k", 1)).given(numbers(&[2, 3])).is(&[0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let square = || floats(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    Single::of("Trilu").given(square()).is(&[1.0, 2.0, 0.0, 4.0]);
    Single::of("Trilu")
        .with(int("upper", 0))
        .given(square())
        .stored(whole(&[], &[-1]))
        .is(&[0.0, 0.0, 3.0, 0.0]);
}
