//! Columns of the records of a kind, read from the index.

use std::sync::Arc;

use convwise_types::listing::{Builder, Column, Columns, FieldInfo, Item};

use super::block::unpack;
use super::names::Names;
use super::{Kind, Meta, ROWS, Tail, cut_short, opened};
use crate::index::{Fault, Index, Key, for_each};

/// The column that says which numbers the records of a kind have.
pub(super) const NUMBERS: usize = 254;

pub(super) fn prefix(kind: Kind, field: usize) -> Key {
    vec![b'k', kind.code(), u8::try_from(field).unwrap_or(u8::MAX)]
}

pub(super) fn key(kind: Kind, field: usize, block: usize) -> Key {
    [prefix(kind, field).as_slice(), &u32::try_from(block).unwrap_or(u32::MAX).to_be_bytes()].concat()
}

/// Some columns of all records of a kind, in the order of their arrival.
pub(crate) fn columns(
    index: &dyn Index,
    meta: &Meta,
    tail: &Tail,
    kind: Kind,
    names: &[&str],
) -> Result<Columns, Fault> {
    let all = kind.columns();
    let fields: Vec<usize> = names.iter().filter_map(|n| all.iter().position(|f| f.name == *n)).collect();
    let infos: Vec<&FieldInfo> = fields.iter().filter_map(|at| all.get(*at)).collect();
    let mut builders = Vec::with_capacity(fields.len());
    for (field, info) in fields.iter().zip(&infos) {
        builders.push(Builder::from(folded(index, meta, kind, *field, info)?));
    }
    tail.extend(kind, &fields, &mut builders)?;
    let rows = usize::try_from(meta.count(kind)).unwrap_or_default();
    let columns: Vec<_> =
        infos.iter().map(|f| f.name).zip(builders.into_iter().map(Builder::finish)).collect();
    if columns.iter().any(|(_, column)| column.len() != rows) {
        return Err(Fault::Damaged("a column does not have as many rows as there are records".to_owned()));
    }
    Ok(Columns::new(rows, columns.into_iter().map(|(name, column)| (name, Arc::new(column)))))
}

/// The rows of a column that stand in blocks.
fn folded(
    index: &dyn Index,
    meta: &Meta,
    kind: Kind,
    field: usize,
    info: &FieldInfo,
) -> Result<Column, Fault> {
    let mut column = Column::empty(info.kind);
    let rows = meta.folded_rows(kind);
    match &mut column {
        Column::Names { codes, names } => {
            *names = Names::list(index, kind, field)?;
            codes.reserve(rows);
        }
        Column::Wholes(values) => values.reserve(rows),
        Column::Reals(values) => values.reserve(rows),
        Column::Flags(values) => values.reserve(rows),
        Column::Texts { ends, .. } => ends.reserve(rows),
    }
    each_block(index, kind, field, |bytes| unpack(bytes, &mut column))?;
    Ok(column)
}

fn each_block(
    index: &dyn Index,
    kind: Kind,
    field: usize,
    mut read: impl FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut outcome = Ok(());
    for_each(index, &prefix(kind, field), |_, value| {
        if outcome.is_ok() {
            outcome = opened(value).and_then(&mut read);
        }
    })?;
    outcome
}

/// The numbers of all records of a kind, in the order of the rows of its columns.
pub(crate) fn ordinals(index: &dyn Index, meta: &Meta, tail: &Tail, kind: Kind) -> Result<Vec<u32>, Fault> {
    let mut column = Column::Wholes(Vec::with_capacity(meta.folded_rows(kind)));
    each_block(index, kind, NUMBERS, |bytes| unpack(bytes, &mut column))?;
    let Column::Wholes(numbers) = column else { return Err(cut_short()) };
    let folded = numbers.iter().map(|n| u32::try_from(*n).map_err(|_| cut_short()));
    let newest = tail.numbers(kind, meta.folded).map(Ok);
    folded.chain(newest).collect()
}

/// The numbers of the records behind some rows; only the blocks that these stand in are read.
pub(crate) fn ordinals_at(
    index: &dyn Index,
    meta: &Meta,
    tail: &Tail,
    kind: Kind,
    rows: &[usize],
) -> Result<Vec<Option<u32>>, Fault> {
    let folded = meta.folded_rows(kind);
    let mut blocks: Vec<usize> = rows.iter().filter(|row| **row < folded).map(|row| row / ROWS).collect();
    blocks.sort_unstable();
    blocks.dedup();
    let values = index.get(blocks.iter().map(|block| key(kind, NUMBERS, *block)).collect())?;
    let mut columns = Vec::with_capacity(blocks.len());
    for value in values {
        let mut column = Column::Wholes(Vec::with_capacity(ROWS));
        unpack(opened(&value.ok_or_else(cut_short)?)?, &mut column)?;
        columns.push(column);
    }
    let newest: Vec<u32> = tail.numbers(kind, meta.folded).collect();
    let number = |row: &usize| match row.checked_sub(folded) {
        Some(at) => newest.get(at).copied(),
        None => match columns.get(blocks.binary_search(&(row / ROWS)).ok()?)?.item(row % ROWS) {
            Item::Whole(number) => u32::try_from(number).ok(),
            _ => None,
        },
    };
    Ok(rows.iter().map(number).collect())
}
