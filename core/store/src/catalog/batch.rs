//! Records on their way into the index: where they stand, and their values column by column.

use std::collections::BTreeMap;

use convwise_types::listing::{Builder, Column, Item};

use super::{Entry, Id, Kind};
use crate::journal::Place;

/// Some records in the order of their arrival.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Where each stands.
    pub entries: Vec<Entry>,
    /// Ids, one an entry.
    pub ids: Vec<Id>,
    /// The last piece of the journal that was looked at for them, good or not.
    pub last: Option<Place>,
    tables: BTreeMap<Kind, Vec<Builder>>,
}

impl Batch {
    /// Adds a record with the values of its columns.
    pub fn add(&mut self, id: Id, entry: Entry, items: &[Item]) {
        self.entries.push(entry);
        self.ids.push(id);
        if entry.kind != Kind::Newer {
            self.columns_of(entry.kind).iter_mut().zip(items).for_each(|(column, item)| column.push(item));
        }
    }

    fn columns_of(&mut self, kind: Kind) -> &mut Vec<Builder> {
        let fresh = || kind.columns().iter().map(|field| Builder::new(field.kind)).collect();
        self.tables.entry(kind).or_insert_with(fresh)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The columns of a kind, none where it has no record here.
    pub fn columns(&self, kind: Kind) -> impl Iterator<Item = &Column> {
        self.tables.get(&kind).into_iter().flatten().map(Builder::column)
    }

    /// Calls `visit` with every record and its values.
    pub fn for_each(&self, mut visit: impl FnMut(Id, Entry, Vec<Item>)) {
        let mut rows: BTreeMap<Kind, usize> = BTreeMap::new();
        for (id, entry) in self.ids.iter().zip(&self.entries) {
            let row = rows.entry(entry.kind).or_default();
            let items = self.columns(entry.kind).map(|column| column.item(*row)).collect();
            *row += 1;
            visit(*id, *entry, items);
        }
    }

    /// Only the records for which `keep` is true, in the same order.
    pub fn retain(self, keep: &[bool]) -> Self {
        let mut kept = Self { last: self.last, ..Self::default() };
        let mut at = 0;
        self.for_each(|id, entry, items| {
            if keep.get(at).copied().unwrap_or(false) {
                kept.add(id, entry, &items);
            }
            at += 1;
        });
        kept
    }
}
