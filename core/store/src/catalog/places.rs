//! Where records stand in the journal, by their number.

use super::{Kind, ROWS, Tail, cut_short, opened, sealed};
use crate::index::{Change, Fault, Index, Key};
use crate::journal::Place;

/// Bytes of an entry: kind, offset, length.
const WIDTH: usize = 13;

/// What stands where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub kind: Kind,
    pub place: Place,
}

impl Entry {
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.kind.code());
        bytes.extend_from_slice(&self.place.offset.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(self.place.length).unwrap_or(u32::MAX).to_le_bytes());
    }

    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (kind, bytes) = bytes.split_first()?;
        let (offset, bytes) = bytes.split_first_chunk::<8>()?;
        let (length, bytes) = bytes.split_first_chunk::<4>()?;
        let place =
            Place { offset: u64::from_le_bytes(*offset), length: u64::from(u32::from_le_bytes(*length)) };
        Some((Self { kind: Kind::from_code(*kind), place }, bytes))
    }
}

fn key(block: usize) -> Key {
    [b"p".as_slice(), &u32::try_from(block).unwrap_or(u32::MAX).to_be_bytes()].concat()
}

/// The entries of records by their numbers, in the order of the numbers asked for.
pub(crate) fn places(
    index: &dyn Index,
    folded: u64,
    tail: &Tail,
    numbers: &[u32],
) -> Result<Vec<Entry>, Fault> {
    let mut blocks: Vec<usize> = numbers.iter().map(|n| *n as usize / ROWS).collect();
    blocks.sort_unstable();
    blocks.dedup();
    blocks.retain(|block| ((block * ROWS) as u64) < folded);
    let values = index.get(blocks.iter().map(|block| key(*block)).collect())?;
    let missing = || Fault::Damaged("a block of places is missing".to_owned());
    let values = values.into_iter().map(|value| value.ok_or_else(missing)).collect::<Result<Vec<_>, _>>()?;
    let opened = values.iter().map(|value| opened(value)).collect::<Result<Vec<_>, _>>()?;
    let entry = |number: &u32| {
        if u64::from(*number) >= folded {
            return tail.entry(u64::from(*number) - folded);
        }
        let (block, row) = (*number as usize / ROWS, *number as usize % ROWS);
        let bytes = opened.get(blocks.binary_search(&block).ok()?)?;
        Entry::read(bytes.get(row * WIDTH..)?).map(|(entry, _)| entry)
    };
    numbers.iter().map(|number| entry(number).ok_or_else(cut_short)).collect()
}

/// Blocks with more entries at their end.
pub(super) fn changes(index: &dyn Index, folded: u64, entries: &[Entry]) -> Result<Vec<Change>, Fault> {
    let folded = usize::try_from(folded).unwrap_or(usize::MAX);
    let (mut block, begun) = (folded / ROWS, folded % ROWS);
    let mut bytes = match index.get(vec![key(block)])?.pop().flatten().filter(|_| begun > 0) {
        Some(value) => opened(&value)?.to_vec(),
        None => Vec::new(),
    };
    if bytes.len() != begun * WIDTH {
        return Err(cut_short());
    }
    let mut changes = Vec::new();
    for entry in entries {
        entry.write(&mut bytes);
        if bytes.len() == ROWS * WIDTH {
            changes.push((key(block), Some(sealed(&std::mem::take(&mut bytes)))));
            block += 1;
        }
    }
    if !bytes.is_empty() {
        changes.push((key(block), Some(sealed(&bytes))));
    }
    Ok(changes)
}
