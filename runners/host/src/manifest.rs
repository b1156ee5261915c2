//! Runner manifests: a few lines of TOML that name a library. Parsing only; nothing here looks for files.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::version::VersionRange;

/// The `schema` number of manifests.
const SCHEMA: u32 = 1;

/// A runner's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format's number; 1.
    pub schema: u32,
    /// The runner's name.
    pub name: String,
    /// The runner's version, as its description says it.
    pub version: String,
    /// One line for lists.
    #[serde(default)]
    pub summary: String,
    /// The library's name or path (`target/x` stands for `target/libx.so` or what the system calls it),
    /// relative to the manifest.
    pub library: String,
    /// The library's SHA-256, if it is pinned.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Model formats, by file extension.
    #[serde(default)]
    pub formats: Vec<String>,
    /// Native libraries that the runner's library looks for at run time.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// Options that hold where the user gives none.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// A native library that a runner needs. It is looked for in the user's environment variable, in Python packages, in
/// convwise's home and in the system's folders, in this order; paths are below the root that each of these has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// What it is, for messages.
    pub what: String,
    /// The option without which the runner does without it, such as `provider=cuda`.
    #[serde(default)]
    pub only_for: Option<String>,
    /// The environment variable that points the runner to it. The user's own value always wins.
    pub env: String,
    /// Whether that variable names the root folder and not the file.
    #[serde(default)]
    pub folder: bool,
    /// The versions that will do; any, if there is none.
    #[serde(default)]
    pub version: Option<VersionRange>,
    /// The library's file below the root; a star in its last part stands for anything.
    pub file: String,
    /// Folders below the root that the loader needs to know before the worker starts.
    #[serde(default)]
    pub library_path: Vec<String>,
    /// What `convwise runner install` calls it; the root is then `<home>/native/<install>`.
    pub install: String,
    /// Python packages that contain it.
    #[serde(default)]
    pub python: Vec<PythonPackage>,
    /// The library's name among the system's own.
    #[serde(default)]
    pub system: Option<String>,
}

impl Requirement {
    /// The command that brings it.
    #[must_use]
    pub fn mend(&self) -> String {
        format!("convwise runner install {}", self.install)
    }
}

/// A Python package that contains a native library.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonPackage {
    /// Its name in package indexes.
    pub package: String,
    /// The root, below the folder with installed packages.
    pub folder: String,
    /// The file below the root, if it is another than elsewhere.
    #[serde(default)]
    pub file: Option<String>,
    /// The loader's folders, if they are others than elsewhere.
    #[serde(default)]
    pub library_path: Option<Vec<String>>,
}

/// What is wrong with a manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The manifest, as it was named.
    pub path: String,
    /// The line, from 1; 0 where the file could not be read at all.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The line itself.
    pub source_line: String,
    /// How many characters of it are meant.
    pub width: usize,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return write!(f, "{}: {}", self.path, self.message);
        }
        let (number, blank) = (self.line.to_string(), " ".repeat(self.line.to_string().len()));
        let indent = " ".repeat(self.column.saturating_sub(1));
        writeln!(f, "{}:{}:{}: {}", self.path, self.line, self.column, self.message)?;
        writeln!(f, "{blank} |\n{number} | {}", self.source_line)?;
        write!(f, "{blank} | {indent}{}", "^".repeat(self.width.max(1)))
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Parses the manifest `text`; `path` is for messages.
    ///
    /// # Errors
    /// The place and the reason.
    pub fn parse(path: &str, text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            at(path, text, span.start, span.end, error.message().to_owned())
        })?;
        manifest.check().map_err(|(key, message)| {
            let start = key_position(text, key);
            at(path, text, start, start + key.len(), message)
        })?;
        Ok(manifest)
    }

    /// The first value that is wrong: its key and why.
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.schema != SCHEMA {
            let found = self.schema;
            return Err(("schema", format!("schema {found} is not known; this program reads {SCHEMA}")));
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || !self.name.chars().all(allowed) {
            return Err(("name", format!("\"{}\" is not a name: use a-z, 0-9 and -", self.name)));
        }
        if self.library.is_empty() {
            return Err(("library", "the library's name is empty".into()));
        }
        match &self.sha256 {
            Some(digest) if digest.len() != 64 || !digest.chars().all(|c| c.is_ascii_hexdigit()) => {
                Err(("sha256", "a SHA-256 has 64 hexadecimal digits".into()))
            }
            _ => Ok(()),
        }
    }
}

/// Where `key` starts a line; such keys are known to be there.
fn key_position(text: &str, key: &str) -> usize {
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with(key) {
            return position + line.len() - line.trim_start().len();
        }
        position += line.len();
    }
    0
}

/// The error at the bytes `start..end` of `text`.
fn at(path: &str, text: &str, start: usize, end: usize, message: String) -> ManifestError {
    let before = text.get(..start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let source_line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    let room = (source_line.chars().count() + 1).saturating_sub(column);
    let meant = text.get(start..end).unwrap_or_default().chars().take_while(|c| *c != '\n').count();
    ManifestError {
        path: path.into(),
        line: before.matches('\n').count() + 1,
        column,
        message: message.lines().collect::<Vec<_>>().join("; "),
        source_line: source_line.into(),
        width: meant.min(room),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
schema = 1
name = "onnxruntime"
version = "0.1.0"
library = "convwise_onnxruntime"
formats = ["onnx"]
options = { threads = "1" }

[[requires]]
what = "ONNX Runtime"
env = "ORT_DYLIB_PATH"
install = "onnxruntime"
version = ">=1.20"
file = "libonnxruntime.so"
python = [{ package = "onnxruntime", folder = "onnxruntime/capi", file = "libonnxruntime.so.*" }]
"#;

    fn check(text: &str, expect: &str) {
        assert_eq!(Manifest::parse("x.toml", text).unwrap_err().to_string(), expect.trim_matches('\n'));
    }

    #[test]
    fn a_whole_manifest_is_read() {
        let manifest = Manifest::parse("x.toml", GOOD).unwrap();
        assert_eq!(manifest.requires[0].env, "ORT_DYLIB_PATH");
        assert_eq!(manifest.options["threads"], "1");
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        check(
            "schema = 1\nname = \"x\"\nlibary = \"y\"\n",
            r#"
x.toml:3:1: unknown field `libary`, expected one of `schema`, `name`, `version`, `summary`, `library`, `sha256`, `formats`, `requires`, `options`
  |
3 | libary = "y"
  | ^^^^^^"#,
        );
        check(
            "schema = 2\nname = \"x\"\nversion = \"1\"\nlibrary = \"y\"\n",
            "
x.toml:1:1: schema 2 is not known; this program reads 1
  |
1 | schema = 2
  | ^^^^^^",
        );
        check(
            "schema = 1\nname = \"x y\"\nversion = \"1\"\nlibrary = \"y\"\n",
            r#"
x.toml:2:1: "x y" is not a name: use a-z, 0-9 and -
  |
2 | name = "x y"
  | ^^^^"#,
        );
    }

    #[test]
    fn a_range_that_is_none_is_shown() {
        let wrong = GOOD.replace(">=1.20", "new");
        let error = Manifest::parse("x.toml", &wrong).unwrap_err();
        assert_eq!((error.line, error.source_line.as_str()), (13, "version = \"new\""));
        assert!(error.message.contains("is no range of versions"), "{}", error.message);
    }

    #[test]
    fn a_broken_file_names_its_line() {
        let error = Manifest::parse("x.toml", "schema = 1\nname = \n").unwrap_err();
        assert_eq!((error.line, error.source_line.as_str()), (2, "name = "));
    }
}
