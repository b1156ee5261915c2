//! Which runners there are: built-in ones and those that manifests name, in an ordered list of places. The first of a
//! name wins, and what it hides is reported. No library is loaded here.

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::child::Builtin;
use crate::library::check_digest;
use crate::manifest::{Manifest, ManifestError};
use crate::spec::{RunnerSource, WorkerSpec};
use crate::trust;

/// A place where manifests are.
#[derive(Clone, Debug)]
pub enum Shelf {
    /// A folder; its `*.toml` are manifests. A folder that is not there is empty.
    Folder(PathBuf),
    /// Manifests that are part of the program: names and texts.
    Embedded(Vec<(String, String)>),
}

/// Where to look.
#[derive(Clone, Debug, Default)]
pub struct Discovery<'a> {
    /// Places, most important first.
    pub shelves: Vec<Shelf>,
    /// Runners that are part of the program; a manifest of the same name hides one.
    pub builtins: &'a [Builtin],
    /// convwise's home, for installed libraries.
    pub home: Option<PathBuf>,
    /// The folder of the running program.
    pub program_folder: Option<PathBuf>,
}

/// Where an entry comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Linked into the program.
    Builtin,
    /// A manifest that is part of the program.
    Embedded(String),
    /// A manifest file.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin => f.write_str("built in"),
            Self::Embedded(name) => write!(f, "built in ({name})"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A runner that was found.
#[derive(Clone, Debug)]
pub struct RunnerEntry {
    /// Its name.
    pub name: String,
    /// Its version by the manifest; a built-in runner says it in its description.
    pub version: Option<String>,
    /// One line about it.
    pub summary: String,
    /// Where it was found.
    pub origin: Origin,
    /// Its library, if it has one: where it is, or where it would be expected.
    pub path: Option<PathBuf>,
    /// Why it cannot be started, if so. What it needs beyond its library only its `probe` knows.
    pub why_not: Option<String>,
    /// Entries of the same name that it hides.
    pub overrides: Vec<Origin>,
    /// The manifest, unless it is built in.
    pub manifest: Option<Manifest>,
    /// Environment variables that point it to installed native libraries.
    pub env: BTreeMap<String, OsString>,
}

impl RunnerEntry {
    /// Whether a worker can be started for it.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.why_not.is_none()
    }

    /// Where its table comes from, if it is usable.
    #[must_use]
    pub fn source(&self) -> Option<RunnerSource> {
        if !self.usable() {
            return None;
        }
        let Some(manifest) = &self.manifest else {
            return Some(RunnerSource::Builtin { name: self.name.clone() });
        };
        Some(RunnerSource::Library { path: self.path.clone()?, digest: manifest.sha256.clone() })
    }

    /// The worker for it in `program`, if it is usable.
    #[must_use]
    pub fn worker(&self, program: impl Into<PathBuf>) -> Option<WorkerSpec> {
        let mut spec = WorkerSpec::new(&self.name, self.source()?, program);
        spec.env = self.env.clone();
        Some(spec)
    }

    /// Options for `probe` and `load`: the manifest's, with the user's on top.
    #[must_use]
    pub fn options(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut options = self.manifest.as_ref().map(|manifest| manifest.options.clone()).unwrap_or_default();
        options.extend(given.clone());
        options
    }
}

/// All runners, by name, and the manifests that could not be used.
#[derive(Clone, Debug, Default)]
pub struct RunnerList {
    /// Usable and unusable ones, by name.
    pub runners: Vec<RunnerEntry>,
    /// Manifests that are broken or not trusted.
    pub problems: Vec<ManifestError>,
}

impl RunnerList {
    /// The entry of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RunnerEntry> {
        self.runners.iter().find(|runner| runner.name == name)
    }
}

/// Looks through all places.
#[must_use]
pub fn discover(places: &Discovery<'_>) -> RunnerList {
    let mut list = RunnerList::default();
    for shelf in &places.shelves {
        for (origin, text) in manifests_of(shelf, &mut list.problems) {
            match Manifest::parse(&origin_name(&origin), &text) {
                Ok(manifest) => add(&mut list.runners, entry_of(manifest, origin, places)),
                Err(problem) => list.problems.push(problem),
            }
        }
    }
    for builtin in places.builtins {
        add(&mut list.runners, builtin_entry(builtin.name));
    }
    list.runners.sort_by(|a, b| a.name.cmp(&b.name));
    list
}

/// The name of a manifest in messages.
fn origin_name(origin: &Origin) -> String {
    match origin {
        Origin::Embedded(name) => name.clone(),
        _ => origin.to_string(),
    }
}

fn add(runners: &mut Vec<RunnerEntry>, entry: RunnerEntry) {
    match runners.iter_mut().find(|runner| runner.name == entry.name) {
        Some(winner) => winner.overrides.push(entry.origin),
        None => runners.push(entry),
    }
}

/// The manifests of a place with their texts, by file name; unreadable and untrusted ones become problems.
fn manifests_of(shelf: &Shelf, problems: &mut Vec<ManifestError>) -> Vec<(Origin, String)> {
    let folder = match shelf {
        Shelf::Embedded(files) => {
            let origin = |(name, text): &(String, String)| (Origin::Embedded(name.clone()), text.clone());
            return files.iter().map(origin).collect();
        }
        Shelf::Folder(folder) => folder,
    };
    let mut found = Vec::new();
    for path in toml_files(folder) {
        let text = trust::check(&path)
            .and_then(|()| fs::read_to_string(&path).map_err(|error| format!("cannot be read: {error}")));
        match text {
            Ok(text) => found.push((Origin::File(path), text)),
            Err(reason) => problems.push(unreadable(&path, reason)),
        }
    }
    found
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    files.sort();
    files
}

fn unreadable(path: &Path, message: String) -> ManifestError {
    let path = path.display().to_string();
    ManifestError { path, line: 0, column: 0, message, source_line: String::new(), width: 0 }
}

fn builtin_entry(name: &str) -> RunnerEntry {
    RunnerEntry {
        name: name.into(),
        version: None,
        summary: "part of this program".into(),
        origin: Origin::Builtin,
        path: None,
        why_not: None,
        overrides: Vec::new(),
        manifest: None,
        env: BTreeMap::new(),
    }
}

fn entry_of(manifest: Manifest, origin: Origin, places: &Discovery<'_>) -> RunnerEntry {
    let candidates = library_candidates(&manifest.library, &origin, places);
    let found = candidates.iter().find(|path| path.is_file());
    let why_not = match found {
        Some(path) => library_problem(path, &manifest),
        None => Some(missing_library(&manifest.library, &candidates)),
    };
    RunnerEntry {
        name: manifest.name.clone(),
        version: Some(manifest.version.clone()),
        summary: manifest.summary.clone(),
        path: found.or(candidates.first()).cloned(),
        origin,
        why_not,
        overrides: Vec::new(),
        env: native_libraries(&manifest, places.home.as_deref()),
        manifest: Some(manifest),
    }
}

/// Files that `library` can mean, in order: relative to the manifest, and for a bare name also beside the program and
/// in convwise's home.
fn library_candidates(library: &str, origin: &Origin, places: &Discovery<'_>) -> Vec<PathBuf> {
    let file = library_file(Path::new(library));
    if file.is_absolute() {
        return vec![file];
    }
    let beside_manifest = match origin {
        Origin::File(path) => path.parent().map(Path::to_owned),
        Origin::Builtin | Origin::Embedded(_) => None,
    };
    let in_home = places.home.as_ref().map(|home| home.join("runners"));
    let elsewhere = [places.program_folder.clone(), in_home];
    let bare = file.parent() == Some(Path::new(""));
    let elsewhere = elsewhere.into_iter().flatten().filter(|_| bare);
    beside_manifest
        .into_iter()
        .chain(elsewhere)
        .map(|folder| folder.join(&file))
        .map(|path| std::path::absolute(&path).unwrap_or(path))
        .collect()
}

/// What the system calls a library: `target/mine` is `target/libmine.so`. A whole file name stays.
fn library_file(library: &Path) -> PathBuf {
    match library.file_name().map(|name| name.to_string_lossy()) {
        Some(name) if !name.contains(DLL_SUFFIX) => {
            library.with_file_name(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
        }
        _ => library.to_owned(),
    }
}

fn library_problem(path: &Path, manifest: &Manifest) -> Option<String> {
    if let Err(reason) = trust::check(path) {
        return Some(format!("its library is not trusted: {reason}"));
    }
    let expected = manifest.sha256.as_ref()?;
    check_digest(path, expected).err().map(|error| error.to_string())
}

fn missing_library(library: &str, candidates: &[PathBuf]) -> String {
    let tried: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
    format!("its library {library} is not there; looked at {}", tried.join(", "))
}

/// Variables for installed native libraries; one that the user has set is left alone.
fn native_libraries(manifest: &Manifest, home: Option<&Path>) -> BTreeMap<String, OsString> {
    let Some(home) = home else { return BTreeMap::new() };
    let unset = manifest.requires.iter().filter(|required| std::env::var_os(&required.env).is_none());
    unset
        .map(|required| {
            (required.env.clone(), home.join("native").join(&required.install).join(&required.file))
        })
        .filter(|(_, path)| path.is_file())
        .map(|(name, path)| (name, path.into_os_string()))
        .collect()
}
