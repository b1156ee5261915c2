//! Post-processing: a tail of the graph that adds neither parameters nor multiply-accumulates.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use convwise_types::Task;
use convwise_zoo::{BuildOptions, PluginFolder, Variant, Zoo, ZooError, facts};
use tempfile::TempDir;

const ANSWERS: BuildOptions =
    BuildOptions { classes: None, input: None, proposals: None, postprocess: true, like: None };

/// Names and shapes of what a network answers with.
fn answers(zoo: &Zoo, variant: &Variant) -> Vec<(String, Vec<u64>)> {
    let graph = zoo.build(variant, &ANSWERS).unwrap();
    facts(&graph, variant.input()).unwrap().outputs.into_iter().map(|o| (o.name, o.shape)).collect()
}

#[test]
fn every_system_answers_in_the_form_of_its_task() {
    let zoo = Zoo::load(&[]).0;
    let systems = zoo.variants().filter(|v| v.has_postprocess());
    let mut seen = 0;
    for variant in systems {
        let id = variant.id().as_str();
        if variant.architecture().tags.contains("comparison") {
            continue;
        }
        seen += 1;
        let answers = answers(&zoo, variant);
        let names: Vec<_> = answers.iter().map(|(name, _)| name.as_str()).collect();
        match variant.family().task() {
            Task::Detect => {
                assert_eq!(names, ["boxes", "scores", "labels"], "{id}");
                let shape = |i: usize| answers[i].1.as_slice();
                let count = shape(1)[1];
                assert_eq!((shape(0), shape(2)), (&[1, count, 4][..], &[1, count][..]), "{id}");
            }
            Task::Segment => {
                let input = variant.input();
                assert_eq!(answers, [("labels".to_owned(), vec![1, input.height, input.width])], "{id}");
            }
            Task::Classify => panic!("{id} classifies"),
        }
        let raw = facts(&zoo.build(variant, &BuildOptions::default()).unwrap(), variant.input()).unwrap();
        let whole = facts(&zoo.build(variant, &ANSWERS).unwrap(), variant.input()).unwrap();
        assert_eq!(raw.params, whole.params, "{id}");
        // No answer needs the second classifier of torchvision's segmenters.
        let auxiliary = raw.outputs.iter().any(|output| output.name == "aux");
        assert_eq!(raw.macs > whole.macs, auxiliary, "{id}: {} and {}", raw.macs.0, whole.macs.0);
        assert!(raw.macs >= whole.macs, "{id}");
        assert_ne!(raw.graph, whole.graph, "{id}: the two are measured apart");
    }
    assert!(seen >= 35, "{seen}");
}

#[test]
fn a_family_without_it_says_so() {
    let zoo = Zoo::load(&[]).0;
    let resnet = zoo.find("resnet18").unwrap();
    assert!(!resnet.has_postprocess());
    let refused = zoo.build(resnet, &ANSWERS).unwrap_err();
    assert!(matches!(refused, ZooError::NoPostprocess { .. }), "{refused}");
    assert!(refused.to_string().contains("fn postprocess(net, found, args)"), "{refused}");
}

const FAMILY: &str = r#"
schema = 1
family = "Blobs"
task = "segment"
[variants.blobs]
title = "Blobs"
input = [3, 8, 8]
args = { classes = 4 }
"#;

const SCRIPT: &str = r#"
fn build(net, args) {
    let x = net.input("input", args.input);
    net.stage("image", x);
    net.output("logits", x.conv("head", #{ out: args.classes, kernel: 1 }));
}
fn postprocess(net, found, args) {
    if !("image" in found) { throw "stages are found too"; }
    BODY
}
"#;

fn own(body: &str) -> (Zoo, TempDir) {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("architectures/blobs");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("family.toml"), FAMILY).unwrap();
    fs::write(folder.join("graph.rhai"), SCRIPT.replace("BODY", body)).unwrap();
    (Zoo::load(&[PluginFolder::required(home.path())]).0, home)
}

#[test]
fn a_script_of_ones_own_names_answers_in_place_of_its_outputs() {
    let (zoo, _home) = own("net.output(\"labels\", found.logits.arg_max());");
    let blobs = zoo.find("blobs").unwrap();
    assert_eq!(answers(&zoo, blobs), [("labels".to_owned(), vec![1, 8, 8])]);
    assert!(zoo.check_variant(blobs).is_none());
}

#[test]
fn a_mistake_in_it_is_shown_at_its_line() {
    let (zoo, _home) = own("net.output(\"labels\", found.logit.arg_max());");
    let found = zoo.check_variant(zoo.find("blobs").unwrap()).unwrap();
    assert!(found.label.is_some_and(|label| label.span.line == 9), "{}", found.message);

    let (zoo, _home) = own("");
    let found = zoo.check_variant(zoo.find("blobs").unwrap()).unwrap();
    assert!(found.message.contains("no output"), "{}", found.message);
}
