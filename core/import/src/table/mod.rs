//! Anybody's table, read as a mapping says: which column is what, in which unit, and what no column says.

mod example;
mod fields;
mod mapping;
mod record;

pub use example::EXAMPLE;
pub use mapping::Mapping;

use crate::desk::{Desk, Problem};
use crate::input::Input;
use crate::rows::{Rows, for_each};
use record::Bound;

pub(crate) fn read(mapping: &Mapping, input: Input, desk: &mut Desk<'_, '_>) -> Result<(), Problem> {
    let mut rows = Rows::open(input, mapping.separator)?;
    let names = mapping.columns();
    let missing: Vec<_> = names.into_iter().filter(|name| rows.column(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(rows.lacks(&missing, "the mapping"));
    }
    let bound: Vec<_> = mapping.records.iter().map(|record| Bound::of(record, &rows)).collect();
    for_each(&mut rows, desk, |row, desk| {
        for record in &bound {
            match record.read(row, mapping.style, || desk.source_at(row.line)) {
                Ok(Some((entry, place))) => desk.hand(entry, place),
                Ok(None) => desk.report.blank += 1,
                Err(problem) => desk.problem(problem),
            }
        }
    })
}
