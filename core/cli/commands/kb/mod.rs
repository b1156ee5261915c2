//! `convwise kb`: what is known, and looking after it.

mod add;
mod diff;
mod exchange;
mod fields;
mod import;
mod listing;
mod names;
mod network;
mod pareto;
mod points;
mod query;
mod related;
mod rows;
mod show;
mod side;
mod taken;
mod upkeep;

use crate::args::kb::KbCommand;
use crate::context::Context;
use crate::error::CliError;

pub(crate) fn run(context: &Context, command: &KbCommand) -> Result<(), CliError> {
    match command {
        KbCommand::Query(args) => query::run(context, args),
        KbCommand::Fields(args) => fields::run(context, args),
        KbCommand::Pareto(args) => pareto::run(context, args),
        KbCommand::Show(args) => show::run(context, args),
        KbCommand::Diff(args) => diff::run(context, args),
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
