//! Arguments of `convwise kb`.

use std::path::PathBuf;

use clap::Subcommand;

use super::JsonArgs;
use super::asking::{DiffArgs, FieldsArgs, ParetoArgs, QueryArgs, ShowArgs};
use super::intake::{AddCommand, ImportCommand};

#[derive(Subcommand, Debug)]
pub(crate) enum KbCommand {
    /// Rows that fulfil an expression, in the rules' own language.
    Query(QueryArgs),
    /// Every field that can be asked for: type, unit, meaning, and why it may be unknown.
    Fields(FieldsArgs),
    /// The rows that no other beats in two figures, as a table and as a chart.
    Pareto(ParetoArgs),
    /// One record or architecture with where it comes from.
    Show(ShowArgs),
    /// What differs between two knowledge bases, or between two moments of this one.
    Diff(DiffArgs),
    /// How much is known.
    Stats(JsonArgs),
    /// Look for damage.
    Check(JsonArgs),
    /// Write all records as JSON Lines.
    Export {
        /// File; standard output without one.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take over the records of another knowledge base.
    Merge {
        /// A file that `kb export` wrote.
        file: PathBuf,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Take over tables that others published.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Add one figure with its source.
    #[command(subcommand)]
    Add(AddCommand),
}
