//! What the user typed after `convwise kb query`, `fields`, `pareto`, `show` and `diff`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum, ValueHint};
use convwise_advisor::draft;
use convwise_advisor::front::Aim;
use convwise_types::Precision;

use super::JsonArgs;

/// What can be looked through.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Architectures,
    Measurements,
    Results,
    Timings,
    Costs,
    Facts,
    Failures,
}

/// How rows are written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Jsonl,
    Csv,
    Markdown,
}

/// What an architecture's latency holds for; of records, those that were made so.
#[derive(Args, Debug, Default, Clone)]
#[command(next_help_heading = "Setting")]
pub(crate) struct SettingArgs {
    /// Device [default: this machine; for records all].
    #[arg(long, value_name = "ID")]
    pub(crate) device: Option<String>,
    /// Runner [default: rten; for records all].
    #[arg(long, value_name = "NAME")]
    pub(crate) runner: Option<String>,
    /// Threads [default: all processors of the device; for records any].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(draft::THREADS))]
    pub(crate) threads: Option<u64>,
    /// Images a batch [default: 1; for records any].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(draft::BATCHES))]
    pub(crate) batch: Option<u64>,
    /// Number format [default: fp32; for records any].
    #[arg(long, value_parser = word_parser!(Precision))]
    pub(crate) precision: Option<Precision>,
    /// Dataset of the accuracies [default: the usual one of each task; for records all].
    #[arg(long, value_name = "ID")]
    pub(crate) dataset: Option<String>,
}

/// `kb query`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise kb query 'task == \"classify\" && top1 >= 80 && params < 30e6' --sort latency_ms --limit 10
  convwise kb query 'latency_ms < 20' --columns id,top1,latency_ms --sort -top1 --threads 1
  convwise kb query --from measurements 'median_ms < 20 && runner == \"rten\"' --json
  convwise kb query --from results 'metric == \"top1\" && value > 85' --format csv

A row of architectures is a network with weights at an input size, as it would run in the setting; its latency brings the
interval and the grade of its evidence along. `a.b` and `a_b` name the same field: `convwise kb fields` lists them. What
is unknown is `null` in JSON and an empty cell in CSV, and never fulfils an expression.")]
pub(crate) struct QueryArgs {
    /// The expression; every row without one.
    #[arg(default_value = "true")]
    pub(crate) expression: String,
    /// What to look through.
    #[arg(long, default_value = "architectures")]
    pub(crate) from: Table,
    /// Columns to print, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Field to sort by; a leading `-` reverses.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
    /// Rows at the most.
    #[arg(long)]
    pub(crate) limit: Option<usize>,
    /// How rows are written.
    #[arg(long, default_value = "table")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) setting: SettingArgs,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

/// `kb fields`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise kb fields --from timings
  convwise kb fields latency
  convwise kb fields --json")]
pub(crate) struct FieldsArgs {
    /// Only fields whose name or meaning has all of these words.
    pub(crate) words: Vec<String>,
    /// What they are asked of [default: everything].
    #[arg(long)]
    pub(crate) from: Option<Table>,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// `kb pareto`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise kb pareto --x latency_ms --y top1 --threads 1
  convwise kb pareto --x params --y top1 --where 'licence == \"MIT\"' --svg front.svg
  convwise kb pareto --x median_ms --y peak_rss_bytes --from measurements --device ID --runner rten --threads 1 --batch 1
  convwise kb pareto --x latency_ms --y accuracy_value --where 'task == \"detect\"' --device jetson-nano

The front are the rows that no other beats in both figures. Figures on different datasets and metrics, devices, runners,
batches, threads or number formats never share a front. Rows that cannot be told apart (overlapping intervals of the
latency, accuracies within the sampling error of the dataset) are said to tie.")]
pub(crate) struct ParetoArgs {
    /// The figure on the horizontal axis.
    #[arg(long, value_name = "FIELD")]
    pub(crate) x: String,
    /// The figure on the vertical axis.
    #[arg(long, value_name = "FIELD")]
    pub(crate) y: String,
    /// Only rows that fulfil this expression.
    #[arg(long = "where", value_name = "EXPR", default_value = "true")]
    pub(crate) expression: String,
    /// What to look through.
    #[arg(long, default_value = "architectures")]
    pub(crate) from: Table,
    /// Which way x improves [default: as the field states].
    #[arg(long, value_name = "lower|higher", value_parser = aim)]
    pub(crate) x_better: Option<Aim>,
    /// Which way y improves [default: as the field states].
    #[arg(long, value_name = "lower|higher", value_parser = aim)]
    pub(crate) y_better: Option<Aim>,
    /// Write the chart as an SVG file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) setting: SettingArgs,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

fn aim(text: &str) -> Result<Aim, String> {
    [Aim::Lower, Aim::Higher]
        .into_iter()
        .find(|aim| aim.as_str() == text)
        .ok_or_else(|| "write `lower` or `higher`".to_owned())
}

/// `kb show`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise kb show resnet50
  convwise kb show 9e9c767e
  convwise kb show 9e9c767e --json")]
pub(crate) struct ShowArgs {
    /// Record id (a unique beginning suffices) or architecture.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// `kb diff`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise kb diff 7d                          what the last seven days brought
  convwise kb diff 2026-11-01 2026-12-01       between two moments
  convwise kb diff target.jsonl                what this knowledge base has beyond an export or a backup
  convwise kb diff old-home new-home --json

A moment is a date, a time as in RFC 3339, or 30m, 12h, 7d, 4w ago; it looks at when records arrived in this knowledge base.")]
pub(crate) struct DiffArgs {
    /// A home folder, an export or a backup, or a moment of this knowledge base.
    pub(crate) first: String,
    /// The same; this knowledge base as it is now without it.
    #[arg(default_value = "now")]
    pub(crate) second: String,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
