//! Where things stand below the home folder, and writing files so that a crash leaves the old or the new one.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Paths of one knowledge base.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub root: PathBuf,
    pub format: PathBuf,
    pub journal: PathBuf,
    pub index: PathBuf,
    pub lock: PathBuf,
    pub quarantine: PathBuf,
}

impl Layout {
    pub fn new(home: &Path) -> Self {
        let root = home.join("kb");
        Self {
            format: root.join("format.json"),
            journal: root.join("journal.jsonl"),
            index: root.join("index"),
            lock: root.join("lock"),
            quarantine: root.join("quarantine"),
            root,
        }
    }

    /// The first free name `<stem>-<n>` in the quarantine folder, which is created.
    fn free_place(&self, stem: &str) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.quarantine)?;
        let mut number = 1_u32;
        loop {
            let place = self.quarantine.join(format!("{stem}-{number}"));
            if !place.try_exists()? {
                return Ok(place);
            }
            number += 1;
        }
    }

    /// Moves a damaged file or folder aside; `None` if there was nothing or it could only be deleted.
    pub fn move_aside(&self, what: &Path, stem: &str) -> Result<Option<PathBuf>, StoreError> {
        let moved = self.free_place(stem).and_then(|place| fs::rename(what, &place).map(|()| place));
        match moved {
            Ok(place) => Ok(Some(place)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("move aside", what, error)),
        }
    }

    /// Copies a range of the journal into quarantine under a name made of its place and content, so that the same
    /// damage found again is not copied again. The second value tells whether the copy is new.
    pub fn copy_aside(&self, offset: u64, length: u64) -> io::Result<(PathBuf, bool)> {
        let (digest, head) = self.digest_of(offset, length)?;
        let place = self.quarantine.join(format!("line-{offset}-{digest:08x}.jsonl"));
        if place.try_exists()? {
            return Ok((place, false));
        }
        fs::create_dir_all(&self.quarantine)?;
        let mut copy = File::create(&place)?;
        io::copy(&mut head.take(length), &mut copy)?;
        copy.sync_all()?;
        Ok((place, true))
    }

    fn digest_of(&self, offset: u64, length: u64) -> io::Result<(u32, File)> {
        let mut file = File::open(&self.journal)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut hasher = crc32fast::Hasher::new();
        let mut piece = Vec::new();
        let mut rest = length;
        while rest > 0 {
            piece.clear();
            let got = (&file).take(rest.min(1 << 20)).read_to_end(&mut piece)? as u64;
            if got == 0 {
                break;
            }
            hasher.update(&piece);
            rest -= got;
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok((hasher.finalize(), file))
    }
}

/// Writes a file so that after a crash it is complete or absent.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_parent(path)
}

/// Makes a created or renamed name durable. Where folders cannot be opened, the system does this by itself.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent().map(File::open) {
        Some(Ok(folder)) => folder.sync_all(),
        _ => Ok(()),
    }
}

/// Bytes of a file or of everything in a folder; what cannot be read counts nothing.
pub(crate) fn size_of(path: &Path) -> u64 {
    let Ok(info) = fs::symlink_metadata(path) else { return 0 };
    if !info.is_dir() {
        return info.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size_of(&entry.path())).sum()
}
