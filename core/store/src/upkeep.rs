//! Looking after the knowledge base: figures, checking, and making the index again.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use convwise_types::RecordId;
use serde::Serialize;

use crate::catalog::Kind;
use crate::error::StoreError;
use crate::files::size_of;
use crate::journal::Place;
use crate::section::{Section, Trouble};
use crate::store::Store;
use crate::survey::{Damage, Stretch, survey};

/// Figures about the knowledge base.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Where it stands.
    pub path: PathBuf,
    /// Its version.
    pub version: String,
    /// Measurements.
    pub measurements: u64,
    /// Accuracies added by hand.
    pub results: u64,
    /// Published timings.
    pub timings: u64,
    /// Published counts of parameters and work.
    pub costs: u64,
    /// Facts added by hand.
    pub facts: u64,
    /// Failures of runners.
    pub failures: u64,
    /// Records of a newer program.
    pub newer: u64,
    /// Architectures known from plugins.
    pub architectures: u64,
    /// Devices that something was measured on.
    pub devices: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// Damaged things kept aside.
    pub quarantined: u64,
}

/// A line of the journal that cannot be used as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DamagedLine {
    /// Line, from 1.
    pub line: u64,
    /// Byte at which it begins.
    pub offset: u64,
    /// What is wrong.
    pub why: String,
    /// Records of it that are proved whole, so that `repair` gets them back.
    pub whole: u64,
}

impl From<&Damage> for DamagedLine {
    fn from(damage: &Damage) -> Self {
        Self {
            line: damage.line,
            offset: damage.place.offset,
            why: damage.why.clone(),
            whole: damage.saved.len() as u64,
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Lines of the journal.
    pub lines: u64,
    /// Different records in it.
    pub records: u64,
    /// Records of a newer program among them.
    pub newer: u64,
    /// Lines that cannot be used.
    pub damaged: Vec<DamagedLine>,
    /// Records that the index does not have, or has in another place.
    pub not_indexed: Vec<RecordId>,
    /// Records that the index has and the journal does not.
    pub only_indexed: Vec<RecordId>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.not_indexed.is_empty() && self.only_indexed.is_empty()
    }
}

impl Store {
    /// Figures about the knowledge base.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        self.with(|section| section.attempt(|s| s.stats()))
    }

    /// Reads the whole journal, checks every checksum and digest, and compares it with the index.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn check(&self) -> Result<CheckReport, StoreError> {
        self.with(|section| section.attempt(|s| s.check()))
    }

    /// Makes the index again from the journal. Cached values are made again when they are asked for.
    ///
    /// # Errors
    /// The knowledge base cannot be written.
    pub fn rebuild(&self) -> Result<(), StoreError> {
        self.with(|section| {
            section.writable()?;
            section.terms.layout.discard_index()?;
            section.reindex()
        })
    }
}

impl Section {
    fn stats(&mut self) -> Result<Stats, Trouble> {
        let count = |kind: Kind| self.meta.count(kind);
        let layout = &self.terms.layout;
        Ok(Stats {
            path: layout.root.clone(),
            version: self.meta.version(),
            measurements: count(Kind::Measurement),
            results: count(Kind::Result),
            timings: count(Kind::Timing),
            costs: count(Kind::Cost),
            facts: count(Kind::Fact),
            failures: count(Kind::Failure),
            newer: count(Kind::Newer),
            architectures: self.count_architectures()?,
            devices: self.seen_devices()?.len() as u64,
            journal_bytes: size_of(&layout.journal),
            index_bytes: size_of(&layout.index),
            quarantined: fs::read_dir(&layout.quarantine).map_or(0, |entries| entries.count() as u64),
        })
    }

    fn check(&mut self) -> Result<CheckReport, Trouble> {
        let mut report = CheckReport::default();
        let Some(journal) = &self.journal else { return Ok(report) };
        let mut places: BTreeMap<RecordId, Place> = BTreeMap::new();
        report.lines = survey(journal.pieces(0, journal.length()?)?, |stretch| {
            match stretch {
                Stretch::Good { id, newer, place } => {
                    report.newer += u64::from(newer);
                    places.entry(id).or_insert(place);
                }
                Stretch::Damaged(damage) => report.damaged.push(DamagedLine::from(&damage)),
            }
            Ok(())
        })?;
        report.records = places.len() as u64;
        self.compare(&places, &mut report)?;
        Ok(report)
    }

    fn compare(&self, places: &BTreeMap<RecordId, Place>, report: &mut CheckReport) -> Result<(), Trouble> {
        let entries: BTreeMap<RecordId, Place> =
            self.all_entries()?.into_iter().map(|(id, entry)| (id, entry.place)).collect();
        let elsewhere = |(id, place): &(&RecordId, &Place)| entries.get(*id) != Some(*place);
        report.not_indexed = places.iter().filter(elsewhere).map(|(id, _)| id.clone()).collect();
        report.only_indexed = entries.into_keys().filter(|id| !places.contains_key(id)).collect();
        Ok(())
    }
}
