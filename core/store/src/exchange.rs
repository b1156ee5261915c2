//! Export as JSON Lines, and merging what others exported: a set union, all or nothing.

use std::io::{BufRead, Write};
use std::path::Path;

use convwise_types::RecordId;
use serde::Serialize;

use crate::error::{Refusal, StoreError};
use crate::journal::{Piece, next_piece};
use crate::line::{Line, shortened};
use crate::record::{RECORD_SCHEMA, Record, admit};
use crate::store::Store;

/// Refused lines that are named; the others are counted.
const NAMED: usize = 10;

/// What a merge did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MergeReport {
    /// Records read.
    pub records: u64,
    /// Records that were not known before.
    pub new: u64,
    /// Records that were known already, or twice in the file.
    pub known: u64,
}

impl Store {
    /// Writes every record as a JSON line, in order of the ids, so that equal content gives equal bytes. Returns how
    /// many were written.
    ///
    /// # Errors
    /// The knowledge base cannot be read, or `out` cannot be written.
    pub fn export(&self, out: &mut impl Write) -> Result<u64, StoreError> {
        let _session = self.session()?;
        let entries = self.with(|section| section.attempt(|s| s.all_entries()))?;
        for (_, entry) in &entries {
            let text = self.with(|section| section.attempt(|s| s.exported(entry.place)))?;
            out.write_all(text.as_bytes())
                .map_err(|e| StoreError::io("write", Path::new("the export"), e))?;
        }
        Ok(entries.len() as u64)
    }

    /// Adds every record of an export, or none: one refused line refuses the file. Order and repetition do not
    /// matter. A journal is accepted as well.
    ///
    /// # Errors
    /// [`StoreError::Refused`] names the lines; otherwise as for [`Store::append`].
    pub fn merge(&self, mut reader: impl BufRead) -> Result<MergeReport, StoreError> {
        let (records, ids) = read_all(&mut reader, self.allows_simulated())?;
        let appended = self.with(|section| section.append(&records, &ids))?;
        Ok(MergeReport {
            records: records.len() as u64,
            new: appended.new.len() as u64,
            known: appended.known.len() as u64,
        })
    }
}

fn read_all(
    reader: &mut impl BufRead,
    allow_simulated: bool,
) -> Result<(Vec<Record>, Vec<RecordId>), StoreError> {
    let (mut records, mut ids, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    let (mut line, mut total) = (0, 0);
    while let Some(piece) =
        next_piece(reader, 0).map_err(|error| StoreError::io("read", Path::new("the merged file"), error))?
    {
        line += 1;
        match accept(&piece, allow_simulated) {
            Ok(Some((record, id))) => {
                records.push(record);
                ids.push(id);
            }
            Ok(None) => {}
            Err(why) => {
                total += 1;
                if refusals.len() < NAMED {
                    refusals.push(Refusal { line, why });
                }
            }
        }
    }
    if total > 0 { Err(StoreError::Refused { refusals, total }) } else { Ok((records, ids)) }
}

/// A line of a merged file as a record; `None` for an empty line.
fn accept(piece: &Piece, allow_simulated: bool) -> Result<Option<(Record, RecordId)>, String> {
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
    let digest = record.id();
    if digest != line.id {
        return Err(format!("its id is {}, but its content has the digest {digest}", line.id));
    }
    admit(&record, allow_simulated).map_err(|error| error.to_string())?;
    Ok(Some((record, digest)))
}
