//! Reading the journal from end to end, line by line, with what each line is worth.

use convwise_types::RecordId;

use crate::error::StoreError;
use crate::journal::{Pieces, Place};
use crate::line::Line;
use crate::salvage::{fits, rejoin, salvage};

/// A stretch of the journal.
#[derive(Debug)]
pub(crate) enum Stretch {
    /// A line that can be used; `newer` where only a newer program can read its record.
    Good { id: RecordId, newer: bool, place: Place },
    /// One line that cannot be used as it stands, or two that were one.
    Damaged(Damage),
}

/// What is wrong, and what can be had all the same.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    /// Line, from 1.
    pub line: u64,
    pub place: Place,
    pub why: String,
    /// Lines (with newlines) that are proved whole.
    pub saved: Vec<Vec<u8>>,
}

/// A damaged line that may go together with the next one.
struct Waiting {
    damage: Damage,
    bytes: Vec<u8>,
}

/// Calls `visit` for every stretch, in order. Returns how many lines there are.
pub(crate) fn survey(
    pieces: Pieces,
    mut visit: impl FnMut(Stretch) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut waiting: Option<Waiting> = None;
    let mut number = 0;
    for piece in pieces {
        let piece = piece?;
        number += 1;
        let judged = if piece.too_long {
            Err("it is longer than any line may be".to_owned())
        } else {
            judge(&piece.bytes)
        };
        match judged {
            Ok((id, newer)) => {
                release(&mut waiting, &mut visit)?;
                visit(Stretch::Good { id, newer, place: piece.place })?;
            }
            Err(why) => {
                let saved = salvage(&piece.bytes);
                let damage = Damage { line: number, place: piece.place, why, saved };
                let next = Waiting { damage, bytes: piece.bytes };
                waiting = join(waiting.take(), next, &mut visit)?;
            }
        }
    }
    release(&mut waiting, &mut visit)?;
    Ok(number)
}

/// The record's id, and whether only a newer program can read it.
fn judge(bytes: &[u8]) -> Result<(RecordId, bool), String> {
    let line = Line::decode(bytes)?;
    let record = line.record()?;
    fits(&line, record.as_ref())?;
    Ok((line.id, record.is_none()))
}

fn release(
    waiting: &mut Option<Waiting>,
    visit: &mut impl FnMut(Stretch) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    waiting.take().map_or(Ok(()), |waiting| visit(Stretch::Damaged(waiting.damage)))
}

/// Two damaged lines beside each other may have been one; else the first goes on and the second waits.
fn join(
    first: Option<Waiting>,
    second: Waiting,
    visit: &mut impl FnMut(Stretch) -> Result<(), StoreError>,
) -> Result<Option<Waiting>, StoreError> {
    let Some(first) = first else { return Ok(Some(second)) };
    let hopeless = first.damage.saved.is_empty() && second.damage.saved.is_empty();
    match if hopeless { rejoin(&first.bytes, &second.bytes) } else { None } {
        Some(line) => {
            let length = first.damage.place.length + second.damage.place.length;
            let place = Place { length, ..first.damage.place };
            visit(Stretch::Damaged(Damage { place, saved: vec![line], ..first.damage }))?;
            Ok(None)
        }
        None => {
            visit(Stretch::Damaged(first.damage))?;
            Ok(Some(second))
        }
    }
}
