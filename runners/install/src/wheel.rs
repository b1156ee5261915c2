//! Takes one member out of a wheel: the name is pinned, the size is bounded, the digest is checked.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::digest;
use crate::error::InstallError;
use crate::pins::Wheel;

/// Checks the downloaded file and writes its library to `target`.
pub(crate) fn unpack(wheel: &Wheel, file: &Path, target: &Path) -> Result<(), InstallError> {
    check(file, &wheel.name, &wheel.sha256)?;
    extract(wheel, file, target)?;
    check(target, &wheel.member, &wheel.library_sha256)
}

/// Whether a file has the digest it should have; if not, it is removed.
fn check(file: &Path, what: &str, expected: &str) -> Result<(), InstallError> {
    let found = digest::of_file(file).map_err(|error| InstallError::io(file, error))?;
    if found == expected {
        return Ok(());
    }
    let _ = fs::remove_file(file);
    Err(InstallError::Digest { what: what.to_owned(), expected: expected.to_owned(), found })
}

fn extract(wheel: &Wheel, file: &Path, target: &Path) -> Result<(), InstallError> {
    let damaged = |message: String| InstallError::Archive { wheel: wheel.name.clone(), message };
    let opened = File::open(file).map_err(|error| InstallError::io(file, error))?;
    let mut archive = zip::ZipArchive::new(opened).map_err(|error| damaged(error.to_string()))?;
    let member =
        archive.by_name(&wheel.member).map_err(|error| damaged(format!("{}: {error}", wheel.member)))?;
    // One byte more than it may have, so that a larger one is noticed and costs no more than that.
    let mut bounded = member.take(wheel.library_bytes + 1);
    let mut output = File::create(target).map_err(|error| InstallError::io(target, error))?;
    let written = copy(&mut bounded, &mut output).map_err(|failure| match failure {
        Failure::Reading(error) => damaged(error.to_string()),
        Failure::Writing(error) => InstallError::io(target, error),
    })?;
    if written != wheel.library_bytes {
        return Err(damaged(format!(
            "{} has not the {} bytes it should have",
            wheel.member, wheel.library_bytes
        )));
    }
    output.sync_all().map_err(|error| InstallError::io(target, error))
}

/// A damaged archive and a full disk are different errors.
enum Failure {
    Reading(io::Error),
    Writing(io::Error),
}

fn copy(from: &mut impl Read, to: &mut impl io::Write) -> Result<u64, Failure> {
    let (mut piece, mut written) = (vec![0; 1 << 16], 0);
    loop {
        let read = from.read(&mut piece).map_err(Failure::Reading)?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(written) };
        to.write_all(bytes).map_err(Failure::Writing)?;
        written += read as u64;
    }
}
