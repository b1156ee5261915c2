//! The knowledge base of convwise.

use std::path::Path;

use convwise_store::{OpenOptions, Record, Store, StoreError};

use crate::process::report_memory;
use crate::{Outcome, data};

pub fn fill(home: &Path, count: u64) -> Outcome<()> {
    take(home, (0..count).map(|seed| data::measurement(seed).into()))
}

pub fn fill_timings(home: &Path, count: u64) -> Outcome<()> {
    take(home, (0..count).map(|seed| data::timing(seed).into()))
}

fn take(home: &Path, records: impl Iterator<Item = Record>) -> Outcome<()> {
    let store = Store::open(home, &OpenOptions::default())?;
    let mut refused = None;
    store.take_over::<StoreError>(false, |intake| {
        for record in records {
            if let Err(why) = intake.take(record) {
                refused = Some(why);
            }
        }
        Ok(())
    })?;
    report_memory();
    refused.map_or(Ok(()), |why| Err(why.into()))
}
