//! The installation itself.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use convwise_types::Bytes;
use rustix::process::{getegid, geteuid, getgid, getuid};

use crate::client::{Client, Pip};
use crate::digest;
use crate::error::InstallError;
use crate::pins::{Library, Pins, Platform, Wheel};
use crate::unfinished::Unfinished;
use crate::wheel::unpack;

/// A library in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// What people call it.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The file or folder, under a name that stays the same from version to version.
    pub path: PathBuf,
    /// What its files take.
    pub bytes: Bytes,
    /// It was there before, whole.
    pub was_there: bool,
}

/// What is being done, for whoever waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another process installs; waiting for it.
    Waiting,
    /// pip downloads.
    Downloading {
        /// Package and version.
        package: String,
        /// What there is so far of all packages.
        done: Bytes,
        /// What all packages are together.
        of: Bytes,
    },
    /// Files are taken out of the packages, digests are checked.
    Unpacking {
        /// What was written so far.
        done: Bytes,
        /// What will be.
        of: Bytes,
    },
}

/// How often to look whether another process is done.
const POLL: Duration = Duration::from_millis(100);

/// Installs the library called `name` into `<home>/native/<name>/<version>/` and points `<home>/native/<name>/<link>` to
/// it. If it is there, whole, nothing is done. Processes that install at once wait for each other. Setting `stop` ends it
/// soon.
///
/// # Errors
/// [`InstallError`]; nothing half-done is left in its place.
pub fn install(
    name: &str,
    home: &Path,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Step),
) -> Result<Installed, InstallError> {
    // What the caller's environment says, pip's command among it, would run with rights that the caller has not.
    if getuid() != geteuid() || getgid() != getegid() {
        return Err(InstallError::Elevated);
    }
    let pins = Pins::shipped()?;
    let here = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
    let library = pins.library(name)?;
    Job { library, platform: library.on(&here)?, home, clients: &Client::usual(), stop }.run(progress)
}

/// One installation.
struct Job<'a> {
    library: &'a Library,
    platform: &'a Platform,
    home: &'a Path,
    clients: &'a [Client],
    stop: &'a AtomicBool,
}

impl Job<'_> {
    fn run(&self, progress: &mut dyn FnMut(Step)) -> Result<Installed, InstallError> {
        let folder = self.home.join("native").join(&self.library.name);
        let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(&folder);
        made.map_err(|error| InstallError::io(&folder, error))?;
        // Held until the end: whatever is unfinished while we have it was left by a process that is gone.
        let _lock = lock(&folder, self.stop, progress)?;
        let version = folder.join(&self.library.version);
        let was_there = self.whole(&version);
        if !was_there {
            let unfinished = Unfinished::begin(&folder, &self.platform.wheel)?;
            self.make(&unfinished, progress)?;
            put(&unfinished.made(), &version)?;
            unfinished.finish();
        }
        let path = folder.join(&self.library.link);
        self.point(&path)?;
        let (title, version) = (self.library.title.clone(), self.library.version.clone());
        Ok(Installed { title, version, path, bytes: self.installed_bytes(), was_there })
    }

    /// Every file is there as it should be.
    fn whole(&self, version: &Path) -> bool {
        self.platform.members().all(|member| {
            let file = version.join(&member.to);
            let size = fs::metadata(&file).map(|found| found.len());
            size.is_ok_and(|size| size == member.bytes)
                && digest::of_file(&file).is_ok_and(|found| found == member.sha256)
        })
    }

    fn installed_bytes(&self) -> Bytes {
        Bytes(self.platform.members().map(|member| member.bytes).sum())
    }

    /// Points the lasting name to this version, in one step for whoever reads it meanwhile.
    fn point(&self, path: &Path) -> Result<(), InstallError> {
        let target = Path::new(&self.library.version).join(&self.library.link);
        if fs::read_link(path).is_ok_and(|now| now == target) {
            return Ok(());
        }
        let failed = |error| InstallError::io(path, error);
        let next = path.with_extension("next");
        let _ = fs::remove_file(&next);
        std::os::unix::fs::symlink(&target, &next).map_err(failed)?;
        fs::rename(&next, path).map_err(failed)
    }

    /// Downloads and unpacks; the folder then only has to be moved.
    fn make(&self, unfinished: &Unfinished<'_>, progress: &mut dyn FnMut(Step)) -> Result<(), InstallError> {
        let missing: Vec<&Wheel> =
            self.platform.wheel.iter().filter(|wheel| !unfinished.has(wheel)).collect();
        self.room(unfinished.packages(), &missing)?;
        if !missing.is_empty() {
            self.download(&Client::find(self.clients)?, &missing, unfinished, progress)?;
        }
        self.unpack(unfinished, progress)
    }

    /// Fails if the disk has too little room: pip holds a package twice while it moves it.
    fn room(&self, folder: &Path, missing: &[&Wheel]) -> Result<(), InstallError> {
        let packages: u64 = missing.iter().map(|wheel| wheel.bytes).sum();
        let twice = missing.iter().map(|wheel| wheel.bytes).max().unwrap_or(0);
        let needed = Bytes(packages + twice + self.installed_bytes().0);
        let disk = rustix::fs::statvfs(folder).map_err(|error| InstallError::io(folder, error.into()))?;
        let free = Bytes(disk.f_bavail.saturating_mul(disk.f_frsize));
        if free >= needed {
            return Ok(());
        }
        let (title, path) = (self.library.title.clone(), self.home.to_owned());
        Err(InstallError::NoRoom { title, path, needed, free })
    }

    fn download(
        &self,
        pip: &Pip,
        missing: &[&Wheel],
        unfinished: &Unfinished<'_>,
        progress: &mut dyn FnMut(Step),
    ) -> Result<(), InstallError> {
        let of: u64 = self.platform.wheel.iter().map(|wheel| wheel.bytes).sum();
        let mut done = of - missing.iter().map(|wheel| wheel.bytes).sum::<u64>();
        for wheel in missing {
            let package = format!("{} {}", wheel.package, wheel.version);
            pip.download(wheel, unfinished, &mut |so_far| {
                let (package, done) = (package.clone(), Bytes(done + so_far));
                progress(Step::Downloading { package, done, of: Bytes(of) });
                go_on(self.stop)
            })?;
            if !unfinished.file(wheel).is_file() {
                let said = "the download went well, but gave another file".into();
                return Err(InstallError::NotOffered { wanted: wheel.name.clone(), said });
            }
            done += wheel.bytes;
        }
        Ok(())
    }

    fn unpack(
        &self,
        unfinished: &Unfinished<'_>,
        progress: &mut dyn FnMut(Step),
    ) -> Result<(), InstallError> {
        let (mut done, of) = (0, self.installed_bytes());
        for wheel in &self.platform.wheel {
            progress(Step::Unpacking { done: Bytes(done), of });
            unfinished.check(wheel)?;
            let unpacked = unpack(wheel, &unfinished.file(wheel), &unfinished.made(), &mut |bytes| {
                done += bytes;
                progress(Step::Unpacking { done: Bytes(done), of });
                go_on(self.stop)
            });
            unpacked.inspect_err(|error| {
                if !matches!(error, InstallError::Stopped) {
                    unfinished.discard(wheel);
                }
            })?;
        }
        Ok(())
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
fn lock(folder: &Path, stop: &AtomicBool, progress: &mut dyn FnMut(Step)) -> Result<File, InstallError> {
    let path = folder.join(".lock");
    let failed = |error| InstallError::io(&path, error);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if !told => progress(Step::Waiting),
            Err(TryLockError::WouldBlock) => {}
        }
        told = true;
        go_on(stop)?;
        thread::sleep(POLL);
    }
}

/// Fails once the caller asked to stop.
fn go_on(stop: &AtomicBool) -> Result<(), InstallError> {
    if stop.load(Ordering::Relaxed) { Err(InstallError::Stopped) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
