//! Where Python packages are installed, found without starting Python: that takes longer than everything else here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// The variable that names the one environment to look in; empty, none is looked in.
const VARIABLE: &str = "CONVWISE_PYTHON";

/// A folder with installed packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub path: PathBuf,
    /// The environment it belongs to.
    pub environment: PathBuf,
}

impl Site {
    /// The version of a package, by the name of its metadata folder (`<name>-<version>.dist-info`).
    pub(crate) fn version(&self, package: &str) -> Option<String> {
        let wanted = normal(package);
        fs::read_dir(&self.path).ok()?.flatten().find_map(|entry| {
            let name = entry.file_name();
            let (package, version) = name.to_str()?.strip_suffix(".dist-info")?.split_once('-')?;
            (normal(package) == wanted).then(|| version.to_owned())
        })
    }
}

/// Names that differ in case and in kinds of dashes mean the same package (PEP 503).
fn normal(package: &str) -> String {
    package.to_lowercase().replace(['-', '.'], "_")
}

/// The environments that the user works in, most important first: the active one, then that of the `python3` that would
/// be started, then what is installed for this user alone.
pub(crate) fn sites(variables: &BTreeMap<OsString, OsString>) -> Vec<Site> {
    let folder = |name: &str| variables.get(OsStr::new(name)).map(PathBuf::from);
    let set = |name: &str| folder(name).filter(|path| !path.as_os_str().is_empty());
    if let Some(only) = folder(VARIABLE) {
        return if only.as_os_str().is_empty() { Vec::new() } else { sites_of(&only) };
    }
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(set);
    let path = variables.get(OsStr::new("PATH")).into_iter().flat_map(std::env::split_paths);
    let started = path.map(|folder| folder.join("python3")).find(|python| python.is_file());
    let home = set("HOME").map(|home| home.join(".local"));
    let prefixes = active.chain(started.as_deref().and_then(prefix)).chain(home);
    let mut found: Vec<Site> = Vec::new();
    for site in prefixes.flat_map(|prefix| sites_of(&prefix)) {
        if !found.contains(&site) {
            found.push(site);
        }
    }
    found
}

/// The environment that a `python3` belongs to: that of a link in a virtual environment is not that of its target.
fn prefix(python: &Path) -> Option<PathBuf> {
    let of = |python: &Path| Some(python.parent()?.parent()?.to_owned());
    let named = of(python)?;
    if named.join("pyvenv.cfg").is_file() {
        return Some(named);
    }
    if python.parent()?.file_name() == Some(OsStr::new("shims")) {
        // pyenv's: a script that starts the version that a file beside it names.
        let version = fs::read_to_string(named.join("version")).ok()?;
        return Some(named.join("versions").join(version.lines().next()?.trim()));
    }
    of(&fs::canonicalize(python).ok()?)
}

/// The folders with packages of one environment; Debian's systems call theirs otherwise.
fn sites_of(prefix: &Path) -> Vec<Site> {
    let libs = [prefix.join("lib"), prefix.join("local/lib")];
    let versions = libs.iter().flat_map(|lib| fs::read_dir(lib).into_iter().flatten().flatten());
    let mut versions: Vec<PathBuf> = versions
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("python3"))
        .map(|entry| entry.path())
        .collect();
    // Newer ones first; nobody has three digits.
    versions.sort_by_key(|path| std::cmp::Reverse((path.as_os_str().len(), path.clone())));
    let folders =
        versions.iter().flat_map(|lib| ["site-packages", "dist-packages"].map(|name| lib.join(name)));
    let site = |path: PathBuf| Site { path, environment: prefix.to_owned() };
    folders.filter(|path| path.is_dir()).map(site).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Scene(tempfile::TempDir);

    impl Scene {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn folder(&self, name: &str) -> PathBuf {
            fs::create_dir_all(self.path(name)).unwrap();
            self.path(name)
        }

        fn file(&self, name: &str, text: &str) {
            self.folder(Path::new(name).parent().unwrap().to_str().unwrap());
            fs::write(self.path(name), text).unwrap();
        }

        /// The environments that are found, by name.
        fn found(&self, variables: &[(&str, &str)]) -> Vec<String> {
            let full = |(name, value): &(&str, &str)| {
                let absolute = |part: &str| self.path(part).display().to_string();
                let value: Vec<_> = value.split(':').map(absolute).collect();
                (OsString::from(name), OsString::from(value.join(":")))
            };
            let short = |site: Site| {
                assert!(site.path.starts_with(&site.environment));
                site.environment.strip_prefix(self.0.path()).unwrap().display().to_string()
            };
            sites(&variables.iter().map(full).collect()).into_iter().map(short).collect()
        }
    }

    #[test]
    fn the_active_environment_comes_first_then_the_python_that_would_start() {
        let scene = Scene::new();
        for environment in ["venv", "conda", "usr", "home/.local"] {
            scene.folder(&format!("{environment}/lib/python3.12/site-packages"));
        }
        scene.file("usr/bin/python3", "");
        let all =
            [("VIRTUAL_ENV", "venv"), ("CONDA_PREFIX", "conda"), ("PATH", "none:usr/bin"), ("HOME", "home")];
        assert_eq!(scene.found(&all), ["venv", "conda", "usr", "home/.local"]);
        assert_eq!(scene.found(&all[2..3]), ["usr"]);
        assert_eq!(scene.found(&[]), Vec::<String>::new());
        assert_eq!(scene.found(&[all[0], ("CONVWISE_PYTHON", "conda")]), ["conda"]);
        let none = [("VIRTUAL_ENV", "venv"), ("CONVWISE_PYTHON", "")].map(|(n, v)| (n.into(), v.into()));
        assert_eq!(sites(&BTreeMap::from(none)), []);
    }

    #[test]
    fn a_python_of_a_virtual_environment_is_not_its_base() {
        let scene = Scene::new();
        scene.folder("venv/lib/python3.11/site-packages");
        scene.folder("base/lib/python3.11/site-packages");
        scene.file("base/bin/python3.11", "");
        scene.folder("venv/bin");
        symlink(scene.path("base/bin/python3.11"), scene.path("venv/bin/python3")).unwrap();
        assert_eq!(scene.found(&[("PATH", "venv/bin")]), ["base"], "no environment without its file");
        scene.file("venv/pyvenv.cfg", "home = /");
        assert_eq!(scene.found(&[("PATH", "venv/bin")]), ["venv"]);
    }

    #[test]
    fn the_script_of_pyenv_is_understood() {
        let scene = Scene::new();
        scene.folder("pyenv/versions/3.12.1/lib/python3.12/site-packages");
        scene.file("pyenv/shims/python3", "#!/bin/sh\n");
        scene.file("pyenv/version", "3.12.1\n");
        assert_eq!(scene.found(&[("PATH", "pyenv/shims")]), ["pyenv/versions/3.12.1"]);
    }

    #[test]
    fn a_version_is_read_from_the_metadata_folder() {
        let scene = Scene::new();
        scene.folder("site/onnxruntime_gpu-1.31.1.dist-info");
        scene.folder("site/torch-2.13.0+cu130.dist-info");
        let site = Site { path: scene.path("site"), environment: scene.path("") };
        assert_eq!(site.version("onnxruntime-gpu").as_deref(), Some("1.31.1"));
        assert_eq!(site.version("Torch").as_deref(), Some("2.13.0+cu130"));
        assert_eq!(site.version("onnxruntime"), None);
    }
}
