//! A moment in which this process has the knowledge base to itself: lock held, journal and index open and in step.
//!
//! Everything that touches the disk happens inside a section. Entering recovers what a crash left behind; leaving
//! closes the index, so that the next process can open it. A faulty index is replaced inside the section, and the
//! work is done again.

use std::cell::OnceCell;
use std::fs;
use std::time::Duration;

use crate::catalog::{META, Meta, Tail};
use crate::error::{Notice, StoreError};
use crate::files::{Layout, sync_parent};
use crate::format;
use crate::index::{Fault, GuardedIndex, Index, MemoryIndex};
use crate::journal::Journal;
use crate::lock::HomeLock;

/// The index as found, a fresh one, one in memory, and once more.
const ATTEMPTS: usize = 4;

/// How the home can be used, found out when the store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Read and write.
    Disk,
    /// There is a journal, but nothing can be written.
    ReadOnly(String),
    /// There is nothing, and nothing can be written.
    Memory(String),
}

/// Why a piece of work inside a section did not come to its end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The index is to blame: it is replaced and the work done again.
    Index(Fault),
    /// An entry and the journal do not agree: the index is made again.
    OutOfStep(String),
    /// Nothing can be done here.
    Store(StoreError),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Index(fault)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The index in use.
enum Engine {
    Sled(GuardedIndex),
    Memory(MemoryIndex),
    /// Given up; about to be replaced.
    None,
}

/// Where the index is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Disk,
    Memory,
}

/// An index in memory and how far it has come; it survives between sections.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    index: MemoryIndex,
    meta: Meta,
}

/// What a section needs to know before it is entered.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub layout: Layout,
    pub mode: Mode,
    /// Longest wait for the lock.
    pub lock_patience: Duration,
    /// Longest wait for one answer of the index.
    pub index_patience: Duration,
}

/// The knowledge base, held.
pub(crate) struct Section {
    pub terms: Terms,
    _lock: Option<HomeLock>,
    pub journal: Option<Journal>,
    engine: Engine,
    plan: Plan,
    /// The index was replaced in this section already.
    replaced: bool,
    pub meta: Meta,
    /// The newest records, once they were read.
    tail: OnceCell<Tail>,
    pub notices: Vec<Notice>,
}

impl Section {
    /// Waits for the lock, opens everything and brings the index up to the journal.
    pub fn enter(terms: &Terms, remembered: Option<Remembered>) -> Result<Self, StoreError> {
        let mut notices = Vec::new();
        let (lock, journal) = match &terms.mode {
            Mode::Disk => {
                let lock = hold(terms, &mut notices)?;
                (Some(lock), Some(Journal::writable(&terms.layout.journal)?))
            }
            Mode::ReadOnly(_) => {
                format::check(&terms.layout)?;
                let lock = HomeLock::shared(&terms.layout.lock, terms.lock_patience)?;
                (lock, Some(Journal::readable(&terms.layout.journal)?))
            }
            Mode::Memory(_) => (None, None),
        };
        let mut section = Self {
            terms: terms.clone(),
            _lock: lock,
            journal,
            engine: Engine::None,
            plan: if terms.mode == Mode::Disk { Plan::Disk } else { Plan::Memory },
            replaced: false,
            meta: Meta::new(),
            tail: OnceCell::new(),
            notices,
        };
        section.start(remembered)?;
        Ok(section)
    }

    /// Closes the index and lets the lock go.
    pub fn leave(mut self) -> (Option<Remembered>, Vec<Notice>) {
        let keep = self.terms.mode != Mode::Disk;
        let meta = std::mem::take(&mut self.meta);
        let remembered = match std::mem::replace(&mut self.engine, Engine::None) {
            // A failed flush costs nothing: the next section finds the index behind the journal and catches up.
            Engine::Sled(index) => {
                drop(index.close());
                None
            }
            Engine::Memory(index) => keep.then_some(Remembered { index, meta }),
            Engine::None => None,
        };
        (remembered, self.notices)
    }

    /// Whether records can be added.
    pub fn writable(&self) -> Result<(), StoreError> {
        match &self.terms.mode {
            Mode::Disk => Ok(()),
            Mode::ReadOnly(why) | Mode::Memory(why) => Err(StoreError::ReadOnly { why: why.clone() }),
        }
    }

    /// The index.
    pub fn index(&self) -> Result<&dyn Index, Fault> {
        match &self.engine {
            Engine::Sled(index) => Ok(index),
            Engine::Memory(index) => Ok(index),
            Engine::None => Err(Fault::Damaged("there is no index".to_owned())),
        }
    }

    /// The newest records.
    pub fn tail(&self) -> Result<&Tail, Fault> {
        if let Some(tail) = self.tail.get() {
            return Ok(tail);
        }
        let tail = Tail::load(self.index()?)?;
        Ok(self.tail.get_or_init(|| tail))
    }

    /// The index is about to change.
    pub fn forget_tail(&mut self) {
        self.tail = OnceCell::new();
    }

    /// The index, to be changed.
    pub fn index_mut(&mut self) -> Result<&mut dyn Index, Fault> {
        match &mut self.engine {
            Engine::Sled(index) => Ok(index),
            Engine::Memory(index) => Ok(index),
            Engine::None => Err(Fault::Damaged("there is no index".to_owned())),
        }
    }

    /// Does a piece of work. A faulty index is replaced, first by a fresh one, then by one in memory, and the work is
    /// done again; so it must be repeatable.
    pub fn attempt<T>(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            match self.bring_up().and_then(|()| work(self)) {
                Ok(value) => return Ok(value),
                Err(Trouble::Store(error)) => return Err(error),
                Err(Trouble::Index(fault)) => last = self.replace(fault),
                Err(Trouble::OutOfStep(why)) => last = self.discard(why),
            }
        }
        Err(StoreError::Index { path: self.terms.layout.index.clone(), why: last })
    }

    /// Empties the index and makes it again from the journal.
    pub fn reindex(&mut self) -> Result<(), StoreError> {
        self.shut();
        if self.plan == Plan::Disk {
            remove_folder(&self.terms.layout)?;
        }
        self.attempt(|_| Ok(()))
    }

    fn start(&mut self, remembered: Option<Remembered>) -> Result<(), StoreError> {
        if let Some(Remembered { index, meta }) = remembered {
            self.engine = Engine::Memory(index);
            self.meta = meta;
        }
        self.attempt(|section| section.catch_up())
    }

    /// Opens the index if there is none and indexes what the journal has beyond it.
    fn bring_up(&mut self) -> Result<(), Trouble> {
        if !matches!(self.engine, Engine::None) {
            return Ok(());
        }
        self.meta = Meta::new();
        self.forget_tail();
        self.engine = match self.plan {
            Plan::Disk => {
                Engine::Sled(GuardedIndex::open(&self.terms.layout.index, self.terms.index_patience)?)
            }
            Plan::Memory => Engine::Memory(MemoryIndex::default()),
        };
        if let Some(value) = self.index()?.get(vec![META.to_vec()])?.pop().flatten() {
            self.meta = Meta::decode(&value)?;
        }
        self.catch_up()
    }

    fn shut(&mut self) {
        self.engine = Engine::None;
        self.meta = Meta::new();
        self.forget_tail();
    }

    /// Takes a faulty index out of service. The text says what happened.
    fn replace(&mut self, fault: Fault) -> String {
        self.shut();
        match fault {
            Fault::Damaged(why) if self.plan == Plan::Disk && !self.replaced => {
                self.set_aside(&why);
                why
            }
            Fault::Damaged(why) | Fault::Storage(why) => self.do_without(why),
        }
    }

    /// Takes an index out of service that does not fit the journal; there is nothing to keep of it.
    fn discard(&mut self, why: String) -> String {
        self.shut();
        if self.plan == Plan::Memory {
            return why;
        }
        if self.replaced || remove_folder(&self.terms.layout).is_err() {
            return self.do_without(why);
        }
        self.replaced = true;
        self.notices.push(Notice::IndexRebuilt { why: why.clone(), kept: None });
        why
    }

    /// Moves the index into quarantine; a fresh one takes its place.
    fn set_aside(&mut self, why: &str) {
        match self.terms.layout.move_aside(&self.terms.layout.index, "index") {
            Ok(kept) => {
                self.replaced = true;
                self.notices.push(Notice::IndexRebuilt { why: why.to_owned(), kept });
            }
            Err(error) => drop(self.do_without(error.cause())),
        }
    }

    fn do_without(&mut self, why: String) -> String {
        if self.plan == Plan::Disk {
            self.plan = Plan::Memory;
            self.notices.push(Notice::WithoutIndex { why: why.clone() });
        }
        why
    }
}

/// Finds out, without reading journal or index, whether the home can be used and written; creates it on first use.
pub(crate) fn prepare(terms: &Terms, notices: &mut Vec<Notice>) -> Result<(), StoreError> {
    let _lock = hold(terms, notices)?;
    Journal::writable(&terms.layout.journal).map(|_| ())
}

/// Creates the folder on first use, takes the lock and settles the format.
fn hold(terms: &Terms, notices: &mut Vec<Notice>) -> Result<HomeLock, StoreError> {
    let layout = &terms.layout;
    if !layout.root.is_dir() {
        let created = fs::create_dir_all(&layout.root).and_then(|()| sync_parent(&layout.root));
        created.map_err(|error| StoreError::io("create", &layout.root, error))?;
    }
    let lock = HomeLock::exclusive(&layout.lock, terms.lock_patience)?;
    format::settle(layout, notices)?;
    Ok(lock)
}

fn remove_folder(layout: &Layout) -> Result<(), StoreError> {
    match fs::remove_dir_all(&layout.index) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", &layout.index, error))
        }
        _ => Ok(()),
    }
}
