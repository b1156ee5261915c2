//! `format.json`: the number of the layout, in the open, checked before anything else is touched.

use std::fs;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::error::{Notice, StoreError};
use crate::files::Layout;

/// Format of the home folder. Raised whenever an older program could misread a newer home.
///
/// 1: journal lines say nothing of their arrival. 2: they do (`at`), which a program that knows 1 would take for damage.
pub const FORMAT: u64 = 2;

/// The engine behind the index, as written into `format.json`.
const ENGINE: &str = "sled";
/// Its version; another version's folder opens as an empty database, so it must never be opened.
const ENGINE_VERSION: &str = "0.34.7";

/// The document `format.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Format {
    format: u64,
    engine: String,
    engine_version: String,
    created_by: String,
}

impl Format {
    fn ours() -> Self {
        Self {
            format: FORMAT,
            engine: ENGINE.to_owned(),
            engine_version: ENGINE_VERSION.to_owned(),
            created_by: concat!("convwise ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Reads `format.json`; a newer format is refused.
fn read(layout: &Layout) -> Result<Result<Format, String>, StoreError> {
    let text = match fs::read_to_string(&layout.format) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err("it was missing".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Ok(Err("it is not text".to_owned()));
        }
        Err(error) => return Err(StoreError::io("read", &layout.format, error)),
    };
    refuse_newer(layout, &text)?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("it was damaged ({error})")))
}

/// A newer format may have other fields, so only the number is read.
fn refuse_newer(layout: &Layout, text: &str) -> Result<(), StoreError> {
    let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let found = document.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if found <= FORMAT {
        return Ok(());
    }
    let by = document.get("created_by").and_then(serde_json::Value::as_str).unwrap_or("a newer convwise");
    Err(StoreError::NewerFormat { path: layout.root.clone(), found, known: FORMAT, by: by.to_owned() })
}

/// Checks `format.json` without writing.
pub(crate) fn check(layout: &Layout) -> Result<(), StoreError> {
    read(layout).map(|_| ())
}

/// Checks `format.json` under the lock and writes it where it is missing, damaged, older, or names another engine, whose
/// index is moved aside first. Before anything changes in an older home its journal is copied to the backups.
pub(crate) fn settle(layout: &Layout, notices: &mut Vec<Notice>) -> Result<(), StoreError> {
    layout.sweep();
    let ours = Format::ours();
    let mut migrated = None;
    match read(layout)? {
        Ok(found) => {
            let same_engine = found.engine == ours.engine && found.engine_version == ours.engine_version;
            if same_engine && found.format == FORMAT {
                return Ok(());
            }
            if found.format < FORMAT {
                migrated = keep_old(layout, found.format)?;
                // It was laid out otherwise, and is soon made again.
                layout.discard_index()?;
            }
            if !same_engine {
                let kept = layout.move_aside(&layout.index, "index")?;
                let why = format!("it was written by {} {}", found.engine, found.engine_version);
                notices.push(Notice::IndexRebuilt { why, kept });
            }
        }
        Err(why) if layout.journal.exists() => {
            notices.push(Notice::FormatRewritten { path: layout.format.clone(), why });
        }
        Err(_) => {}
    }
    layout.write(&layout.format, |out| {
        serde_json::to_writer_pretty(&mut *out, &ours)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .map_err(|error| StoreError::io("write", &layout.format, error))
    })?;
    notices.extend(migrated);
    Ok(())
}

/// Keeps the journal as it was. Its lines are readable in the new format too, so that nothing else needs to change. The
/// copy's name is made of its content: a migration that was interrupted finds it and does not copy again.
fn keep_old(layout: &Layout, from: u64) -> Result<Option<Notice>, StoreError> {
    let length = match fs::metadata(&layout.journal) {
        Ok(info) if info.len() > 0 => info.len(),
        _ => return Ok(None),
    };
    let crc = layout.crc_of_journal(length)?;
    let kept = layout.backups.join(format!("format-{from}-{crc:08x}.jsonl"));
    if !kept.exists() {
        layout.copy_journal(length, &kept)?;
    }
    Ok(Some(Notice::Migrated { from, to: FORMAT, kept }))
}
