//! The entry that ties the index to the journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Id, Kind, META, opened, sealed};
use crate::index::{Change, Fault};

/// The last piece of the journal that the index covers, to notice a journal that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub offset: u64,
    pub length: u64,
    pub crc: u32,
}

/// How far the index has come, and figures that would otherwise need a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// Bytes of the journal that the index covers.
    pub covered: u64,
    /// The last piece of them.
    pub anchor: Option<Anchor>,
    /// Records of each kind.
    pub counts: BTreeMap<String, u64>,
    /// Sum of all ids, modulo 2^128, in hexadecimal digits: the same whatever the order of arrival.
    pub sum: String,
    /// Records that stand in blocks; those that arrived later stand in the tail.
    pub folded: u64,
    /// Rows of each kind that stand in blocks.
    pub rows: BTreeMap<String, u64>,
    /// Leading bits of an id that name its place in the directory.
    pub bits: u32,
    /// The fields that the columns are made of.
    pub fields: String,
}

impl Meta {
    pub fn new() -> Self {
        Self { fields: Kind::fingerprint(), ..Self::default() }
    }

    pub fn change(&self) -> Change {
        let text = serde_json::to_vec(self).unwrap_or_default();
        (META.to_vec(), Some(sealed(&text)))
    }

    pub fn decode(value: &[u8]) -> Result<Self, Fault> {
        let damaged = |why: String| Fault::Damaged(why);
        let meta: Self =
            serde_json::from_slice(opened(value)?).map_err(|error| damaged(error.to_string()))?;
        if meta.fields != Kind::fingerprint() {
            return Err(damaged("it has the columns of another version".to_owned()));
        }
        Ok(meta)
    }

    /// Counts new records.
    pub fn add<'a>(&mut self, records: impl Iterator<Item = (&'a Id, Kind)>) {
        let mut sum = u128::from_str_radix(&self.sum, 16).unwrap_or(0);
        for (id, kind) in records {
            *self.counts.entry(kind.word().to_owned()).or_default() += 1;
            sum = sum.wrapping_add(u128::from_be_bytes(*id));
        }
        self.sum = format!("{sum:032x}");
    }

    /// Records of all kinds: the number of the next one.
    pub fn records(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Records of a kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(kind.word()).copied().unwrap_or(0)
    }

    /// Rows of a kind that stand in blocks.
    pub fn folded_rows(&self, kind: Kind) -> usize {
        let rows = self.rows.get(kind.word()).copied().unwrap_or(0);
        usize::try_from(rows).unwrap_or(usize::MAX)
    }

    /// Version of the content: the same for the same set of records.
    pub fn version(&self) -> String {
        let hash = blake3::hash(format!("{} {}", self.records(), self.sum).as_bytes());
        hash.to_hex().as_str().get(..16).unwrap_or_default().to_owned()
    }
}
