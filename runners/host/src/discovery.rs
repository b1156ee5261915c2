//! Which runners there are: built-in ones and those that manifests name, in an ordered list of places. The first of a
//! name wins, and what it hides is reported. No library is loaded here.

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::child::Builtin;
use crate::library::check_digest;
use crate::manifest::{Manifest, ManifestError};
use crate::native::{Native, Resolved, Search};
use crate::spec::{NEEDS_VARIABLE, RunnerSource, WorkerSpec};
use crate::trust;

/// Where the system's loader looks besides its own folders.
const LIBRARY_PATH: &str = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };

/// A place where manifests are.
#[derive(Clone, Debug)]
pub enum Shelf {
    /// A folder; its `*.toml` are manifests. A folder that is not there is empty.
    Folder(PathBuf),
    /// A folder whose manifests are listed with the reason why they are not read.
    Closed {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        why: String,
    },
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
    /// The environment in which native libraries are looked for; [`surroundings`] unless in a test.
    pub variables: BTreeMap<OsString, OsString>,
}

/// The environment of this process; empty where it must not decide what is loaded.
#[must_use]
pub fn surroundings() -> BTreeMap<OsString, OsString> {
    if trust::elevated() { BTreeMap::new() } else { std::env::vars_os().collect() }
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
    /// Whether that library is there, to be trusted or not.
    pub library_is_there: bool,
    /// Why it cannot be started, if so. What it needs beyond its library only its `probe` knows.
    pub why_not: Option<String>,
    /// Entries of the same name that it hides.
    pub overrides: Vec<Origin>,
    /// The manifest, unless it is built in.
    pub manifest: Option<Manifest>,
    /// The native libraries that its manifest names, found or not.
    pub native: Vec<Native>,
    /// Environment variables that point it to them.
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
        if let Some(needs) = self.needs() {
            spec.env.insert(NEEDS_VARIABLE.into(), needs.into());
        }
        Some(spec)
    }

    /// What it cannot do without and was not found, with the commands that bring it.
    #[must_use]
    pub fn needs(&self) -> Option<String> {
        let missing = self.native.iter().filter(|native| native.path.is_none() && native.only_for.is_none());
        let words: Vec<String> = missing
            .map(|native| match &native.problem {
                Some(problem) => format!("{} ({problem})", native.what),
                None => format!("{}, which `{}` brings", native.what, native.mend),
            })
            .collect();
        (!words.is_empty()).then(|| words.join(", and "))
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
    /// Manifests that were not even read.
    pub skipped: Vec<Skipped>,
}

/// A manifest that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why.
    pub why: String,
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
    let search = Search::new(&places.variables, places.home.as_deref());
    for shelf in &places.shelves {
        for (origin, text) in manifests_of(shelf, &mut list) {
            match Manifest::parse(&origin_name(&origin), &text) {
                Ok(manifest) => add(&mut list.runners, entry_of(manifest, origin, places, &search)),
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

/// The manifests of a place with their texts, by file name; what cannot be used is added to the list with the reason.
fn manifests_of(shelf: &Shelf, list: &mut RunnerList) -> Vec<(Origin, String)> {
    match shelf {
        Shelf::Embedded(files) => {
            let origin = |(name, text): &(String, String)| (Origin::Embedded(name.clone()), text.clone());
            files.iter().map(origin).collect()
        }
        Shelf::Closed { folder, why } => {
            let skipped = |path| Skipped { path, why: why.clone() };
            list.skipped.extend(toml_files(folder).into_iter().map(skipped));
            Vec::new()
        }
        Shelf::Folder(folder) => toml_files(folder)
            .into_iter()
            .filter_map(|path| match trusted_text(&path) {
                Ok(text) => Some((Origin::File(path), text)),
                Err(reason) => {
                    list.problems.push(unreadable(&path, reason));
                    None
                }
            })
            .collect(),
    }
}

fn trusted_text(path: &Path) -> Result<String, String> {
    let real = trust::check(path)?;
    fs::read_to_string(real).map_err(|error| format!("cannot be read: {error}"))
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
        library_is_there: true,
        why_not: None,
        overrides: Vec::new(),
        manifest: None,
        native: Vec::new(),
        env: BTreeMap::new(),
    }
}

fn entry_of(manifest: Manifest, origin: Origin, places: &Discovery<'_>, search: &Search<'_>) -> RunnerEntry {
    let candidates = library_candidates(&manifest.library, &origin, places);
    let found = candidates.iter().find(|path| path.is_file());
    let resolved: Vec<Resolved> = manifest.requires.iter().map(|required| search.resolve(required)).collect();
    let why_not = match found {
        Some(path) => library_problem(path, &manifest, &origin).or_else(|| refusal(&resolved)),
        None => Some(missing_library(&manifest.library, &candidates)),
    };
    RunnerEntry {
        name: manifest.name.clone(),
        version: Some(manifest.version.clone()),
        summary: manifest.summary.clone(),
        path: found.or(candidates.first()).cloned(),
        library_is_there: found.is_some(),
        origin,
        why_not,
        overrides: Vec::new(),
        env: environment(&manifest, &resolved, &places.variables),
        native: resolved.into_iter().map(|resolved| resolved.native).collect(),
        manifest: Some(manifest),
    }
}

/// Why a native library that the user chose must not be loaded.
fn refusal(resolved: &[Resolved]) -> Option<String> {
    resolved.iter().find(|resolved| resolved.refused)?.native.problem.clone()
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

fn library_problem(path: &Path, manifest: &Manifest, origin: &Origin) -> Option<String> {
    if let Err(reason) = trust::check(path) {
        return Some(format!("its library is not trusted: {reason}"));
    }
    let error = check_digest(path, manifest.sha256.as_ref()?).err()?;
    Some(format!("{error} ({origin})"))
}

fn missing_library(library: &str, candidates: &[PathBuf]) -> String {
    let tried: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
    format!("its library {library} is not there; looked at {}", tried.join(", "))
}

/// What a worker is told about native libraries. Variables that the user has set are left alone.
fn environment(
    manifest: &Manifest,
    resolved: &[Resolved],
    variables: &BTreeMap<OsString, OsString>,
) -> BTreeMap<String, OsString> {
    let mut env = BTreeMap::new();
    if trust::elevated() {
        // Emptied, because the worker would inherit what the caller has set.
        env.extend(manifest.requires.iter().map(|required| (required.env.clone(), OsString::new())));
    }
    env.extend(resolved.iter().filter_map(|resolved| resolved.variable.clone()));
    let folders: Vec<&PathBuf> = resolved.iter().flat_map(|resolved| &resolved.library_path).collect();
    if !folders.is_empty() {
        let before = variables.get(OsStr::new(LIBRARY_PATH)).cloned().unwrap_or_default();
        // An empty part would mean the working directory.
        let before = std::env::split_paths(&before).filter(|folder| !folder.as_os_str().is_empty());
        let joined = std::env::join_paths(folders.into_iter().cloned().chain(before));
        env.extend(joined.ok().map(|joined| (LIBRARY_PATH.to_owned(), joined)));
    }
    env
}
