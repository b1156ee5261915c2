//! Bringing the index up to the journal, and setting aside what a crash or a flipped bit left in the journal.

use std::collections::BTreeSet;

use convwise_types::RecordId;

use crate::catalog::{Anchor, Kind, Meta, changes_for, record_key};
use crate::error::{Notice, StoreError};
use crate::index::{Change, Key};
use crate::journal::{Journal, Piece, Place};
use crate::line::{Line, crc_of};
use crate::record::Record;
use crate::section::{Mode, Section, Trouble};

/// Records indexed as one batch.
const BATCH: usize = 2000;

/// A record on its way into the index; `record` is `None` where only a newer program can read it.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub id: RecordId,
    pub record: Option<Record>,
    pub place: Place,
}

/// What is to be indexed next.
#[derive(Debug, Default)]
struct Pending {
    arrivals: Vec<Arrival>,
    /// The last piece seen, good or not.
    last: Option<Place>,
}

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

    /// Indexes new records; those that the index knows already are skipped. `covered` is the last piece seen.
    pub(crate) fn index_arrivals(&mut self, arrivals: Vec<Arrival>, covered: Place) -> Result<(), Trouble> {
        let keys: Vec<Key> = arrivals.iter().map(|arrival| record_key(&arrival.id)).collect();
        let known = self.index()?.get(keys)?;
        let mut meta = self.meta.clone();
        let mut seen = BTreeSet::new();
        let mut changes: Vec<Change> = Vec::new();
        for (arrival, known) in arrivals.iter().zip(known) {
            if known.is_none() && seen.insert(arrival.id.clone()) {
                meta.add(&arrival.id, Kind::of(arrival.record.as_ref()));
                changes.extend(changes_for(&arrival.id, arrival.record.as_ref(), arrival.place));
            }
        }
        meta.covered = covered.end();
        meta.anchor = self.anchor(covered)?;
        changes.push(meta.change());
        // Neighbours in key order make fuller pages.
        changes.sort_by(|a, b| a.0.cmp(&b.0));
        self.index_mut()?.apply(changes)?;
        self.meta = meta;
        Ok(())
    }

    fn anchor(&self, place: Place) -> Result<Option<Anchor>, StoreError> {
        let Some(journal) = &self.journal else { return Ok(None) };
        let bytes = journal.read_at(place).map_err(|error| self.unreadable(error))?;
        Ok(Some(Anchor { offset: place.offset, length: place.length, crc: crc_of(&bytes) }))
    }

    fn index_between(&mut self, from: u64, until: u64) -> Result<(), Trouble> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let mut pending = Pending::default();
        let mut newer = 0;
        for piece in journal.pieces(from, until)? {
            let piece = piece?;
            pending.last = Some(piece.place);
            match decode(&piece) {
                Ok((id, record)) => {
                    newer += u64::from(record.is_none());
                    pending.arrivals.push(Arrival { id, record, place: piece.place });
                }
                Err(why) => self.report_damage(piece.place, why),
            }
            if pending.arrivals.len() >= BATCH {
                self.commit(&mut pending)?;
            }
        }
        if newer > 0 {
            self.notices.push(Notice::NewerRecords { count: newer });
        }
        self.commit(&mut pending)
    }

    fn commit(&mut self, pending: &mut Pending) -> Result<(), Trouble> {
        let Some(last) = pending.last.take() else { return Ok(()) };
        self.index_arrivals(std::mem::take(&mut pending.arrivals), last)
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

/// A piece as a record with its id.
pub(crate) fn decode(piece: &Piece) -> Result<(RecordId, Option<Record>), String> {
    if piece.too_long {
        return Err("it is longer than any line may be".to_owned());
    }
    let line = Line::decode(&piece.bytes)?;
    let record = line.record()?;
    Ok((line.id, record))
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
