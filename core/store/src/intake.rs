//! Taking over many records as one transaction: all of them are on disk when it returns, or none.
//!
//! Records are written to a file of their own while they come in, so that a million of them need little memory; then they are
//! copied into the journal.

mod spool;

use std::collections::{BTreeMap, BTreeSet};

use convwise_types::RecordId;
use convwise_types::listing::Columns;

use crate::catalog::{ABOUT, FIGURE, Id, Kind, figure_of, id_bytes, id_text};
use crate::error::StoreError;
use crate::line::{Line, now};
use crate::record::{RECORD_SCHEMA, Record, admit};
use crate::section::{Section, Trouble};
use crate::store::Store;
use spool::Spool;

/// Conflicts that are named; the others are counted.
const NAMED: usize = 10;

/// Two published figures of one thing that differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The one that was known.
    pub known: Record,
    /// The one that was taken over.
    pub new: Record,
}

/// What a takeover did, or would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakenOver {
    /// Records that were not known before.
    pub new: u64,
    /// Records that were known already, or came twice.
    pub known: u64,
    /// Published figures that were known from another source, or came twice: not stored again.
    pub repeated: u64,
    /// New figures that differ from a known one of the same thing: both are kept.
    pub conflicting: u64,
    /// The first of them.
    pub conflicts: Vec<Conflict>,
}

/// Takes records one by one; nothing is stored before all of them were taken.
#[derive(Debug)]
pub struct Intake {
    allow_simulated: bool,
    /// Take whatever has another id, so that the order of takeovers does not matter.
    union: bool,
    spool: Spool,
    arrivals: Vec<Arrival>,
}

/// What is remembered of a record that waits in the spool.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    id: Id,
    kind: Kind,
    /// Digests of what it says and of what it says it about.
    figure: Option<(i64, i64)>,
}

impl Intake {
    /// Takes a record.
    ///
    /// # Errors
    /// The record is not one that may be stored; the text says why, for a message that says where it came from.
    pub fn take(&mut self, record: Record) -> Result<(), String> {
        let admitted = self.admit(&record, None)?;
        self.keep(&admitted)
    }

    /// Checks a record; `text` is what it was read from, if it was.
    pub(crate) fn admit(&self, record: &Record, text: Option<&str>) -> Result<Admitted, String> {
        let (id, body) = admit(record, self.allow_simulated, text).map_err(|error| match error {
            StoreError::Invalid { why, .. } => why,
            other => other.to_string(),
        })?;
        let kind = Kind::of(Some(record));
        let figure = if self.union { None } else { figure_of(record) };
        Ok(Admitted { arrival: Arrival { id: id_bytes(&id), kind, figure }, body })
    }

    /// Takes a record that was checked.
    pub(crate) fn keep(&mut self, admitted: &Admitted) -> Result<(), String> {
        self.spool.write(&admitted.body).map_err(|error| format!("it cannot be kept: {error}"))?;
        self.arrivals.push(admitted.arrival);
        Ok(())
    }
}

/// A record that may be stored, as the text that will be.
#[derive(Debug)]
pub(crate) struct Admitted {
    arrival: Arrival,
    body: String,
}

impl Admitted {
    pub fn id(&self) -> RecordId {
        self.arrival.record_id()
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
        self.take_in(self.intake(false), dry, supply)
    }

    /// The same for the records of another knowledge base: a set union.
    pub(crate) fn take_union<E: From<StoreError>>(
        &self,
        supply: impl FnOnce(&mut Intake) -> Result<(), E>,
    ) -> Result<TakenOver, E> {
        self.take_in(self.intake(true), false, supply)
    }

    fn intake(&self, union: bool) -> Intake {
        let spool = Spool::new(&self.path());
        Intake { allow_simulated: self.allows_simulated(), union, spool, arrivals: Vec::new() }
    }

    fn take_in<E: From<StoreError>>(
        &self,
        mut intake: Intake,
        dry: bool,
        supply: impl FnOnce(&mut Intake) -> Result<(), E>,
    ) -> Result<TakenOver, E> {
        supply(&mut intake)?;
        Ok(self.with(|section| section.take_over(intake, dry))?)
    }
}

/// Which of two conflicting records was there first.
#[derive(Clone, Copy, Debug)]
enum Rival {
    /// A row of the index.
    Row(Kind, usize),
    /// An arrival.
    Arrival(usize),
}

/// What is to become of each arrival.
#[derive(Debug, Default)]
struct Sorting {
    fresh: Vec<bool>,
    repeated: u64,
    conflicting: u64,
    /// Arrivals and what they differ from.
    rivals: Vec<(usize, Rival)>,
}

impl Section {
    fn take_over(&mut self, mut intake: Intake, dry: bool) -> Result<TakenOver, StoreError> {
        if !dry {
            self.writable()?;
        }
        let sorting = self.attempt(|s| s.sort(&intake.arrivals))?;
        let count = sorting.fresh.iter().filter(|fresh| **fresh).count();
        let total = intake.arrivals.len() as u64;
        let named = if dry || count == 0 {
            let read = intake.copied(&sorting, 0, &mut std::io::sink());
            read.map_err(|error| StoreError::io("read", &self.terms.layout.root, error))?
        } else {
            self.journalized(intake, &sorting, count)?
        };
        Ok(TakenOver {
            new: count as u64,
            known: total - count as u64 - sorting.repeated,
            repeated: sorting.repeated,
            conflicting: sorting.conflicting,
            conflicts: self.attempt(|s| s.conflicts(&sorting, &named))?,
        })
    }

    /// Decides about every arrival; changes nothing.
    fn sort(&self, arrivals: &[Arrival]) -> Result<Sorting, Trouble> {
        let ids: Vec<Id> = arrivals.iter().map(|arrival| arrival.id).collect();
        let mut fresh: Vec<bool> = self.known(&ids)?.into_iter().map(|known| !known).collect();
        drop(ids);
        later_ones(arrivals, |arrival| Some(arrival.id), &mut fresh);
        let mut sorting = Sorting { fresh, ..Sorting::default() };
        for kind in Kind::READABLE {
            let arrives = arrivals.iter().any(|arrival| arrival.kind == kind && arrival.figure.is_some());
            if arrives {
                self.sort_figures(kind, arrivals, &mut sorting)?;
            }
        }
        sorting.rivals.sort_unstable_by_key(|(at, _)| *at);
        sorting.rivals.truncate(NAMED);
        Ok(sorting)
    }

    /// Finds the figures of a kind that are known already, and those that differ from a known one.
    fn sort_figures(&self, kind: Kind, arrivals: &[Arrival], sorting: &mut Sorting) -> Result<(), Trouble> {
        let known = self.columns(kind, &[FIGURE, ABOUT])?;
        let of_kind = |arrival: &Arrival| arrival.figure.filter(|_| arrival.kind == kind);
        let before = sorting.fresh.iter().filter(|fresh| **fresh).count();
        let said = digests(&known, FIGURE);
        for (arrival, fresh) in arrivals.iter().zip(&mut sorting.fresh) {
            *fresh &= of_kind(arrival).is_none_or(|(figure, _)| find(&said, figure).is_none());
        }
        drop(said);
        later_ones(arrivals, |arrival| Some(of_kind(arrival)?.0), &mut sorting.fresh);
        sorting.repeated += (before - sorting.fresh.iter().filter(|fresh| **fresh).count()) as u64;
        let about = digests(&known, ABOUT);
        let mut first: Vec<(i64, usize)> = Vec::new();
        for (at, arrival) in
            arrivals.iter().enumerate().filter(|(at, _)| sorting.fresh.get(*at) == Some(&true))
        {
            first.extend(of_kind(arrival).map(|(_, about)| (about, at)));
        }
        first.sort_unstable();
        let mut leader = None;
        for (subject, at) in first {
            let here = *leader.get_or_insert((subject, at));
            if here.0 != subject {
                leader = Some((subject, at));
            }
            let rival = match find(&about, subject) {
                Some(row) => Some(Rival::Row(kind, row)),
                None => leader.filter(|(_, leader)| *leader != at).map(|(_, leader)| Rival::Arrival(leader)),
            };
            sorting.conflicting += u64::from(rival.is_some());
            sorting.rivals.extend(rival.map(|rival| (at, rival)));
        }
        Ok(())
    }

    /// Copies the fresh records, of which there are `count`, into the journal, and indexes them.
    fn journalized(
        &mut self,
        mut intake: Intake,
        sorting: &Sorting,
        count: usize,
    ) -> Result<BTreeMap<usize, Record>, StoreError> {
        let mut named = BTreeMap::new();
        let Some(journal) = &mut self.journal else { return self.writable().map(|()| named) };
        let place = journal.append_from(|out| {
            named = intake.copied(sorting, count, out)?;
            Ok(())
        })?;
        // What they took in memory is needed by the index now.
        drop(intake);
        self.attempt(|section| section.index_until(place.end()))?;
        Ok(named)
    }

    fn conflicts(
        &self,
        sorting: &Sorting,
        named: &BTreeMap<usize, Record>,
    ) -> Result<Vec<Conflict>, Trouble> {
        let mut found = Vec::new();
        for (at, rival) in &sorting.rivals {
            let known = match rival {
                Rival::Arrival(first) => named.get(first).cloned(),
                Rival::Row(kind, row) => self.records_at(*kind, &[*row])?.pop().map(|(_, record)| record),
            };
            found.extend(known.zip(named.get(at).cloned()).map(|(known, new)| Conflict { known, new }));
        }
        Ok(found)
    }
}

impl Intake {
    /// Writes the first `count` fresh records, which are all or none, as lines of the journal. Returns the records that a
    /// report on conflicts names.
    fn copied(
        &mut self,
        sorting: &Sorting,
        count: usize,
        out: &mut dyn std::io::Write,
    ) -> std::io::Result<BTreeMap<usize, Record>> {
        let firsts = sorting.rivals.iter().filter_map(|(_, rival)| match rival {
            Rival::Arrival(first) => Some(*first),
            Rival::Row(..) => None,
        });
        let wanted: BTreeSet<usize> = sorting.rivals.iter().map(|(at, _)| *at).chain(firsts).collect();
        let mut named = BTreeMap::new();
        let (mut at, mut left, now) = (0, count, now());
        self.spool.read(|body| {
            let Some(arrival) = self.arrivals.get(at) else { return Ok(()) };
            if wanted.contains(&at) {
                named.extend(arrival.record(body).map(|record| (at, record)));
            }
            if left > 0 && sorting.fresh.get(at) == Some(&true) {
                left -= 1;
                out.write_all(&arrival.line(body, left, now))?;
            }
            at += 1;
            Ok(())
        })?;
        Ok(named)
    }
}

/// Digests of a column, sorted, each with its row.
fn digests(columns: &Columns, name: &str) -> Vec<(i64, u32)> {
    let row = |row: usize| Some((columns.whole(name, row)?, u32::try_from(row).ok()?));
    let mut digests: Vec<_> = (0..columns.rows()).filter_map(row).collect();
    digests.sort_unstable();
    digests
}

/// The first row that has a digest.
fn find(digests: &[(i64, u32)], wanted: i64) -> Option<usize> {
    let at = digests.partition_point(|(digest, _)| *digest < wanted);
    digests.get(at).filter(|(digest, _)| *digest == wanted).map(|(_, row)| *row as usize)
}

/// Of the fresh arrivals that have one key, all but the first are not fresh.
fn later_ones<K: Ord + Copy>(arrivals: &[Arrival], key: impl Fn(&Arrival) -> Option<K>, fresh: &mut [bool]) {
    let is_fresh = |at: usize| fresh.get(at) == Some(&true);
    let keyed = arrivals.iter().enumerate().filter(|(at, _)| is_fresh(*at));
    let mut keyed: Vec<(K, u32)> =
        keyed.filter_map(|(at, arrival)| Some((key(arrival)?, u32::try_from(at).ok()?))).collect();
    keyed.sort_unstable();
    for pair in keyed.windows(2) {
        if let [(first, _), (second, at)] = pair
            && first == second
            && let Some(fresh) = fresh.get_mut(*at as usize)
        {
            *fresh = false;
        }
    }
}

impl Arrival {
    fn record_id(&self) -> RecordId {
        RecordId::from(id_text(&self.id))
    }

    fn record(&self, body: &str) -> Option<Record> {
        Record::read(self.kind.word(), RECORD_SCHEMA, &self.record_id(), body).ok().flatten()
    }

    /// The line of the journal, which `left` lines of the same transaction follow, for an arrival at this time.
    fn line(&self, body: &str, left: usize, now: u64) -> Vec<u8> {
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let line = Line {
            schema: RECORD_SCHEMA,
            kind: self.kind.word().into(),
            id: self.record_id(),
            left,
            at: Some(now),
            body,
        };
        line.journalled(left)
    }
}
