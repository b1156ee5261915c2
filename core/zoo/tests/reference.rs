//! Every shipped variant against its reference implementation: parameters, multiply-accumulates, and
//! the names, shapes and roles of all tensors.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use convwise_graph::infer;
use convwise_graph::memory::{self, Depthwise, MemoryOptions, Order};
use convwise_types::{InputShape, MemoryModel, Precision, Task};
use convwise_zoo::verify::{Fixture, compare_graph, compare_outputs};
use convwise_zoo::{BuildOptions, Zoo, facts};
use serde::Deserialize;

fn zoo() -> Zoo {
    let (zoo, problems) = Zoo::load(&[]);
    assert!(problems.is_empty(), "{problems:?}");
    zoo
}

fn fixtures() -> Vec<(String, Fixture)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json"));
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let fixture = Fixture::parse(&name, &fs::read_to_string(&path).unwrap()).unwrap();
        (name, fixture)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_fixture_agrees() {
    let zoo = zoo();
    let fixtures = fixtures();
    assert!(fixtures.len() >= 43, "{}", fixtures.len());
    for (name, fixture) in fixtures {
        let variant = zoo.find(&name).unwrap();
        let graph = fixture.build(&zoo, variant).unwrap();
        let report = compare_graph(&fixture, &graph).unwrap();
        assert!(report.ok, "{name}: {report:?}");
    }
}

/// Parameters and multiply-accumulates of a reference constructor at the default input.
#[derive(Deserialize)]
struct Counts {
    params: u64,
    macs: u64,
}

#[derive(Deserialize)]
struct Reference {
    counts: BTreeMap<String, Counts>,
}

/// Counted by the reference implementations themselves; the file says by which.
const COUNTS: &str = include_str!("data/counts.json");

#[test]
fn every_variant_has_the_counts_of_its_reference() {
    let zoo = zoo();
    let mut known = serde_json::from_str::<Reference>(COUNTS).unwrap().counts;
    for variant in zoo.variants().filter(|v| v.is_buildable()) {
        let id = variant.id().as_str();
        let expected = known.remove(id).unwrap_or_else(|| panic!("no counts for {id}"));
        let graph = zoo.build(variant, &BuildOptions::default()).unwrap();
        let facts = facts(&graph, variant.input()).unwrap();
        assert_eq!((facts.params.0, facts.macs.0), (expected.params, expected.macs), "{id}");
    }
    assert!(known.is_empty(), "counts of no variant: {:?}", known.keys());
}

#[test]
fn facts_of_resnet50() {
    let zoo = zoo();
    let variant = zoo.find("resnet50").unwrap();
    let graph = zoo.build(variant, &BuildOptions::default()).unwrap();
    let facts = facts(&graph, variant.input()).unwrap();
    assert_eq!(facts.macs.0, 4_089_184_256);
    assert_eq!(facts.outputs[0].name, "logits");
    assert_eq!(facts.outputs[0].shape, [1, 1000]);
    assert_eq!(facts.ops["conv2d"], 53);
    assert_eq!(facts.graph.len(), 64);
    // With the norms folded, each of the 26 560 normalised channels keeps one bias of its two parameters.
    assert_eq!(facts.weight_bytes[&Precision::Fp32].0, 4 * (25_557_032 - 26_560));
    assert!(facts.weight_bytes[&Precision::Int8].0 < 26_000_000);
    assert!(facts.peak_bytes(MemoryModel::InPlace, Precision::Fp32).unwrap().0 >= 4 * 64 * 112 * 112);
    let stages: Vec<&str> = graph.stages.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(stages, ["c2", "c3", "c4", "c5"]);
}

/// Peak SRAM in kB that the MCUNet project publishes, measured with TinyEngine on an STM32F746
/// (github.com/mit-han-lab/mcunet at 9c164f848300, README). Its engine runs depthwise convolutions in place and
/// keeps kernels' buffers and its own state in the same memory, which the peak of activations leaves out.
const PUBLISHED_SRAM: [(&str, u64); 8] = [
    ("mcunet_mbv2_w0_35", 308),
    ("mcunet_proxyless_w0_3", 292),
    ("mcunet_in2", 242),
    ("mcunet_in3", 293),
    ("mcunet_in4", 456),
    ("mcunet_vww1", 162),
    ("mcunet_in0", 266),
    ("mcunet_in1", 307),
];

#[test]
fn activations_stay_below_the_published_sram_of_mcunet() {
    let zoo = zoo();
    let mut rows = String::new();
    for (id, published) in PUBLISHED_SRAM {
        let variant = zoo.find(id).unwrap();
        let graph = zoo.build(variant, &BuildOptions::default()).unwrap();
        let facts = facts(&graph, variant.input()).unwrap();
        let kilobytes = |model| facts.peak_bytes(model, Precision::Int8).unwrap().0.div_ceil(1000);
        let peak = kilobytes(MemoryModel::DepthwiseChannel);
        assert!(peak < published, "{id}: {peak} kB of {published}");
        let _ = writeln!(
            rows,
            "{id}: copying {}, in place {}, depthwise by rows {}, by channel {peak}; published {published}",
            kilobytes(MemoryModel::Copying),
            kilobytes(MemoryModel::InPlace),
            kilobytes(MemoryModel::DepthwiseRows),
        );
    }
    insta::assert_snapshot!(rows);
}

#[test]
fn classes_and_input_can_change() {
    let zoo = zoo();
    for variant in zoo.variants().filter(|v| v.is_buildable()) {
        let id = variant.id();
        // A pyramid alone tells nothing apart.
        if variant.family().name() == "FPN" {
            let refused = zoo.build(variant, &BuildOptions { classes: Some(7), ..BuildOptions::default() });
            assert!(refused.unwrap_err().to_string().contains("it has no argument `classes`"), "{id}");
            continue;
        }
        let (channels, [height, width]) = match variant.family().task() {
            Task::Classify => (1, [96, 128]),
            _ => (3, [320, 384]),
        };
        let input = InputShape { channels, height, width };
        let shapes = |classes| {
            let options =
                BuildOptions { classes: Some(classes), input: Some(input), ..BuildOptions::default() };
            let graph = zoo.build(variant, &options).unwrap_or_else(|error| panic!("{id}: {error}"));
            let outputs = facts(&graph, input).unwrap().outputs;
            outputs.into_iter().map(|output| output.shape).collect::<Vec<_>>()
        };
        match variant.family().task() {
            Task::Classify => assert_eq!(shapes(7)[0], [1, 7], "{id}"),
            Task::Segment => assert_eq!(shapes(7)[0], [1, 7, height, width], "{id}"),
            // Some outputs are boxes, some scores, of several levels or of all.
            Task::Detect => assert_ne!(shapes(7), shapes(9), "{id}"),
        }
    }
}

#[test]
fn outputs_are_compared_at_the_samples() {
    let (_, fixture) = fixtures().remove(0);
    let output = &fixture.outputs[0];
    let mut values = vec![0.0; output.shape.iter().product()];
    for (i, value) in output.indices.iter().zip(&output.values) {
        values[*i] = *value as f32;
    }
    let check = |values: &[f32]| compare_outputs(&fixture, &output.name, values);
    assert!(check(&values).ok);
    let magnitude = output.max.abs().max(output.min.abs());
    let first = output.indices[0];
    let original = values[first];
    values[first] = original + (2.0 * fixture.tolerance * magnitude) as f32;
    let off = check(&values);
    assert!(!off.ok && (off.max_rel / fixture.tolerance - 2.0).abs() < 0.2, "{off:?}");
    values[first] = f32::NAN;
    assert!(!check(&values).ok);
    assert!(!check(&values[1..]).ok);
    assert!(!compare_outputs(&fixture, "other", &values).ok);
}

#[test]
fn the_report_has_the_form_of_the_command_line() {
    let (name, mut fixture) = fixtures().into_iter().find(|(name, _)| name == "resnet18").unwrap();
    fixture.params += 1;
    fixture.tensors[0].shape[0] = 65;
    fixture.tensors[1].role = "bias".to_owned();
    fixture.tensors[2].name = "bn1.offset".to_owned();
    let zoo = zoo();
    let graph = fixture.build(&zoo, zoo.find(&name).unwrap()).unwrap();
    let wrong = vec![0.0; 1000];
    let checks = vec![compare_outputs(&fixture, "logits", &wrong)];
    let report = compare_graph(&fixture, &graph).unwrap().with_outputs(checks, &fixture);
    let mut json = serde_json::to_value(&report).unwrap();
    json["outputs"][0]["max_abs"] = 0.into();
    json["outputs"][0]["max_rel"] = 0.into();
    insta::assert_json_snapshot!(json);
}

/// "Best operator order" is a claim about all orders, so that the search must have ended.
#[test]
fn the_orders_behind_the_peaks_are_proven() {
    let zoo = zoo();
    let mut bounded = BTreeSet::new();
    for variant in zoo.variants().filter(|v| v.is_buildable()) {
        let graph = zoo.build(variant, &BuildOptions::default()).unwrap();
        let shapes = infer(&graph, 1).unwrap();
        for in_place_elementwise in [false, true] {
            for depthwise in [Depthwise::Separate, Depthwise::Rows, Depthwise::Channel] {
                let options = MemoryOptions { in_place_elementwise, depthwise };
                if memory::plan(&graph, &shapes, options).order != Order::Optimal {
                    bounded.insert(variant.id().as_str());
                }
            }
        }
    }
    assert!(bounded.is_empty(), "{bounded:?}");
}
