//! Where TensorRT's engines are kept. An engine is right for one model, one version of everything it was built with, one
//! kind of GPU and one set of options; it is kept in a folder that is named by the digest of all of those, so that a
//! change of any of them finds an empty folder instead of an engine that does not fit.
//!
//! ```text
//! <cache>/tensorrt/<digest of versions, driver, GPU>/timing/            shared by all models: how fast each kernel is
//! <cache>/tensorrt/<digest of versions, driver, GPU>/<digest of model and options>/{about.txt, *.engine, whole}
//! <cache>/tensorrt/<digest of versions, driver, GPU>/<digest of model and options>.lock
//! ```
//! The lock is held while a model loads, so that of two processes one builds and the other reads.
//!
//! `whole` is written once a load went well: a folder without it was left by a build that broke off, and is emptied.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use convwise_sdk::RunnerError;

use crate::settings::Settings;

/// The variable with the folder for everything that can be made again.
const VARIABLE: &str = "CONVWISE_CACHE";

/// The file that says that a folder is complete.
const WHOLE: &str = "whole";

/// The two folders that are handed to TensorRT.
#[derive(Clone, Debug)]
pub(crate) struct Caches {
    pub(crate) engine: PathBuf,
    pub(crate) timing: PathBuf,
    /// Whether a whole engine was there.
    pub(crate) found: bool,
    /// Held until the last copy of this is dropped.
    _lock: Arc<File>,
}

/// What an engine depends on beside the model and the options; a part that is not known is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Platform {
    /// Versions of ONNX Runtime and TensorRT.
    pub(crate) versions: String,
    /// Version of the driver.
    pub(crate) driver: String,
    /// Name and identity of the GPU.
    pub(crate) gpu: String,
}

impl Platform {
    fn text(&self) -> String {
        format!("versions: {}\ndriver: {}\ngpu: {}\n", self.versions, self.driver, self.gpu)
    }
}

impl Caches {
    /// The folders for `model`, made if they are not there; nothing where caching is off or no place for it is known.
    pub(crate) fn open(
        settings: &Settings,
        platform: &Platform,
        model: &Path,
    ) -> Result<Option<Self>, RunnerError> {
        let Some(root) = root(settings.tensorrt.cache.as_deref()) else { return Ok(None) };
        let about = about(settings, model).map_err(|error| unreadable(model, &error))?;
        let place = root.join("tensorrt").join(digest(&platform.text()));
        let made = Self::locked(&place, &digest(&about))
            .and_then(|caches| caches.prepare(&format!("{}{about}", platform.text())));
        made.map(Some).map_err(|error| {
            RunnerError::unavailable(format!(
                "the engine cache {} cannot be written: {error}; choose another folder with option cache, or cache=off",
                root.display()
            ))
        })
    }

    /// The folders below `place`, once no other process uses that of the engine.
    fn locked(place: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(place)?;
        let path = place.join(format!("{name}.lock"));
        let lock = File::options().create(true).truncate(false).write(true).open(path)?;
        lock.lock()?;
        Ok(Self {
            engine: place.join(name),
            timing: place.join("timing"),
            found: false,
            _lock: Arc::new(lock),
        })
    }

    fn prepare(self, about: &str) -> io::Result<Self> {
        let found = self.engine.join(WHOLE).is_file();
        if !found {
            self.clear()?;
        }
        fs::create_dir_all(&self.engine)?;
        fs::create_dir_all(&self.timing)?;
        fs::write(self.engine.join("about.txt"), about)?;
        Ok(Self { found, ..self })
    }

    /// Throws the engine away.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.engine) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The same, to be built anew.
    pub(crate) fn emptied(self) -> io::Result<Self> {
        self.clear()?;
        fs::create_dir_all(&self.engine)?;
        Ok(Self { found: false, ..self })
    }

    /// Says that the engine is complete. What cannot be said costs a second build and nothing else.
    pub(crate) fn complete(&self) {
        if has_engine(&self.engine) {
            let _ = File::create(self.engine.join(WHOLE));
        }
    }
}

fn has_engine(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|ending| ending == "engine"))
}

/// The folder that was asked for, else the environment's, else the user's. Never the working directory.
fn root(option: Option<&str>) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = || {
        let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
        cache.map(|folder| folder.join("convwise"))
    };
    match option {
        Some("off") => None,
        Some(folder) => std::path::absolute(folder).ok(),
        None => set(VARIABLE).or_else(user).filter(|folder| folder.is_absolute()),
    }
}

/// Everything that an engine depends on beside the platform.
fn about(settings: &Settings, model: &Path) -> io::Result<String> {
    let wanted = &settings.tensorrt;
    let table = wanted.calibration.as_deref().map(digest_of).transpose()?.unwrap_or_default();
    let mut data = model.as_os_str().to_owned();
    data.push(".data");
    // Weights past the size of a protobuf lie beside the model.
    let data = Path::new(&data);
    let data = if data.is_file() { digest_of(data)? } else { String::new() };
    let more: Vec<_> = settings.more.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Ok(format!(
        "model: {}\ndata: {data}\nfp16: {}\nint8: {}\ncalibration: {table}\nbuilder_level: {}\noptimisation: {:?}\n\
         provider_options: {}\n",
        digest_of(model)?,
        wanted.fp16,
        wanted.int8,
        wanted.level,
        settings.optimisation,
        more.join(";")
    ))
}

fn digest(text: &str) -> String {
    let hash = blake3::hash(text.as_bytes()).to_hex();
    hash.chars().take(32).collect()
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut hash = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash.finalize().to_hex().to_string())
}

fn unreadable(model: &Path, error: &io::Error) -> RunnerError {
    RunnerError::model(format!("{} or its calibration table cannot be read: {error}", model.display()))
}

#[cfg(test)]
mod tests {
    use convwise_sdk::Options;

    use super::*;
    use crate::settings::Flavour;

    fn open(folder: &Path, platform: &Platform, pairs: &[(&str, &str)]) -> Caches {
        let cache = folder.join("cache").display().to_string();
        let all = pairs.iter().copied().chain([("cache", cache.as_str())]);
        let settings = Settings::read(Flavour::TensorRt, &all.collect::<Options>()).unwrap();
        Caches::open(&settings, platform, &folder.join("model.onnx")).unwrap().unwrap()
    }

    fn platform() -> Platform {
        Platform { versions: "1.31.1, 10.13.3".into(), driver: "580".into(), gpu: "A".into() }
    }

    #[test]
    fn whatever_an_engine_depends_on_is_in_its_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.onnx"), "one").unwrap();
        let paths = |caches: Caches| (caches.engine, caches.timing);
        let first = paths(open(folder.path(), &platform(), &[]));
        assert_eq!(first.0, open(folder.path(), &platform(), &[("threads", "2")]).engine);
        let differs = |other: Caches, what: &str| assert_ne!(other.engine, first.0, "{what}");
        for option in [("fp16", "on"), ("int8", "on"), ("builder_level", "5"), ("provider_options", "a=b")] {
            let other = open(folder.path(), &platform(), &[option]);
            assert_eq!(other.timing, first.1);
            differs(other, option.0);
        }
        let driver = Platform { driver: "581".into(), ..platform() };
        differs(open(folder.path(), &driver, &[]), "driver");
        let gpu = Platform { gpu: "B".into(), ..platform() };
        assert_ne!(open(folder.path(), &gpu, &[]).timing, first.1);
        fs::write(folder.path().join("model.onnx.data"), "weights").unwrap();
        differs(open(folder.path(), &platform(), &[]), "weights");
        fs::remove_file(folder.path().join("model.onnx.data")).unwrap();
        fs::write(folder.path().join("model.onnx"), "two").unwrap();
        differs(open(folder.path(), &platform(), &[]), "model");
    }

    #[test]
    fn only_a_whole_engine_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.onnx"), "one").unwrap();
        let open = || open(folder.path(), &platform(), &[]);
        let first = open();
        let engine = first.engine.clone();
        assert!(!first.found && engine.join("about.txt").is_file());
        first.complete();
        drop(first);
        assert!(!open().found, "there is no engine in it");
        fs::write(engine.join("half.engine"), "x").unwrap();
        assert!(!open().found && !engine.join("half.engine").exists(), "a build that broke off");
        let second = open();
        fs::write(engine.join("net.engine"), "x").unwrap();
        second.complete();
        drop(second);
        assert!(open().found && engine.join("net.engine").is_file());
        let anew = open().emptied().unwrap();
        assert!(!anew.found && !engine.join("net.engine").exists());
    }

    #[test]
    fn caching_can_be_off_and_a_bad_place_is_named() {
        assert_eq!(root(Some("off")), None);
        let options = [("cache", "/proc/nowhere")].into_iter().collect::<Options>();
        let settings = Settings::read(Flavour::TensorRt, &options).unwrap();
        let model = tempfile::NamedTempFile::new().unwrap();
        let error = Caches::open(&settings, &platform(), model.path()).unwrap_err();
        assert!(error.message.starts_with("the engine cache /proc/nowhere cannot be written: "), "{error}");
    }
}
