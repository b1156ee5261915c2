//! The newest records, one by one, until there are enough of them for blocks.

use convwise_types::listing::{Builder, Item};

use super::{Batch, Entry, Id, Kind, cut_short, opened, sealed};
use crate::index::{Change, Fault, Index, Key, for_each};

/// Records that have not been folded yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    records: Vec<(Id, Entry, Vec<u8>)>,
}

fn key(number: u64) -> Key {
    [b"t".as_slice(), &number.to_be_bytes()].concat()
}

impl Tail {
    /// Reads the tail of an index.
    pub fn load(index: &dyn Index) -> Result<Self, Fault> {
        let mut records = Vec::new();
        let mut outcome = Ok(());
        for_each(index, b"t", |_, value| match opened(value).and_then(read) {
            Ok(record) => records.push(record),
            Err(fault) => outcome = Err(fault),
        })?;
        outcome.map(|()| Self { records })
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// The entry of the record that stands at a place in the tail.
    pub fn entry(&self, at: u64) -> Option<Entry> {
        self.records.get(usize::try_from(at).ok()?).map(|(_, entry, _)| *entry)
    }

    /// The number of an id.
    pub fn number_of(&self, id: &Id, folded: u64) -> Option<u32> {
        let at = self.records.iter().position(|(known, ..)| known == id)?;
        u32::try_from(folded + at as u64).ok()
    }

    /// The ids between two, both included, with their numbers.
    pub fn between(&self, low: &Id, high: &Id, folded: u64) -> Vec<(Id, u32)> {
        let numbered = (folded..).zip(&self.records).map(|(number, (id, ..))| (*id, number));
        let inside = numbered.filter(|(id, _)| id >= low && id <= high);
        inside.filter_map(|(id, number)| Some((id, u32::try_from(number).ok()?))).collect()
    }

    /// Numbers of the records of a kind.
    pub fn numbers(&self, kind: Kind, folded: u64) -> impl Iterator<Item = u32> {
        let numbered = (folded..).zip(&self.records).filter(move |(_, (_, entry, _))| entry.kind == kind);
        numbered.filter_map(|(number, _)| u32::try_from(number).ok())
    }

    /// Adds the values of the records of a kind to columns; `fields` are the positions of these columns.
    pub fn extend(&self, kind: Kind, fields: &[usize], columns: &mut [Builder]) -> Result<(), Fault> {
        for (_, _, bytes) in self.records.iter().filter(|(_, entry, _)| entry.kind == kind) {
            let items = items(bytes)?;
            for (field, column) in fields.iter().zip(columns.iter_mut()) {
                column.push(items.get(*field).unwrap_or(&Item::Unknown));
            }
        }
        Ok(())
    }

    /// All of it as a batch.
    pub fn batch(&self) -> Result<Batch, Fault> {
        let mut batch = Batch::default();
        for (id, entry, bytes) in &self.records {
            batch.add(*id, *entry, &items(bytes)?);
        }
        Ok(batch)
    }

    /// What changes in an index when records are added; `folded` stand before the tail.
    pub fn changes(&self, folded: u64, batch: &Batch) -> Vec<Change> {
        let mut changes = Vec::with_capacity(batch.len());
        let mut number = folded + self.len() as u64;
        batch.for_each(|id, entry, items| {
            let mut bytes = id.to_vec();
            entry.write(&mut bytes);
            items.iter().for_each(|item| write(item, &mut bytes));
            changes.push((key(number), Some(sealed(&bytes))));
            number += 1;
        });
        changes
    }

    /// What changes in an index when the tail is emptied.
    pub fn removal(&self, folded: u64) -> impl Iterator<Item = Change> {
        (folded..folded + self.len() as u64).map(|number| (key(number), None))
    }
}

fn read(bytes: &[u8]) -> Result<(Id, Entry, Vec<u8>), Fault> {
    let (id, rest) = bytes.split_first_chunk::<16>().ok_or_else(cut_short)?;
    let (entry, rest) = Entry::read(rest).ok_or_else(cut_short)?;
    Ok((*id, entry, rest.to_vec()))
}

fn write(item: &Item, bytes: &mut Vec<u8>) {
    match item {
        Item::Unknown => bytes.push(0),
        Item::Flag(value) => bytes.push(if *value { 2 } else { 1 }),
        Item::Whole(value) => {
            bytes.push(3);
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        Item::Real(value) => {
            bytes.push(4);
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        Item::Text(text) => {
            bytes.push(5);
            bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn items(mut bytes: &[u8]) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        let (item, rest) = item(bytes).ok_or_else(cut_short)?;
        items.push(item);
        bytes = rest;
    }
    Ok(items)
}

fn item(bytes: &[u8]) -> Option<(Item, &[u8])> {
    let (tag, bytes) = bytes.split_first()?;
    let eight = |bytes: &'_ [u8]| bytes.first_chunk::<8>().copied();
    Some(match tag {
        0 => (Item::Unknown, bytes),
        1 | 2 => (Item::Flag(*tag == 2), bytes),
        3 => (Item::Whole(i64::from_le_bytes(eight(bytes)?)), bytes.get(8..)?),
        4 => (Item::Real(f64::from_le_bytes(eight(bytes)?)), bytes.get(8..)?),
        5 => {
            let (length, bytes) = bytes.split_first_chunk::<4>()?;
            let (text, rest) = bytes.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
            (Item::Text(String::from_utf8_lossy(text).into_owned()), rest)
        }
        _ => return None,
    })
}
