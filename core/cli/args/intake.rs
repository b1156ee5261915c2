//! Arguments of `convwise kb import` and `convwise kb add`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueHint};
use convwise_import::SNIPPET;
use convwise_types::{InputSize, Millis, Params, PerSecond, Percent, Precision, Task, Workload};

use super::JsonArgs;

/// Files and what becomes of them.
#[derive(Args, Debug)]
pub(crate) struct ImportFiles {
    /// Files; all of them are one transaction.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// Where the figures are published, e.g. a URL; records name it with the line [default: the file's name].
    #[arg(long, value_name = "URL")]
    pub(crate) source: Option<String>,
    /// Read and check everything, and store nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Subcommand, Debug)]
#[command(after_help = "\
Every row becomes records with their source, file and line. A row that is wrong is named with line
and column, and then nothing is imported at all. Importing a file again adds nothing.")]
pub(crate) enum ImportCommand {
    /// Tables of timm's `results` folder: accuracies of weights, timings of networks.
    #[command(after_help = "\
Examples:
  convwise kb import timm results-*.csv benchmark-*.csv
  convwise kb import timm mine.csv --device rtx3090 --runtime 'pytorch 2.4.0' --precision amp

The name of a table of timings says number format, layout, PyTorch (pt240 is 2.4.0, pt112 is 1.12),
CUDA and device; that of a table of accuracies says the dataset. A flag comes before the name, for
all files. The tables are those of
https://github.com/huggingface/pytorch-image-models/tree/main/results")]
    Timm {
        #[command(flatten)]
        files: ImportFiles,
        /// Dataset of the accuracies, e.g. imagenet-1k/val.
        #[arg(long, value_name = "ID")]
        dataset: Option<String>,
        /// Device of the timings.
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
        /// Number format, e.g. amp, fp32.
        #[arg(long, value_name = "FORMAT")]
        precision: Option<String>,
        /// Order of the axes of tensors in memory: nchw or nhwc.
        #[arg(long)]
        layout: Option<String>,
        /// Engine with its version, e.g. 'pytorch 2.4.0'.
        #[arg(long, value_name = "NAME")]
        runtime: Option<String>,
        /// What else is known of the set-up, e.g. 'cuda 12.4, dynamo'.
        #[arg(long, value_name = "TEXT")]
        options: Option<String>,
    },
    /// torchvision's published weights: its table as CSV, or its `meta` as JSON.
    #[command(after_help = format!("\
Examples:
  convwise kb import torchvision torchvision.json
  convwise kb import torchvision table.csv --input-size 224

The table has the columns Weight, Acc@1, Acc@5, Params, GFLOPS, and crop_size unless --input-size
says it. This Python writes the JSON, which says more and exactly:

{SNIPPET}"))]
    Torchvision {
        #[command(flatten)]
        files: ImportFiles,
        /// Side of the images of all rows, for a table without a column crop_size.
        #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=8192))]
        input_size: Option<u64>,
    },
    /// Anybody's table, with a mapping that says which column is what.
    #[command(after_help = "\
Examples:
  convwise kb import csv --example > mapping.toml
  convwise kb import csv ours.csv --mapping mapping.toml --dry-run

A mapping is TOML: [[record]] for each record that a row gives, and in it each field as a constant
or as { column = \"Name\", unit = \"ms\" }. Units: percent, fraction; ms, s, us, ns; fps, /s, /min;
1, k, M, G, T. Separators, decimal commas and marks of thousands are stated too. A row whose figure
is blank gives no record.")]
    Csv {
        /// Files; all of them are one transaction.
        #[arg(required_unless_present = "example", value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
        /// The mapping.
        #[arg(long, value_name = "FILE.toml", required_unless_present = "example", value_hint = ValueHint::FilePath)]
        mapping: Option<PathBuf>,
        /// Print a commented mapping to begin with.
        #[arg(long)]
        example: bool,
        /// Where the figures are published, e.g. a URL; records name it with the line [default: the file's name].
        #[arg(long, value_name = "URL")]
        source: Option<String>,
        /// Read and check everything, and store nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// One JSON object a line, as a program of your own writes it.
    #[command(after_help = r#"Examples:
  convwise kb import jsonl figures.jsonl

Each line has the members of a record's body (`convwise kb show ID` prints them); `source` may be
left out:
  {"kind": "timing", "architecture": "resnet50", "workload": "inference", "batch": 1,
   "device": "nvidia-rtx-3090", "runtime": "onnxruntime 1.20", "precision": "fp16",
   "input": [3, 224, 224], "latency": 1.9}
  {"kind": "result", "architecture": "resnet50", "result": {"dataset": "imagenet-1k/val",
   "metric": "top1", "value": 80.1, "input_size": 224, "precision": "fp32"}}
  {"kind": "cost", "architecture": "resnet50", "task": "classify", "cost": {"params": 25557032}}
  {"kind": "fact", "about": "device:stm32f746", "name": "ram", "value": 320000, "unit": "bytes"}

(shown on several lines, written on one). A file of `convwise kb export` is for `convwise kb merge`."#)]
    Jsonl {
        #[command(flatten)]
        files: ImportFiles,
    },
}

/// Where one figure comes from, and how the answer is printed.
#[derive(Args, Debug)]
pub(crate) struct Added {
    /// Where it is stated: a URL or a citation.
    #[arg(long, value_name = "URL")]
    pub(crate) source: String,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// Whose figure it is.
#[derive(Args, Debug)]
pub(crate) struct Whose {
    /// The network.
    pub(crate) architecture: String,
    /// Package whose names are used, e.g. timm [default: convwise's own names].
    #[arg(long, value_name = "NAME")]
    pub(crate) package: Option<String>,
}

#[derive(Subcommand, Debug)]
#[command(after_help = "\
Examples:
  convwise kb add result resnet50 --metric top1 --dataset imagenet-1k/val --value 80.1 \\
      --input-size 224 --source URL
  convwise kb add timing resnet50 --device nvidia-rtx-3090 --runtime 'tensorrt 10.3' \\
      --precision fp16 --input-size 224 --latency 0.9ms --source URL
  convwise kb add cost resnet50 --task classify --params 25.6M --macs 4.09G --input-size 224 \\
      --source URL
  convwise kb add fact device:stm32f746 ram 320kB --source URL")]
pub(crate) enum AddCommand {
    /// An accuracy.
    Result {
        #[command(flatten)]
        whose: Whose,
        /// The weights that were evaluated.
        #[arg(long, value_name = "TAG")]
        weights: Option<String>,
        /// Metric of the dataset, e.g. top1.
        #[arg(long, value_name = "NAME")]
        metric: String,
        /// Dataset and split, e.g. imagenet-1k/val.
        #[arg(long, value_name = "ID")]
        dataset: String,
        /// The accuracy in percent.
        #[arg(long, value_name = "PERCENT", allow_hyphen_values = true)]
        value: Percent,
        /// Rows of the evaluated image in pixels, or rows and columns.
        #[arg(long, value_name = "ROWS|ROWSxCOLUMNS")]
        input_size: InputSize,
        /// Number format that was evaluated.
        #[arg(long, default_value = "fp32", value_parser = word_parser!(Precision))]
        precision: Precision,
        /// Anything worth knowing about it.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        added: Added,
    },
    /// A timing.
    Timing {
        #[command(flatten)]
        whose: Whose,
        /// Its weights.
        #[arg(long, value_name = "TAG")]
        weights: Option<String>,
        /// What was timed.
        #[arg(long, default_value = "inference", value_parser = word_parser!(Workload))]
        workload: Workload,
        /// Id of a known device (`convwise device list`), or any name.
        #[arg(long, value_name = "NAME")]
        device: String,
        /// Engine with its version, e.g. 'tensorrt 10.3'.
        #[arg(long, value_name = "NAME")]
        runtime: String,
        /// What else is known of the set-up.
        #[arg(long, value_name = "TEXT")]
        options: Option<String>,
        /// Number format, e.g. fp16, amp.
        #[arg(long, value_name = "FORMAT")]
        precision: String,
        /// Order of the axes of tensors in memory: nchw or nhwc.
        #[arg(long)]
        layout: Option<String>,
        /// Threads.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        threads: Option<u64>,
        /// Images a batch.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
        batch: u64,
        /// Rows of the input in pixels, or rows and columns.
        #[arg(long, value_name = "ROWS|ROWSxCOLUMNS")]
        input_size: InputSize,
        /// Time of one batch, e.g. 12ms.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, required_unless_present = "throughput")]
        latency: Option<Millis>,
        /// Images a second, e.g. 80/s.
        #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
        throughput: Option<PerSecond>,
        #[command(flatten)]
        added: Added,
    },
    /// Parameters and multiply-accumulates.
    Cost {
        #[command(flatten)]
        whose: Whose,
        /// What it does.
        #[arg(long, value_parser = word_parser!(Task))]
        task: Task,
        /// Parameters, e.g. 25.6M.
        #[arg(long, value_name = "COUNT", allow_hyphen_values = true, required_unless_present = "macs")]
        params: Option<Params>,
        /// Multiply-accumulates of one image, e.g. 4.09G.
        #[arg(long, value_name = "COUNT", allow_hyphen_values = true, requires = "input_size")]
        macs: Option<Params>,
        /// Rows of the input that the work holds for, or rows and columns.
        #[arg(long, value_name = "ROWS|ROWSxCOLUMNS")]
        input_size: Option<InputSize>,
        /// What is and is not counted.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        added: Added,
    },
    /// One fact about an architecture or a device.
    Fact {
        /// What it is about: architecture:NAME or device:ID.
        about: String,
        /// Name of the fact.
        name: String,
        /// Its value: a number, a size such as 320kB, true, false, or text.
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// Unit of a number.
        #[arg(long, value_name = "TEXT")]
        unit: Option<String>,
        #[command(flatten)]
        added: Added,
    },
}
