//! The folder of an installation that is under way. What came whole outlives a break; everything else is made anew.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::digest;
use crate::error::InstallError;
use crate::pins::Wheel;
use crate::wheel::agree;

/// Beginning of the names of such folders.
const NAME: &str = ".unfinished";

/// Where pip puts what it has not finished.
const TEMPORARY: &str = "tmp";

/// Where the library is put together.
const MADE: &str = "made";

/// Cleared up when dropped, apart from whole packages.
pub(crate) struct Unfinished<'a> {
    path: PathBuf,
    wheels: &'a [Wheel],
}

impl<'a> Unfinished<'a> {
    /// The folder below `folder`, with the packages that an earlier call left whole. Only for the holder of the lock.
    pub(crate) fn begin(folder: &Path, wheels: &'a [Wheel]) -> Result<Self, InstallError> {
        clear(folder, |name| !name.starts_with(NAME) || name == NAME);
        let unfinished = Self { path: folder.join(NAME), wheels };
        unfinished.clear_up();
        for new in [unfinished.temporary(), unfinished.made()] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(&new);
            made.map_err(|error| InstallError::io(&new, error))?;
        }
        Ok(unfinished)
    }

    /// Where whole packages are.
    pub(crate) fn packages(&self) -> &Path {
        &self.path
    }

    /// Where pip works.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.path.join(TEMPORARY)
    }

    /// Where the library is put together.
    pub(crate) fn made(&self) -> PathBuf {
        self.path.join(MADE)
    }

    /// The file of a package, there or not.
    pub(crate) fn file(&self, wheel: &Wheel) -> PathBuf {
        self.path.join(&wheel.name)
    }

    /// Whether the file of a package is there and has its size.
    pub(crate) fn has(&self, wheel: &Wheel) -> bool {
        fs::metadata(self.file(wheel)).is_ok_and(|file| file.is_file() && file.len() == wheel.bytes)
    }

    /// Fails and removes the package if it is not the pinned one.
    pub(crate) fn check(&self, wheel: &Wheel) -> Result<(), InstallError> {
        let file = self.file(wheel);
        let found = digest::of_file(&file).map_err(|error| InstallError::io(&file, error))?;
        agree(&wheel.name, &wheel.sha256, found).inspect_err(|_| self.discard(wheel))
    }

    /// Removes a package.
    pub(crate) fn discard(&self, wheel: &Wheel) {
        let _ = fs::remove_file(self.file(wheel));
    }

    /// Removes the packages too: the library is in its place.
    pub(crate) fn finish(self) {
        self.wheels.iter().for_each(|wheel| self.discard(wheel));
    }

    /// Leaves packages of the right name and size, whose digests are checked before they are used.
    fn clear_up(&self) {
        clear(&self.path, |name| self.wheels.iter().any(|wheel| wheel.name == name && self.has(wheel)));
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.clear_up();
        // Fails while a package is kept in it.
        let _ = fs::remove_dir(&self.path);
    }
}

/// Removes what lies in a folder and is not to be kept. What cannot be removed costs room and nothing else.
fn clear(folder: &Path, keep: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !keep(&entry.file_name().to_string_lossy()) {
            let _ = remove(&entry.path());
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}
