//! What a provider's library needs of the system: looked for before it is loaded, so that everything missing is named at
//! once and with what gets it.
//!
//! Libraries that lie beside ONNX Runtime's, in the Python packages beside its own or below `TENSORRT_HOME` are loaded from
//! there, in the order of their needs; the loader then finds them in memory by name, and nobody has to set
//! `LD_LIBRARY_PATH`.

use std::collections::BTreeSet;
use std::iter::once;
use std::path::{Path, PathBuf};

use convwise_sdk::Missing;
use libloading::Library;

use crate::elf::needed;
use crate::engine::reason;
use crate::library::folder;
use crate::provider::Provider;

/// The variable with the folder of TensorRT, which the host sets where it found one.
const TENSORRT_HOME: &str = "TENSORRT_HOME";

/// Most libraries that are looked at for one provider.
const MOST: usize = 128;

/// NVIDIA's driver, which no package of ours brings.
const DRIVER: &str = "libcuda.so.1";

/// TensorRT's main library.
const INFER: &str = "libnvinfer.so.10";

/// What the CUDA provider opens only when the first convolution runs.
const OPENED_LATE: &str = "libcudnn.so.9";

/// Beginnings of the names of libraries that others open by name while they run: where they lie beside ONNX Runtime, they
/// are loaded from there first.
const OPENED_BY_NAME: [&str; 4] = ["libcudnn", "libnvrtc", "libcufft", "libnvinfer"];

/// Loads what `provider` needs and answers what is not there. `library` is ONNX Runtime's.
pub(crate) fn missing(provider: Provider, library: &Path) -> Vec<Missing> {
    let mut search = Search::of(beside(library).into_iter().chain(tensorrt_folders()));
    for name in provider.own_and_fallback().filter_map(|one| one.row().library) {
        let own = folder(library).join(name);
        if !own.is_file() {
            let what = format!("{name}, which belongs beside {}", library.display());
            return vec![Missing { what, how: provider.remedy() }];
        }
        search.needs_of(&own);
    }
    if provider.is_nvidia() {
        search.find(OPENED_LATE.to_owned());
        search.neighbours();
    }
    search.answer(provider)
}

/// What a provider needs beside ONNX Runtime, as far as that can be said without ONNX Runtime.
pub(crate) fn beside_onnxruntime(provider: Provider) -> Vec<Missing> {
    let wanted: &[&str] = match provider {
        Provider::TensorRt => &[INFER, DRIVER],
        Provider::Cuda => &[DRIVER],
        _ => &[],
    };
    let mut search = Search::of(tensorrt_folders());
    wanted.iter().for_each(|soname| search.find((*soname).to_owned()));
    search.answer(provider)
}

/// TensorRT's main library as `library`'s provider names it, such as `libnvinfer.so.10`.
pub(crate) fn tensorrt_soname(library: &Path) -> Option<String> {
    let own = folder(library).join(Provider::TensorRt.row().library?);
    needed(&own).into_iter().find(|name| name.starts_with("libnvinfer.so"))
}

/// The library's name, and what the loader said of it unless it is simply not there.
fn named(soname: &str, said: &str) -> String {
    // The loader begins with the name itself.
    let said = said.strip_prefix(soname).map_or(said, |rest| rest.trim_start_matches([':', ' ']));
    if said.contains("No such file") { soname.to_owned() } else { format!("{soname} ({said})") }
}

/// `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        names => names.concat(),
    }
}

/// How to get a library by its name.
fn how(soname: &str) -> String {
    let starts = |beginnings: &[&str]| beginnings.iter().any(|beginning| soname.starts_with(beginning));
    if starts(&["libcuda.so", "libnvidia-"]) {
        "install NVIDIA's driver with the system's package manager".into()
    } else if starts(&["libnvinfer", "libnvonnxparser"]) {
        "convwise runner install tensorrt".into()
    } else if starts(&["libcu", "libnvrtc", "libnvJitLink"]) {
        "convwise runner install onnxruntime-gpu".into()
    } else {
        format!("install the package of the system that has {soname}")
    }
}

/// The folder of `library`, and those of NVIDIA's Python packages where it is in one itself:
/// `site-packages/{onnxruntime/capi,nvidia/*/lib,tensorrt_libs}`.
fn beside(library: &Path) -> Vec<PathBuf> {
    let own = folder(library);
    let site = if own.ends_with("onnxruntime/capi") { own.ancestors().nth(2) } else { None };
    let packages = site.and_then(|site| site.join("nvidia").read_dir().ok()).into_iter().flatten().flatten();
    let packages = packages.map(|package| package.path().join("lib"));
    let tensorrt = site.map(|site| site.join("tensorrt_libs"));
    once(own.to_owned()).chain(packages).chain(tensorrt).filter(|folder| folder.is_dir()).collect()
}

/// Where TensorRT may be beside the folders that the loader searches by itself.
fn tensorrt_folders() -> impl Iterator<Item = PathBuf> {
    let home = std::env::var_os(TENSORRT_HOME).filter(|home| !home.is_empty()).map(PathBuf::from);
    let folders = home.into_iter().flat_map(|home| [home.join("lib"), home]);
    folders.filter(|folder| folder.is_dir())
}

struct Search {
    folders: Vec<PathBuf>,
    seen: BTreeSet<String>,
    /// Names and what the loader said.
    absent: Vec<(String, String)>,
}

impl Search {
    fn of(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { folders: folders.into_iter().collect(), seen: BTreeSet::new(), absent: Vec::new() }
    }

    /// What was not found, together where the same thing gets it.
    fn answer(self, provider: Provider) -> Vec<Missing> {
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for (soname, said) in self.absent {
            let (how, name) = (how(&soname), named(&soname, &said));
            match groups.iter_mut().find(|group| group.0 == how) {
                Some(group) => group.1.push(name),
                None => groups.push((how, vec![name])),
            }
        }
        let what = |names: &[String]| format!("{} for {}", listed(names), provider.name());
        groups.into_iter().map(|(how, names)| Missing { what: what(&names), how }).collect()
    }

    fn needs_of(&mut self, file: &Path) {
        for soname in needed(file) {
            self.find(soname);
        }
    }

    fn find(&mut self, soname: String) {
        if self.seen.len() < MOST && self.seen.insert(soname.clone()) {
            self.load(soname);
        }
    }

    fn neighbours(&mut self) {
        let entries = self.folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let opened = |name: &String| OPENED_BY_NAME.iter().any(|beginning| name.starts_with(beginning));
        let mut names: Vec<_> = names.filter(opened).collect();
        names.sort();
        for name in names {
            self.find(name);
        }
    }

    fn load(&mut self, soname: String) {
        let near = self.folders.iter().map(|folder| folder.join(&soname)).find(|path| path.is_file());
        if let Some(path) = &near {
            self.needs_of(path);
        }
        if let Err(said) = keep(near.as_deref().unwrap_or(Path::new(&soname))) {
            self.absent.push((soname, said));
        }
    }
}

/// Loads a library for the rest of the process.
#[expect(unsafe_code, reason = "loads a library")]
fn keep(path: &Path) -> Result<(), String> {
    // SAFETY: loading runs the library's constructors; the provider that the user asked for would load it next.
    let library = unsafe { Library::new(path) }.map_err(|error| reason(&error))?;
    // Unloading a library that may have started threads is not sound.
    std::mem::forget(library);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_library_has_its_remedy() {
        let check = |soname: &str, expect: &str| assert_eq!(how(soname), expect);
        check("libcuda.so.1", "install NVIDIA's driver with the system's package manager");
        check("libcudart.so.13", "convwise runner install onnxruntime-gpu");
        check("libcudnn.so.9", "convwise runner install onnxruntime-gpu");
        check("libnvinfer.so.10", "convwise runner install tensorrt");
        check("libnvonnxparser.so.10", "convwise runner install tensorrt");
        check("libtbb.so.12", "install the package of the system that has libtbb.so.12");
    }

    #[test]
    fn python_packages_lie_beside_each_other() {
        let site = tempfile::tempdir().unwrap();
        let folders =
            ["onnxruntime/capi", "nvidia/cu13/lib", "tensorrt_libs"].map(|name| site.path().join(name));
        folders.iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
        assert_eq!(beside(&folders[0].join("libonnxruntime.so.1.31.1")), folders);
        assert_eq!(beside(&folders[2].join("libonnxruntime.so")), [folders[2].clone()]);
    }

    #[test]
    fn a_provider_without_its_library_is_named() {
        let found = missing(Provider::Cuda, Path::new("/nowhere/libonnxruntime.so"));
        assert_eq!(
            (found[0].what.as_str(), found[0].how.as_str()),
            (
                "libonnxruntime_providers_cuda.so, which belongs beside /nowhere/libonnxruntime.so",
                "convwise runner install onnxruntime-gpu"
            )
        );
        assert!(missing(Provider::Cpu, Path::new("/nowhere/libonnxruntime.so")).is_empty());
    }

    #[test]
    fn what_is_missing_is_said_once_for_each_remedy() {
        let mut search = Search::of([]);
        search.absent = [
            ("libcudart.so.13", "libcudart.so.13: cannot open shared object file: No such file or directory"),
            ("libnvinfer.so.10", "libnvinfer.so.10: wrong ELF class: ELFCLASS32"),
            ("libcublas.so.13", "libcublas.so.13: cannot open shared object file: No such file or directory"),
        ]
        .map(|(soname, said)| (soname.to_owned(), said.to_owned()))
        .to_vec();
        let answer = search.answer(Provider::TensorRt);
        let texts: Vec<_> = answer.iter().map(|m| (m.what.as_str(), m.how.as_str())).collect();
        assert_eq!(
            texts,
            [
                (
                    "libcudart.so.13 and libcublas.so.13 for TensorrtExecutionProvider",
                    "convwise runner install onnxruntime-gpu"
                ),
                (
                    "libnvinfer.so.10 (wrong ELF class: ELFCLASS32) for TensorrtExecutionProvider",
                    "convwise runner install tensorrt"
                ),
            ]
        );
    }

    /// Makes a shared library that calls itself `soname` and needs the libraries `needs` of the same folder.
    fn library(folder: &Path, soname: &str, needs: &[&str]) {
        let mut cc = std::process::Command::new("cc");
        cc.current_dir(folder).args(["-shared", "-fPIC", "-Wl,--no-as-needed", "-x", "c", "/dev/null"]);
        cc.args(["-o", soname, &format!("-Wl,-soname,{soname}"), "-L.", "-Wl,--allow-shlib-undefined"]);
        cc.args(needs.iter().map(|need| format!("-l:{need}")));
        assert!(cc.status().unwrap().success());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn libraries_near_by_are_used_and_all_others_named() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        library(here, "libcwdeep.so.1", &[]);
        library(here, "libcwnear.so.1", &["libcwdeep.so.1"]);
        library(here, "libnvinfer_cwfar.so.10", &[]);
        library(here, "libcwgone.so.1", &[]);
        let needs = ["libcwnear.so.1", "libnvinfer_cwfar.so.10", "libcwgone.so.1"];
        library(here, "libonnxruntime_providers_openvino.so", &needs);
        for gone in &needs[1..] {
            std::fs::remove_file(here.join(gone)).unwrap();
        }
        let found = missing(Provider::OpenVino, &here.join("libonnxruntime.so"));
        let texts: Vec<_> = found.iter().map(|m| (m.what.as_str(), m.how.as_str())).collect();
        assert_eq!(
            texts,
            [
                ("libnvinfer_cwfar.so.10 for OpenVINOExecutionProvider", "convwise runner install tensorrt"),
                (
                    "libcwgone.so.1 for OpenVINOExecutionProvider",
                    "install the package of the system that has libcwgone.so.1"
                ),
            ]
        );
        // What was near by is in memory now, so that the loader finds it by its name.
        assert_eq!(keep(Path::new("libcwnear.so.1")), Ok(()));
    }
}
