//! Weights from files: sound ones, wrong ones, and ones made to harm.

use std::path::{Path, PathBuf};

use convwise_graph::{Graph, Op, Param, Shape};
use convwise_onnx::{ExportOptions, Golden, Matching, Safetensors, WeightSource, export};
use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView};

use crate::nets::{self, Net};

/// A tensor to be stored: name, number type, extents, bytes.
type Stored = (String, Dtype, Vec<usize>, Vec<u8>);

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("weights.safetensors");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn save(&self, tensors: &[Stored]) -> PathBuf {
        let views = tensors
            .iter()
            .map(|(name, kind, shape, bytes)| (name, TensorView::new(*kind, shape.clone(), bytes).unwrap()));
        self.file(&safetensors::serialize(views, None).unwrap())
    }

    /// A message as a person would see it, whatever the folder is called.
    fn words(&self, error: impl ToString) -> String {
        error.to_string().replace(&self.0.path().display().to_string(), "DIR")
    }

    fn refused(&self, bytes: &[u8]) -> String {
        self.words(Safetensors::open(self.file(bytes)).expect_err("it must be refused"))
    }
}

fn golden(param: &Param) -> Vec<f32> {
    let mut values = vec![0.0; param.shape.elements() as usize];
    Golden::default().fill(param, &mut values).unwrap();
    values
}

fn stored(graph: &Graph) -> Vec<Stored> {
    let bytes = |p| golden(p).iter().flat_map(|v| v.to_le_bytes()).collect();
    graph.params().map(|p| (p.name.clone(), Dtype::F32, p.shape.0.clone(), bytes(p))).collect()
}

fn exported(graph: &Graph, weights: &dyn WeightSource) -> String {
    let model = export(graph, weights, &ExportOptions::default()).unwrap();
    let bytes = model.to_bytes();
    // The file says where its weights are from; everything else must be equal.
    let described = weights.describe();
    let tail = bytes.len() - bytes.windows(described.len()).position(|w| w == described.as_bytes()).unwrap();
    blake3::hash(&bytes[bytes.len() - tail + described.len()..]).to_string()
}

#[test]
fn what_the_network_has_is_not_left_out() {
    let graph = nets::residual();
    let mut tensors = stored(&graph);
    let first = tensors.first().map(|(name, ..)| name.clone()).unwrap();
    let (module, _) = first.rsplit_once('.').unwrap();
    tensors.push((format!("{module}.unused"), Dtype::F32, vec![1], vec![0; 4]));
    let folder = Folder::new();
    let matching = Matching { training_only: vec![module.to_owned()], ..Matching::default() };
    let file = Safetensors::open(folder.save(&tensors)).unwrap().matched(matching);
    assert_eq!(file.left_out(&graph), [format!("{module}.unused")]);
}

#[test]
fn the_file_gives_what_was_saved() {
    let (folder, graph) = (Folder::new(), nets::residual());
    let mut tensors = stored(&graph);
    tensors.push(("bn1.num_batches_tracked".to_owned(), Dtype::I64, vec![], vec![0; 8]));
    let weights = Safetensors::open(folder.save(&tensors)).unwrap();
    assert!(weights.check(&graph).fits(), "{}", weights.check(&graph));
    assert_eq!(exported(&graph, &weights), exported(&graph, &Golden::default()));
}

/// Longer than what is converted at a time, so that the pieces must join.
#[test]
fn half_precision_is_widened_exactly() {
    let (folder, shape) = (Folder::new(), Shape::from([3, 40_000]));
    let values: Vec<f32> = (0..120_000).map(|i| (i % 251) as f32 / 8.0 - 12.0).collect();
    for (kind, bytes) in [
        (Dtype::F16, values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect::<Vec<u8>>()),
        (Dtype::BF16, values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()).collect()),
        (Dtype::F32, values.iter().flat_map(|&v| v.to_le_bytes()).collect()),
    ] {
        let path = folder.save(&[("w".to_owned(), kind, shape.0.clone(), bytes)]);
        let param =
            Param { name: "w".to_owned(), role: convwise_graph::ParamRole::Weight, shape: shape.clone() };
        let mut out = vec![f32::NAN; values.len()];
        Safetensors::open(path).unwrap().fill(&param, &mut out).unwrap();
        let expected: Vec<f32> = if kind == Dtype::BF16 {
            values.iter().map(|&v| bf16::from_f32(v).to_f32()).collect()
        } else {
            values.clone()
        };
        assert!(out == expected, "{kind}");
    }
}

#[test]
fn every_difference_is_listed_at_once_and_sorted() {
    let (folder, graph) = (Folder::new(), nets::residual());
    let mut tensors = stored(&graph);
    tensors.retain(|(name, ..)| name != "fc.bias" && name != "bn1.weight");
    for (name, kind, shape, bytes) in &mut tensors {
        match name.as_str() {
            "fc.weight" => (*shape, *bytes) = (vec![1000, 8], vec![0; 32_000]),
            "block.bn1.bias" => (*shape, *bytes) = (vec![2, 4], vec![0; 32]),
            "conv1.weight" => (*kind, *bytes) = (Dtype::F64, vec![0; bytes.len() * 2]),
            _ => {}
        }
    }
    for name in ["zusatz.weight", "aux.bias"] {
        tensors.push((name.to_owned(), Dtype::F32, vec![1], vec![0; 4]));
    }
    let weights = Safetensors::open(folder.save(&tensors)).unwrap();
    let error = export(&graph, &weights, &ExportOptions::default()).expect_err("it cannot fit");
    insta::assert_snapshot!(folder.words(error), @r"
    the weights (safetensors:weights.safetensors) do not fit the network `residual`:
      missing: bn1.weight [4]
      missing: fc.bias [5]
      other shape: block.bn1.bias is [2x4], the network has [8]
      other shape: fc.weight is [1000x8], the network has [5x8]
      number type: conv1.weight is F64, expected F32, F16 or BF16
      not in the network: aux.bias
      not in the network: zusatz.weight
    2 missing, 2 of another shape, 1 of another number type, 2 not in the network
    ");
}

/// Another number of classes is another head: nothing is cut or filled up.
#[test]
fn other_classes_do_not_fit() {
    let (folder, trained) = (Folder::new(), nets::residual());
    let weights = Safetensors::open(folder.save(&stored(&trained))).unwrap();
    let (mut n, x) = Net::new("seven", [8, 1, 1]);
    let x = n.add(Op::Flatten { from: 1 }, &[x], "flatten");
    let x = n.add(Op::Linear { out_features: 7, bias: true, rows: None }, &[x], "fc");
    let report = weights.check(&n.done(&[("logits", x)]));
    let names: Vec<_> = report.misshaped.iter().map(|t| (t.name.as_str(), t.expected.clone())).collect();
    assert_eq!(names, [("fc.bias", Shape::from([7])), ("fc.weight", Shape::from([7, 8]))]);
    assert_eq!((report.missing.len(), report.extra.len()), (0, trained.params().count() - 2));
}

#[test]
fn what_is_no_safetensors_file_is_refused_in_words() {
    let folder = Folder::new();
    let sound = std::fs::read(folder.save(&stored(&nets::residual()))).unwrap();
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();

    insta::assert_snapshot!(
        "safetensors-missing",
        folder.words(
            Safetensors::open(folder.0.path().join("none.safetensors")).expect_err("there is no such file")
        )
    );
    let refusals = [
        ("empty", folder.refused(b"")),
        ("header cut", folder.refused(&sound[..100])),
        ("data cut", folder.refused(&sound[..sound.len() - 1])),
        ("data longer", folder.refused(&[&sound[..], b"?"].concat())),
        ("another format", folder.refused(b"PK\x03\x04 this is a PyTorch zip archive")),
        ("longest header", folder.refused(&u64::MAX.to_le_bytes())),
        ("no JSON", folder.refused(&header("{\"a\": "))),
        ("no tensors", folder.refused(&header("[1, 2]"))),
        (
            "overflowing extents",
            folder.refused(&header(
                r#"{"a":{"dtype":"F32","shape":[9223372036854775807,16],"data_offsets":[0,4]}}"#,
            )),
        ),
        (
            "offsets backwards",
            folder.refused(&header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#)),
        ),
        (
            "claims terabytes",
            folder.refused(&header(
                r#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#,
            )),
        ),
        (
            "unknown number type",
            folder.refused(&header(r#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#)),
        ),
    ];
    let text: Vec<_> = refusals.iter().map(|(what, words)| format!("{what}: {words}")).collect();
    insta::assert_snapshot!("safetensors-refusals", text.join("\n"));
}

/// No prefix of a sound file, and no single changed byte of its header, may do more than be refused.
#[test]
fn damaged_headers_never_panic() {
    let folder = Folder::new();
    let tensors = [("w".to_owned(), Dtype::F32, vec![2, 2], vec![0; 16])];
    let path = folder.save(&tensors);
    let sound = std::fs::read(&path).unwrap();
    for end in 0..sound.len() {
        folder.refused(&sound[..end]);
    }
    for i in 0..sound.len() - 16 {
        for bit in 0..8 {
            let mut bytes = sound.clone();
            bytes[i] ^= 1 << bit;
            read_all(&folder.file(&bytes));
        }
    }
}

/// Reads what the file says it has, if it opens.
fn read_all(path: &Path) {
    let Ok(weights) = Safetensors::open(path) else { return };
    let (mut n, x) = Net::new("one", [2, 1, 1]);
    let x = n.add(Op::Flatten { from: 1 }, &[x], "flatten");
    let y = n.add(Op::Linear { out_features: 2, bias: false, rows: None }, &[x], "fc");
    let report = weights.check(&n.done(&[("y", y)]));
    assert_eq!(report.missing.len(), 1, "the file has no `fc.weight`, whatever bit is changed");
}
