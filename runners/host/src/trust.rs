//! Whether a file may be loaded: not if everybody can change it, or the folder it lies in; and its digest.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

/// The bit that lets everybody write.
const WORLD_WRITABLE: u32 = 0o002;

/// Checks a file and its folder, behind all links; the error is the reason and the command that mends it.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let real = fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?;
    refuse_open_to_all(&real, "file")?;
    match real.parent() {
        Some(folder) => refuse_open_to_all(folder, "folder"),
        None => Ok(()),
    }
}

fn refuse_open_to_all(path: &Path, what: &str) -> Result<(), String> {
    let mode =
        fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.permissions().mode();
    if mode & WORLD_WRITABLE == 0 {
        return Ok(());
    }
    Err(format!("every user may change the {what} {0}; run `chmod o-w {0}`", path.display()))
}

/// The SHA-256 of a file in lower-case hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn file_digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read) {
            Some(bytes) if !bytes.is_empty() => hasher.update(bytes),
            _ => break,
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_modes(folder_mode: u32, file_mode: u32) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("libx.so");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(file_mode)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(folder_mode)).unwrap();
        check(&file)
    }

    #[test]
    fn what_everybody_may_change_is_refused() {
        assert_eq!(with_modes(0o755, 0o644), Ok(()));
        assert!(with_modes(0o755, 0o666).unwrap_err().starts_with("every user may change the file "));
        assert!(with_modes(0o777, 0o644).unwrap_err().starts_with("every user may change the folder "));
    }

    #[test]
    fn digest_is_the_published_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        fs::write(&file, "abc").unwrap();
        // The first example of FIPS 180-2.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(file_digest(&file).unwrap(), expected);
    }
}
