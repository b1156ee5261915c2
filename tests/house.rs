//! The house's own rules: which crate may know which, and what every folder says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::repository;

/// Crates below which each crate stands, besides libraries of others. Arrows point one way.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("graph", &["types"]),
    ("onnx", &["types", "graph"]),
    ("script", &["types"]),
    ("zoo", &["types", "graph", "script"]),
    ("judge", &["types", "script"]),
    ("store", &["types"]),
    ("advisor", &["types", "graph", "onnx", "zoo", "judge", "store", "bench", "host"]),
    ("abi", &[]),
    ("sdk", &["abi"]),
    ("host", &["abi", "sdk", "types"]),
    ("bench", &["types", "host"]),
    ("install", &["types"]),
    ("mock", &["sdk"]),
    ("rten", &["sdk"]),
    ("onnxruntime", &["sdk"]),
];

/// Libraries that stand behind a wall: the only crates that may know them.
const WALLS: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("rhai", &["script", "zoo", "judge"]),
    ("prost", &["onnx"]),
    ("libloading", &["host"]),
    ("clap", &[]),
    ("ort", &["onnxruntime"]),
];

fn members() -> BTreeMap<String, toml::Table> {
    let mut found = BTreeMap::new();
    for group in ["core", "runners"] {
        for entry in fs::read_dir(repository().join(group)).unwrap() {
            let folder = entry.unwrap().path();
            if let Ok(text) = fs::read_to_string(folder.join("Cargo.toml")) {
                let name = folder.file_name().unwrap().to_string_lossy().into_owned();
                found.insert(name, text.parse().unwrap());
            }
        }
    }
    found
}

fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    manifest
        .get("dependencies")
        .and_then(|d| d.as_table())
        .map(|d| d.keys().cloned().collect())
        .unwrap_or_default()
}

#[test]
fn crates_know_only_what_they_may() {
    for (name, manifest) in members() {
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(n, _)| *n == name)
            .unwrap_or_else(|| panic!("say in ALLOWED what {name} may know"));
        for dependency in dependencies(&manifest) {
            if let Some(ours) = dependency.strip_prefix("convwise-") {
                assert!(allowed.contains(&ours), "{name} must not know {ours}");
            }
            if let Some((_, insiders)) = WALLS.iter().find(|(library, _)| *library == dependency) {
                assert!(insiders.contains(&name.as_str()), "{name} must not know {dependency}");
            }
        }
    }
}

#[test]
fn package_names_follow_their_folders() {
    for (name, manifest) in members() {
        let package = manifest["package"]["name"].as_str().unwrap();
        assert_eq!(package, format!("convwise-{name}"));
    }
}

#[test]
fn every_top_folder_says_how_to_add_one_more() {
    for folder in ["core", "runners", "plugins", "rules", "kb", "tests"] {
        let path = repository().join(folder).join("README.md");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(text.lines().count() <= 40, "{} is longer than 40 lines", path.display());
        let last = text.lines().rev().find(|l| l.starts_with('#')).unwrap_or_default().to_lowercase();
        assert!(last.contains("add one more"), "{} does not end in how to add one more", path.display());
    }
}

/// Files that people wrote, without build output.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![repository().to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    open.push(path);
                }
            } else if ["rs", "rhai", "toml", "md", "py", "sh", "h", "c"]
                .iter()
                .any(|e| has_extension(&path, e))
            {
                found.push(path);
            }
        }
    }
    found
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e == extension)
}

#[test]
fn exceptions_from_lints_carry_a_reason() {
    let needle = concat!("#[", "allow(");
    for path in sources().iter().filter(|p| has_extension(p, "rs")) {
        let text = fs::read_to_string(path).unwrap();
        assert!(!text.contains(needle), "{}: use expect with a reason", path.display());
    }
}

#[test]
fn nothing_points_outside_the_repository() {
    let needles = [concat!("../", "shared"), concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    for path in sources() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for needle in needles {
            assert!(!text.contains(needle), "{} mentions {needle}", path.display());
        }
    }
}
