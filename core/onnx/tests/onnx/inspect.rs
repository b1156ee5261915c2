//! Looking into files that may be anything.

use convwise_onnx::{Batch, ExportOptions, Seeded, export, inspect, inspect_file};

use crate::nets;

fn sound(batch: Batch) -> Vec<u8> {
    let options = ExportOptions { batch, ..ExportOptions::default() };
    export(&nets::residual(), &Seeded(0), &options).unwrap().to_bytes()
}

/// A field of bytes in a protobuf message.
fn field(number: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 128 && number < 16, "one byte each");
    [&[number << 3 | 2, payload.len() as u8][..], payload].concat()
}

#[test]
fn tells_what_a_model_takes_and_gives() {
    let info = inspect(&sound(Batch::Dynamic)).unwrap();
    insta::assert_compact_debug_snapshot!(info, @r#"ModelInfo { inputs: [TensorInfo { name: "input", element_type: Some(1), dims: Some([None, Some(3), Some(12), Some(12)]) }], outputs: [TensorInfo { name: "logits", element_type: Some(1), dims: Some([None, Some(5)]) }], opset: 17, nodes: 12, initialisers_bytes: 6493 }"#);
}

#[test]
fn a_file_is_like_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, sound(Batch::Fixed(2))).unwrap();
    assert_eq!(inspect_file(&path).unwrap(), inspect(&sound(Batch::Fixed(2))).unwrap());
}

/// Format versions before 4 list stored tensors among the inputs.
#[test]
fn stored_tensors_are_no_inputs() {
    let input = |name: &[u8]| field(11, &field(1, name));
    let output = field(12, &field(1, b"y"));
    let graph = [input(b"x"), input(b"w"), field(5, &field(8, b"w")), output].concat();
    let info = inspect(&field(7, &graph)).unwrap();
    let names: Vec<_> = info.inputs.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["x"]);
    assert_eq!(info.inputs[0].dims, None, "nothing is said about its type");
}

#[test]
fn what_is_no_model_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |bytes: &[u8]| {
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, bytes).unwrap();
        let error = inspect_file(&path).expect_err("it must be refused").to_string();
        error.replace(&folder.path().display().to_string(), "DIR")
    };
    let sound = sound(Batch::Fixed(1));
    let refusals = [
        ("empty", refused(b"")),
        ("text", refused(b"# this is a README")),
        ("cut", refused(&sound[..sound.len() / 2])),
        ("no graph", refused(&[0x08, 0x08])),
        ("no output", refused(&field(7, &field(2, b"net")))),
        ("endless length", refused(&[0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])),
        ("bad input", refused(&field(7, &field(11, &[0x0A, 0x7F])))),
        ("many outputs", refused(&many_outputs())),
    ];
    let text: Vec<_> = refusals.iter().map(|(what, words)| format!("{what}: {words}")).collect();
    insta::assert_snapshot!("inspect-refusals", text.join("\n"));
    let error = inspect_file(folder.path().join("none.onnx")).expect_err("there is no such file").to_string();
    assert!(error.contains("none.onnx") && error.starts_with("cannot read"), "{error}");
}

/// A megabyte of empty outputs.
fn many_outputs() -> Vec<u8> {
    let graph: Vec<u8> = [0x62, 0x00].repeat(1 << 19);
    let length = [0x3A, 0x80, 0x80, 0x40];
    [&length[..], &graph].concat()
}

#[test]
fn damaged_models_never_panic() {
    let sound = sound(Batch::Fixed(1));
    for end in (0..sound.len()).step_by(7) {
        assert!(inspect(&sound[..end]).is_err() || end == 0, "cut at {end}");
    }
    for i in 0..sound.len().min(4096) {
        let mut bytes = sound.clone();
        bytes[i] ^= 0xFF;
        // Either answer is fine; what counts is that there is one.
        let _ = inspect(&bytes);
    }
}
