//! SHA-256 of files and of what is written.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// A digest that grows with what is read.
#[derive(Default)]
pub(crate) struct Digesting(Sha256);

impl Digesting {
    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest in lower-case hexadecimal.
    pub(crate) fn done(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The digest of a file in lower-case hexadecimal.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digesting = Digesting::default();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => digesting.take(piece.get(..read).unwrap_or_default()),
        }
    }
    Ok(digesting.done())
}

#[cfg(test)]
mod tests {
    use super::of_file;

    #[test]
    fn a_known_digest() {
        // FIPS 180-2, appendix B.1.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let expect = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of_file(file.path()).unwrap(), expect);
    }
}
