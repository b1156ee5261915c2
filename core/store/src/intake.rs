//! Taking over many records as one transaction: all of them are on disk when it returns, or none.

use convwise_types::RecordId;

use crate::error::StoreError;
use crate::record::{Record, admit};
use crate::store::Store;

/// What a takeover did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Records that were not known before.
    pub new: u64,
    /// Records that were known already, or came twice.
    pub known: u64,
}

/// Takes records one by one; nothing is stored before all of them were taken.
#[derive(Debug)]
pub struct Intake {
    allow_simulated: bool,
    records: Vec<Record>,
    ids: Vec<RecordId>,
}

impl Intake {
    /// Takes a record.
    ///
    /// # Errors
    /// The record is not one that may be stored; the text says why, for a message that says where it came from.
    pub fn take(&mut self, record: Record) -> Result<(), String> {
        let id = admit(&record, self.allow_simulated).map_err(|error| match error {
            StoreError::Invalid { why, .. } => why,
            other => other.to_string(),
        })?;
        self.records.push(record);
        self.ids.push(id);
        Ok(())
    }
}

impl Store {
    /// Adds every record that `supply` hands over, as one transaction. Where `supply` fails, or with `dry`, nothing is
    /// stored.
    ///
    /// # Errors
    /// What `supply` says, or as for [`Store::append`].
    pub fn take_over<E: From<StoreError>>(
        &self,
        dry: bool,
        supply: impl FnOnce(&mut Intake) -> Result<(), E>,
    ) -> Result<TakenOver, E> {
        let mut intake =
            Intake { allow_simulated: self.allows_simulated(), records: Vec::new(), ids: Vec::new() };
        supply(&mut intake)?;
        let Intake { records, ids, .. } = intake;
        let appended = self.with(|section| section.append_or_try(&records, &ids, dry))?;
        Ok(TakenOver { new: appended.new.len() as u64, known: appended.known.len() as u64 })
    }
}
