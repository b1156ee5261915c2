//! Writes the shipped rules out for editing.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::folder::RuleFolder;

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
