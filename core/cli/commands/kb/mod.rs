//! `convwise kb`: what is known, and looking after it.

mod devices;
mod exchange;
mod query;
mod show;
mod upkeep;

use crate::args::kb::KbCommand;
use crate::context::Context;
use crate::error::CliError;
use crate::render::rows::Rows;

pub(crate) fn run(context: &Context, command: &KbCommand) -> Result<(), CliError> {
    match command {
        KbCommand::Query { expression, from, columns, sort, limit, output } => {
            let rows = Rows { columns: columns.clone(), sort: sort.clone(), limit: *limit };
            query::ask(context, expression, from, &rows, output.json)
        }
        KbCommand::Show { id, output } => show::show(context, id, output.json),
        KbCommand::Devices(args) => devices::list(context, args.json),
        KbCommand::Stats(args) => upkeep::stats(context, args.json),
        KbCommand::Check(args) => upkeep::check(context, args.json),
        KbCommand::Export { output } => exchange::export(context, output.as_deref()),
        KbCommand::Merge { file, output } => exchange::merge(context, file, output.json),
    }
}

fn amount(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
