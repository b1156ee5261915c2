//! One network of every architecture family and every detail of a fixture: libtorch gives the outputs of the reference
//! implementation, and those of the built-in runner, at the oldest and the newest operator set of the export.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::path::{Path, PathBuf};

use convwise_graph::Op;
use convwise_libtorch::Libtorch;
use convwise_onnx::{Batch, ExportOptions, Golden, OPSETS, Seeded, export, golden};
use convwise_rten::RtenRunner;
use convwise_sdk::{Options, Runner, TensorView};
use convwise_zoo::verify::{Fixture, compare_outputs};
use convwise_zoo::{BuildOptions, Zoo};

/// Largest difference from the built-in runner, as a part of the largest output.
const TOLERANCE: f32 = 1e-4;

fn fixtures() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/zoo/tests/fixtures");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = paths.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut found: Vec<_> =
        named.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path)).collect();
    found.sort();
    found
}

/// All outputs of a model, with their names.
fn outputs(
    runner: &impl Runner,
    model: &Path,
    inputs: &[(Vec<usize>, Vec<f32>)],
    options: &[(&str, &str)],
) -> Vec<(String, Vec<f32>)> {
    let options: Options = options.iter().copied().collect();
    let mut session = runner.load(model, &options).unwrap();
    for (index, (shape, values)) in inputs.iter().enumerate() {
        session.set_input(index, TensorView::from_f32(shape, values).unwrap()).unwrap();
    }
    session.run().unwrap();
    let names = session.io().unwrap().outputs.into_iter().map(|info| info.name);
    let read = |(index, name)| (name, session.output(index).unwrap().to_f32().unwrap());
    names.enumerate().map(read).collect()
}

/// The largest difference as a part of the largest value.
fn difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    differences.fold(0.0_f32, |worst, d| if d.is_nan() { f32::NAN } else { worst.max(d) }) / largest
}

/// The smallest fixture of every family meets its reference in every layout.
#[test]
fn every_family_gives_the_outputs_of_its_reference() {
    let (zoo, _) = Zoo::load(&[]);
    let mut done = std::collections::BTreeMap::<String, (u64, String, PathBuf)>::new();
    for (name, path) in fixtures() {
        let Ok(variant) = zoo.find(&name) else { continue };
        let fixture = Fixture::parse(&name, &std::fs::read_to_string(&path).unwrap()).unwrap();
        let entry = (fixture.macs, name, path);
        let family = variant.family().folder().to_owned();
        done.entry(family).and_modify(|best| *best = best.clone().min(entry.clone())).or_insert(entry);
    }
    assert!(done.len() >= 15, "{:?}", done.keys());
    let folder = tempfile::tempdir().unwrap();
    for (family, (_, name, path)) in done {
        let fixture = Fixture::parse(&name, &std::fs::read_to_string(&path).unwrap()).unwrap();
        let graph = fixture.build(&zoo, zoo.find(&name).unwrap()).unwrap();
        let rule = Golden::new(fixture.fillings());
        let model = folder.path().join("fixture.onnx");
        export(&graph, &rule, &ExportOptions::default()).unwrap().save(&model).unwrap();
        let fill = |input: &convwise_zoo::verify::FixtureInput| {
            let mut values = vec![0.0; input.shape.iter().product()];
            golden::fill_input(&input.name, &mut values);
            (input.shape.clone(), values)
        };
        let inputs: Vec<_> = fixture.inputs.iter().map(fill).collect();
        for layout in ["channels-last", "contiguous"] {
            for (output, values) in
                outputs(&Libtorch, &model, &inputs, &[("layout", layout), ("threads", "2")])
            {
                let check = compare_outputs(&fixture, &output, &values);
                eprintln!("{family} {name} {layout} {output}: {:.2e} of the largest", check.max_rel);
                assert!(check.ok, "{name} {layout} {output}: {check:?}");
            }
        }
    }
}

/// Every family once more against the built-in runner: seeded weights, both ends of the operator sets, unfolded norms,
/// and any batch.
#[test]
fn every_family_gives_the_outputs_of_the_built_in_runner() {
    let (zoo, _) = Zoo::load(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut families = std::collections::BTreeMap::new();
    for variant in zoo.variants().filter(|v| v.is_buildable()) {
        // Detectors and segmenters take large images; smaller ones try the same operators.
        let mut input = variant.input();
        (input.height, input.width) = (input.height.min(320), input.width.min(384));
        let graph =
            zoo.build(variant, &BuildOptions { input: Some(input), ..BuildOptions::default() }).unwrap();
        // Suppression is for one image, and near ties fall either way; the fixtures try such networks on given boxes.
        if graph.nodes.iter().any(|node| matches!(node.op, Op::Kept { .. })) {
            continue;
        }
        let size: u64 = graph.params().map(|param| param.shape.elements()).sum();
        let entry = families.entry(variant.family().folder().to_owned()).or_insert((u64::MAX, None));
        if size < entry.0 {
            *entry = (size, Some((variant.id().as_str().to_owned(), input, graph)));
        }
    }
    for (family, (_, smallest)) in families {
        let (name, input, graph) = smallest.unwrap_or_else(|| panic!("{family} is empty"));
        let side = |extent: u64| usize::try_from(extent).unwrap();
        for (opset, batch, keep_batchnorm) in
            [(*OPSETS.start(), Batch::Fixed(1), true), (*OPSETS.end(), Batch::Dynamic, false)]
        {
            let count = if batch == Batch::Dynamic { 2 } else { 1 };
            let shape = vec![count, side(input.channels), side(input.height), side(input.width)];
            let mut values = vec![0.0; shape.iter().product()];
            golden::fill_input("input", &mut values);
            let model = folder.path().join("model.onnx");
            let options = ExportOptions { opset, batch, keep_batchnorm };
            export(&graph, &Seeded(7), &options).unwrap().save(&model).unwrap();
            let inputs = [(shape, values)];
            let ours = outputs(&Libtorch, &model, &inputs, &[]);
            let theirs = outputs(&RtenRunner, &model, &inputs, &[("threads", "2")]);
            for ((output, ours), (_, theirs)) in ours.iter().zip(&theirs) {
                let worst = difference(ours, theirs);
                eprintln!("{family} {name} opset {opset} {output}: {worst:.2e} of the largest");
                assert!(worst < TOLERANCE, "{name} opset {opset} {output}: {worst}");
            }
        }
    }
}
