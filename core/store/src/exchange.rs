//! Export as JSON Lines, and merging what others exported: a set union, all or nothing.

use std::io::{BufRead, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{Refusal, StoreError};
use crate::intake::Intake;
use crate::journal::{Piece, next_piece};
use crate::line::{Line, shortened};
use crate::record::RECORD_SCHEMA;
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
        let mut records = 0;
        let taken = self.take_union(|intake| {
            records = take_all(&mut reader, intake)?;
            Ok::<(), StoreError>(())
        })?;
        Ok(MergeReport { records, new: taken.new, known: records - taken.new })
    }
}

/// Takes every record of a file; one refused line refuses them all.
fn take_all(reader: &mut impl BufRead, intake: &mut Intake) -> Result<u64, StoreError> {
    let (mut records, mut refusals) = (0, Vec::new());
    let (mut line, mut total) = (0, 0);
    while let Some(piece) =
        next_piece(reader, 0).map_err(|error| StoreError::io("read", Path::new("the merged file"), error))?
    {
        line += 1;
        match accept(&piece, intake) {
            Ok(taken) => records += u64::from(taken),
            Err(why) => {
                total += 1;
                if refusals.len() < NAMED {
                    refusals.push(Refusal { line, why });
                }
            }
        }
    }
    if total > 0 { Err(StoreError::Refused { refusals, total }) } else { Ok(records) }
}

/// Takes a line of a merged file; false for an empty line.
fn accept(piece: &Piece, intake: &mut Intake) -> Result<bool, String> {
    if piece.too_long {
        return Err("it is longer than any record".to_owned());
    }
    if piece.bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(false);
    }
    let line = Line::decode_foreign(&piece.bytes)?;
    if line.schema > RECORD_SCHEMA {
        return Err(format!("its schema {} is newer than {RECORD_SCHEMA}; update convwise", line.schema));
    }
    let record =
        line.record()?.ok_or_else(|| format!("`{}` is not a kind of record", shortened(&line.kind)))?;
    intake.take_named(&record, Some(&line.id)).map(|()| true)
}
