//! Arguments of `convwise kb`.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

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
    /// Every device that is known, with how much was measured there and published of it.
    Devices(JsonArgs),
    /// How much is known.
    Stats(JsonArgs),
    /// Look for damage.
    Check(JsonArgs),
    /// Put right what `check` finds: damaged lines are set aside, what is whole in them is kept.
    #[command(after_help = "\
The damaged lines are copied to kb/quarantine of the home before anything changes. A record of which a bit flipped is made
whole again where its checksum and digest prove it. The index is made again. Where nothing is wrong, nothing is done.")]
    Repair(JsonArgs),
    /// Make the index again from the journal.
    Rebuild(JsonArgs),
    /// Write the journal and the index again without repeated and damaged lines.
    Compact(JsonArgs),
    /// Copy the knowledge base to a file, checked after writing.
    #[command(after_help = "\
Examples:
  convwise kb backup                       # kb/backups of the home, named by date and version
  convwise kb backup /mnt/usb              # a folder: the same name there
  convwise kb backup before-the-update.jsonl
  convwise kb backup --list")]
    Backup {
        /// File or folder; kb/backups of the home without one.
        #[arg(value_name = "FILE|DIR", conflicts_with = "list", value_hint = ValueHint::AnyPath)]
        to: Option<PathBuf>,
        /// List the backups of the home.
        #[arg(long)]
        list: bool,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Put a backup in place of everything that is known, which is kept as a backup.
    Restore {
        /// A file that `kb backup` or `kb export` wrote. To add its records instead: `kb merge`.
        #[arg(value_hint = ValueHint::FilePath)]
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
    /// Write records to share them.
    #[command(after_help = "\
Examples:
  convwise kb export -o records.jsonl
  convwise kb export --since 2026-11-01 --kind measurement -o november.jsonl
  convwise kb export --format parquet -o measurements.parquet      # built with --features parquet")]
    Export {
        /// File, replaced when all is written; standard output without one.
        #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
        /// Only records that arrived here since: a date or RFC 3339. Where the arrival is not known, since they were taken.
        #[arg(long, value_name = "DATE", value_parser = moment)]
        since: Option<u64>,
        /// Only records of this kind.
        #[arg(long, value_parser = ["measurement", "result", "timing", "cost", "fact", "failure"])]
        kind: Option<String>,
        /// JSON Lines with everything, for `kb merge`; or one table of a kind (measurements without --kind).
        #[arg(long, default_value = "jsonl", value_parser = ["jsonl", "parquet"])]
        format: String,
    },
    /// Take over the records of other knowledge bases: any order, any number of times.
    #[command(after_help = "\
One line that cannot be accepted refuses them all. A record keeps the device that it was measured on.

Examples:
  convwise kb merge records.jsonl
  convwise kb merge backups/ /mnt/other/home      # every .jsonl file of a folder; another home")]
    Merge {
        /// Files that `kb export` or `kb backup` wrote, folders with such files, homes.
        #[arg(required = true, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        output: JsonArgs,
    },
}

/// A date (its first moment in UTC) or a time as RFC 3339, in seconds since 1970.
fn moment(text: &str) -> Result<u64, String> {
    let time = text.parse::<Timestamp>().or_else(|_| {
        let midnight = text.parse::<Date>().and_then(|date| date.to_zoned(TimeZone::UTC));
        midnight.map(|midnight| midnight.timestamp())
    });
    let seconds = time.ok().and_then(|time| u64::try_from(time.as_second()).ok());
    seconds.ok_or_else(|| "write a date such as 2026-11-01 or a time such as 2026-11-01T12:00:00Z".to_owned())
}
