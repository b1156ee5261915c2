//! Takes members out of a wheel: their names are pinned, their sizes bounded, their digests checked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::digest::Digesting;
use crate::error::InstallError;
use crate::pins::{Member, Wheel};

/// Told of every piece that was written; an error ends the work.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(u64) -> Result<(), InstallError>;

/// Writes the pinned members of `file` below `folder`.
pub(crate) fn unpack(
    wheel: &Wheel,
    file: &Path,
    folder: &Path,
    watch: Watch<'_>,
) -> Result<(), InstallError> {
    let opened = File::open(file).map_err(|error| InstallError::io(file, error))?;
    let mut archive = zip::ZipArchive::new(opened).map_err(|error| damaged(wheel, error))?;
    for member in &wheel.member {
        let source = archive.by_name(&member.path);
        let source = source.map_err(|error| damaged(wheel, format!("{}: {error}", member.path)))?;
        extract(wheel, member, source, folder, watch)?;
    }
    Ok(())
}

fn damaged(wheel: &Wheel, message: impl ToString) -> InstallError {
    InstallError::Archive { wheel: wheel.name.clone(), message: message.to_string() }
}

fn extract(
    wheel: &Wheel,
    member: &Member,
    source: impl Read,
    folder: &Path,
    watch: Watch<'_>,
) -> Result<(), InstallError> {
    let target = folder.join(&member.to);
    let mut output = create(&target).map_err(|error| InstallError::io(&target, error))?;
    // One byte more than it may have, so that a larger one is noticed and costs no more than that.
    let mut bounded = source.take(member.bytes + 1);
    let (mut piece, mut written, mut digesting) = (vec![0; 1 << 18], 0, Digesting::default());
    loop {
        let read = bounded.read(&mut piece).map_err(|error| damaged(wheel, error))?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        output.write_all(bytes).map_err(|error| InstallError::io(&target, error))?;
        digesting.take(bytes);
        written += read as u64;
        watch(read as u64)?;
    }
    if written != member.bytes {
        let message = format!("{} has not the {} bytes it should have", member.path, member.bytes);
        return Err(damaged(wheel, message));
    }
    output.sync_all().map_err(|error| InstallError::io(&target, error))?;
    agree(&member.path, &member.sha256, digesting.done())
}

/// A new file that only its owner may change, however generous the user's umask is: others are refused when loaded.
fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)
}

/// Whether a digest is the one that was pinned.
pub(crate) fn agree(what: &str, expected: &str, found: String) -> Result<(), InstallError> {
    if found == expected {
        return Ok(());
    }
    Err(InstallError::Digest { what: what.to_owned(), expected: expected.to_owned(), found })
}
