//! The installation itself.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::client::Client;
use crate::digest;
use crate::error::InstallError;
use crate::pins::{Library, Pins, Wheel};
use crate::wheel::unpack;

/// A library in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// What `install` calls it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The file, under a name that stays the same from version to version.
    pub path: PathBuf,
    /// It was there before, whole.
    pub was_there: bool,
}

/// What is being done, for whoever waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another process installs; waiting for it.
    Waiting,
    /// pip downloads this package.
    Downloading {
        /// Package and version.
        package: String,
    },
    /// Digests are checked, the library is taken out.
    Unpacking,
}

/// Beginning of the names of folders with something unfinished.
const UNFINISHED: &str = ".unfinished-";

/// Names that [`install`] knows.
///
/// # Errors
/// [`InstallError::Pins`].
pub fn available() -> Result<Vec<String>, InstallError> {
    Ok(Pins::shipped()?.library.into_iter().map(|library| library.name).collect())
}

/// The library called `name` below `home`, if it is there; its content is not checked.
///
/// # Errors
/// [`InstallError::Unknown`] for other names.
pub fn installed(name: &str, home: &Path) -> Result<Option<Installed>, InstallError> {
    let pins = Pins::shipped()?;
    let library = pins.library(name)?;
    let path = folder(library, home).join(&library.file);
    Ok(path.is_file().then(|| described(library, path, true)))
}

/// Installs the library called `name` into `<home>/native/<name>/<version>/` and points `<home>/native/<name>/<file>` to
/// it. If it is there, whole, nothing is done. Processes that install at once wait for each other.
///
/// # Errors
/// [`InstallError`]; nothing half-done is left in its place.
pub fn install(name: &str, home: &Path, progress: &mut dyn FnMut(Step)) -> Result<Installed, InstallError> {
    let pins = Pins::shipped()?;
    let platform = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
    let library = pins.library(name)?;
    Job { library, wheel: library.wheel(&platform)?, home, clients: &Client::usual() }.run(progress)
}

/// Everything of a library.
fn folder(library: &Library, home: &Path) -> PathBuf {
    home.join("native").join(&library.name)
}

fn described(library: &Library, path: PathBuf, was_there: bool) -> Installed {
    let (name, title, version) = (library.name.clone(), library.title.clone(), library.version.clone());
    Installed { name, title, version, path, was_there }
}

/// One installation.
struct Job<'a> {
    library: &'a Library,
    wheel: &'a Wheel,
    home: &'a Path,
    clients: &'a [Client],
}

impl Job<'_> {
    fn run(&self, progress: &mut dyn FnMut(Step)) -> Result<Installed, InstallError> {
        let folder = folder(self.library, self.home);
        fs::create_dir_all(&folder).map_err(|error| InstallError::io(&folder, error))?;
        // Held until the end: whatever is unfinished while we have it was left by a process that is gone.
        let _lock = lock(&folder, progress)?;
        let (path, version) = (folder.join(&self.library.file), folder.join(&self.library.version));
        let was_there = self.whole(&version);
        if !was_there {
            clear_up(&folder);
            let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&folder);
            let unfinished = unfinished.map_err(|error| InstallError::io(&folder, error))?;
            put(&self.make(unfinished.path(), progress)?, &version)?;
        }
        self.point(&path)?;
        Ok(described(self.library, path, was_there))
    }

    fn whole(&self, version: &Path) -> bool {
        let file = version.join(&self.library.file);
        digest::of_file(&file).is_ok_and(|found| found == self.wheel.library_sha256)
    }

    /// Points the lasting name to this version, in one step for whoever reads it meanwhile.
    fn point(&self, path: &Path) -> Result<(), InstallError> {
        let target = Path::new(&self.library.version).join(&self.library.file);
        if fs::read_link(path).is_ok_and(|now| now == target) {
            return Ok(());
        }
        let failed = |error| InstallError::io(path, error);
        let next = path.with_extension("next");
        let _ = fs::remove_file(&next);
        std::os::unix::fs::symlink(&target, &next).map_err(failed)?;
        fs::rename(&next, path).map_err(failed)
    }

    /// Downloads and unpacks; the folder that then only has to be moved.
    fn make(&self, unfinished: &Path, progress: &mut dyn FnMut(Step)) -> Result<PathBuf, InstallError> {
        let client = Client::find(self.clients)?;
        progress(Step::Downloading { package: format!("{} {}", self.library.package, self.library.version) });
        client.download(self.library, self.wheel, unfinished)?;
        progress(Step::Unpacking);
        let made = unfinished.join("made");
        fs::create_dir(&made).map_err(|error| InstallError::io(&made, error))?;
        unpack(self.wheel, &self.downloaded(unfinished)?, &made.join(&self.library.file))?;
        Ok(made)
    }

    fn downloaded(&self, unfinished: &Path) -> Result<PathBuf, InstallError> {
        let file = unfinished.join(&self.wheel.name);
        if file.is_file() {
            return Ok(file);
        }
        let wanted = self.wheel.name.clone();
        Err(InstallError::NotOffered { wanted, said: "the download went well, but gave another file".into() })
    }
}

/// Moves what was made into place; a damaged earlier one makes room.
fn put(made: &Path, version: &Path) -> Result<(), InstallError> {
    match fs::remove_dir_all(version) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(InstallError::io(version, error));
        }
        _ => {}
    }
    fs::rename(made, version).map_err(|error| InstallError::io(version, error))
}

/// Waits until no other process installs.
fn lock(folder: &Path, progress: &mut dyn FnMut(Step)) -> Result<File, InstallError> {
    let path = folder.join(".lock");
    let failed = |error| InstallError::io(&path, error);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    if file.try_lock().is_err() {
        progress(Step::Waiting);
        file.lock().map_err(failed)?;
    }
    Ok(file)
}

/// Removes what earlier calls left when they broke off.
fn clear_up(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            // What cannot be removed costs room and nothing else.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
