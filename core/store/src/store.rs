//! The store as the rest of the program sees it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use convwise_types::listing::Columns;
use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, ArchitectureId, Measurement, RecordId, RunFailure,
};

use crate::catalog::Kind;
use crate::error::{Notice, StoreError};
use crate::files::Layout;
use crate::format;
use crate::query::{
    KnownDevice, MeasurementFilter, known_devices, only_costs, only_facts, only_failures, only_results,
    only_timings,
};
use crate::record::{Record, admit};
use crate::section::{Mode, Remembered, Section, Terms, prepare};
use crate::shipped::Shipped;

/// How to open a store.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Accept measurements by a simulated runner. Only tests do: such timings are never evidence.
    pub allow_simulated: bool,
    /// Longest wait for other processes.
    pub lock_patience: Duration,
    /// Longest wait for one answer of the index before it counts as hung and is replaced.
    pub index_patience: Duration,
    /// Devices and datasets, with what the user's folders put in place of the shipped ones.
    pub shipped: Shipped,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            allow_simulated: false,
            lock_patience: Duration::from_mins(1),
            index_patience: Duration::from_mins(1),
            shipped: Shipped::default(),
        }
    }
}

/// What became of appended records; both in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Ids of records that were not known before. They are on disk.
    pub new: Vec<RecordId>,
    /// Ids of records that were known already.
    pub known: Vec<RecordId>,
}

/// The open knowledge base. Cheap to keep: between calls it holds neither lock nor open index.
#[derive(Debug)]
pub struct Store {
    terms: Terms,
    options: OpenOptions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    section: Option<Section>,
    sessions: usize,
    remembered: Option<Remembered>,
    notices: Vec<Notice>,
    version: String,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("version", &self.version)
            .field("notices", &self.notices)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the knowledge base below a home folder, creating it on first use. Journal and index are first read when
    /// something is asked of them.
    ///
    /// A home that cannot be written is read; where there is none at all, the store holds the shipped facts only.
    /// Both are said in [`Store::take_notices`].
    ///
    /// # Errors
    /// The home has a newer format, another process holds the lock for too long, or a file cannot be read.
    pub fn open(home: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        let mut terms = Terms {
            layout: Layout::new(home),
            mode: Mode::Disk,
            lock_patience: options.lock_patience,
            index_patience: options.index_patience,
        };
        let mut state = State::default();
        match prepare(&terms, &mut state.notices) {
            Err(error) if error.is_unwritable() => {
                terms.mode = without_writing(&terms.layout, &error, &mut state.notices)?;
            }
            prepared => prepared?,
        }
        Ok(Self { terms, options: options.clone(), state: Mutex::new(state) })
    }

    /// Keeps the knowledge base open until the session is dropped, so that many calls cost one opening. Other
    /// processes wait meanwhile: never hold a session while something is measured.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn session(&self) -> Result<Session<'_>, StoreError> {
        let mut state = self.state();
        if state.section.is_none() {
            let section = Section::enter(&self.terms, state.remembered.take())?;
            state.keep(section);
        }
        state.sessions += 1;
        Ok(Session { store: self })
    }

    /// Adds records, all or none. What this returns is on disk.
    ///
    /// # Errors
    /// A record is simulated or invalid, the home cannot be written or is full: then nothing was added.
    pub fn append(&self, records: &[Record]) -> Result<Appended, StoreError> {
        let ids = records.iter().map(|record| Ok(admit(record, self.options.allow_simulated, None)?.0));
        let ids = ids.collect::<Result<Vec<_>, StoreError>>()?;
        self.with(|section| section.append(records, &ids))
    }

    /// Measurements that agree with a filter, in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn measurements(&self, filter: &MeasurementFilter) -> Result<Vec<Measurement>, StoreError> {
        self.with(|section| section.attempt(|s| s.measurements(filter)))
    }

    /// How many measurements agree with a filter.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn count_measurements(&self, filter: &MeasurementFilter) -> Result<usize, StoreError> {
        self.with(|section| section.attempt(|s| s.matching(filter))).map(|rows| rows.len())
    }

    /// Of the measurements that agree with a filter the newest of each graph, input and number format, in order of
    /// their ids; of several taken at one time all.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn newest_measurements(&self, filter: &MeasurementFilter) -> Result<Vec<Measurement>, StoreError> {
        self.with(|section| section.attempt(|s| s.newest(filter)))
    }

    /// Some columns of all records of a kind, in the order of their arrival; `id` may be among them.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn columns(&self, kind: Kind, names: &[&str]) -> Result<Columns, StoreError> {
        self.with(|section| section.attempt(|s| s.columns(kind, names)))
    }

    /// The records behind rows of [`Store::columns`], with their ids, in the order of the rows.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn records_at(&self, kind: Kind, rows: &[usize]) -> Result<Vec<(RecordId, Record)>, StoreError> {
        self.with(|section| section.attempt(|s| s.records_at(kind, rows)))
    }

    /// Every measurement, in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn all_measurements(&self) -> Result<Vec<Measurement>, StoreError> {
        self.measurements(&MeasurementFilter::default())
    }

    /// Accuracies added by hand, of one architecture or of all, in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn results(&self, architecture: Option<&ArchitectureId>) -> Result<Vec<AddedResult>, StoreError> {
        self.with(|section| section.attempt(|s| s.records_of(Kind::Result, architecture))).map(only_results)
    }

    /// Published timings, of one architecture or of all, in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn timings(&self, architecture: Option<&ArchitectureId>) -> Result<Vec<AddedTiming>, StoreError> {
        self.with(|section| section.attempt(|s| s.records_of(Kind::Timing, architecture))).map(only_timings)
    }

    /// Published counts of parameters and work, in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn costs(&self) -> Result<Vec<AddedCost>, StoreError> {
        self.with(|section| section.attempt(|s| s.records_of(Kind::Cost, None))).map(only_costs)
    }

    /// Facts added by hand, in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn facts(&self) -> Result<Vec<AddedFact>, StoreError> {
        self.with(|section| section.attempt(|s| s.records_of(Kind::Fact, None))).map(only_facts)
    }

    /// Failures of runners, in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn failures(&self) -> Result<Vec<RunFailure>, StoreError> {
        self.with(|section| section.attempt(|s| s.records_of(Kind::Failure, None))).map(only_failures)
    }

    /// The record whose id starts with these hexadecimal digits.
    ///
    /// # Errors
    /// No record or several records start so, or the knowledge base cannot be read.
    pub fn record(&self, id_prefix: &str) -> Result<Record, StoreError> {
        self.with(|section| section.attempt(|s| s.find(id_prefix)))
    }

    /// Devices that something was measured on, then those described in files, both in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn devices(&self) -> Result<Vec<KnownDevice>, StoreError> {
        let seen = self.with(|section| section.attempt(|s| s.seen_devices()))?;
        Ok(known_devices(seen, &self.options.shipped))
    }

    /// Devices and datasets that came with the program or from the user's folders.
    #[must_use]
    pub fn shipped(&self) -> &Shipped {
        &self.options.shipped
    }

    /// Version of the content as of the last call (`unknown` if it cannot be read): 16 hexadecimal digits, changed by every accepted record, and equal
    /// for an equal set of records whatever the order of their arrival.
    #[must_use]
    pub fn version(&self) -> String {
        match self.entered() {
            Ok(()) => self.state().version.clone(),
            Err(_) => "unknown".to_owned(),
        }
    }

    /// What was found wrong and put right since the last call of this function.
    #[must_use]
    pub fn take_notices(&self) -> Vec<Notice> {
        // What keeps the store from being read is an error of the call that reads it, not a notice.
        drop(self.entered());
        std::mem::take(&mut self.state().notices)
    }

    /// The folder of the knowledge base.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.terms.layout.root.clone()
    }

    /// Whether the records may be simulated; merging follows the same rule as appending.
    pub(crate) fn allows_simulated(&self) -> bool {
        self.options.allow_simulated
    }

    /// Does a piece of work inside a section: the one of the session if there is one.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Section) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        let mut section = match state.section.take() {
            Some(section) => section,
            None => Section::enter(&self.terms, state.remembered.take())?,
        };
        let outcome = work(&mut section);
        if state.sessions > 0 {
            state.keep(section);
        } else {
            state.leave(section);
        }
        outcome
    }

    /// Reads the knowledge base if that was not done yet.
    fn entered(&self) -> Result<(), StoreError> {
        let fresh = self.state().version.is_empty();
        if fresh { self.with(|_| Ok(())) } else { Ok(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep(&mut self, mut section: Section) {
        self.version = section.meta.version();
        self.notices.append(&mut section.notices);
        self.section = Some(section);
    }

    fn leave(&mut self, section: Section) {
        self.version = section.meta.version();
        let (remembered, mut notices) = section.leave();
        self.remembered = remembered;
        self.notices.append(&mut notices);
    }
}

/// The knowledge base, kept open by [`Store::session`].
#[derive(Debug)]
pub struct Session<'a> {
    store: &'a Store,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let mut state = self.store.state();
        state.sessions = state.sessions.saturating_sub(1);
        if state.sessions == 0
            && let Some(section) = state.section.take()
        {
            state.leave(section);
        }
    }
}

/// How a home that cannot be written is used.
fn without_writing(
    layout: &Layout,
    error: &StoreError,
    notices: &mut Vec<Notice>,
) -> Result<Mode, StoreError> {
    let why = error.cause();
    if std::fs::File::open(&layout.journal).is_err() {
        notices.push(Notice::InMemory { why: why.clone() });
        return Ok(Mode::Memory(why));
    }
    format::check(layout)?;
    notices.push(Notice::ReadOnly { why: why.clone() });
    Ok(Mode::ReadOnly(why))
}
