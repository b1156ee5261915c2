//! Files with other packages' names: every tensor finds its place.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use convwise_graph::{Param, Shape};
use convwise_zoo::{BuildOptions, Naming, Zoo, facts, recognise};
use serde::Deserialize;

/// What a package calls the tensors of one of its models, beside our names and with its extents.
#[derive(Deserialize)]
struct Names {
    model: String,
    tensors: Vec<(String, String, Vec<usize>)>,
}

fn all_names() -> Vec<(String, Names)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/timm");
    let files = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let read = |path: PathBuf| {
        let id = path.file_stem().unwrap().to_string_lossy().into_owned();
        (id, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap())
    };
    files.map(read).collect()
}

#[test]
fn names_of_timm_are_ours_one_by_one() {
    let (zoo, _) = Zoo::load(&[]);
    let all = all_names();
    assert!(all.len() >= 13);
    for (id, names) in all {
        let variant = zoo.find(&id).unwrap();
        let graph = zoo.build(variant, &BuildOptions::default()).unwrap();
        let ours: BTreeMap<&str, &Param> = graph.params().map(|p| (p.name.as_str(), p)).collect();
        let keys: BTreeSet<&str> = ours.keys().copied().collect();
        let file: Vec<&str> = names.tensors.iter().map(|(theirs, ..)| theirs.as_str()).collect();
        let namings = variant.namings();
        let found = recognise(&namings, &file, &keys);
        let expected: BTreeMap<String, String> =
            names.tensors.iter().map(|(theirs, ours, _)| (ours.clone(), theirs.clone())).collect();
        assert_eq!(expected.len(), keys.len(), "{id}");
        match found {
            // Where the names are ours already there is nothing to recognise.
            None => assert!(expected.iter().all(|(ours, theirs)| ours == theirs), "{id}"),
            Some((naming, renamed)) => {
                assert_eq!((naming.package.as_str(), &naming.model), ("timm", &names.model), "{id}");
                assert_eq!(renamed, expected, "{id}");
            }
        }
        for (theirs, our, shape) in &names.tensors {
            let param = ours[our.as_str()];
            let (a, b) = (Shape(shape.clone()), &param.shape);
            assert_eq!((a.dim(0), a.elements()), (b.dim(0), b.elements()), "{id}: {theirs}");
        }
    }
}

#[test]
fn names_of_nobody_are_not_recognised() {
    let (zoo, _) = Zoo::load(&[]);
    let variant = zoo.find("convnext_tiny").unwrap();
    let graph = zoo.build(variant, &BuildOptions::default()).unwrap();
    let ours: BTreeSet<&str> = graph.params().map(|p| p.name.as_str()).collect();
    let namings = variant.namings();
    assert!(recognise(&namings, &["encoder.weight", "decoder.weight"], &ours).is_none());
    let own: Vec<&str> = ours.iter().copied().collect();
    assert!(recognise(&namings, &own, &ours).is_none());
}

/// Figures that are published under another package's name are taken for ours: so it must be the same network, built
/// with that package's arguments or without.
#[test]
fn a_network_elsewhere_is_as_large_and_costs_as_much_as_ours() {
    let (zoo, _) = Zoo::load(&[]);
    let mut differing = 0;
    for variant in zoo.variants().filter(|v| v.is_buildable()) {
        let cost = |like: Option<Naming>| {
            let options = BuildOptions { like, ..BuildOptions::default() };
            let graph = zoo.build(variant, &options).unwrap();
            let facts = facts(&graph, variant.input()).unwrap();
            (facts.params, facts.macs)
        };
        for naming in variant.namings().into_iter().filter(Naming::differs) {
            differing += 1;
            assert_eq!(cost(Some(naming)), cost(None), "{}", variant.id());
        }
    }
    assert!(differing >= 8);
}

#[test]
fn no_two_variants_are_one_network_elsewhere() {
    let (zoo, _) = Zoo::load(&[]);
    let mut taken = BTreeMap::new();
    for variant in zoo.variants() {
        for naming in variant.namings() {
            let other = taken.insert((naming.package.clone(), naming.model.clone()), variant.id());
            assert_eq!(
                other,
                None,
                "{} and {other:?} are {} of {}",
                variant.id(),
                naming.model,
                naming.package
            );
        }
    }
}
