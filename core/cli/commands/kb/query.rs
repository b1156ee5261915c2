//! `convwise kb query`: rows that fulfil an expression.

use super::rows::rows_of;
use crate::args::asking::{Format, QueryArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::render::rows::{Wanted, written};
use crate::tables::Fields;

pub(super) fn run(context: &Context, args: &QueryArgs) -> Result<(), CliError> {
    let fields = Fields::of(args.from);
    let wanted =
        Wanted::new(&fields, &args.columns, args.sort.as_deref(), args.limit).map_err(CliError::invalid)?;
    let found = rows_of(context, args.from, &args.expression, &args.setting, wanted.first())?;
    let matched = found.matched;
    let rows = wanted.arranged(found.rows);
    if found.unknown > 0 {
        let left = count_of(found.unknown, "row");
        context.screen.remark(format!("{left} left out: a field that the expression needs is unknown"));
    }
    if rows.len() < matched {
        context.screen.remark(format!("{} of {matched} rows, as --limit says", rows.len()));
    }
    if let Some(setting) = found.setting.filter(|_| wanted.shows_latency()) {
        context.screen.remark(format!("latency on {setting}"));
    }
    let format = if args.json { Format::Json } else { args.format };
    context.screen.result(&written(&rows, &wanted, format))
}
