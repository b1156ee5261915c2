//! A runner for somebody else's engine, as a package of its own: a manifest, a library that works from the first
//! build, and the SDK it is written with.
//!
//! The engine it starts with is the built-in runner's, whose files are handed out as they are.

use toml::{Table, Value};

/// What stands for the runner's name in the templates, and for its name in file names that the compiler chooses.
const NAME: &str = "NAME";
const CRATE: &str = "CRATE";

const PACKAGE: &str = include_str!("runner_package/Cargo.toml");
const README: &str = include_str!("runner_package/README.md");
const RUNNER: &str = include_str!("runner_package/lib.rs");
const MANIFEST: &str = include_str!("runner_package/runner.toml");

/// Files that are handed out as they are: the built-in runner's engine, and the SDK.
const COPIED: [(&str, &str); 13] = [
    ("src/error.rs", include_str!("../../runners/rten/src/error.rs")),
    ("src/session.rs", include_str!("../../runners/rten/src/session.rs")),
    ("src/value.rs", include_str!("../../runners/rten/src/value.rs")),
    ("src/wire.rs", include_str!("../../runners/rten/src/wire.rs")),
    ("abi/include/runner.h", include_str!("../../runners/abi/include/runner.h")),
    ("abi/src/lib.rs", include_str!("../../runners/abi/src/lib.rs")),
    ("sdk/src/document.rs", include_str!("../../runners/sdk/src/document.rs")),
    ("sdk/src/error.rs", include_str!("../../runners/sdk/src/error.rs")),
    ("sdk/src/export.rs", include_str!("../../runners/sdk/src/export.rs")),
    ("sdk/src/glue.rs", include_str!("../../runners/sdk/src/glue.rs")),
    ("sdk/src/lib.rs", include_str!("../../runners/sdk/src/lib.rs")),
    ("sdk/src/options.rs", include_str!("../../runners/sdk/src/options.rs")),
    ("sdk/src/tensor.rs", include_str!("../../runners/sdk/src/tensor.rs")),
];

/// Manifests of the SDK's packages, which take what they share from the workspace.
const SDK_MANIFESTS: [(&str, &str); 2] = [
    ("abi/Cargo.toml", include_str!("../../runners/abi/Cargo.toml")),
    ("sdk/Cargo.toml", include_str!("../../runners/sdk/Cargo.toml")),
];
const WORKSPACE: &str = include_str!("../../Cargo.toml");

/// The files of the package, by their paths in its folder.
///
/// # Errors
/// Manifests of this build that cannot be read or written.
pub(crate) fn files(name: &str) -> Result<Vec<(String, String)>, String> {
    let own = [
        ("Cargo.toml".to_owned(), PACKAGE),
        ("README.md".to_owned(), README),
        ("src/lib.rs".to_owned(), RUNNER),
        (format!("runners/{name}.toml"), MANIFEST),
    ];
    let named = |text: &str| text.replace(NAME, name).replace(CRATE, &name.replace('-', "_"));
    let mut files: Vec<_> = own.into_iter().map(|(path, text)| (path, named(text))).collect();
    files.push((".gitignore".to_owned(), "/target\n".to_owned()));
    files.extend(COPIED.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let workspace: Table = WORKSPACE.parse().map_err(|e| format!("the workspace's manifest: {e}"))?;
    for (path, text) in SDK_MANIFESTS {
        let manifest: Table = text.parse().map_err(|e| format!("{path}: {e}"))?;
        let alone = toml::to_string(&alone(manifest, &workspace)).map_err(|e| format!("{path}: {e}"))?;
        files.push((path.to_owned(), alone));
    }
    Ok(files)
}

/// A package's manifest with what it inherits from the workspace written out, and without the workspace's lints.
fn alone(mut manifest: Table, workspace: &Table) -> Table {
    let shared = |section: &str| workspace.get("workspace").and_then(|w| w.get(section));
    manifest.remove("lints");
    for section in ["package", "dependencies"] {
        let Some(Value::Table(entries)) = manifest.get_mut(section) else { continue };
        for (key, value) in entries.iter_mut() {
            let inherited = value.get("workspace").is_some();
            let meant = shared(section).and_then(|s| s.get(key)).filter(|_| inherited);
            if let Some(meant) = meant {
                *value = beside(meant.clone());
            }
        }
    }
    manifest
}

/// A dependency on one of our packages finds it beside the package that has it.
fn beside(mut dependency: Value) -> Value {
    if let Some(Value::String(path)) = dependency.get_mut("path") {
        *path = path.replace("runners/", "../");
    }
    dependency
}
