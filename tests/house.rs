//! The house's own rules: which crate may know which, and what every folder says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::repository;

/// What each of our crates may know of the others. Arrows point one way: from what drives to what is driven.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("graph", &["types"]),
    ("onnx", &["graph"]),
    ("script", &["types"]),
    ("zoo", &["types", "graph", "script"]),
    ("judge", &["types", "script"]),
    ("store", &["types"]),
    ("import", &["types"]),
    ("parquet", &["types"]),
    ("advisor", &["types", "graph", "onnx", "zoo", "judge", "store", "bench", "host"]),
    ("abi", &[]),
    ("sdk", &["abi"]),
    ("host", &["abi", "sdk"]),
    ("bench", &["types", "host"]),
    ("conformance", &["graph", "onnx", "host"]),
    ("install", &["types"]),
    (
        "cli",
        &[
            "types",
            "graph",
            "onnx",
            "zoo",
            "judge",
            "store",
            "import",
            "parquet",
            "advisor",
            "host",
            "bench",
            "conformance",
            "install",
            "rten",
        ],
    ),
    ("mock", &["sdk"]),
    // It writes one operator otherwise before rten reads a model.
    ("rten", &["onnx", "sdk"]),
    ("ort", &["sdk"]),
    ("onnxruntime", &["sdk", "ort"]),
    // It interprets models, and reads them with the one reader of the format that there is.
    ("libtorch", &["onnx", "sdk"]),
    ("tensorrt", &["sdk", "ort"]),
];

/// Libraries that stand behind a wall: the only crates that may know them.
const WALLS: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("rhai", &["script", "zoo", "judge"]),
    ("parquet", &["parquet"]),
    ("prost", &["onnx"]),
    // A runner opens its backend's own library.
    ("libloading", &["host", "libtorch", "ort"]),
    ("clap", &["cli"]),
    ("csv-core", &["import"]),
    ("ort", &["ort"]),
    ("rten", &["rten"]),
    ("tch", &["libtorch"]),
    ("torch-sys", &["libtorch"]),
];

/// The manifests of our crates by folder; the root's, which is the program, as `cli`.
fn members() -> BTreeMap<String, toml::Table> {
    let program = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let mut found = BTreeMap::from([("cli".to_owned(), program.parse().unwrap())]);
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

/// What a crate is built with; what only its tests use is not among it.
fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    let tables = ["dependencies", "build-dependencies"].into_iter().filter_map(|name| manifest.get(name));
    tables.filter_map(toml::Value::as_table).flat_map(|table| table.keys().cloned()).collect()
}

/// What the crate in folder `name` knows and must not.
fn trespasses(name: &str, manifest: &toml::Table) -> Vec<String> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(n, _)| *n == name) else {
        return vec![format!("say in ALLOWED what {name} may know")];
    };
    let forbidden = |dependency: &String| match dependency.strip_prefix("convwise-") {
        Some(ours) => !allowed.contains(&ours),
        None => WALLS.iter().any(|(library, insiders)| library == dependency && !insiders.contains(&name)),
    };
    let found = dependencies(manifest).into_iter().filter(forbidden);
    found.map(|dependency| format!("{name} must not know {dependency}")).collect()
}

#[test]
fn crates_know_only_what_they_may() {
    let found: Vec<_> = members().iter().flat_map(|(name, manifest)| trespasses(name, manifest)).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_trespass_is_found() {
    let check = |name: &str, manifest: &str, expect: &[&str]| {
        assert_eq!(trespasses(name, &manifest.parse().unwrap()), expect);
    };
    check("graph", "[dependencies]\nconvwise-types.workspace = true\nserde.workspace = true", &[]);
    check(
        "types",
        "[dependencies]\nconvwise-graph = { path = \"x\" }",
        &["types must not know convwise-graph"],
    );
    check("judge", "[dependencies]\nsled = \"0.34\"\nrhai = \"1\"", &["judge must not know sled"]);
    check("store", "[build-dependencies]\nclap = \"4\"", &["store must not know clap"]);
    check("news", "", &["say in ALLOWED what news may know"]);
}

#[test]
fn arrows_point_one_way_and_none_is_left_over() {
    let members = members();
    let below = |name: &str| ALLOWED.iter().find(|(n, _)| *n == name).map_or(&[][..], |(_, allowed)| allowed);
    for (name, allowed) in ALLOWED {
        let manifest =
            members.get(*name).unwrap_or_else(|| panic!("ALLOWED names {name}, which is not there"));
        let known = dependencies(manifest);
        for ours in *allowed {
            assert!(
                known.contains(&format!("convwise-{ours}")),
                "{name} may know {ours} and does not: take it out"
            );
            assert!(!reaches(ours, name, &below), "{name} and {ours} know each other");
        }
    }
}

/// Whether `to` lies below `from`.
fn reaches<'a>(from: &str, to: &str, below: &impl Fn(&str) -> &'a [&'a str]) -> bool {
    below(from).iter().any(|next| *next == to || reaches(next, to, below))
}

#[test]
fn package_names_follow_their_folders() {
    for (name, manifest) in members().iter().filter(|(name, _)| *name != "cli") {
        let package = manifest["package"]["name"].as_str().unwrap();
        assert_eq!(package, format!("convwise-{name}"));
    }
}

/// Folders that people work in.
fn top_folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository()).unwrap().map(|entry| entry.unwrap().path());
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    entries.filter(|path| path.is_dir() && !hidden(path) && !path.ends_with("target")).collect()
}

/// Lines that people wrote: what stands between `<!-- begin: ... -->` and `<!-- end -->` is drawn by a program.
fn written_by_hand(readme: &str) -> usize {
    let mut drawn = false;
    let by_hand = |line: &&str| {
        drawn = (drawn || line.starts_with("<!-- begin:")) && *line != "<!-- end -->";
        !drawn
    };
    readme.lines().filter(by_hand).count()
}

/// What is wrong with the README of a top folder.
fn shortcoming(readme: &str) -> Option<&'static str> {
    let last = readme.lines().rev().find(|line| line.starts_with('#')).unwrap_or_default();
    if written_by_hand(readme) > 40 {
        return Some("is longer than 40 lines");
    }
    (!last.to_lowercase().contains("add one more")).then_some("does not end in how to add one more")
}

#[test]
fn every_top_folder_says_how_to_add_one_more() {
    assert!(top_folders().len() >= 6);
    for folder in top_folders() {
        let path = folder.join("README.md");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(shortcoming(&text), None, "{}", path.display());
    }
    assert_eq!(shortcoming("# x\n\n## Add one more\n\nso\n"), None);
    assert!(shortcoming("# x\n\n## Add one more\n\n## More\n").is_some());
    assert!(shortcoming(&"# add one more\n".repeat(41)).is_some());
    let drawn = format!("<!-- begin: x -->\n{}<!-- end -->\n", "row\n".repeat(50));
    assert_eq!(shortcoming(&format!("{drawn}# Add one more\n")), None, "drawn lines are not counted");
    assert!(shortcoming(&format!("{drawn}{}", "# add one more\n".repeat(40))).is_some());
}

/// Endings of files that people wrote or that tests compare with.
const TEXTS: &[&str] = &["rs", "rhai", "toml", "md", "py", "sh", "h", "c", "snap", "txt", "run"];

/// Files that people wrote, without build output.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = top_folders();
    let root = fs::read_dir(repository()).unwrap().map(|entry| entry.unwrap().path());
    found.extend(root.filter(|path| path.is_file() && TEXTS.iter().any(|e| has_extension(path, e))));
    found.push(repository().join(".ci/run"));
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if TEXTS.iter().any(|e| has_extension(&path, e)) {
                found.push(path);
            }
        }
    }
    found
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e == extension)
}

/// The first of the words that a text must not contain.
fn found_in<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    words.iter().copied().find(|word| text.contains(word))
}

/// The first of the words in each file that has one.
fn offenders(words: &[&str], wanted: impl Fn(&Path) -> bool) -> Vec<String> {
    let files = sources().into_iter().filter(|path| wanted(path));
    let offence = |path: PathBuf| {
        let text = fs::read_to_string(&path).ok()?;
        found_in(&text, words).map(|word| format!("{}: {word}", path.display()))
    };
    files.filter_map(offence).collect()
}

#[test]
fn exceptions_from_lints_carry_a_reason() {
    let found =
        offenders(&[concat!("#[", "allow("), concat!("#![", "allow(")], |path| has_extension(path, "rs"));
    assert!(found.is_empty(), "use expect with a reason: {found:#?}");
}

#[test]
fn nothing_points_outside_the_repository() {
    let words =
        [concat!("../", "shared"), concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tm", "p/cw")];
    let found = offenders(&words, |_| true);
    assert!(found.is_empty(), "{found:#?}");
    assert!(found_in(concat!("see ", "../", "shared", "/x"), &words).is_some());
    assert!(sources().len() > 200, "the files were not found");
}
