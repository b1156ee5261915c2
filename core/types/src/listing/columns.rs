//! Values of many records, column by column.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Item, ListField, ListKind};

/// Stands in [`Column::Names`] for a value that is not known.
pub const UNKNOWN_NAME: u32 = u32::MAX;

/// The values of one field, one for every row.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Text, by its place in a list; [`UNKNOWN_NAME`] where it is not known.
    Names {
        /// One a row.
        codes: Vec<u32>,
        /// The different texts.
        names: Vec<Arc<str>>,
    },
    /// Text that is different in almost every row: where each ends. What is not known is empty.
    Texts {
        /// One a row.
        ends: Vec<usize>,
        /// All of it.
        text: String,
    },
    /// Whole numbers; [`i64::MIN`] where one is not known.
    Wholes(Vec<i64>),
    /// Real numbers; NaN where one is not known.
    Reals(Vec<f64>),
    /// 1 true, 0 false, [`u8::MAX`] not known.
    Flags(Vec<u8>),
}

impl Column {
    /// A column without rows.
    #[must_use]
    pub fn empty(kind: ListKind) -> Self {
        match kind {
            ListKind::Name | ListKind::Word(_) | ListKind::Words => {
                Self::Names { codes: Vec::new(), names: Vec::new() }
            }
            ListKind::Text => Self::Texts { ends: Vec::new(), text: String::new() },
            ListKind::Whole => Self::Wholes(Vec::new()),
            ListKind::Real => Self::Reals(Vec::new()),
            ListKind::Flag => Self::Flags(Vec::new()),
        }
    }

    /// A column of texts; an empty one is not known.
    #[must_use]
    pub fn of_texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let (mut ends, mut all) = (Vec::new(), String::new());
        for text in texts {
            all.push_str(text.as_ref());
            ends.push(all.len());
        }
        Self::Texts { ends, text: all }
    }

    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Names { codes, .. } => codes.len(),
            Self::Texts { ends, .. } => ends.len(),
            Self::Wholes(values) => values.len(),
            Self::Reals(values) => values.len(),
            Self::Flags(values) => values.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row; unknown beyond the last.
    #[must_use]
    pub fn item(&self, row: usize) -> Item {
        match self {
            Self::Names { codes, names } => {
                let name = codes.get(row).and_then(|code| names.get(usize::try_from(*code).ok()?));
                name.map(|name| name.as_ref()).into()
            }
            Self::Texts { .. } => self.text(row).into(),
            Self::Wholes(values) => {
                values.get(row).filter(|v| **v != i64::MIN).map_or(Item::Unknown, |v| Item::Whole(*v))
            }
            Self::Reals(values) => values.get(row).copied().into(),
            Self::Flags(values) => match values.get(row) {
                Some(0) => Item::Flag(false),
                Some(1) => Item::Flag(true),
                _ => Item::Unknown,
            },
        }
    }

    /// Rows in the order of their values, equal ones as they came; what is unknown comes last either way. Only the first `limit`
    /// of them are in order.
    #[must_use]
    pub fn sorted(&self, mut rows: Vec<usize>, reverse: bool, limit: Option<usize>) -> Vec<usize> {
        let ranks = self.name_ranks();
        let order = |a: &usize, b: &usize| {
            let natural = self.compared(&ranks, *a, *b, reverse);
            natural.then_with(|| a.cmp(b))
        };
        match limit {
            Some(0) => rows.clear(),
            Some(limit) if limit < rows.len() => {
                rows.select_nth_unstable_by(limit - 1, order);
                rows.truncate(limit);
            }
            _ => {}
        }
        rows.sort_unstable_by(order);
        rows
    }

    /// The place of each name in the order of the alphabet.
    fn name_ranks(&self) -> Vec<u32> {
        let Self::Names { names, .. } = self else { return Vec::new() };
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|at| names.get(*at));
        let mut ranks = vec![0; names.len()];
        for (rank, at) in (0..).zip(order) {
            if let Some(slot) = ranks.get_mut(at) {
                *slot = rank;
            }
        }
        ranks
    }

    fn compared(&self, ranks: &[u32], a: usize, b: usize, reverse: bool) -> Ordering {
        fn known_first<T>(
            a: Option<T>,
            b: Option<T>,
            reverse: bool,
            order: impl Fn(&T, &T) -> Ordering,
        ) -> Ordering {
            match (a, b) {
                (Some(a), Some(b)) if reverse => order(&b, &a),
                (Some(a), Some(b)) => order(&a, &b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            }
        }
        match self {
            Self::Names { codes, .. } => {
                let rank = |row: usize| ranks.get(*codes.get(row)? as usize);
                known_first(rank(a), rank(b), reverse, Ord::cmp)
            }
            Self::Texts { .. } => known_first(self.text(a), self.text(b), reverse, Ord::cmp),
            Self::Wholes(values) => {
                let value = |row: usize| values.get(row).filter(|value| **value != i64::MIN);
                known_first(value(a), value(b), reverse, Ord::cmp)
            }
            Self::Reals(values) => {
                let value = |row: usize| values.get(row).filter(|value| !value.is_nan());
                known_first(value(a), value(b), reverse, |a, b| a.total_cmp(b))
            }
            Self::Flags(values) => {
                let value = |row: usize| values.get(row).filter(|value| **value <= 1);
                known_first(value(a), value(b), reverse, Ord::cmp)
            }
        }
    }

    /// The text of a row of [`Column::Texts`].
    #[must_use]
    pub fn text(&self, row: usize) -> Option<&str> {
        let Self::Texts { ends, text } = self else { return None };
        let start = row.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
        text.get(start..*ends.get(row)?).filter(|text| !text.is_empty())
    }
}

/// Columns of some fields, row by row of the same records.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    columns: BTreeMap<&'static str, Arc<Column>>,
    rows: usize,
}

impl Columns {
    /// Some columns of as many rows.
    #[must_use]
    pub fn new(rows: usize, columns: impl IntoIterator<Item = (&'static str, Arc<Column>)>) -> Self {
        Self { columns: columns.into_iter().collect(), rows }
    }

    /// Every column of records at hand.
    #[must_use]
    pub fn of<T>(fields: &'static [ListField<T>], records: &[T]) -> Self {
        let columns = fields.iter().map(|field| {
            let mut builder = Builder::new(field.kind);
            records.iter().for_each(|record| builder.push(&(field.read)(record)));
            (field.name, Arc::new(builder.column))
        });
        Self { columns: columns.collect(), rows: records.len() }
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The column of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.get(name).map(AsRef::as_ref)
    }

    /// The column of a field with its name, to be shared.
    #[must_use]
    pub fn shared(&self, name: &str) -> Option<(&'static str, Arc<Column>)> {
        self.columns.get_key_value(name).map(|(name, column)| (*name, Arc::clone(column)))
    }

    /// The value of a field in a row.
    #[must_use]
    pub fn item(&self, name: &str, row: usize) -> Item {
        self.get(name).map_or(Item::Unknown, |column| column.item(row))
    }

    /// The whole number of a field in a row.
    #[must_use]
    pub fn whole(&self, name: &str, row: usize) -> Option<i64> {
        match self.get(name)? {
            Column::Wholes(values) => values.get(row).copied().filter(|value| *value != i64::MIN),
            _ => None,
        }
    }

    /// The number that stands for the name of a field in a row.
    #[must_use]
    pub fn code(&self, field: &str, row: usize) -> Option<u32> {
        match self.get(field)? {
            Column::Names { codes, .. } => codes.get(row).copied().filter(|code| *code != UNKNOWN_NAME),
            _ => None,
        }
    }

    /// The name or text of a field in a row.
    #[must_use]
    pub fn text(&self, field: &str, row: usize) -> Option<&str> {
        match self.get(field)? {
            Column::Names { names, .. } => names.get(self.code(field, row)? as usize).map(AsRef::as_ref),
            column => column.text(row),
        }
    }

    /// These rows and then those of another set with the same columns.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let columns = self.columns.iter().map(|(name, column)| {
            let mut builder = Builder::from(column.as_ref().clone());
            (0..other.rows).for_each(|row| builder.push(&other.item(name, row)));
            (*name, Arc::new(builder.column))
        });
        Self { columns: columns.collect(), rows: self.rows + other.rows }
    }
}

/// A column that grows.
#[derive(Debug)]
pub struct Builder {
    column: Column,
    codes: HashMap<Arc<str>, u32>,
}

impl From<Column> for Builder {
    fn from(column: Column) -> Self {
        let codes = match &column {
            Column::Names { names, .. } => {
                (0..).zip(names).map(|(code, name)| (Arc::clone(name), code)).collect()
            }
            _ => HashMap::new(),
        };
        Self { column, codes }
    }
}

impl Builder {
    /// A column without rows.
    #[must_use]
    pub fn new(kind: ListKind) -> Self {
        Self { column: Column::empty(kind), codes: HashMap::new() }
    }

    /// The rows so far.
    #[must_use]
    pub fn column(&self) -> &Column {
        &self.column
    }

    /// The column.
    #[must_use]
    pub fn finish(self) -> Column {
        self.column
    }

    /// Adds a row; a value of another kind is not known.
    pub fn push(&mut self, item: &Item) {
        match (&mut self.column, item) {
            (Column::Names { codes, names }, Item::Text(text)) => {
                let code = match self.codes.get(text.as_str()) {
                    Some(code) => *code,
                    None => {
                        let code = u32::try_from(names.len()).unwrap_or(UNKNOWN_NAME);
                        let name: Arc<str> = text.as_str().into();
                        names.push(Arc::clone(&name));
                        self.codes.insert(name, code);
                        code
                    }
                };
                codes.push(code);
            }
            (Column::Names { codes, .. }, _) => codes.push(UNKNOWN_NAME),
            (Column::Texts { ends, text }, item) => {
                if let Item::Text(value) = item {
                    text.push_str(value);
                }
                ends.push(text.len());
            }
            (Column::Wholes(values), Item::Whole(value)) => values.push(*value),
            (Column::Wholes(values), _) => values.push(i64::MIN),
            (Column::Reals(values), Item::Real(value)) => values.push(*value),
            (Column::Reals(values), _) => values.push(f64::NAN),
            (Column::Flags(values), Item::Flag(value)) => values.push(u8::from(*value)),
            (Column::Flags(values), _) => values.push(u8::MAX),
        }
    }
}
