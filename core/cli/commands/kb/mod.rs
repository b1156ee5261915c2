//! `convwise kb`: what is known, and looking after it.

mod add;
mod exchange;
mod import;
mod names;
mod query;
mod show;
mod taken;
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
        KbCommand::Stats(args) => upkeep::stats(context, args.json),
        KbCommand::Check(args) => upkeep::check(context, args.json),
        KbCommand::Export { output } => exchange::export(context, output.as_deref()),
        KbCommand::Merge { file, output } => exchange::merge(context, file, output.json),
        KbCommand::Import(command) => import::run(context, command),
        KbCommand::Add(command) => add::run(context, command),
    }
}

fn amount(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
