//! What was found wrong and put right along the way.

use std::fmt;
use std::path::{Path, PathBuf};

/// Something was found wrong and dealt with; the answer stands, but a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The journal ended in the middle of a record or of a transaction, which was never acknowledged.
    TornTail {
        /// The journal.
        journal: PathBuf,
        /// How many bytes were set aside.
        bytes: u64,
        /// Where they are kept.
        kept: Option<PathBuf>,
    },
    /// A line of the journal fails its checksum and is left out.
    DamagedLine {
        /// The journal.
        journal: PathBuf,
        /// Where the line begins.
        offset: u64,
        /// What is wrong with it.
        why: String,
        /// Where a copy is kept.
        kept: Option<PathBuf>,
    },
    /// The index was replaced by a fresh one, made from the journal.
    IndexRebuilt {
        /// Why.
        why: String,
        /// Where the old one is kept.
        kept: Option<PathBuf>,
    },
    /// The index cannot be used; queries are answered from the journal, which is slower.
    WithoutIndex {
        /// Why.
        why: String,
    },
    /// The home cannot be written: what is known can be read, nothing can be added.
    ReadOnly {
        /// Why.
        why: String,
    },
    /// There is no home: only shipped facts are known and nothing is kept.
    InMemory {
        /// Why.
        why: String,
    },
    /// `format.json` was missing or damaged and was written again.
    FormatRewritten {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The home was brought to this program's format.
    Migrated {
        /// Its format before.
        from: u64,
        /// Its format now.
        to: u64,
        /// The journal as it was.
        kept: PathBuf,
    },
    /// Records written by a newer program are kept but cannot be read.
    NewerRecords {
        /// How many were found.
        count: u64,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornTail { journal, bytes, kept } => write!(
                f,
                "{} ended in an unfinished write ({bytes} bytes), which was never acknowledged; {}",
                journal.display(),
                kept_at(kept.as_deref(), "it was left out")
            ),
            Self::DamagedLine { journal, offset, why, kept } => write!(
                f,
                "the line at byte {offset} of {} is damaged ({why}) and is left out; {}",
                journal.display(),
                kept_at(kept.as_deref(), "it stays in the journal")
            ),
            Self::IndexRebuilt { why, kept } => write!(
                f,
                "the index was rebuilt from the journal ({why}); {}",
                kept_at(kept.as_deref(), "there was nothing to keep of the old one")
            ),
            Self::WithoutIndex { why } => {
                write!(f, "the index cannot be used ({why}); answering from the journal, which is slower")
            }
            Self::ReadOnly { why } => {
                write!(
                    f,
                    "the knowledge base can be read, but nothing can be stored: {why}; make the folder writable"
                )
            }
            Self::InMemory { why } => write!(
                f,
                "no knowledge base could be created, so only the shipped facts are known and nothing is kept: {why}; \
                 choose another home with CONVWISE_HOME"
            ),
            Self::FormatRewritten { path, why } => write!(f, "{} was written again: {why}", path.display()),
            Self::Migrated { from, to, kept } => write!(
                f,
                "the knowledge base was brought from format {from} to {to}; its journal as it was is kept at {}",
                kept.display()
            ),
            Self::NewerRecords { count } => write!(
                f,
                "{count} records were written by a newer convwise; they are kept, but this program cannot read them"
            ),
        }
    }
}

fn kept_at(kept: Option<&Path>, otherwise: &str) -> String {
    kept.map_or_else(|| otherwise.to_owned(), |path| format!("a copy is kept at {}", path.display()))
}
