//! `convwise kb`: what is known, and looking after it.

mod add;
mod backup;
mod diff;
mod exchange;
mod fields;
mod import;
mod listing;
mod names;
mod network;
mod pareto;
#[cfg(feature = "parquet")]
mod parquet;
mod points;
mod query;
mod related;
mod rows;
mod show;
mod side;
mod taken;
mod upkeep;

use convwise_store::{ExportFilter, StoreError};

use crate::args::kb::KbCommand;
use crate::commands::device;
use crate::context::Context;
use crate::error::CliError;

pub(crate) fn run(context: &Context, command: &KbCommand) -> Result<(), CliError> {
    match command {
        KbCommand::Query(args) => query::run(context, args),
        KbCommand::Fields(args) => fields::run(context, args),
        KbCommand::Pareto(args) => pareto::run(context, args),
        KbCommand::Show(args) => show::run(context, args),
        KbCommand::Diff(args) => diff::run(context, args),
        KbCommand::Devices(args) => device::list(context, args.json),
        KbCommand::Stats(args) => upkeep::stats(context, args.json),
        KbCommand::Check(args) => upkeep::check(context, args.json),
        KbCommand::Import(command) => import::run(context, command),
        KbCommand::Add(command) => add::run(context, command),
        KbCommand::Repair(args) => upkeep::repair(context, args.json),
        KbCommand::Rebuild(args) => upkeep::rebuild(context, args.json),
        KbCommand::Compact(args) => upkeep::compact(context, args.json),
        KbCommand::Backup { list: true, output, .. } => backup::list(context, output.json),
        KbCommand::Backup { to, output, .. } => backup::back_up(context, to.as_deref(), output.json),
        KbCommand::Restore { file, output } => backup::restore(context, file, output.json),
        KbCommand::Export { output, since, kind, format } => {
            let filter = ExportFilter { since: *since, kind: kind.clone() };
            exchange::export(context, filter, format, output.as_deref())
        }
        KbCommand::Merge { paths, output } => exchange::merge(context, paths, output.json),
    }
}

fn amount(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// What is wrong with a file that was named is invalid input; the rest is a failure.
fn classified(error: StoreError) -> CliError {
    let of_input = match &error {
        StoreError::Io { doing, .. } => *doing == "read",
        StoreError::Refused { .. }
        | StoreError::NotRestored { .. }
        | StoreError::NothingToRestore { .. }
        | StoreError::NothingToMerge { .. }
        | StoreError::MergedIntoItself { .. }
        | StoreError::NewerFormat { .. } => true,
        _ => false,
    };
    if of_input { CliError::invalid(error) } else { CliError::failed(error) }
}
