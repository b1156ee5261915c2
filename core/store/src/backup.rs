//! Backups: copies of the journal, and putting one in its place.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::Serialize;

use crate::error::StoreError;
use crate::files::replace_file;
use crate::journal::{Piece, next_piece};
use crate::line::{Line, now};
use crate::refused::Refused;
use crate::salvage::fits;
use crate::section::Section;
use crate::store::Store;

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    /// Where it stands.
    pub path: PathBuf,
    /// Version of the knowledge base that it holds.
    pub version: String,
    /// Lines in it.
    pub lines: u64,
    /// Damaged lines, which it does not hold.
    pub left_out: u64,
    /// Its size.
    pub bytes: u64,
}

/// A file among the backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Where it stands.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was written, in seconds since 1970.
    pub written: u64,
}

/// What restoring did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Lines that were restored.
    pub lines: u64,
    /// Version of the knowledge base now.
    pub version: String,
    /// What was there before; `None` if there was nothing.
    pub kept: Option<PathBuf>,
}

impl Store {
    /// Copies the journal to a file, or into a folder under a name made of date and version; without either into the
    /// `backups` of the home. The copy is read back before it gets its name.
    ///
    /// # Errors
    /// The knowledge base cannot be read, or the copy cannot be written or differs from what was written.
    pub fn backup(&self, to: Option<&Path>) -> Result<BackedUp, StoreError> {
        let _session = self.session()?;
        let version = self.version();
        let folder = self.path().join("backups");
        let path = match to {
            Some(file) if !file.is_dir() => file.to_owned(),
            folder_or_none => folder_or_none.unwrap_or(&folder).join(name_for("", &version) + ".jsonl"),
        };
        let (lines, left_out) = self.with(|section| section.back_up(&path))?;
        let bytes = fs::metadata(&path).map_or(0, |info| info.len());
        Ok(BackedUp { path, version, lines, left_out, bytes })
    }

    /// The files among the home's backups, oldest first.
    ///
    /// # Errors
    /// The folder is there and cannot be read.
    pub fn backups(&self) -> Result<Vec<Backup>, StoreError> {
        let folder = self.path().join("backups");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| StoreError::io("read", &folder, error))?,
        };
        let mut found: Vec<Backup> = entries.flatten().filter_map(|entry| backup_at(entry.path())).collect();
        found.sort_by(|a, b| (a.written, &a.path).cmp(&(b.written, &b.path)));
        Ok(found)
    }

    /// Puts a backup or an export in place of everything that is known, all or nothing. What is there now is kept among
    /// the backups.
    ///
    /// # Errors
    /// The file has a line that cannot be believed, or no record at all, or the home cannot be written. Then everything is
    /// as before.
    pub fn restore(&self, file: &Path) -> Result<Restored, StoreError> {
        let lines = read_lines(file, |_| Ok(()))?;
        let _session = self.session()?;
        let name = name_for("before-restore-", &self.version());
        let kept = self.with(|section| section.restore(file, lines, &name))?;
        Ok(Restored { lines, version: self.version(), kept })
    }
}

impl Section {
    fn back_up(&self, path: &Path) -> Result<(u64, u64), StoreError> {
        let backups = &self.terms.layout.backups;
        if self.journal.is_none() {
            self.writable()?;
        }
        if path.starts_with(backups) {
            self.writable()?;
            fs::create_dir_all(backups).map_err(|error| StoreError::io("create", backups, error))?;
            return self.terms.layout.write(path, |out| self.copy_checked(out, path));
        }
        replace_file(path, |out| self.copy_checked(out, path))
    }

    fn copy_checked(&self, out: &mut BufWriter<File>, path: &Path) -> Result<(u64, u64), StoreError> {
        let failed = |error| StoreError::io("write", path, error);
        let (mut written, mut left_out) = (0, 0);
        if let Some(journal) = &self.journal {
            for piece in journal.pieces(0, journal.length()?)? {
                match Line::decode(&piece?.bytes) {
                    Ok(line) => {
                        out.write_all(&line.journalled(0)).map_err(failed)?;
                        written += 1;
                    }
                    Err(_) => left_out += 1,
                }
            }
        }
        out.flush().map_err(failed)?;
        if count_sound(out.get_ref()).map_err(failed)? != Some(written) {
            return Err(failed(io::Error::other("what was written reads back differently")));
        }
        Ok((written, left_out))
    }

    fn restore(&mut self, file: &Path, lines: u64, name: &str) -> Result<Option<PathBuf>, StoreError> {
        self.writable()?;
        let layout = self.terms.layout.clone();
        let length = self.journal.as_ref().map_or(Ok(0), |journal| journal.length())?;
        let kept = (length > 0).then(|| free_name(&layout.backups, name));
        if let Some(kept) = &kept {
            layout.copy_journal(length, kept)?;
        }
        self.replace_journal(|section, out| {
            let journal = &section.terms.layout.journal;
            let written = read_lines(file, |line| {
                out.write_all(&line.journalled(0)).map_err(|error| StoreError::io("write", journal, error))
            })?;
            if written == lines { Ok(()) } else { Err(changed_meanwhile(file)) }
        })?;
        Ok(kept)
    }
}

/// Two restorations in one second must not replace each other's backup.
fn free_name(folder: &Path, name: &str) -> PathBuf {
    let numbered = (2..).map(|number| folder.join(format!("{name}-{number}.jsonl")));
    let mut names = std::iter::once(folder.join(format!("{name}.jsonl"))).chain(numbered);
    names.find(|path| !path.exists()).unwrap_or_default()
}

fn changed_meanwhile(file: &Path) -> StoreError {
    StoreError::io("read", file, io::Error::other("it changed while it was read"))
}

/// Lines of a file just written, from its beginning; `None` if one is not sound.
fn count_sound(mut file: &File) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut lines = 0;
    while let Some(piece) = next_piece(&mut reader, 0)? {
        if !piece.ended || Line::decode(&piece.bytes).is_err() {
            return Ok(None);
        }
        lines += 1;
    }
    Ok(Some(lines))
}

/// Calls `each` with every line of a backup or an export, after checking it. Records of a newer program pass.
fn read_lines(
    file: &Path,
    mut each: impl FnMut(&Line<'_>) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let failed = |error| StoreError::io("read", file, error);
    let mut reader = BufReader::with_capacity(1 << 18, File::open(file).map_err(failed)?);
    let (mut number, mut lines, mut refused) = (0, 0, Refused::default());
    while let Some(piece) = next_piece(&mut reader, 0).map_err(failed)? {
        number += 1;
        if piece.bytes.is_empty() && !piece.too_long {
            continue;
        }
        match believed(&piece) {
            Ok(line) if refused.is_empty() => {
                each(&line)?;
                lines += 1;
            }
            Ok(_) => {}
            Err(why) => refused.add(None, number, why),
        }
    }
    refused.verdict(|refusals, total| StoreError::NotRestored { file: file.to_owned(), refusals, total })?;
    if lines == 0 {
        return Err(StoreError::NothingToRestore { file: file.to_owned() });
    }
    Ok(lines)
}

fn believed(piece: &Piece) -> Result<Line<'_>, String> {
    if piece.too_long {
        return Err("it is longer than any record".to_owned());
    }
    let line = Line::decode_foreign(&piece.bytes)?;
    let record = line.record()?;
    fits(&line, record.as_ref())?;
    Ok(line)
}

fn backup_at(path: PathBuf) -> Option<Backup> {
    let info = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
    let written = info.modified().ok()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (path.extension()? == "jsonl").then_some(Backup { bytes: info.len(), written, path })
}

/// `<what>2026-11-28T22-15-00Z-<version>`: sorted by name is sorted by date.
fn name_for(what: &str, version: &str) -> String {
    let now = i64::try_from(now()).unwrap_or_default();
    let now = jiff::Timestamp::from_second(now).unwrap_or_default();
    format!("{what}{}-{version}", now.strftime("%Y-%m-%dT%H-%M-%SZ"))
}
