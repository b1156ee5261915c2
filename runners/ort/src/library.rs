//! Where ONNX Runtime's library is: the option `library`, else the environment variables that the host sets for an
//! installed one and that a user may set. Nothing is searched beyond that, so that it is always clear what was measured.

use std::path::{Path, PathBuf};

use convwise_sdk::RunnerError;

use crate::provider::Provider;

/// The variable for the library in general.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// The variable for the build with NVIDIA's providers, which comes before the other one where they are asked for.
const GPU_VARIABLE: &str = "ORT_GPU_DYLIB_PATH";

/// The answer to "where is it".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Located {
    /// A file.
    At(PathBuf),
    /// Nothing, and why.
    Missing(String),
}

impl Located {
    /// The file, or the error that says how to get one.
    pub(crate) fn path(self, provider: Provider) -> Result<PathBuf, RunnerError> {
        match self {
            Self::At(path) => Ok(path),
            Self::Missing(what) => {
                Err(RunnerError::unavailable(format!("{what}; run `{}`", provider.remedy())))
            }
        }
    }
}

/// Looks for the library that `option` names, else for the one of the environment.
pub(crate) fn locate(option: Option<&str>, provider: Provider) -> Located {
    let variables: &[&'static str] =
        if provider.is_nvidia() { &[GPU_VARIABLE, VARIABLE] } else { &[VARIABLE] };
    let set = variables.iter().filter_map(|name| {
        let path = std::env::var_os(name).filter(|path| !path.is_empty())?;
        Some((PathBuf::from(path), *name))
    });
    find(option.map(|path| (PathBuf::from(path), "option library")).or_else(|| set.into_iter().next()))
}

fn find(named: Option<(PathBuf, &str)>) -> Located {
    let Some((path, told_by)) = named else {
        return Located::Missing("ONNX Runtime's library (libonnxruntime) is not installed".into());
    };
    if !path.is_file() {
        return Located::Missing(format!(
            "ONNX Runtime's library is not at {}, where {told_by} says",
            path.display()
        ));
    }
    // ONNX Runtime looks for its providers beside the path that it was loaded from, links not followed; they lie beside
    // the file itself.
    Located::At(path.canonicalize().unwrap_or(path))
}

/// The folder of a library.
pub(crate) fn folder(library: &Path) -> &Path {
    library.parent().unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_found_or_its_absence_explained() {
        let here = Path::new("src").join("library.rs");
        assert_eq!(find(Some((here.clone(), "option library"))), Located::At(here.canonicalize().unwrap()));
        assert_eq!(
            find(Some(("/nowhere/libonnxruntime.so".into(), VARIABLE))),
            Located::Missing(
                "ONNX Runtime's library is not at /nowhere/libonnxruntime.so, where ORT_DYLIB_PATH says"
                    .into()
            )
        );
        let error = find(None).path(Provider::Cpu).unwrap_err();
        assert_eq!(
            error.to_string(),
            "not available here: ONNX Runtime's library (libonnxruntime) is not installed; run `convwise runner install onnxruntime`"
        );
        let error = find(None).path(Provider::Cuda).unwrap_err();
        assert!(error.message.ends_with("run `convwise runner install onnxruntime-gpu`"), "{error}");
    }
}
