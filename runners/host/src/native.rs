//! Which native library a runner gets: the one that the user's environment variable names, else that of an installed
//! Python package, else the one in convwise's home, else the system's. Nothing is loaded and nothing is started here.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::manifest::{PythonPackage, Requirement};
use crate::python::{self, Site};
use crate::trust;

/// Where the system's loader looks by itself. Folders that are not there cost nothing.
const SYSTEM_FOLDERS: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/opt/homebrew/lib",
];

/// Where a native library was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "where")]
pub enum NativeOrigin {
    /// The user set this environment variable.
    Environment(String),
    /// A Python environment.
    Python(PathBuf),
    /// convwise's home.
    Home,
    /// The system's own folders.
    System,
}

impl fmt::Display for NativeOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(variable) => write!(f, "{variable}"),
            Self::Python(environment) => write!(f, "Python in {}", environment.display()),
            Self::Home => f.write_str("convwise's home"),
            Self::System => f.write_str("the system"),
        }
    }
}

/// A native library that a runner needs, found or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Native {
    /// What it is.
    pub what: String,
    /// The option without which the runner does without it.
    pub only_for: Option<String>,
    /// The library's file, if it was found.
    pub path: Option<PathBuf>,
    /// Its version, where that can be told.
    pub version: Option<String>,
    /// Where it was found.
    pub from: Option<NativeOrigin>,
    /// Why the one that the user chose may not or must not be used.
    pub problem: Option<String>,
    /// What was seen and not taken, with the reasons.
    pub passed_over: Vec<String>,
    /// The command that brings it.
    pub mend: String,
}

/// A native library with what a worker must be told to use it.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub native: Native,
    /// The variable to set, unless the user has.
    pub variable: Option<(String, OsString)>,
    /// Folders for the loader.
    pub library_path: Vec<PathBuf>,
    /// It must not be loaded.
    pub refused: bool,
}

/// Where to look.
pub(crate) struct Search<'a> {
    pub variables: &'a BTreeMap<OsString, OsString>,
    pub home: Option<&'a Path>,
    /// Looked up once, and only if something needs it.
    sites: OnceCell<Vec<Site>>,
}

/// A library that is there.
struct Candidate {
    root: PathBuf,
    file: PathBuf,
    version: Option<String>,
    from: NativeOrigin,
    library_path: Vec<PathBuf>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(variables: &'a BTreeMap<OsString, OsString>, home: Option<&'a Path>) -> Self {
        Self { variables, home, sites: OnceCell::new() }
    }

    /// The library for a requirement.
    pub(crate) fn resolve(&self, required: &Requirement) -> Resolved {
        let set = self.variables.get(OsStr::new(&required.env)).filter(|value| !value.is_empty());
        match set {
            Some(value) => self.chosen(required, Path::new(value)),
            None => self.first_that_fits(required),
        }
    }

    fn sites(&self) -> &[Site] {
        self.sites.get_or_init(|| python::sites(self.variables))
    }

    /// What the user's variable names, for better or worse.
    fn chosen(&self, required: &Requirement, value: &Path) -> Resolved {
        let mut native = nothing(required);
        let from = NativeOrigin::Environment(required.env.clone());
        let root = if required.folder { Some(value) } else { value.parent() };
        let root = root.filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let file = if required.folder { matching(&root, &required.file) } else { Some(value.to_owned()) };
        let Some(file) = file.filter(|file| file.is_file()) else {
            let missing = if required.folder { root.join(&required.file) } else { value.to_owned() };
            native.problem = Some(format!("{} is set, but {} is not there", required.env, missing.display()));
            native.mend = format!("unset {}", required.env);
            return Resolved { native, variable: None, library_path: Vec::new(), refused: false };
        };
        let library_path = folders(&root, &required.library_path);
        let version = python_version(required, &root).or_else(|| stated_version(&root, &file));
        let candidate = Candidate { root, file, version, from, library_path };
        let refusal = candidate.untrusted();
        native.problem = refusal
            .clone()
            .or_else(|| candidate.misfit(required))
            .map(|why| format!("{} is set, but {why}", required.env));
        let mut resolved = candidate.taken(required, native);
        (resolved.variable, resolved.refused) = (None, refusal.is_some());
        resolved
    }

    fn first_that_fits(&self, required: &Requirement) -> Resolved {
        let mut native = nothing(required);
        for candidate in self.candidates(required) {
            match candidate.untrusted().or_else(|| candidate.misfit(required)) {
                None => return candidate.taken(required, native),
                Some(why) => native.passed_over.push(format!("{}: {why}", candidate.from)),
            }
        }
        Resolved { native, variable: None, library_path: Vec::new(), refused: false }
    }

    /// Everything that is there, most important first.
    fn candidates<'s>(&'s self, required: &'s Requirement) -> impl Iterator<Item = Candidate> + 's {
        let sites: &[Site] = if required.python.is_empty() { &[] } else { self.sites() };
        let pairs = sites.iter().flat_map(|site| required.python.iter().map(move |package| (site, package)));
        let python = pairs.filter_map(|(site, package)| in_site(required, package, site));
        let home = self.home.and_then(|home| in_home(required, home));
        let system = required.system.as_deref().and_then(in_system);
        python.chain(home).chain(system)
    }
}

fn nothing(required: &Requirement) -> Native {
    Native {
        what: required.what.clone(),
        only_for: required.only_for.clone(),
        path: None,
        version: None,
        from: None,
        problem: None,
        passed_over: Vec::new(),
        mend: required.mend(),
    }
}

impl Candidate {
    fn untrusted(&self) -> Option<String> {
        let folders = self.library_path.iter().map(|folder| trust::check_folder(folder).err());
        std::iter::once(trust::check(&self.file).err()).chain(folders).find_map(|reason| reason)
    }

    /// A version that cannot be told is no reason against it.
    fn misfit(&self, required: &Requirement) -> Option<String> {
        let (range, version) = (required.version.as_ref()?, self.version.as_ref()?);
        let wrong = || format!("{} there is {version}, and {range} is needed", required.what);
        (!range.contains(version)).then(wrong)
    }

    fn taken(self, required: &Requirement, native: Native) -> Resolved {
        let value = if required.folder { &self.root } else { &self.file };
        let variable = match self.from {
            NativeOrigin::System => None,
            _ => Some((required.env.clone(), value.clone().into_os_string())),
        };
        let native = Native { path: Some(self.file), version: self.version, from: Some(self.from), ..native };
        Resolved { native, variable, library_path: self.library_path, refused: false }
    }
}

fn in_site(required: &Requirement, package: &PythonPackage, site: &Site) -> Option<Candidate> {
    let root = site.path.join(&package.folder);
    let file = matching(&root, package.file.as_ref().unwrap_or(&required.file))?;
    let version = Some(site.version(&package.package)?);
    let library_path = folders(&root, package.library_path.as_ref().unwrap_or(&required.library_path));
    Some(Candidate {
        root,
        file,
        version,
        from: NativeOrigin::Python(site.environment.clone()),
        library_path,
    })
}

fn in_home(required: &Requirement, home: &Path) -> Option<Candidate> {
    let root = home.join("native").join(&required.install);
    let file = matching(&root, &required.file)?;
    let real = fs::canonicalize(&file).ok()?;
    let below = real.strip_prefix(fs::canonicalize(&root).ok()?).ok()?.components().next()?;
    // Installed, the lasting name is a link into a folder named after the version.
    let version = below.as_os_str().to_str().filter(|name| name.starts_with(|c: char| c.is_ascii_digit()));
    let version = version.map(str::to_owned);
    let library_path = folders(&root, &required.library_path);
    Some(Candidate { root, file, version, from: NativeOrigin::Home, library_path })
}

fn in_system(name: &str) -> Option<Candidate> {
    let file =
        SYSTEM_FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|file| file.is_file())?;
    let real = fs::canonicalize(&file).ok()?;
    let root = file.parent()?.to_owned();
    let version = stated_version(&root, &real);
    Some(Candidate { root, file, version, from: NativeOrigin::System, library_path: Vec::new() })
}

/// The folders that are there.
fn folders(root: &Path, named: &[String]) -> Vec<PathBuf> {
    named.iter().map(|name| root.join(name)).filter(|folder| folder.is_dir()).collect()
}

/// The file below `root` that a pattern means; a star in its last part stands for anything.
fn matching(root: &Path, pattern: &str) -> Option<PathBuf> {
    let path = root.join(pattern);
    let Some((before, after)) = path.file_name()?.to_str()?.split_once('*') else {
        return path.is_file().then_some(path);
    };
    let entries = fs::read_dir(path.parent()?).ok()?.flatten().map(|entry| entry.path());
    let fits = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
    };
    entries.filter(fits).min()
}

/// The version of the Python package whose folder the user's variable names.
fn python_version(required: &Requirement, root: &Path) -> Option<String> {
    required.python.iter().find_map(|package| {
        let depth = Path::new(&package.folder).components().count();
        let path = root.ancestors().nth(depth).filter(|_| root.ends_with(&package.folder))?.to_owned();
        Site { environment: path.clone(), path }.version(&package.package)
    })
}

/// The version that libtorch's archives have in a file, or that a library has in its name: `libx.so.1.31.1`.
fn stated_version(root: &Path, file: &Path) -> Option<String> {
    if let Ok(text) = fs::read_to_string(root.join("build-version")) {
        return Some(text.trim().to_owned());
    }
    let real = fs::canonicalize(file).ok()?;
    let name = real.file_name()?.to_str()?;
    let (_, version) = name.split_once(".so.")?;
    version.contains('.').then(|| version.to_owned())
}
