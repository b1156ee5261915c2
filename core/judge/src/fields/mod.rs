//! What scripts may read: one table of fields for every thing that rules and queries see.
//!
//! A field has a name, a type, a unit, a sentence of documentation and an accessor that gives its
//! value with the grade of its evidence, or says what is missing. The getters of the script
//! engine, the check for misspelt fields, the cases and the field reference all read these tables.

mod architecture;
mod evidence;
mod need;
mod net;
mod records;
mod rights;

use std::sync::Arc;

use convwise_types::{Candidate, Fact, Grade, Missing, nearest};
use rhai::{Dynamic, ImmutableString};

use crate::inquiry::Inquiry;
use crate::row::{Row, View, Words};

pub use convwise_types::listing::Better;
pub use need::{DEVICE, NEED};
pub use net::{ACCURACY, LATENCY, NET, THROUGHPUT};

pub(crate) use architecture::published_candidate;
pub(crate) use evidence::{evidence_of, field_at};
pub(crate) use records::record_table;

/// Every table that rules see, in the order of the reference.
pub static TABLES: [&Table; 6] = [&NET, &ACCURACY, &LATENCY, &THROUGHPUT, &NEED, &DEVICE];

/// The fields of one thing.
#[derive(Debug)]
pub struct Table {
    /// Position in [`TABLES`].
    pub(crate) index: usize,
    /// How scripts reach it: `net`, `net.latency`.
    pub path: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// Name in scripts.
    pub name: &'static str,
    /// Type of the value.
    pub kind: Kind,
    /// Unit in words; empty where there is none.
    pub unit: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Which direction is better, for `pool.best` and `pool.worst`.
    pub better: Better,
    pub(crate) read: Read,
}

/// Type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole,
    /// A real number.
    Real,
    /// Free text.
    Text,
    /// One word of a closed list.
    Word(fn() -> Vec<&'static str>),
    /// A set of words; ask with `in`.
    Words,
    /// Another table.
    Object(&'static Table),
}

impl Kind {
    /// How the type is called in messages and the reference.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Whole => "a whole number",
            Self::Real => "a number",
            Self::Text => "text",
            Self::Word(_) => "a word",
            Self::Words => "a set of words",
            Self::Object(_) => "a group of fields",
        }
    }
}

/// Accessor of a field, by what it reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Read {
    Candidate(fn(&Candidate) -> Cell),
    Inquiry(fn(&Inquiry) -> Cell),
    /// Its values come in columns, not one by one.
    Column,
}

/// A value as scripts see it, or what is missing.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Known(Dynamic, Option<Grade>),
    Unknown(Arc<Missing>),
}

impl Table {
    /// The position of a field.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }

    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The table and the position there of a dotted path that begins in this one.
    pub(crate) fn place(&'static self, path: &str) -> Option<(&'static Self, usize)> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
        let at = self.position(first)?;
        match (rest, self.fields.get(at)?.kind) {
            (None, _) => Some((self, at)),
            (Some(rest), Kind::Object(inner)) => inner.place(rest),
            (Some(_), _) => None,
        }
    }

    /// The known name nearest to a misspelt one, in this table or in one that it contains.
    #[must_use]
    pub fn suggestion(&self, typed: &str) -> Option<String> {
        if let Some(inside) = self.inside(typed) {
            return Some(inside);
        }
        nearest(typed, self.fields.iter().map(|f| f.name)).map(str::to_owned)
    }

    /// `latency.ms` for `ms`: the name is right but one level further down.
    fn inside(&self, typed: &str) -> Option<String> {
        self.fields.iter().find_map(|f| match f.kind {
            Kind::Object(table) => table.field(typed).map(|inner| format!("{}.{}", f.name, inner.name)),
            _ => None,
        })
    }
}

/// A field without a direction.
const fn plain(name: &'static str, kind: Kind, unit: &'static str, doc: &'static str, read: Read) -> Field {
    Field { name, kind, unit, doc, better: Better::Neither, read }
}

/// A field of which more is better.
const fn higher(name: &'static str, kind: Kind, unit: &'static str, doc: &'static str, read: Read) -> Field {
    Field { name, kind, unit, doc, better: Better::Higher, read }
}

/// A field of which less is better.
const fn lower(name: &'static str, kind: Kind, unit: &'static str, doc: &'static str, read: Read) -> Field {
    Field { name, kind, unit, doc, better: Better::Lower, read }
}

impl Cell {
    pub(crate) fn text(value: &str) -> Self {
        Self::Known(Dynamic::from(ImmutableString::from(value)), None)
    }

    pub(crate) fn flag(value: bool) -> Self {
        Self::Known(Dynamic::from(value), None)
    }

    pub(crate) fn whole(value: u64) -> Self {
        Self::Known(Dynamic::from(i64::try_from(value).unwrap_or(i64::MAX)), None)
    }

    pub(crate) fn real(value: f64) -> Self {
        Self::Known(Dynamic::from(value), None)
    }

    pub(crate) fn words<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Known(Dynamic::from(Words(values.into_iter().map(ImmutableString::from).collect())), None)
    }

    pub(crate) fn object(row: Row) -> Self {
        Self::Known(Dynamic::from(View(Arc::new(row))), None)
    }

    pub(crate) fn unknown(fact: &str, need: impl Into<String>) -> Self {
        Self::Unknown(Arc::new(Missing::new(fact, need)))
    }

    /// A fact as a cell.
    fn fact<T>(fact: &Fact<T>, value: impl FnOnce(&T) -> Self) -> Self {
        match fact {
            Fact::Known(known, evidence) => value(known).graded(evidence.grade),
            Fact::Unknown(missing) => Self::Unknown(Arc::new(missing.clone())),
        }
    }

    /// An optional value as a cell.
    fn option<T>(value: Option<T>, cell: impl FnOnce(T) -> Self, fact: &str, need: &str) -> Self {
        value.map_or_else(|| Self::unknown(fact, need), cell)
    }

    /// The same value with the grade of its evidence; what is unknown stays unknown.
    fn graded(self, grade: Grade) -> Self {
        match self {
            Self::Known(value, _) => Self::Known(value, Some(grade)),
            unknown @ Self::Unknown(_) => unknown,
        }
    }
}
