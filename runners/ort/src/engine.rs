//! The library and its one environment: a process can have no second one, and neither is ever given back.

use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use convwise_sdk::RunnerError;
use ort::environment::Environment;

use crate::error::from_ort;
use crate::provider::Provider;

/// The oldest version that has the functions this plugin was built for.
const OLDEST: u32 = 24;

/// Most providers that are listed.
const PROVIDERS: usize = 64;

/// ONNX Runtime, ready to load models.
#[derive(Debug)]
pub(crate) struct Engine {
    /// The environment that all sessions share.
    pub(crate) environment: Environment,
    version: String,
    path: PathBuf,
}

static ENGINE: OnceLock<Engine> = OnceLock::new();

/// Held while the engine is made, so that two first calls do not both make one.
static MAKING: Mutex<()> = Mutex::new(());

impl Engine {
    /// The engine of this process, made from the library at `path` by the first call; `wanted` is the provider it is for.
    pub(crate) fn get(path: &Path, wanted: Provider) -> Result<&'static Self, RunnerError> {
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = ENGINE.get() {
            return engine.is_from(path);
        }
        let engine = Self::start(path, wanted)?;
        Ok(ENGINE.get_or_init(|| engine))
    }

    fn is_from(&'static self, path: &Path) -> Result<&'static Self, RunnerError> {
        if self.path == path {
            return Ok(self);
        }
        Err(RunnerError::state(format!(
            "this process already uses {}; {} needs a worker of its own",
            self.path.display(),
            path.display()
        )))
    }

    fn start(path: &Path, wanted: Provider) -> Result<Self, RunnerError> {
        let version = version_of(path, wanted)?;
        if minor(&version) < OLDEST {
            return Err(RunnerError::unavailable(format!(
                "{} is ONNX Runtime {version}, and 1.{OLDEST} or newer is needed; run `{}`",
                path.display(),
                wanted.remedy()
            )));
        }
        let builder = ort::init_from(path).map_err(|error| RunnerError::unavailable(error.to_string()))?;
        let environment = builder.with_name("convwise").with_telemetry(false).build();
        let environment = environment.map_err(|error| from_ort("start", &error))?;
        Ok(Self { environment, version, path: path.to_owned() })
    }

    /// Name and version.
    pub(crate) fn title(&self) -> String {
        format!("ONNX Runtime {}", self.version)
    }

    /// The library's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the execution providers that the library was built with.
    #[expect(unsafe_code, reason = "calls functions of a C library")]
    pub(crate) fn providers(&self) -> Result<Vec<String>, RunnerError> {
        let failed = |error: ort::Error| from_ort("list its execution providers", &error);
        let (mut names, mut count) = (std::ptr::null_mut(), 0);
        // SAFETY: the function writes an array of terminated texts and its length; it is given back below.
        unsafe { ort::Error::result_from_status((ort::api().GetAvailableProviders)(&mut names, &mut count)) }
            .map_err(failed)?;
        let length = usize::try_from(count).unwrap_or(0).min(PROVIDERS);
        let found = (0..length).map(|index| {
            // SAFETY: the array has at least as many entries, and each is a terminated text.
            unsafe { CStr::from_ptr((*names.add(index)).cast_const()) }.to_string_lossy().into_owned()
        });
        let found = found.collect();
        // SAFETY: this is the array that the function handed out, and nothing of it is used any more.
        unsafe { ort::Error::result_from_status((ort::api().ReleaseAvailableProviders)(names, count)) }
            .map_err(failed)?;
        Ok(found)
    }
}

/// The middle number of a version; 0 where there is none.
fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0)
}

/// Asks the library for its version before anything else of it is used: an old or a wrong library is then an error
/// with a remedy.
#[expect(unsafe_code, reason = "calls the one exported function of a C library")]
fn version_of(path: &Path, wanted: Provider) -> Result<String, RunnerError> {
    let unusable = |why: String| {
        RunnerError::unavailable(format!(
            "{} cannot be used as ONNX Runtime: {why}; run `{}`",
            path.display(),
            wanted.remedy()
        ))
    };
    // SAFETY: loading runs the library's constructors, which is what the user asked for by naming it; ONNX Runtime's
    // need nothing.
    let library = unsafe { libloading::Library::new(path) }.map_err(|error| unusable(reason(&error)))?;
    // SAFETY: the symbol's type is that of onnxruntime_c_api.h, unchanged since version 1.0.
    let entry =
        unsafe { library.get::<unsafe extern "C" fn() -> *const ort::sys::OrtApiBase>(c"OrtGetApiBase") };
    let entry = entry.map_err(|_| unusable("it does not export OrtGetApiBase".into()))?;
    // SAFETY: the function takes nothing and returns a constant table or null.
    let base = unsafe { entry().as_ref() }.ok_or_else(|| unusable("it has no functions".into()))?;
    // SAFETY: the function takes nothing and returns a constant, terminated string.
    let version = unsafe { CStr::from_ptr((base.GetVersionString)()) }.to_string_lossy().into_owned();
    // Unloading a library that may have started threads is not sound.
    std::mem::forget(library);
    Ok(version)
}

/// The loader's own words, which are behind the error and not in it.
pub(crate) fn reason(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!((minor("1.31.1"), minor("1.9.0"), minor("unknown")), (31, 9, 0));
    }

    #[test]
    fn a_file_that_is_no_library_is_refused_with_a_remedy() {
        let error = version_of(Path::new("Cargo.toml"), Provider::Cpu).unwrap_err();
        assert!(error.message.starts_with("Cargo.toml cannot be used as ONNX Runtime: "), "{error}");
        assert!(error.message.ends_with("run `convwise runner install onnxruntime`"), "{error}");
    }
}
