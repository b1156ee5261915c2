//! Where rule files come from: the shipped ones inside the program, and folders of the user that replace
//! them file by file and rule by rule.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use convwise_types::Origin;
use include_dir::{Dir, include_dir};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules");

/// Longest file that is read, 1 MB.
const MAX_FILE_BYTES: u64 = 1_000_000;

/// The files of one layer.
#[derive(Clone, Debug)]
pub struct RuleFolder {
    /// Whose it is.
    pub origin: Origin,
    /// Text by file name: `deployment.rhai`, `deployment.cases.toml`.
    pub files: BTreeMap<String, Arc<str>>,
}

impl RuleFolder {
    /// The rules inside the program.
    #[must_use]
    pub fn shipped() -> Self {
        let files = SHIPPED.files().filter_map(|file| {
            let name = file.path().file_name()?.to_str()?;
            wanted(name).then(|| Some((name.to_owned(), Arc::from(file.contents_utf8()?))))?
        });
        Self { origin: Origin::Shipped, files: files.collect() }
    }

    /// The rule files and cases in a folder on disk; subfolders are not read.
    ///
    /// # Errors
    /// The folder or a file cannot be read, is not UTF-8 text or is longer than 1 MB.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
            if wanted(name) && path.is_file() {
                files.insert(name.to_owned(), read_text(&path)?.into());
            }
        }
        Ok(Self { origin: Origin::File(folder.display().to_string()), files })
    }

    /// A layer of given texts, for tests and tools.
    pub fn of_texts<'a>(origin: &str, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files.into_iter().map(|(name, text)| (name.to_owned(), Arc::from(text))).collect();
        Self { origin: Origin::File(origin.to_owned()), files }
    }

    /// A file's name as findings show it: `rules/deployment.rhai` for a shipped one.
    pub(crate) fn shown(&self, name: &str) -> String {
        match &self.origin {
            Origin::Shipped => format!("rules/{name}"),
            Origin::File(folder) => format!("{}/{name}", folder.trim_end_matches('/')),
        }
    }
}

fn wanted(name: &str) -> bool {
    name.ends_with(".rhai") || name.ends_with(".cases.toml")
}

fn read_text(path: &Path) -> io::Result<String> {
    let in_path = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let length = fs::metadata(path).map_err(in_path)?.len();
    if length > MAX_FILE_BYTES {
        let text = format!("{} has {length} bytes; at most {MAX_FILE_BYTES} are read", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    fs::read_to_string(path).map_err(in_path)
}

/// Writes the shipped rules and cases into a folder for editing.
///
/// # Errors
/// The folder cannot be written, or one of the files is already there: nothing is overwritten.
pub fn eject(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let shipped = RuleFolder::shipped();
    let paths: Vec<_> = shipped.files.iter().map(|(name, text)| (folder.join(name), text)).collect();
    if let Some((taken, _)) = paths.iter().find(|(path, _)| path.exists()) {
        let text = format!("{} is already there; nothing was written", taken.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    fs::create_dir_all(folder)?;
    for (path, text) in &paths {
        fs::write(path, text.as_bytes())?;
    }
    Ok(paths.into_iter().map(|(path, _)| path).collect())
}
