//! Looking after the knowledge base: figures, checking, rebuilding, compacting.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use convwise_types::RecordId;

use crate::catalog::Kind;
use crate::catchup::decode;
use crate::error::StoreError;
use crate::files::{size_of, sync_parent};
use crate::journal::{Journal, Place};
use serde::Serialize;

use crate::line::Line;
use crate::section::{Section, Trouble};
use crate::store::Store;

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

/// A line of the journal that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DamagedLine {
    /// Line, from 1.
    pub line: u64,
    /// Byte at which it begins.
    pub offset: u64,
    /// What is wrong.
    pub why: String,
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

/// What compacting did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes of journal and index before.
    pub before: u64,
    /// Bytes of journal and index after.
    pub after: u64,
    /// Damaged or repeated lines that were left out; damaged ones stay in quarantine.
    pub dropped: u64,
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
        self.with(Section::reindex)
    }

    /// Writes journal and index again without damaged and repeated lines.
    ///
    /// # Errors
    /// The knowledge base cannot be written; then it is as before.
    pub fn compact(&self) -> Result<Compacted, StoreError> {
        self.with(Section::compact)
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
        for piece in journal.pieces(0, journal.length()?)? {
            let piece = piece?;
            report.lines += 1;
            match decode(&piece).and_then(|(id, record)| fits(&id, record.as_ref()).map(|()| (id, record))) {
                Ok((id, record)) => {
                    report.newer += u64::from(record.is_none());
                    places.entry(id).or_insert(piece.place);
                }
                Err(why) => {
                    report.damaged.push(DamagedLine { line: report.lines, offset: piece.place.offset, why });
                }
            }
        }
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

    /// The line at a place as it is exported.
    pub(crate) fn exported(&self, place: Place) -> Result<String, Trouble> {
        let bytes = self.line_at(place)?;
        Line::decode(&bytes).map(|line| line.exported()).map_err(Trouble::OutOfStep)
    }

    fn compact(&mut self) -> Result<Compacted, StoreError> {
        self.writable()?;
        let layout = self.terms.layout.clone();
        let size = || size_of(&layout.journal) + size_of(&layout.index);
        let before = size();
        let fresh = layout.journal.with_extension("new");
        let failed = |error| StoreError::io("write", &fresh, error);
        let dropped = self.copy_good(&mut BufWriter::new(File::create(&fresh).map_err(failed)?), &failed)?;
        File::open(&fresh).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&fresh, &layout.journal).map_err(failed)?;
        sync_parent(&layout.journal).map_err(failed)?;
        self.journal = Some(Journal::writable(&layout.journal)?);
        self.reindex()?;
        Ok(Compacted { before, after: size(), dropped })
    }

    /// Copies every good line once; returns how many were left out.
    fn copy_good(
        &self,
        out: &mut impl Write,
        failed: &dyn Fn(std::io::Error) -> StoreError,
    ) -> Result<u64, StoreError> {
        let Some(journal) = &self.journal else { return Ok(0) };
        let (mut seen, mut dropped) = (BTreeSet::new(), 0);
        for piece in journal.pieces(0, journal.length()?)? {
            let piece = piece?;
            let line = if piece.too_long { None } else { Line::decode(&piece.bytes).ok() };
            match line.filter(|line| seen.insert(line.id.clone())) {
                Some(line) => out.write_all(&line.journalled(0)).map_err(failed)?,
                None => dropped += 1,
            }
        }
        out.flush().map_err(failed)?;
        Ok(dropped)
    }
}

/// The content must have the digest that is its name.
fn fits(id: &RecordId, record: Option<&crate::record::Record>) -> Result<(), String> {
    match record.map(crate::record::Record::id) {
        Some(digest) if digest != *id => {
            Err(format!("its id is {id}, but its content has the digest {digest}"))
        }
        _ => Ok(()),
    }
}
