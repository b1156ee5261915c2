//! What is written for a graph.

use convwise_graph::{Activation, Graph, Op};
use convwise_onnx::{
    Batch, ExportOptions, Golden, Model, Seeded, WeightError, WeightSource, data_file, export, inspect,
};

use crate::nets::{self, Net, square};

fn exported(graph: &Graph, options: &ExportOptions) -> Model {
    export(graph, &Seeded(0), options).unwrap_or_else(|e| panic!("{}: {e}", graph.name))
}

fn kept() -> ExportOptions {
    ExportOptions { keep_batchnorm: true, ..ExportOptions::default() }
}

fn dynamic() -> ExportOptions {
    ExportOptions { batch: Batch::Dynamic, ..ExportOptions::default() }
}

#[test]
fn every_network_is_written_as_it_should_be() {
    for graph in nets::all() {
        insta::assert_snapshot!(graph.name.clone(), exported(&graph, &ExportOptions::default()).listing());
    }
}

#[test]
fn nothing_is_folded_on_request() {
    insta::assert_snapshot!("convnext-kept", exported(&nets::convnext(), &kept()).listing());
    insta::assert_snapshot!("residual-kept", exported(&nets::residual(), &kept()).listing());
}

#[test]
fn a_dynamic_batch_is_stated_nowhere_but_at_the_ends() {
    insta::assert_snapshot!("layout-dynamic", exported(&nets::layout(), &dynamic()).listing());
    insta::assert_snapshot!("shuffle-dynamic", exported(&nets::shuffle(), &dynamic()).listing());
}

#[test]
fn the_same_graph_gives_the_same_bytes() {
    for graph in nets::all() {
        let [a, b] = [(); 2].map(|()| exported(&graph, &ExportOptions::default()).to_bytes());
        assert!(a == b, "{}", graph.name);
        let other = export(&graph, &Seeded(1), &ExportOptions::default()).unwrap().to_bytes();
        assert!(a != other || graph.params().next().is_none(), "{} ignores its weights", graph.name);
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for graph in nets::all() {
        for batch in [Batch::Fixed(3), Batch::Dynamic] {
            let options = ExportOptions { batch, ..ExportOptions::default() };
            let info = inspect(&exported(&graph, &options).to_bytes()).unwrap();
            let expected = if batch == Batch::Dynamic { None } else { Some(3) };
            for tensor in info.inputs.iter().chain(&info.outputs) {
                assert_eq!(tensor.dims.as_ref().unwrap()[0], expected, "{} of {}", tensor.name, graph.name);
            }
            assert_eq!(info.opset, 17);
            let names: Vec<_> = info.outputs.iter().map(|o| o.name.as_str()).collect();
            let wanted: Vec<_> = graph.outputs.iter().map(|o| o.name.as_str()).collect();
            assert_eq!(names, wanted);
        }
    }
}

#[test]
fn later_operator_sets_have_gelu_itself() {
    let options = ExportOptions { opset: 20, ..ExportOptions::default() };
    let listing = exported(&nets::convnext(), &options).listing();
    assert!(listing.contains("Gelu(") && !listing.contains("Erf("), "{listing}");
}

/// A batch norm may be folded only where nobody else sees what it is folded into.
#[test]
fn what_others_read_is_not_folded() {
    let (mut n, x) = Net::new("shared", [3, 4, 4]);
    let y = n.conv(x, square(3, 3, 1, 1), "conv");
    let z = n.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[y], "read_twice");
    let sum = n.add(Op::Add, &[z, y], "sum");
    let y = n.conv(sum, square(3, 3, 1, 1), "answer");
    let z = n.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[y], "after_an_output");
    let slice = n.add(Op::Slice { axis: 1, start: 0, end: 2 }, &[z], "slice");
    let z = n.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[slice], "after_a_slice");
    let graph = n.done(&[("answer", y), ("last", z)]);
    let listing = exported(&graph, &ExportOptions::default()).listing();
    assert_eq!(listing.matches("BatchNormalization(").count(), 3, "{listing}");
}

/// Two norms and a scale in a row end up in one convolution.
#[test]
fn chains_are_folded() {
    let (mut n, x) = Net::new("chain", [3, 4, 4]);
    let y = n.conv_bn(x, square(5, 3, 1, 1), ["conv", "bn1"]);
    let y = n.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[y], "bn2");
    let y = n.add(Op::Scale { dims: vec![5, 1, 1] }, &[y], "gain");
    let graph = n.done(&[("y", y)]);
    insta::assert_snapshot!(exported(&graph, &ExportOptions::default()).listing(), @r"
    input  input [1, 3, 4, 4]
    output y [1, 5, 4, 4]
    y = Conv(input, conv.weight, conv.bias) {kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group: 1}
    weight conv.weight [5, 3, 3, 3]
    weight conv.bias [5]
    ");
}

/// Slices that overlap or leave a gap are no split.
#[test]
fn only_a_partition_is_a_split() {
    let cases: [(&[(usize, usize)], _); 4] =
        [(&[(0, 2), (2, 6)], 1), (&[(0, 3), (2, 6)], 0), (&[(0, 2), (3, 6)], 0), (&[(0, 6)], 0)];
    for (pieces, splits) in cases {
        let (mut n, x) = Net::new("pieces", [6, 2, 2]);
        let outputs: Vec<_> = pieces
            .iter()
            .map(|&(start, end)| (format!("{start}"), n.add(Op::Slice { axis: 1, start, end }, &[x], "")))
            .collect();
        let named: Vec<_> = outputs.iter().map(|(name, id)| (name.as_str(), *id)).collect();
        let listing = exported(&n.done(&named), &ExportOptions::default()).listing();
        assert_eq!(listing.matches("Split(").count(), splits, "{pieces:?}\n{listing}");
        assert_eq!(
            listing.matches("Slice(").count(),
            if splits == 1 { 0 } else { pieces.len() },
            "{listing}"
        );
    }
}

/// Nodes that no output needs have no weights in the file, and do not keep others from being folded.
#[test]
fn dead_nodes_are_left_out() {
    let (mut n, x) = Net::new("dead", [3, 4, 4]);
    let y = n.conv(x, square(3, 3, 1, 1), "conv");
    let z = n.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[y], "bn");
    n.conv(y, square(7, 3, 1, 1), "unused");
    let listing = exported(&n.done(&[("y", z)]), &ExportOptions::default()).listing();
    assert!(!listing.contains("unused") && !listing.contains("BatchNormalization"), "{listing}");
}

/// An output may be called like another node, and one tensor may be two outputs, or an input.
#[test]
fn names_are_used_once() {
    let (mut n, x) = Net::new("names", [3, 4, 4]);
    let a = n.act(x, Activation::Relu, "b");
    let b = n.act(a, Activation::Tanh, "a");
    let graph = n.done(&[("b", b), ("again", b), ("same", x)]);
    insta::assert_snapshot!(exported(&graph, &ExportOptions::default()).listing(), @r"
    input  input [1, 3, 4, 4]
    output b [1, 3, 4, 4]
    output again [1, 3, 4, 4]
    output same [1, 3, 4, 4]
    b.1 = Relu(input)
    b = Tanh(b.1)
    again = Identity(b)
    same = Identity(input)
    ");
}

/// The form in which weights past 2 GiB are written, read back by a runtime.
#[test]
fn weights_in_a_file_of_their_own_give_the_same_network() {
    let graph = nets::residual();
    let model = export(&graph, &Golden::default(), &ExportOptions::default()).unwrap();
    assert!(!model.needs_data_file());
    let folder = tempfile::tempdir().unwrap();
    let [whole, split] = ["whole.onnx", "split.onnx"].map(|name| folder.path().join(name));
    assert_eq!(model.save(&whole).unwrap(), std::slice::from_ref(&whole));
    let (mut out, mut data) = (Vec::new(), Vec::new());
    model.write_split(&mut out, &mut data, "split.onnx.data").unwrap();
    std::fs::write(&split, &out).unwrap();
    std::fs::write(data_file(&split), &data).unwrap();
    let one = std::fs::read(&whole).unwrap().len();
    assert!(out.len() < one && data.len() < one && one < out.len() + data.len());
    let run = |path: &std::path::Path| {
        let model = rten::Model::load_file(path).unwrap();
        let input = rten::Value::from_shape(&[1, 3, 12, 12], vec![0.5f32; 432]).unwrap();
        let outputs =
            model.run(vec![(model.input_ids()[0], input.into())], model.output_ids(), None).unwrap();
        let tensor: rten_tensor::Tensor<f32> = outputs.into_iter().next().unwrap().try_into().unwrap();
        rten_tensor::prelude::AsView::to_vec(&tensor)
    };
    assert_eq!(run(&whole), run(&split));
}

#[test]
fn what_cannot_be_had_is_refused_in_words() {
    let residual = nets::residual();
    let refused = |graph: &Graph, options: &ExportOptions| {
        export(graph, &Seeded(0), options).expect_err("it must be refused").to_string()
    };
    let opset = ExportOptions { opset: 16, ..ExportOptions::default() };
    insta::assert_snapshot!(refused(&residual, &opset), @"cannot export opset 16; expected 17 to 22");
    let empty = ExportOptions { batch: Batch::Fixed(0), ..ExportOptions::default() };
    insta::assert_snapshot!(refused(&residual, &empty), @"cannot export for a batch of 0 images; expected at least 1, or a dynamic batch");

    let (mut n, x) = Net::new("huge", [1 << 18, 1, 1]);
    let y = n.conv(x, square(1 << 18, 1, 1, 1), "conv");
    insta::assert_snapshot!(refused(&n.done(&[("y", y)]), &ExportOptions::default()), @"`huge` needs 274877906944 bytes of weights; at most 68719476736 are written");

    let (mut n, x) = Net::new("unbatched", [3, 4, 4]);
    let first = n.add(Op::Slice { axis: 0, start: 0, end: 1 }, &[x], "first");
    let y = n.add(Op::Concat { axis: 1 }, &[first, x], "beside");
    insta::assert_snapshot!(refused(&n.done(&[("y", y)]), &dynamic()), @"`unbatched` cannot take a dynamic batch: `beside` (concat) over [1x3x4x4] and [2x3x4x4]: axis 0 has 1 and 2; expected equal extents off axis 1; export it with a fixed batch of 1");
}

/// Weights that lack a tensor are refused before anything is written.
#[test]
fn a_source_that_fails_is_reported() {
    struct Empty;
    impl WeightSource for Empty {
        fn describe(&self) -> String {
            "nothing".to_owned()
        }
        fn fill(&self, param: &convwise_graph::Param, out: &mut [f32]) -> Result<(), WeightError> {
            Err(WeightError::NoTensor {
                weights: self.describe(),
                tensor: param.name.clone(),
                elements: out.len(),
            })
        }
    }
    let error = export(&nets::residual(), &Empty, &ExportOptions::default()).expect_err("no weights");
    insta::assert_snapshot!(error.to_string(), @"the weights (nothing) have no tensor `conv1.weight` of 588 numbers");
}

#[test]
fn the_golden_rule_says_so_in_the_file() {
    let bytes = export(&nets::residual(), &Golden::default(), &ExportOptions::default()).unwrap().to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    let fingerprint = convwise_graph::fingerprint(&nets::residual());
    for expected in ["convwise.network", "residual", "convwise.weights", "golden:2", fingerprint.as_str()] {
        assert!(text.contains(expected), "{expected}");
    }
}
