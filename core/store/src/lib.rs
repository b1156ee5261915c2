//! The knowledge base: what was measured and what was stated, kept so that nothing acknowledged is lost.
//!
//! `<home>/kb/` holds
//!
//! - `format.json`: number of this layout and the engine behind the index;
//! - `journal.jsonl`: the truth, one checksummed JSON line a record, written and synced before anything else;
//! - `index/`: a sled database that answers queries and points into the journal; it can be rebuilt at any time;
//! - `lock`: held for moments, with the holder's process id inside;
//! - `quarantine/`: damaged lines and indexes, kept for a person to look at;
//! - `backups/`: copies of the journal, made when asked for and before anything replaces it.
//!
//! This crate is the only one that knows sled. It never prints: what a person should know comes back as
//! [`Notice`] values. It must not know how facts are judged or measured.

mod append;
mod backup;
mod catalog;
mod catchup;
mod derived;
mod error;
mod exchange;
mod files;
mod format;
mod index;
mod intake;
mod journal;
mod line;
mod lock;
mod merge;
mod notice;
mod parallel;
mod query;
mod record;
mod refused;
mod rewrite;
mod salvage;
mod section;
pub mod shipped;
mod store;
mod survey;
mod upkeep;

pub use backup::{BackedUp, Backup, Restored};
pub use catalog::{ARRIVED, Kind as RecordKind};
pub use error::{Notice, Refusal, StoreError};
pub use exchange::{ExportFilter, Exported};
pub use files::replace_file;
pub use format::FORMAT;
pub use intake::{Conflict, Intake, TakenOver};
pub use merge::MergeReport;
pub use query::{KnownDevice, MeasurementFilter};
pub use record::{RECORD_SCHEMA, Record};
pub use rewrite::{Repaired, Rewritten, SetAside};
pub use store::{Appended, OpenOptions, Session, Store};
pub use upkeep::{CheckReport, DamagedLine, Stats};
