//! Writes the shipped plugins out for editing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ZooError;
use crate::folder::shipped_files;

/// What was written, and what was there already and left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ejected {
    /// New files.
    pub written: Vec<PathBuf>,
    /// Files that stay as they were.
    pub kept: Vec<PathBuf>,
}

/// Name of the script that writes fixtures of PyTorch models.
pub(crate) const FIXTURE_WRITER: &str = "fixture.py";

/// The script itself.
pub(crate) fn fixture_writer() -> &'static str {
    include_str!("../../../plugins/fixture.py")
}

/// Writes the shipped architectures to `folder/architectures`, which then overrides them, and beside them what
/// writes fixtures. A file that exists is never touched.
///
/// # Errors
/// A file or folder that cannot be written.
pub fn eject(folder: &Path) -> Result<Ejected, ZooError> {
    let mut ejected = Ejected::default();
    let architectures = shipped_files().map(|(path, text)| (folder.join("architectures").join(path), text));
    for (target, text) in architectures.chain([(folder.join(FIXTURE_WRITER), fixture_writer())]) {
        if target.exists() {
            ejected.kept.push(target);
            continue;
        }
        write_new(&target, text)?;
        ejected.written.push(target);
    }
    Ok(ejected)
}

/// Writes a file, its folders included; fails if it exists.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), ZooError> {
    use std::io::Write as _;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| ZooError::file("create", parent, error))?;
    }
    let mut file = fs::File::create_new(path).map_err(|error| ZooError::file("create", path, error))?;
    file.write_all(text.as_bytes()).map_err(|error| ZooError::file("write", path, error))
}
