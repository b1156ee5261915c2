//! Merging what others exported: a set union, all or nothing.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::StoreError;
use crate::files::Layout;
use crate::format;
use crate::intake::{Admitted, Intake};
use crate::journal::{Piece, next_group, next_piece};
use crate::line::{Line, shortened};
use crate::lock::{HomeLock, PATIENCE};
use crate::parallel::mapped;
use crate::record::RECORD_SCHEMA;
use crate::refused::Refused;
use crate::store::Store;

/// What a merge did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MergeReport {
    /// Files read.
    pub files: u64,
    /// Records read.
    pub records: u64,
    /// Records that were not known before.
    pub new: u64,
    /// Records that were known already, or came twice.
    pub known: u64,
}

/// What is to be read.
enum Source {
    File(PathBuf),
    Home(Layout),
}

impl Store {
    /// Adds every record of an export, or none: one refused line refuses the file. Order and repetition do not
    /// matter. A journal is accepted as well.
    ///
    /// # Errors
    /// [`StoreError::Refused`] names the lines; otherwise as for [`Store::append`].
    pub fn merge(&self, mut reader: impl BufRead) -> Result<MergeReport, StoreError> {
        self.merging(1, |intake, refused| take_lines(&mut reader, None, intake, refused))
    }

    /// Adds every record of exports, backups and other homes, or none. A folder is a home, or every `.jsonl` file in it
    /// is taken.
    ///
    /// # Errors
    /// A path is not there or cannot be read, a home is newer or is this one; otherwise as for [`Store::merge`].
    pub fn merge_files(&self, paths: &[PathBuf]) -> Result<MergeReport, StoreError> {
        let mut sources = Vec::new();
        for path in paths {
            sources.extend(sources_at(path, &self.path())?);
        }
        self.merging(sources.len() as u64, |intake, refused| {
            sources.iter().try_fold(0, |records, source| Ok(records + source.take(intake, refused)?))
        })
    }

    /// `supply` takes records and counts them.
    fn merging(
        &self,
        files: u64,
        supply: impl FnOnce(&mut Intake, &mut Refused) -> Result<u64, StoreError>,
    ) -> Result<MergeReport, StoreError> {
        let mut records = 0;
        let taken = self.take_union(|intake| {
            let mut refused = Refused::default();
            records = supply(intake, &mut refused)?;
            refused.verdict(|refusals, total| StoreError::Refused { refusals, total })
        })?;
        Ok(MergeReport { files, records, new: taken.new, known: records - taken.new })
    }
}

/// What a path stands for.
fn sources_at(path: &Path, ours: &Path) -> Result<Vec<Source>, StoreError> {
    if !path.is_dir() {
        return Ok(vec![Source::File(path.to_owned())]);
    }
    for root in [path.join("kb"), path.to_owned()] {
        if root.join("format.json").is_file() {
            return home_at(root, ours).map(|layout| vec![Source::Home(layout)]);
        }
    }
    let entries = fs::read_dir(path).map_err(|error| StoreError::io("read", path, error))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "jsonl") && file.is_file());
    if files.is_empty() {
        return Err(StoreError::NothingToMerge { path: path.to_owned() });
    }
    files.sort();
    Ok(files.into_iter().map(Source::File).collect())
}

fn home_at(root: PathBuf, ours: &Path) -> Result<Layout, StoreError> {
    if same_folder(&root, ours) {
        return Err(StoreError::MergedIntoItself { path: root });
    }
    let layout = Layout::at(root);
    format::check(&layout)?;
    Ok(layout)
}

fn same_folder(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

impl Source {
    /// Takes every record; returns how many.
    fn take(&self, intake: &mut Intake, refused: &mut Refused) -> Result<u64, StoreError> {
        match self {
            Self::File(path) => take_file(path, intake, refused),
            Self::Home(layout) => {
                // Whoever writes there is waited for, so that no half of a transaction is read.
                let _lock = HomeLock::shared(&layout.lock, PATIENCE)?;
                if layout.journal.exists() { take_file(&layout.journal, intake, refused) } else { Ok(0) }
            }
        }
    }
}

fn take_file(path: &Path, intake: &mut Intake, refused: &mut Refused) -> Result<u64, StoreError> {
    let file = File::open(path).map_err(|error| StoreError::io("read", path, error))?;
    take_lines(&mut BufReader::with_capacity(1 << 18, file), Some(path), intake, refused)
}

fn take_lines(
    reader: &mut impl BufRead,
    path: Option<&Path>,
    intake: &mut Intake,
    refused: &mut Refused,
) -> Result<u64, StoreError> {
    let named = path.unwrap_or(Path::new("the merged file"));
    let next = || next_piece(reader, 0).map_err(|error| StoreError::io("read", named, error)).transpose();
    let mut pieces = std::iter::from_fn(next);
    let (mut line, mut records) = (0, 0);
    loop {
        let group = next_group(&mut pieces)?;
        if group.is_empty() {
            return Ok(records);
        }
        for admitted in mapped(&group, |piece| checked(piece, intake)) {
            line += 1;
            let kept = admitted.and_then(|admitted| match admitted {
                Some(admitted) => intake.keep(&admitted).map(|()| 1),
                None => Ok(0),
            });
            match kept {
                Ok(kept) => records += kept,
                Err(why) => refused.add(path, line, why),
            }
        }
    }
}

/// The record of a line of a merged file; none for an empty line.
fn checked(piece: &Piece, intake: &Intake) -> Result<Option<Admitted>, String> {
    if piece.too_long {
        return Err("it is longer than any record".to_owned());
    }
    if piece.bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let line = Line::decode_foreign(&piece.bytes)?;
    if line.schema > RECORD_SCHEMA {
        return Err(format!("its schema {} is newer than {RECORD_SCHEMA}; update convwise", line.schema));
    }
    let record =
        line.record()?.ok_or_else(|| format!("`{}` is not a kind of record", shortened(&line.kind)))?;
    let admitted = intake.admit(&record, Some(line.body))?;
    if admitted.id() != line.id {
        return Err(format!("its id is {}, but its content has the digest {}", line.id, admitted.id()));
    }
    Ok(Some(admitted))
}
