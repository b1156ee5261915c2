//! Where things stand below the home folder, and writing files so that a crash leaves the old or the new one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom};
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
    pub backups: PathBuf,
    /// Where files are written before they get their names, one at a time, under the lock.
    pub unfinished: PathBuf,
    /// An index on its way out.
    leaving: PathBuf,
}

impl Layout {
    pub fn new(home: &Path) -> Self {
        Self::at(home.join("kb"))
    }

    /// The knowledge base in this folder.
    pub fn at(root: PathBuf) -> Self {
        Self {
            format: root.join("format.json"),
            journal: root.join("journal.jsonl"),
            index: root.join("index"),
            lock: root.join("lock"),
            quarantine: root.join("quarantine"),
            backups: root.join("backups"),
            unfinished: root.join("unfinished"),
            leaving: root.join("index.leaving"),
            root,
        }
    }

    /// Clears away what a killed process had not finished. Nothing of it was ever acknowledged.
    pub fn sweep(&self) {
        drop(fs::remove_file(&self.unfinished));
        drop(fs::remove_dir_all(&self.leaving));
    }

    /// Takes the index out of the way at one stroke, so that no half of it is ever found.
    pub fn discard_index(&self) -> Result<(), StoreError> {
        drop(fs::remove_dir_all(&self.leaving));
        match fs::rename(&self.index, &self.leaving) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &self.index, error))
            }
            _ => {
                drop(fs::remove_dir_all(&self.leaving));
                Ok(())
            }
        }
    }

    /// Writes a file of this folder so that after a crash it is complete or absent, or the one before.
    pub fn write<T>(
        &self,
        path: &Path,
        write: impl FnOnce(&mut BufWriter<File>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        through(&self.unfinished, path, write)
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
        let mut copy = File::create(&self.unfinished)?;
        io::copy(&mut head.take(length), &mut copy)?;
        copy.sync_all()?;
        fs::rename(&self.unfinished, &place)?;
        sync_parent(&place)?;
        Ok((place, true))
    }

    /// CRC-32 of the first bytes of the journal.
    pub fn crc_of_journal(&self, length: u64) -> Result<u32, StoreError> {
        let digest = self.digest_of(0, length).map(|(digest, _)| digest);
        digest.map_err(|error| StoreError::io("read", &self.journal, error))
    }

    /// Copies the first bytes of the journal as they are.
    pub fn copy_journal(&self, length: u64, to: &Path) -> Result<(), StoreError> {
        let folder = to.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|error| StoreError::io("create", folder, error))?;
        self.write(to, |out| {
            let copied = File::open(&self.journal).and_then(|file| io::copy(&mut file.take(length), out));
            copied.map(|_| ()).map_err(|error| StoreError::io("copy", &self.journal, error))
        })
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

/// Writes a file so that an existing one is only replaced when the new one is complete and on disk.
///
/// # Errors
/// What `write` says, or the file cannot be written; then the one before is still there.
pub fn replace_file<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Another process may be writing the same file.
    let unfinished = path.with_file_name(format!(".{name}.{}.unfinished", std::process::id()));
    through(&unfinished, path, write)
}

fn through<T>(
    unfinished: &Path,
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let failed = |error| StoreError::io("write", path, error);
    // It may be read back before it gets its name.
    let file = File::options().read(true).write(true).create(true).truncate(true).open(unfinished);
    let mut out = BufWriter::with_capacity(1 << 18, file.map_err(failed)?);
    let written = write(&mut out).and_then(|value| {
        let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().and_then(|()| fs::rename(unfinished, path)).map_err(failed)?;
        sync_parent(path).map_err(failed)?;
        Ok(value)
    });
    if written.is_err() {
        drop(fs::remove_file(unfinished));
    }
    written
}

/// Makes a created or renamed name durable. Where folders cannot be opened, the system does this by itself.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
    match parent.map(File::open) {
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
