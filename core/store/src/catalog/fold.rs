//! Folding records into blocks.

use convwise_types::listing::Column;

use super::block::{pack, unpack};
use super::names::Names;
use super::table::{NUMBERS, key};
use super::{Batch, Directory, Kind, Meta, ROWS, opened, places, sealed};
use crate::index::{Change, Fault, Index};

/// What changes in an index, and in its meta entry, when a batch of records, none of which it knows, goes into blocks.
pub(crate) fn fold(index: &dyn Index, meta: &mut Meta, batch: &Batch) -> Result<Vec<Change>, Fault> {
    let mut changes = places::changes(index, meta.folded, &batch.entries)?;
    for kind in Kind::READABLE {
        fold_kind(index, meta, kind, batch, &mut changes)?;
    }
    let number = |at: u64| u32::try_from(meta.folded + at).map_err(|_| full());
    let numbered = (0..).zip(&batch.ids).map(|(at, id)| Ok((*id, number(at)?)));
    let fresh = numbered.collect::<Result<Vec<_>, Fault>>()?;
    meta.folded += batch.len() as u64;
    let (directory, lists) = Directory { bits: meta.bits }.grown(index, meta.folded, fresh)?;
    meta.bits = directory.bits;
    changes.extend(lists);
    Ok(changes)
}

fn full() -> Fault {
    Fault::Storage("the index numbers at most four billion records".to_owned())
}

fn fold_kind(
    index: &dyn Index,
    meta: &mut Meta,
    kind: Kind,
    batch: &Batch,
    changes: &mut Vec<Change>,
) -> Result<(), Fault> {
    let folded = meta.folded_rows(kind);
    let numbered = (meta.folded..).zip(&batch.entries).filter(|(_, entry)| entry.kind == kind);
    let numbers: Vec<i64> = numbered.filter_map(|(number, _)| i64::try_from(number).ok()).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    *meta.rows.entry(kind.word().to_owned()).or_default() += numbers.len() as u64;
    for (field, column) in batch.columns(kind).enumerate() {
        let codes = match column {
            Column::Names { names: words, .. } => {
                let mut names = Names::load(index, kind, field)?;
                let known = names.list.len();
                let codes = names.codes_of(words);
                changes.extend(names.changes(kind, field, known));
                codes
            }
            _ => Vec::new(),
        };
        append(index, (kind, field), folded, column, &codes, changes)?;
    }
    append(index, (kind, NUMBERS), folded, &Column::Wholes(numbers), &[], changes)
}

/// Adds the rows of a column behind the `folded` ones that stand in blocks.
fn append(
    index: &dyn Index,
    (kind, field): (Kind, usize),
    folded: usize,
    column: &Column,
    codes: &[u32],
    changes: &mut Vec<Change>,
) -> Result<(), Fault> {
    let (mut block, begun) = (folded / ROWS, folded % ROWS);
    let mut done = 0;
    if begun > 0 {
        let old = index.get(vec![key(kind, field, block)])?.pop().flatten();
        let old = old.ok_or_else(|| Fault::Damaged("a block of a column is missing".to_owned()))?;
        done = (ROWS - begun).min(column.len());
        let whole = joined(opened(&old)?, column, done, codes)?;
        changes.push((key(kind, field, block), Some(sealed(&whole))));
        block += 1;
    }
    while done < column.len() {
        let until = (done + ROWS).min(column.len());
        changes.push((key(kind, field, block), Some(sealed(&pack(column, done, until, codes)))));
        (done, block) = (until, block + 1);
    }
    Ok(())
}

/// A block with the first `count` rows of a column behind its own.
fn joined(old: &[u8], column: &Column, count: usize, codes: &[u32]) -> Result<Vec<u8>, Fault> {
    let mut rows = match column {
        Column::Names { .. } => Column::Names { codes: Vec::new(), names: Vec::new() },
        Column::Texts { .. } => Column::Texts { ends: Vec::new(), text: String::new() },
        Column::Wholes(_) => Column::Wholes(Vec::new()),
        Column::Reals(_) => Column::Reals(Vec::new()),
        Column::Flags(_) => Column::Flags(Vec::new()),
    };
    unpack(old, &mut rows)?;
    unpack(&pack(column, 0, count, codes), &mut rows)?;
    // The codes in `rows` are those of the index already.
    let most = match &rows {
        Column::Names { codes, .. } => codes.iter().filter(|c| **c != u32::MAX).max().map_or(0, |c| c + 1),
        _ => 0,
    };
    Ok(pack(&rows, 0, rows.len(), &(0..most).collect::<Vec<_>>()))
}
