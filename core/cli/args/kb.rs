//! Arguments of `convwise kb`.

use std::path::PathBuf;

use clap::Subcommand;

use super::JsonArgs;

#[derive(Subcommand, Debug)]
pub(crate) enum KbCommand {
    /// Rows that fulfil an expression, in the rules' own language.
    #[command(after_help = "\
Examples:
  convwise kb query 'task == \"classify\" && top1 >= 80 && params < 30e6'
  convwise kb query --from measurements 'median_ms < 20 && runner == \"rten\"' --json")]
    Query {
        /// The expression; every row without one.
        #[arg(default_value = "true")]
        expression: String,
        /// What to look through.
        #[arg(long, default_value = "architectures", value_parser = ["architectures", "measurements"])]
        from: String,
        /// Columns to print, separated by commas.
        #[arg(long, value_delimiter = ',')]
        columns: Vec<String>,
        /// Field to sort by; a leading `-` reverses.
        #[arg(long, allow_hyphen_values = true)]
        sort: Option<String>,
        /// Rows at the most.
        #[arg(long)]
        limit: Option<usize>,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// One record or architecture with where it comes from.
    Show {
        /// Record id (a unique beginning suffices) or architecture.
        id: String,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Every device that is known, with how much was measured there and published of it.
    Devices(JsonArgs),
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
}
