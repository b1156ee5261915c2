//! What can be asked of records: one table of columns for every kind, and columns of values.
//!
//! The knowledge base keeps these columns in its index, queries filter and sort by them, and `kb fields` documents them.

mod columns;
mod measurement;
mod published;

pub use columns::{Builder, Column, Columns, UNKNOWN_NAME};
pub use measurement::{FAILURE_FIELDS, MEASUREMENT_FIELDS};
pub use published::{COST_FIELDS, FACT_FIELDS, RESULT_FIELDS, TIMING_FIELDS};

use std::sync::LazyLock;

/// Type of the values of a column.
#[derive(Clone, Copy, Debug)]
pub enum ListKind {
    /// Text of which many records have the same.
    Name,
    /// Text that is different in almost every record.
    Text,
    /// One word of a closed list.
    Word(fn() -> Vec<&'static str>),
    /// A set of words.
    Words,
    /// A whole number.
    Whole,
    /// A real number.
    Real,
    /// `true` or `false`.
    Flag,
}

/// Direction in which a value improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither.
    Neither,
}

/// One thing that can be asked of records of a kind.
#[derive(Debug)]
pub struct ListField<T: 'static> {
    /// Name in queries.
    pub name: &'static str,
    /// Type of the value.
    pub kind: ListKind,
    /// Unit in words; empty where there is none.
    pub unit: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Direction.
    pub better: Better,
    /// Why a record may not have it; empty where every record does.
    pub lack: &'static str,
    /// The value.
    pub read: fn(&T) -> Item,
}

/// A field apart from the records it is read from.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// Name in queries.
    pub name: &'static str,
    /// Type of the value.
    pub kind: ListKind,
    /// Unit in words; empty where there is none.
    pub unit: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Direction.
    pub better: Better,
    /// Why a record may not have it; empty where every record does.
    pub lack: &'static str,
}

impl<T> ListField<T> {
    /// Everything but how it is read.
    #[must_use]
    pub const fn info(&self) -> FieldInfo {
        FieldInfo {
            name: self.name,
            kind: self.kind,
            unit: self.unit,
            doc: self.doc,
            better: self.better,
            lack: self.lack,
        }
    }
}

/// The fields of a kind of record, without how they are read.
#[must_use]
pub fn infos<T>(fields: &'static [ListField<T>]) -> Vec<FieldInfo> {
    fields.iter().map(ListField::info).collect()
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Not known.
    Unknown,
    /// Text, a word, or a set of words with spaces between them.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// A real number.
    Real(f64),
    /// True or false.
    Flag(bool),
}

impl Item {
    fn text(value: &str) -> Self {
        Self::Text(value.to_owned())
    }

    fn whole(value: u64) -> Self {
        Self::Whole(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Self>> From<Option<T>> for Item {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}

impl From<&str> for Item {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl From<u64> for Item {
    fn from(value: u64) -> Self {
        Self::whole(value)
    }
}

impl From<f64> for Item {
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Real(value) } else { Self::Unknown }
    }
}

impl From<bool> for Item {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

/// What can be asked of the records of a kind.
#[derive(Debug)]
pub struct RecordTable {
    /// As queries call it: `measurements`.
    pub name: &'static str,
    /// The kind of record: `measurement`.
    pub word: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Its fields, `id` first.
    pub fields: Vec<FieldInfo>,
}

impl RecordTable {
    fn new<T>(
        name: &'static str,
        word: &'static str,
        doc: &'static str,
        fields: &'static [ListField<T>],
    ) -> Self {
        Self { name, word, doc, fields: std::iter::once(ID).chain(infos(fields)).collect() }
    }

    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldInfo> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The field that every record has.
pub const ID: FieldInfo = FieldInfo {
    name: "id",
    kind: ListKind::Text,
    unit: "",
    doc: "Content address of the record.",
    better: Better::Neither,
    lack: "",
};

/// Where a published accuracy stands; not a value of the record.
pub const ORIGIN: FieldInfo = FieldInfo {
    name: "origin",
    kind: ListKind::Name,
    doc: "`shipped`, the user's file, or `added` to the knowledge base.",
    ..ID
};

/// Accuracies stand in the architectures' definitions, too; those are no records.
fn results() -> RecordTable {
    let doc = "Accuracies that are published: those that come with the program and those that were added.";
    let mut table = RecordTable::new("results", "result", doc, RESULT_FIELDS);
    if let Some(id) = table.fields.first_mut() {
        id.lack = "it came with the program";
    }
    table.fields.push(ORIGIN);
    table
}

/// Every kind of record.
#[must_use]
pub fn record_tables() -> &'static [RecordTable] {
    static TABLES: LazyLock<Vec<RecordTable>> = LazyLock::new(|| {
        vec![
            RecordTable::new(
                "measurements",
                "measurement",
                "Benchmarks: what ran, how, where, and how long it took.",
                MEASUREMENT_FIELDS,
            ),
            results(),
            RecordTable::new("timings", "timing", "Timings that somebody published.", TIMING_FIELDS),
            RecordTable::new("costs", "cost", "Parameters and work as somebody counted them.", COST_FIELDS),
            RecordTable::new("facts", "fact", "Single facts about architectures and devices.", FACT_FIELDS),
            RecordTable::new(
                "failures",
                "failure",
                "Benchmarks that a runner did not survive.",
                FAILURE_FIELDS,
            ),
        ]
    });
    &TABLES
}

const fn field<T>(
    name: &'static str,
    kind: ListKind,
    unit: &'static str,
    doc: &'static str,
    read: fn(&T) -> Item,
) -> ListField<T> {
    ListField { name, kind, unit, doc, better: Better::Neither, lack: "", read }
}

impl<T> ListField<T> {
    /// Less is better.
    const fn lower(self) -> Self {
        Self { better: Better::Lower, ..self }
    }

    /// More is better.
    const fn higher(self) -> Self {
        Self { better: Better::Higher, ..self }
    }

    /// Why a record may not have it.
    const fn unless(self, lack: &'static str) -> Self {
        Self { lack, ..self }
    }
}

/// The words of a closed set.
macro_rules! words_of {
    ($name:ty) => {
        ListKind::Word(|| <$name>::ALL.iter().map(|word| word.as_str()).collect())
    };
}
use words_of;
