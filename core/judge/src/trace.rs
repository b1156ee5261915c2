//! What a rule reads while it runs: the worst evidence it relied on, and which fields.
//!
//! A recorder belongs to the thread that runs the rule, because the getters that feed it are called
//! by the script engine, which passes nothing along. It notes names, not values: those stay in the rows
//! and are written out only for what is shown.

use std::cell::{Cell as Slot, RefCell};

use convwise_types::{Grade, Observed};
use rhai::Dynamic;

use crate::evaluate::Scene;
use crate::fields::{Cell, DEVICE, NEED, TABLES, Table};
use crate::row::{View, Words};

thread_local! {
    static WORST: Slot<Option<Weakest>> = const { Slot::new(None) };
    /// Whether fields are listed; looked at on every read, the list only if so.
    static LISTING: Slot<bool> = const { Slot::new(false) };
    /// Fields of the request that were asked for, one bit each.
    static NEEDS: Slot<u64> = const { Slot::new(0) };
    static SEEN: RefCell<Reads> = const { RefCell::new(Reads(Vec::new())) };
}

/// The fields that a rule read, each once, in the order of their first reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads(Vec<Place>);

/// A field by the positions of its table and in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    table: usize,
    field: usize,
}

impl Place {
    /// `net.latency.ms`.
    fn path(self) -> Option<String> {
        let table = TABLES.get(self.table)?;
        Some(format!("{}.{}", table.path, table.fields.get(self.field)?.name))
    }

    /// What it was in the scene. A group is not a value; its fields are noted when they are read.
    fn observed(self, scene: &Scene) -> Option<Observed> {
        let field = self.path()?;
        let (value, grade) = match scene.cell(&field)? {
            Cell::Known(value, _) if value.is::<View>() => return None,
            Cell::Known(value, grade) => (print(&value), grade),
            Cell::Unknown(_) => ("unknown".to_owned(), None),
        };
        Some(Observed { field, value, grade })
    }
}

impl Reads {
    /// What was read, with its values.
    pub fn observed(&self, scene: &Scene) -> Vec<Observed> {
        self.0.iter().filter_map(|place| place.observed(scene)).collect()
    }

    /// Paths of what was read.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|place| place.path())
    }

    /// These, then those of `later` that are new.
    pub fn then(&self, later: &Self) -> Self {
        let mut all = self.clone();
        later.0.iter().for_each(|place| all.note(*place));
        all
    }

    fn note(&mut self, place: Place) {
        if !self.0.contains(&place) {
            self.0.push(place);
        }
    }
}

/// The worst evidence that was relied on, and for which fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weakest {
    pub grade: Grade,
    /// The fact, as people call it: `latency`.
    pub fact: &'static str,
}

/// Runs `work` and says what was the worst evidence that it relied on.
pub(crate) fn record<T>(work: impl FnOnce() -> T) -> (T, Option<Weakest>) {
    WORST.set(None);
    let result = work();
    (result, WORST.take())
}

/// Runs `work` and lists the fields that it read.
pub(crate) fn reads<T>(work: impl FnOnce() -> T) -> (T, Reads) {
    LISTING.set(true);
    let result = work();
    LISTING.set(false);
    (result, SEEN.take())
}

/// A set of fields of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NeedFields(pub(crate) u64);

impl NeedFields {
    /// Whether two sets have a field in common.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Runs `work` and says which fields of the request it asked for, one bit each, by their position.
pub(crate) fn needs_read<T>(work: impl FnOnce() -> T) -> (T, u64) {
    NEEDS.set(0);
    let result = work();
    (result, NEEDS.take())
}

/// Notes that a field was read: its table, its position there, what it holds.
pub(crate) fn read(table: &Table, field: usize, cell: &Cell) {
    if let Cell::Known(value, Some(grade)) = cell
        && WORST.get().is_none_or(|worst| *grade > worst.grade)
        // A group is not relied on; its fields are.
        && !value.is::<View>()
    {
        let name = || table.fields.get(field).map_or("", |f| f.name);
        let fact = table.path.split_once('.').map_or_else(name, |(_, group)| group);
        WORST.set(Some(Weakest { grade: *grade, fact }));
    }
    asked(table, field);
}

/// Notes that it was asked whether a field is known.
pub(crate) fn asked(table: &Table, field: usize) {
    if table.index == NEED.index {
        NEEDS.set(NEEDS.get() | bit(field));
    } else if table.index == DEVICE.index {
        NEEDS.set(NEEDS.get() | NEED.position("device").map_or(0, bit));
    }
    if LISTING.get() {
        SEEN.with_borrow_mut(|seen| seen.note(Place { table: table.index, field }));
    }
}

/// The bit of a field. Those that a word has no room for share the last one.
pub(crate) fn bit(field: usize) -> u64 {
    1 << field.min(63)
}

/// A value as text.
pub(crate) fn print(value: &Dynamic) -> String {
    if let Some(words) = value.read_lock::<Words>() {
        return words.0.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" ");
    }
    match value.as_float() {
        Ok(real) => format!("{}", (real * 1e6).round() / 1e6),
        Err(_) => value.to_string(),
    }
}
