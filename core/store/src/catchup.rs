//! Bringing the index up to the journal, and setting aside what a crash or a flipped bit left in the journal.

use std::collections::HashSet;

use convwise_types::listing::Item;

use crate::catalog::{Anchor, Batch, Entry, Id, Kind, Meta, ROWS, fold, id_bytes, items_of};
use crate::error::{Notice, StoreError};
use crate::index::Change;
use crate::journal::{Journal, Piece, Place, next_group};
use crate::line::{Line, crc_of};
use crate::parallel::mapped;
use crate::section::{Mode, Section, Trouble};

/// Records indexed as one batch.
const BATCH: usize = 16 * ROWS;

/// Where the journal really ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tail {
    /// End of the last complete transaction.
    end: u64,
    /// The last line is whole but for its newline.
    newline_missing: bool,
}

impl Section {
    /// Indexes what the journal has beyond the index, after setting an unfinished end aside.
    pub(crate) fn catch_up(&mut self) -> Result<(), Trouble> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let length = journal.length()?;
        check_anchor(journal, &self.meta, length)?;
        if length == self.meta.covered {
            return Ok(());
        }
        let end = self.settle_tail(length)?;
        self.index_between(self.meta.covered, end)
    }

    /// Indexes what the journal has beyond the index, up to a byte at which a transaction ends.
    pub(crate) fn index_until(&mut self, end: u64) -> Result<(), Trouble> {
        if self.meta.covered >= end { Ok(()) } else { self.index_between(self.meta.covered, end) }
    }

    /// Indexes records; those that the index knows already are skipped.
    fn index_batch(&mut self, batch: Batch) -> Result<(), Trouble> {
        let Some(last) = batch.last else { return Ok(()) };
        let batch = self.unknown_of(batch)?;
        if self.tail()?.len() + batch.len() >= ROWS {
            self.fold_tail()?;
        }
        let mut meta = self.meta.clone();
        meta.covered = last.end();
        meta.anchor = self.anchor(last)?;
        let changes = if batch.len() >= ROWS {
            fold(self.index()?, &mut meta, &batch)?
        } else {
            self.tail()?.changes(meta.folded, &batch)
        };
        meta.add(batch.ids.iter().zip(batch.entries.iter().map(|entry| entry.kind)));
        self.apply(meta, changes)
    }

    /// Moves the newest records into blocks.
    fn fold_tail(&mut self) -> Result<(), Trouble> {
        let tail = self.tail()?;
        if tail.len() == 0 {
            return Ok(());
        }
        let mut meta = self.meta.clone();
        let mut changes: Vec<Change> = tail.removal(meta.folded).collect();
        changes.extend(fold(self.index()?, &mut meta, &tail.batch()?)?);
        self.apply(meta, changes)
    }

    fn apply(&mut self, meta: Meta, mut changes: Vec<Change>) -> Result<(), Trouble> {
        changes.push(meta.change());
        // Neighbours in key order make fuller pages.
        changes.sort_by(|a, b| a.0.cmp(&b.0));
        self.forget_tail();
        self.index_mut()?.apply(changes)?;
        self.meta = meta;
        Ok(())
    }

    /// The records of a batch that the index does not know, each once.
    fn unknown_of(&self, batch: Batch) -> Result<Batch, Trouble> {
        let mut seen = HashSet::with_capacity(batch.len());
        let known = self.known(&batch.ids)?;
        let keep: Vec<bool> =
            batch.ids.iter().zip(known).map(|(id, known)| !known && seen.insert(*id)).collect();
        Ok(if keep.iter().all(|keep| *keep) { batch } else { batch.retain(&keep) })
    }

    fn anchor(&self, place: Place) -> Result<Option<Anchor>, StoreError> {
        let Some(journal) = &self.journal else { return Ok(None) };
        let bytes = journal.read_at(place).map_err(|error| self.unreadable(error))?;
        Ok(Some(Anchor { offset: place.offset, length: place.length, crc: crc_of(&bytes) }))
    }

    fn index_between(&mut self, from: u64, until: u64) -> Result<(), Trouble> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let mut batch = Batch::default();
        let mut newer = 0;
        let mut pieces = journal.pieces(from, until)?;
        loop {
            let group = next_group(&mut pieces)?;
            if group.is_empty() {
                break;
            }
            for (piece, row) in group.iter().zip(mapped(&group, read_row)) {
                batch.last = Some(piece.place);
                match row {
                    Ok(row) => {
                        newer += u64::from(row.kind == Kind::Newer);
                        batch.add(row.id, Entry { kind: row.kind, place: piece.place }, &row.items);
                    }
                    Err(why) => self.report_damage(piece.place, why),
                }
            }
            if batch.len() >= BATCH {
                self.index_batch(std::mem::take(&mut batch))?;
            }
        }
        if newer > 0 {
            self.notices.push(Notice::NewerRecords { count: newer });
        }
        self.index_batch(batch)
    }

    /// Keeps a copy of a damaged line and says so, once.
    fn report_damage(&mut self, place: Place, why: String) {
        let copied = (self.terms.mode == Mode::Disk)
            .then(|| self.terms.layout.copy_aside(place.offset, place.length))
            .and_then(Result::ok);
        let (kept, fresh) = copied.map_or((None, true), |(kept, fresh)| (Some(kept), fresh));
        if fresh {
            let journal = self.terms.layout.journal.clone();
            self.notices.push(Notice::DamagedLine { journal, offset: place.offset, why, kept });
        }
    }

    /// Finds where the journal really ends and, in a home that can be written, makes it end there.
    fn settle_tail(&mut self, length: u64) -> Result<u64, StoreError> {
        let Some(journal) = &mut self.journal else { return Ok(length) };
        let tail = find_tail(journal, self.meta.covered, length)?;
        if self.terms.mode != Mode::Disk {
            return Ok(tail.end);
        }
        if tail.newline_missing {
            journal.append(b"\n")?;
            return journal.length();
        }
        if tail.end < length {
            let bytes = length - tail.end;
            let kept = self.terms.layout.copy_aside(tail.end, bytes).ok().map(|(kept, _)| kept);
            journal.cut(tail.end)?;
            let journal = self.terms.layout.journal.clone();
            self.notices.push(Notice::TornTail { journal, bytes, kept });
        }
        Ok(tail.end)
    }

    pub(crate) fn unreadable(&self, error: std::io::Error) -> StoreError {
        StoreError::io("read", &self.terms.layout.journal, error)
    }
}

/// The values of a line.
struct Row {
    id: Id,
    kind: Kind,
    items: Vec<Item>,
}

fn read_row(piece: &Piece) -> Result<Row, String> {
    if piece.too_long {
        return Err("it is longer than any line may be".to_owned());
    }
    let line = Line::decode(&piece.bytes)?;
    let record = line.record()?;
    let items = record.as_ref().map(|record| items_of(record, line.at)).unwrap_or_default();
    Ok(Row { id: id_bytes(&line.id), kind: Kind::of(record.as_ref()), items })
}

/// The journal must still have what the index was made from; otherwise the index is worthless.
fn check_anchor(journal: &Journal, meta: &Meta, length: u64) -> Result<(), Trouble> {
    if meta.covered > length {
        let missing = meta.covered - length;
        return Err(Trouble::OutOfStep(format!(
            "the journal has lost {missing} bytes that the index knew, so records may be missing: restore a backup or \
             merge an export"
        )));
    }
    let Some(anchor) = &meta.anchor else { return Ok(()) };
    let place = Place { offset: anchor.offset, length: anchor.length };
    match journal.read_at(place) {
        Ok(bytes) if crc_of(&bytes) == anchor.crc => Ok(()),
        _ => Err(Trouble::OutOfStep("the journal is not the one that the index was made from".to_owned())),
    }
}

/// A transaction is complete when as many lines follow its first one as that one says. Damaged lines count: they
/// were complete once. Lines after the last complete transaction were never acknowledged.
fn find_tail(journal: &Journal, from: u64, length: u64) -> Result<Tail, StoreError> {
    let mut tail = Tail { end: from, newline_missing: false };
    let mut left = 0_u64;
    for piece in journal.pieces(from, length)? {
        let piece = piece?;
        let line = if piece.too_long { None } else { Line::decode(&piece.bytes).ok() };
        if !piece.ended && line.is_none() {
            break;
        }
        left = line.map_or(left.saturating_sub(1), |line| u64::from(line.left));
        if left == 0 {
            tail = Tail { end: piece.place.end(), newline_missing: !piece.ended };
        }
    }
    Ok(tail)
}
