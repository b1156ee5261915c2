//! What a provider's library needs of the system: looked for before it is loaded, so that everything missing is named at
//! once and with what gets it.
//!
//! Libraries that lie beside ONNX Runtime's, below `TENSORRT_HOME` or in the active virtual environment are loaded from
//! there, in the order of their needs; the loader then finds them in memory by name, and nobody has to set
//! `LD_LIBRARY_PATH`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use convwise_sdk::Missing;
use libloading::Library;

use crate::elf::needed;
use crate::engine::reason;
use crate::library::folder;
use crate::provider::Provider;

/// The variable with the folder of an unpacked TensorRT.
const TENSORRT_HOME: &str = "TENSORRT_HOME";

/// The variable of an active virtual environment, whose packages may have TensorRT.
const ENVIRONMENT: &str = "VIRTUAL_ENV";

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
    let Some(name) = provider.row().library else { return Vec::new() };
    let own = folder(library).join(name);
    if !own.is_file() {
        let what = format!("{name}, which belongs beside {}", library.display());
        return vec![Missing { what, how: provider.remedy() }];
    }
    let mut search = Search { folders: folders(library), seen: BTreeSet::new(), absent: Vec::new() };
    search.needs_of(&own);
    if provider.is_nvidia() {
        search.find(OPENED_LATE.to_owned());
        search.neighbours();
    }
    let absent = search.absent.into_iter();
    absent.map(|(soname, said)| Missing { what: what(&soname, name, &said), how: how(&soname) }).collect()
}

/// What a provider needs beside ONNX Runtime, as far as that can be said without ONNX Runtime.
pub(crate) fn beside_onnxruntime(provider: Provider) -> Vec<Missing> {
    let wanted: &[(&str, &str)] = match provider {
        Provider::TensorRt => &[(INFER, "TensorRT"), (DRIVER, "every NVIDIA library")],
        Provider::Cuda => &[(DRIVER, "every NVIDIA library")],
        _ => &[],
    };
    let mut search = Search { folders: tensorrt_folders(), seen: BTreeSet::new(), absent: Vec::new() };
    wanted.iter().for_each(|(soname, _)| search.find((*soname).to_owned()));
    let needed_by = |soname: &str| wanted.iter().find(|(name, _)| *name == soname).map_or("it", |row| row.1);
    let absent = search.absent.iter();
    absent
        .map(|(soname, said)| Missing { what: what(soname, needed_by(soname), said), how: how(soname) })
        .collect()
}

/// TensorRT's main library as `library`'s provider names it, such as `libnvinfer.so.10`.
pub(crate) fn tensorrt_soname(library: &Path) -> Option<String> {
    let own = folder(library).join(Provider::TensorRt.row().library?);
    needed(&own).into_iter().find(|name| name.starts_with("libnvinfer.so"))
}

fn what(soname: &str, needed_by: &str, said: &str) -> String {
    // The loader begins with the name itself.
    let said = said.strip_prefix(soname).map_or(said, |rest| rest.trim_start_matches([':', ' ']));
    format!("{soname}, which {needed_by} needs ({said})")
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

fn folders(library: &Path) -> Vec<PathBuf> {
    std::iter::once(folder(library).to_owned()).chain(tensorrt_folders()).collect()
}

/// Where TensorRT may be beside the folders that the loader searches by itself.
fn tensorrt_folders() -> Vec<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set(TENSORRT_HOME).map(|home| home.join("lib"));
    let pythons = set(ENVIRONMENT).and_then(|environment| environment.join("lib").read_dir().ok());
    let packages = pythons.into_iter().flatten().flatten();
    let packages = packages.map(|python| python.path().join("site-packages").join("tensorrt_libs"));
    home.into_iter().chain(packages).filter(|folder| folder.is_dir()).collect()
}

struct Search {
    folders: Vec<PathBuf>,
    seen: BTreeSet<String>,
    /// Names and what the loader said.
    absent: Vec<(String, String)>,
}

impl Search {
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
    fn the_loader_does_not_say_the_name_twice() {
        assert_eq!(
            what("liba.so", "libb.so", "liba.so: cannot open shared object file"),
            "liba.so, which libb.so needs (cannot open shared object file)"
        );
    }
}
