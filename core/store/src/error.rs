//! What can go wrong for good.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use convwise_types::RecordId;

pub use crate::notice::Notice;

/// A line of a merged or restored file that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file, where several are read.
    pub file: Option<PathBuf>,
    /// Line, from 1.
    pub line: u64,
    /// Why, lower case.
    pub why: String,
}

/// The knowledge base could not do what was asked. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file could not be read or written.
    #[error("cannot {doing} {}: {source}{}", path.display(), advice(source))]
    Io {
        /// What was being done, e.g. `write`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The home was written by a newer program.
    #[error(
        "the knowledge base at {} has format {found}, written by {by}; this program reads up to format {known}; \
         update convwise or choose another home with CONVWISE_HOME",
        path.display()
    )]
    NewerFormat {
        /// The knowledge base.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format that this program reads.
        known: u64,
        /// The program that wrote it.
        by: String,
    },
    /// Another process kept the lock for too long.
    #[error(
        "the knowledge base is busy: {} holds {} and did not let go within {} s; try again when it has finished",
        holder(*pid), path.display(), waited.as_secs()
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, if the lock file says so.
        pid: Option<u32>,
        /// How long was waited.
        waited: Duration,
    },
    /// The home cannot be written, so nothing can be kept.
    #[error(
        "nothing can be stored: {why}; make the folder writable or choose another home with CONVWISE_HOME"
    )]
    ReadOnly {
        /// Why it cannot be written, with the path.
        why: String,
    },
    /// Timings of a simulated runner are not evidence.
    #[error(
        "a measurement by the simulated runner `{runner}` is not evidence and is not stored; measure with a real runner"
    )]
    Simulated {
        /// The runner.
        runner: String,
    },
    /// A record breaks a rule that every record keeps.
    #[error("{what} cannot be stored: {why}")]
    Invalid {
        /// Which record.
        what: String,
        /// Which rule it breaks.
        why: String,
    },
    /// No record has this id.
    #[error(
        "no record has an id that starts with `{prefix}`; list ids with `convwise kb query --from measurements --columns id`"
    )]
    NoRecord {
        /// What was asked for.
        prefix: String,
    },
    /// Several records have ids that start like this.
    #[error("`{prefix}` is the beginning of {} ids: {}; write more digits", if *more { "several".to_owned() } else { ids.len().to_string() }, list(ids, *more))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The first of them, in order.
        ids: Vec<RecordId>,
        /// Whether there are still more.
        more: bool,
    },
    /// Not a beginning of an id.
    #[error("`{prefix}` is not the beginning of a record id; an id has 32 hexadecimal digits")]
    NotAnId {
        /// What was asked for.
        prefix: String,
    },
    /// A merged file has lines that cannot be accepted.
    #[error("nothing was merged: {}", refused(refusals, *total))]
    Refused {
        /// The first refused lines.
        refusals: Vec<Refusal>,
        /// How many lines were refused altogether.
        total: u64,
    },
    /// A backup has lines that cannot be believed.
    #[error(
        "nothing was restored from {}: {}; to save what is whole, make it the kb/journal.jsonl of an empty home and run \
         `convwise kb repair` there",
        file.display(), refused(refusals, *total)
    )]
    NotRestored {
        /// The backup.
        file: PathBuf,
        /// The first refused lines.
        refusals: Vec<Refusal>,
        /// How many lines were refused altogether.
        total: u64,
    },
    /// A backup without any record.
    #[error("nothing was restored: {} holds no record", file.display())]
    NothingToRestore {
        /// The backup.
        file: PathBuf,
    },
    /// A folder without anything to merge.
    #[error(
        "nothing was merged: {} is neither a home nor has it a .jsonl file; name the folder that does",
        path.display()
    )]
    NothingToMerge {
        /// The folder.
        path: PathBuf,
    },
    /// The home that was to be merged is the one it was to be merged into.
    #[error("nothing was merged: {} is this knowledge base itself; name another home with CONVWISE_HOME", path.display())]
    MergedIntoItself {
        /// The knowledge base.
        path: PathBuf,
    },
    /// The index failed even after it was rebuilt.
    #[error("the index at {} failed: {why}; delete that folder, it is rebuilt from the journal", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What happened.
        why: String,
    },
}

impl StoreError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    /// What happened and where, without what to try.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Io { doing, path, source } => format!("cannot {doing} {}: {source}", path.display()),
            other => other.to_string(),
        }
    }

    /// Whether the storage cannot be written at all: read-only, forbidden, or not a folder.
    pub(crate) fn is_unwritable(&self) -> bool {
        matches!(self, Self::Io { source, .. } if cannot_write(source) || is_full(source))
    }
}

/// The home refuses writing, for good.
pub(crate) fn cannot_write(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::PermissionDenied | K::ReadOnlyFilesystem | K::NotADirectory | K::IsADirectory | K::AlreadyExists
    )
}

/// There is no room left.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::StorageFull | K::QuotaExceeded | K::FileTooLarge | K::WriteZero)
}

fn advice(error: &io::Error) -> &'static str {
    if is_full(error) {
        "; the disk or its quota is full: free some space and repeat the command, nothing stored before is lost"
    } else if cannot_write(error) {
        "; make the folder writable or choose another home with CONVWISE_HOME"
    } else {
        ""
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

fn list(ids: &[RecordId], more: bool) -> String {
    let mut text = ids.iter().map(RecordId::as_str).collect::<Vec<_>>().join(", ");
    if more {
        text.push_str(", ...");
    }
    text
}

fn refused(refusals: &[Refusal], total: u64) -> String {
    let named = |r: &Refusal| match &r.file {
        Some(file) => format!("{}, line {}: {}", file.display(), r.line, r.why),
        None => format!("line {}: {}", r.line, r.why),
    };
    let mut text = refusals.iter().map(named).collect::<Vec<_>>().join("; ");
    let rest = total.saturating_sub(refusals.len() as u64);
    if rest > 0 {
        text.push_str(&format!("; and {rest} more"));
    }
    text
}
