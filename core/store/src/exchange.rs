//! Export as JSON Lines: every record or a part, in order of the ids.

use std::io::Write;
use std::path::Path;

use convwise_types::RecordId;
use serde::{Deserialize, Serialize};

use crate::catalog::{Id, id_bytes};
use crate::error::StoreError;
use crate::journal::{Journal, Pieces, Place};
use crate::line::Line;
use crate::record::Record;
use crate::store::Store;

/// Which records to export. The default exports all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Only what arrived at this time or later, in seconds since 1970. Of a record whose arrival is not known counts when
    /// it was taken.
    pub since: Option<u64>,
    /// Only this kind.
    pub kind: Option<String>,
}

/// What was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Records written.
    pub records: u64,
    /// Records left out because nothing tells when they arrived.
    pub undated: u64,
    /// Damaged lines left out.
    pub damaged: u64,
}

/// The journal as it was at one moment; what happens to it afterwards does not matter.
struct Frozen {
    pieces: Pieces,
    journal: Journal,
}

impl Store {
    /// Writes every record as a JSON line, in order of the ids, so that equal content gives equal bytes. Returns how
    /// many were written.
    ///
    /// # Errors
    /// The knowledge base cannot be read, or `out` cannot be written.
    pub fn export(&self, out: &mut impl Write) -> Result<u64, StoreError> {
        self.export_some(&ExportFilter::default(), out).map(|exported| exported.records)
    }

    /// The same for some of the records. Other processes can write meanwhile.
    ///
    /// # Errors
    /// As for [`Store::export`].
    pub fn export_some(&self, filter: &ExportFilter, out: &mut impl Write) -> Result<Exported, StoreError> {
        self.each_line(filter, |line| {
            let written = out.write_all(line.exported().as_bytes());
            written.map_err(|e| StoreError::io("write", Path::new("the export"), e))
        })
    }

    /// Calls `visit` with some of the records, in order of their ids. Those that only a newer program can read are left
    /// out.
    ///
    /// # Errors
    /// The knowledge base cannot be read, or what `visit` says.
    pub fn each_record(
        &self,
        filter: &ExportFilter,
        mut visit: impl FnMut(&RecordId, Record) -> Result<(), StoreError>,
    ) -> Result<Exported, StoreError> {
        self.each_line(filter, |line| match line.record() {
            Ok(Some(record)) => visit(&line.id, record),
            _ => Ok(()),
        })
    }

    fn each_line(
        &self,
        filter: &ExportFilter,
        mut visit: impl FnMut(&Line<'_>) -> Result<(), StoreError>,
    ) -> Result<Exported, StoreError> {
        let Some(Frozen { pieces, journal }) = self.frozen()? else { return Ok(Exported::default()) };
        let (places, mut exported) = select(pieces, filter)?;
        for place in places {
            let bytes =
                journal.read_at(place).map_err(|error| StoreError::io("read", &self.path(), error))?;
            match Line::decode(bytes.strip_suffix(b"\n").unwrap_or(&bytes)) {
                Ok(line) => visit(&line)?,
                Err(_) => exported.damaged += 1,
            }
            exported.records += 1;
        }
        Ok(exported)
    }

    fn frozen(&self) -> Result<Option<Frozen>, StoreError> {
        self.with(|section| {
            let Some(journal) = &section.journal else { return Ok(None) };
            // Behind what the index covers there can only be an unfinished write that must not be cut off here.
            let pieces = journal.pieces(0, section.meta.covered)?;
            let journal = Journal::readable(&section.terms.layout.journal)?;
            Ok(Some(Frozen { pieces, journal }))
        })
    }
}

/// Where the wanted records stand, in order of their ids.
fn select(pieces: Pieces, filter: &ExportFilter) -> Result<(Vec<Place>, Exported), StoreError> {
    let mut exported = Exported::default();
    let mut found: Vec<(Id, Place)> = Vec::new();
    for piece in pieces {
        let piece = piece?;
        let Ok(line) = Line::decode(&piece.bytes) else {
            exported.damaged += 1;
            continue;
        };
        if filter.kind.as_deref().is_some_and(|kind| kind != line.kind) {
            continue;
        }
        match (filter.since, line.at.or_else(|| filter.since.and_then(|_| taken(line.body)))) {
            (Some(_), None) => exported.undated += 1,
            (Some(since), Some(at)) if at < since => {}
            _ => found.push((id_bytes(&line.id), piece.place)),
        }
    }
    found.sort_unstable_by_key(|(id, place)| (*id, place.offset));
    found.dedup_by_key(|(id, _)| *id);
    Ok((found.into_iter().map(|(_, place)| place).collect(), exported))
}

/// When a measurement or failure was taken, in seconds since 1970.
fn taken(body: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Taken<'a> {
        taken: Option<&'a str>,
    }
    let taken: Taken<'_> = serde_json::from_str(body).ok()?;
    let time: jiff::Timestamp = taken.taken?.parse().ok()?;
    u64::try_from(time.as_second()).ok()
}
