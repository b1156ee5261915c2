//! What a family's graphs depend on, as one digest: the key under which facts are cached.

use std::collections::{BTreeMap, BTreeSet};

use blake3::Hasher;

use crate::api::API_VERSION;
use crate::folder::{FamilyFiles, TextFile};

/// What scripts can import, by name.
pub(crate) type Modules = BTreeMap<String, TextFile>;

/// Digest of the manifest, the script, the modules it can reach, and the version of the graph API; and of every manifest
/// if the script takes a backbone by name, whose arguments stand there.
pub(crate) fn of_family(
    files: &FamilyFiles,
    reach: &BTreeSet<String>,
    modules: &Modules,
    manifests: &Modules,
) -> String {
    let mut hasher = Hasher::new();
    hasher.update(&API_VERSION.to_le_bytes());
    absorb(&mut hasher, "family.toml", &files.manifest.text);
    if let Some(script) = &files.script {
        absorb(&mut hasher, "graph.rhai", &script.text);
    }
    for name in reach {
        if let Some(file) = modules.get(name) {
            absorb(&mut hasher, name, &file.text);
        }
    }
    if files.script.as_ref().is_some_and(|script| reaches_all(&script.text)) {
        manifests.iter().for_each(|(folder, file)| absorb(&mut hasher, folder, &file.text));
    }
    short(&hasher)
}

/// Whether a script computes the name of an import.
fn reaches_all(script: &str) -> bool {
    imports(script).is_none()
}

/// 128 bits as hexadecimal digits.
pub(crate) fn short(hasher: &Hasher) -> String {
    hasher.finalize().to_hex().as_str().chars().take(32).collect()
}

/// Lengths keep neighbouring texts apart.
fn absorb(hasher: &mut Hasher, name: &str, text: &str) {
    for part in [name, text] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
}

/// Modules that a script imports, and those that they import. A script that computes the name of an
/// import could reach any.
pub(crate) fn reachable(script: &str, modules: &Modules) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut texts = vec![script];
    while let Some(text) = texts.pop() {
        let Some(names) = imports(text) else { return modules.keys().cloned().collect() };
        for name in names {
            if found.insert(name.clone()) {
                texts.extend(modules.get(&name).map(|file| file.text.as_ref()));
            }
        }
    }
    found
}

/// Names that a script imports as literals, or `None` if one is computed.
fn imports(script: &str) -> Option<Vec<String>> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    script
        .match_indices("import")
        .filter(|(at, _)| !script.get(..*at).is_some_and(|before| before.ends_with(word)))
        .filter_map(|(at, found)| script.get(at + found.len()..))
        .filter(|rest| !rest.starts_with(word))
        .map(|rest| {
            let literal = rest.trim_start().strip_prefix('"')?;
            literal.split_once('"').map(|(name, _)| name.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, expect: Option<&[&str]>) {
        let expect = expect.map(|names| names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(imports(script), expect, "{script}");
    }

    #[test]
    fn finds_imports() {
        check("import \"blocks/conv\" as conv;\nimport  \"resnet\" as r;", Some(&["blocks/conv", "resnet"]));
        check("let important = 1; reimport();", Some(&[]));
        check("import name as n;", None);
        check("import `blocks/${x}` as n;", None);
    }
}
