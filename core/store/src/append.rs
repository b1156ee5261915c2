//! Adding records: as one transaction, to the journal first and then to the index.

use std::collections::BTreeSet;

use convwise_types::RecordId;

use crate::catalog::{Id, id_bytes};
use crate::error::StoreError;
use crate::line::encode;
use crate::record::Record;
use crate::section::Section;
use crate::store::Appended;

impl Section {
    /// Adds checked records as one transaction: journal first, then the index.
    pub(crate) fn append(&mut self, records: &[Record], ids: &[RecordId]) -> Result<Appended, StoreError> {
        self.writable()?;
        let (appended, fresh) = self.sort_out(ids)?;
        let mut lines = Vec::with_capacity(fresh.len());
        for (left, at) in fresh.iter().rev().enumerate() {
            if let (Some(record), Some(id)) = (records.get(*at), ids.get(*at)) {
                lines.push(encode(record, id, u32::try_from(left).unwrap_or(u32::MAX)));
            }
        }
        lines.reverse();
        self.journalize(&lines)?;
        Ok(appended)
    }

    /// Which ids are new (and at which positions) and which are known.
    fn sort_out(&mut self, ids: &[RecordId]) -> Result<(Appended, Vec<usize>), StoreError> {
        let bytes: Vec<Id> = ids.iter().map(id_bytes).collect();
        let found = self.attempt(|s| s.known(&bytes))?;
        let mut appended = Appended::default();
        let mut fresh = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, (id, known)) in ids.iter().zip(found).enumerate() {
            if !known && seen.insert(id) {
                appended.new.push(id.clone());
                fresh.push(at);
            } else {
                appended.known.push(id.clone());
            }
        }
        Ok((appended, fresh))
    }

    /// Writes lines as one transaction and indexes them. Once the journal has them they are safe: an index that
    /// cannot take them is replaced or does without, but that is not the caller's loss.
    fn journalize(&mut self, lines: &[Vec<u8>]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let Some(journal) = &mut self.journal else { return self.writable() };
        let end = journal.append(&lines.concat())?.end();
        self.attempt(|section| section.index_until(end))
    }
}
