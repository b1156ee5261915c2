//! Where ONNX Runtime's library is: the option `library`, else the environment variable that the host sets for an
//! installed one and that a user may set. Nothing is searched beyond that, so that it is always clear what was measured.

use std::path::{Path, PathBuf};

use convwise_sdk::RunnerError;

/// The variable that the host fills in for an installed library.
pub(crate) const VARIABLE: &str = "ORT_DYLIB_PATH";

/// The command that gets it.
pub(crate) const REMEDY: &str = "convwise runner install onnxruntime";

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
    pub(crate) fn path(self) -> Result<PathBuf, RunnerError> {
        match self {
            Self::At(path) => Ok(path),
            Self::Missing(what) => Err(RunnerError::unavailable(format!("{what}; run `{REMEDY}`"))),
        }
    }
}

/// Looks for the library that `option` names, else for the one of the environment.
pub(crate) fn locate(option: Option<&str>) -> Located {
    let variable = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    find(option.map(Path::new), variable.as_deref())
}

fn find(option: Option<&Path>, variable: Option<&Path>) -> Located {
    let (path, told_by) = match (option, variable) {
        (Some(path), _) => (path, "option library"),
        (None, Some(path)) => (path, VARIABLE),
        (None, None) => {
            return Located::Missing("ONNX Runtime's library (libonnxruntime) is not installed".into());
        }
    };
    if path.is_file() {
        return Located::At(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    }
    Located::Missing(format!("ONNX Runtime's library is not at {}, where {told_by} says", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_wins_and_absence_is_explained() {
        let here = Path::new(file!()).file_name().map(|name| Path::new("src").join(name)).unwrap();
        assert_eq!(
            find(Some(&here), Some(Path::new("/nowhere"))),
            Located::At(std::path::absolute(&here).unwrap())
        );
        assert_eq!(
            find(None, Some(Path::new("/nowhere/libonnxruntime.so"))),
            Located::Missing(
                "ONNX Runtime's library is not at /nowhere/libonnxruntime.so, where ORT_DYLIB_PATH says"
                    .into()
            )
        );
        let error = find(None, None).path().unwrap_err();
        assert_eq!(
            error.to_string(),
            "not available here: ONNX Runtime's library (libonnxruntime) is not installed; run `convwise runner install onnxruntime`"
        );
    }
}
