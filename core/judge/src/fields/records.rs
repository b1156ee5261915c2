//! Fields of the records of the knowledge base, for queries. Rules do not see records.

use std::sync::LazyLock;

use convwise_types::listing::{FieldInfo, ListKind, RecordTable, record_tables};

use super::{Field, Kind, Read, Table};

/// The table of each kind of record, in the order of [`record_tables`].
static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| record_tables().iter().map(table).collect());

/// The table of a kind of record.
pub(crate) fn record_table(of: &RecordTable) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.path == of.name)
}

fn table(of: &'static RecordTable) -> Table {
    let fields: Vec<Field> = of.fields.iter().map(field).collect();
    // Made once and kept until the program ends.
    Table { index: usize::MAX, path: of.name, doc: of.doc, fields: fields.leak() }
}

fn field(info: &FieldInfo) -> Field {
    Field {
        name: info.name,
        kind: info.kind.into(),
        unit: info.unit,
        doc: info.doc,
        better: info.better,
        read: Read::Column,
    }
}

impl From<ListKind> for Kind {
    /// How expressions see the values of a column.
    fn from(kind: ListKind) -> Self {
        match kind {
            ListKind::Name | ListKind::Text => Self::Text,
            ListKind::Word(words) => Self::Word(words),
            ListKind::Words => Self::Words,
            ListKind::Whole => Self::Whole,
            ListKind::Real => Self::Real,
            ListKind::Flag => Self::Flag,
        }
    }
}
