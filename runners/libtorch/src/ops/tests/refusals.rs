//! Models that are not run, and the words for it.

use convwise_onnx::proto::{GraphProto, ModelProto};
use convwise_sdk::{DType, ErrorCode, Options, Runner, Tensor};

use crate::Libtorch;
use crate::ops::testing::{
    Single, floats, int, ints, model, node, numbers, run, run_file, stored, value, whole, word,
};

#[test]
fn what_is_not_there_is_named_with_node_and_operator() {
    let refused = Single::of("Frobnicate").given(numbers(&[1])).refused();
    assert_eq!(
        refused,
        "not supported: node the_node (Frobnicate, opset 18): this runner has no operator Frobnicate"
    );
    for hidden in ["Silu", "Linear"] {
        assert!(Single::of(hidden).given(numbers(&[1])).refused().contains("has no operator"), "{hidden}");
    }
    let mut foreign = node("Relu", &["x"], "y0");
    foreign.domain = Some("com.example".into());
    let model = model(17, vec![foreign], vec![], vec![value("x", DType::F32, Some(&[1]))], &[DType::F32]);
    let error = run(&Libtorch, &model, &[numbers(&[1])], &[]).unwrap_err();
    assert!(error.message.ends_with("this runner has no operator Relu of com.example"), "{error}");
}

#[test]
fn settings_that_cannot_be_had_are_refused() {
    let check = |single: Single, code: ErrorCode, words: &str| {
        let error = single.run().unwrap_err();
        assert!(error.code == code && error.message.contains(words), "{error}");
        assert!(error.message.starts_with("node the_node ("), "{error}");
    };
    let image = || numbers(&[1, 1, 4, 4]);
    let weight = || numbers(&[1, 1, 3, 3]);
    let conv = || Single::of("Conv").given(image()).stored(weight());
    check(conv().with(int("group", 0)), ErrorCode::Model, "0 groups");
    check(conv().with(ints("strides", &[0, 1])), ErrorCode::Model, "strides");
    check(conv().with(ints("pads", &[-1, 0, 0, 0])), ErrorCode::Model, "pads");
    check(conv().with(ints("pads", &[1 << 40, 0, 0, 0])), ErrorCode::Model, "is asked for");
    check(conv().with(word("auto_pad", "NEVER")), ErrorCode::Model, "NEVER");
    check(conv().with(ints("dilations", &[1])), ErrorCode::Model, "not for 2 axes");
    check(
        Single::of("Conv").given(image()).stored(numbers(&[1, 2, 3, 3])),
        ErrorCode::Model,
        "libtorch refuses",
    );
    check(Single::of("MaxPool").given(image()), ErrorCode::Model, "kernel_shape");
    let resize =
        |mode: &str| Single::of("Resize").with(word("coordinate_transformation_mode", mode)).given(image());
    check(resize("tf_crop_and_resize"), ErrorCode::Unsupported, "tf_crop_and_resize");
    check(resize("half_pixel"), ErrorCode::Model, "neither factors nor extents");
    let huge = resize("half_pixel").left_out().stored(floats(&[4], &[1.0, 1.0, 1e9, 1e9]));
    check(huge, ErrorCode::Model, "is asked for");
    let expand = Single::of("Expand").given(numbers(&[1])).stored(whole(&[2], &[1 << 40, 1 << 40]));
    check(expand, ErrorCode::Model, "is asked for");
    check(
        Single::of("Tile").given(numbers(&[2])).stored(whole(&[1], &[i64::MAX])),
        ErrorCode::Model,
        "is asked for",
    );
    let shape = Single::of("ConstantOfShape").stored(whole(&[1], &[1 << 50]));
    check(shape, ErrorCode::Model, "is asked for");
    let range = Single::of("Range")
        .stored(floats(&[], &[0.0]))
        .stored(floats(&[], &[1.0]))
        .stored(floats(&[], &[0.0]));
    check(range, ErrorCode::Model, "no step of 0");
    check(
        Single::of("Squeeze").given(numbers(&[2])).stored(whole(&[1], &[0])),
        ErrorCode::Model,
        "cannot be left out",
    );
    check(Single::of("Softmax").with(int("axis", 7)).given(numbers(&[2])), ErrorCode::Model, "no axis 7");
    check(Single::of("Split").with(int("num_outputs", 0)).given(numbers(&[2])), ErrorCode::Model, "no parts");
    check(Single::of("Relu"), ErrorCode::Model, "operand 0 is missing");
    let training = Single::of("BatchNormalization").with(int("training_mode", 1)).given(image());
    check(training, ErrorCode::Unsupported, "training_mode is 1");
    let blocks =
        Single::of("DequantizeLinear").with(int("block_size", 2)).given(numbers(&[2])).stored(numbers(&[1]));
    check(blocks, ErrorCode::Unsupported, "block_size is 2");
}

fn broken(change: impl FnOnce(&mut GraphProto)) -> String {
    let mut broken = model(
        17,
        vec![node("Relu", &["x"], "y0")],
        vec![],
        vec![value("x", DType::F32, Some(&[1]))],
        &[DType::F32],
    );
    change(broken.graph.as_mut().unwrap());
    run(&Libtorch, &broken, &[numbers(&[1])], &[]).unwrap_err().to_string()
}

#[test]
fn graphs_that_contradict_themselves_are_refused() {
    let check = |change: fn(&mut GraphProto), words: &str| {
        let said = broken(change);
        assert!(said.contains(words), "{said}");
    };
    check(|g| g.node[0].input[0] = "y0".into(), "it reads y0, which nothing before it computes");
    check(|g| g.node.push(node("Relu", &["x"], "y0")), "two values of the model are called y0");
    check(|g| g.node.clear(), "nothing computes the output y0");
    check(|g| g.input[0].r#type = None, "x is no tensor");
    check(|g| g.input.push(value("x", DType::F32, Some(&[1]))), "two values of the model are called x");
    check(
        |g| g.initializer = vec![stored("w", &numbers(&[1])), stored("w", &numbers(&[1]))],
        "two stored tensors w",
    );
    check(
        |g| {
            g.initializer = vec![{
                let mut w = stored("w", &numbers(&[2]));
                w.dims = vec![3];
                w
            }]
        },
        "tensor w: it holds 8 bytes",
    );
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let whole = convwise_onnx::encode_model(&model(
        17,
        vec![node("Relu", &["x"], "y0")],
        vec![stored("w", &numbers(&[9]))],
        vec![value("x", DType::F32, Some(&[1]))],
        &[DType::F32],
    ));
    let load = || run_file(&Libtorch, &path, &[], &[]).unwrap_err();
    assert_eq!(load().code, ErrorCode::Model);
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(
            matches!(load().code, ErrorCode::Model | ErrorCode::State | ErrorCode::Unsupported),
            "{length}"
        );
    }
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 0x55;
        std::fs::write(&path, &bent).unwrap();
        let _ = run_file(&Libtorch, &path, &[numbers(&[1])], &[]);
    }
    let empty = ModelProto::default();
    assert_eq!(run(&Libtorch, &empty, &[], &[]).unwrap_err().code, ErrorCode::Model);
}

#[test]
fn sessions_say_what_is_missing() {
    let _alone = crate::ops::testing::alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let model = model(
        17,
        vec![node("Relu", &["x"], "y0")],
        vec![],
        vec![value("x", DType::F32, Some(&[2]))],
        &[DType::F32],
    );
    std::fs::write(&path, convwise_onnx::encode_model(&model)).unwrap();
    let mut session = Libtorch.load(&path, &Options::default()).unwrap();
    assert_eq!(session.run().unwrap_err().to_string(), "called too early: input x is not set");
    let wrong = |tensor: Tensor| tensor;
    assert_eq!(session.set_input(0, wrong(numbers(&[3])).view()).unwrap_err().code, ErrorCode::Invalid);
    assert_eq!(session.set_input(0, whole(&[2], &[1, 2]).view()).unwrap_err().code, ErrorCode::Invalid);
    assert_eq!(session.set_input(1, numbers(&[2]).view()).unwrap_err().code, ErrorCode::Invalid);
    session.set_input(0, floats(&[2], &[-1.0, 1.0]).view()).unwrap();
    assert_eq!(session.output(0).unwrap_err().code, ErrorCode::State);
    session.run().unwrap();
    assert_eq!(session.output(1).unwrap_err().code, ErrorCode::Invalid);
    session.set_input(0, floats(&[2], &[-1.0, 2.0]).view()).unwrap();
    assert_eq!(session.output(0).unwrap_err().code, ErrorCode::State, "a new input ends the outputs");
    session.run().unwrap();
    assert_eq!(session.output(0).unwrap().to_f32().unwrap(), [0.0, 2.0]);
    let profile = session.profile(3).unwrap();
    let layers: Vec<_> =
        profile.layers.iter().map(|layer| (layer.node.as_str(), layer.op.as_str())).collect();
    assert_eq!((profile.runs, layers), (3, vec![("y0", "Relu")]));
    assert_eq!(session.output(0).unwrap_err().code, ErrorCode::State, "a profile ends the outputs");
}
