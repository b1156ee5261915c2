//! What a rule reads while it runs: the worst evidence it relied on and, when the finding will be
//! shown, every field with its value.
//!
//! A recorder belongs to the thread that runs the rule, because the getters that feed it are called
//! by the script engine, which passes nothing along.

use std::cell::{Cell as Slot, RefCell};

use convwise_types::{Grade, Observed};
use rhai::Dynamic;

use crate::fields::{Cell, Table};
use crate::row::{View, Words};

thread_local! {
    static WORST: Slot<Option<Weakest>> = const { Slot::new(None) };
    /// Whether fields are listed; looked at on every read, the list only if so.
    static LISTING: Slot<bool> = const { Slot::new(false) };
    static SEEN: RefCell<Vec<Observed>> = const { RefCell::new(Vec::new()) };
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

/// Runs `work` and lists the fields that it read, in the order of their first reading.
pub(crate) fn fields_read<T>(work: impl FnOnce() -> T) -> Vec<Observed> {
    LISTING.set(true);
    work();
    LISTING.set(false);
    SEEN.take()
}

/// Notes that a field was read.
pub(crate) fn read(table: &Table, name: &'static str, cell: &Cell) {
    if let Cell::Known(value, Some(grade)) = cell
        && WORST.get().is_none_or(|worst| *grade > worst.grade)
        // A group is not relied on; its fields are.
        && !value.is::<View>()
    {
        let fact = table.path.split_once('.').map_or(name, |(_, group)| group);
        WORST.set(Some(Weakest { grade: *grade, fact }));
    }
    asked(table, name, cell);
}

/// Notes that it was asked whether a field is known.
pub(crate) fn asked(table: &Table, name: &str, cell: &Cell) {
    if LISTING.get() {
        SEEN.with_borrow_mut(|list| note(list, table, name, cell));
    }
}

fn note(list: &mut Vec<Observed>, table: &Table, name: &str, cell: &Cell) {
    let field = format!("{}.{name}", table.path);
    let (value, grade) = match cell {
        // A group is not a value; its fields are noted when they are read.
        Cell::Known(value, _) if value.is::<View>() => return,
        Cell::Known(value, grade) => (print(value), *grade),
        Cell::Unknown(_) => ("unknown".to_owned(), None),
    };
    if !list.iter().any(|o| o.field == field) {
        list.push(Observed { field, value, grade });
    }
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
