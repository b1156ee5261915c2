//! What the user typed, exactly. Turning it into what the program needs is [`crate::request`]'s work.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueHint};
use convwise_advisor::draft;
use convwise_types::{
    Bytes, Deploy, Domain, Effort, InputSize, LicenceDemand, MemoryModel, Millis, Params, PerSecond, Percent,
    Precision, Priority, Scenario, Task,
};

pub(crate) use rules::{CheckArgs, DiffArgs, DigestArgs, EjectArgs, FieldsArgs, ListArgs, NewArgs};

/// A closed set of words as a clap value: listed in the help, completed by shells.
macro_rules! word_parser {
    ($type:ty) => {{
        use clap::builder::TypedValueParser as _;
        PossibleValuesParser::new(<$type>::ALL.iter().map(|v| v.as_str())).try_map(|s| s.parse::<$type>())
    }};
}

// They read the words above.
pub(crate) mod asking;
pub(crate) mod intake;
pub(crate) mod kb;
mod rules;

/// Which CNN should I deploy here, and how do you know?
///
/// convwise filters and ranks architectures by your limits, builds the shortlisted networks, measures them on
/// this machine and says why it picked what it picked.
#[derive(Parser, Debug)]
#[command(name = "convwise", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "\
Examples:
  convwise advise --task classify --deploy cpu-server --latency 60ms --threads 1 --measure
  convwise explain resnet50 --task classify --deploy cpu-server --latency 20ms
  convwise bench mobilenet_v3_large resnet18 --threads 1
  convwise export efficientnet_b0 -o efficientnet_b0.onnx --classes 10
  convwise doctor

Exit codes: 0 done, 1 failed, 2 nothing fits the request, 3 invalid input.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args, Debug, Clone)]
pub(crate) struct Global {
    /// Folder for the knowledge base and installed runners.
    #[arg(long, global = true, env = "CONVWISE_HOME", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) home: Option<PathBuf>,
    /// Folder with rules that replace or extend the shipped ones, or the name of an example pack (repeatable, first wins).
    #[arg(long, global = true, value_name = "DIR|PACK", value_hint = ValueHint::DirPath)]
    pub(crate) rules: Vec<PathBuf>,
    /// Folder with `architectures/`, `runners/` and `kb/` that extend the shipped ones (repeatable, first wins).
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) plugins: Vec<PathBuf>,
    /// No progress and no remarks on standard error.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Pick a network for a deployment, with reasons.
    Advise(AdviseArgs),
    /// Why or why not one network, and what would change that.
    Explain(ExplainArgs),
    /// Put networks side by side.
    Compare(CompareArgs),
    /// Measure networks or ONNX files on this machine.
    Bench(BenchArgs),
    /// Write a network as an ONNX file.
    Export(ExportArgs),
    /// List, show, check, verify and write architectures.
    #[command(subcommand)]
    Arch(ArchCommand),
    /// List, show, check, test and write rules.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// List, show, check and install runners.
    #[command(subcommand)]
    Runner(RunnerCommand),
    /// Say what is found, what is missing, and the one command that mends it.
    Doctor(JsonArgs),
    /// Ask, extend and look after the knowledge base.
    #[command(subcommand)]
    Kb(kb::KbCommand),
    /// This machine and the devices that are known.
    Device(DeviceArgs),
    /// Write a completion script for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// The worker process that holds one runner.
    #[command(name = "__worker", hide = true)]
    Worker,
}

#[derive(Args, Debug, Default, Clone)]
pub(crate) struct JsonArgs {
    /// One JSON document on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A deployment and its limits. Every flag may also stand in a request file; flags win.
#[derive(Args, Debug, Default, Clone)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestArgs {
    /// What the network must do.
    #[arg(long, value_parser = word_parser!(Task))]
    pub(crate) task: Option<Task>,
    /// Where it will run.
    #[arg(long, value_parser = word_parser!(Deploy))]
    pub(crate) deploy: Option<Deploy>,
    /// Longest acceptable latency of one batch, e.g. 20ms.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) latency: Option<Millis>,
    /// Images a second that one stream must sustain, e.g. 100/s.
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) throughput: Option<PerSecond>,
    /// Lowest acceptable accuracy in percent (top-1 on ImageNet for classification).
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true)]
    pub(crate) min_accuracy: Option<Percent>,
    /// Largest acceptable weights, e.g. 20MB.
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub(crate) max_size: Option<Bytes>,
    /// Most parameters, e.g. 10M.
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true)]
    pub(crate) max_params: Option<Params>,
    /// What the target's runtime does with the memory of activations [default: in-place].
    #[arg(long, value_name = "MODEL", value_parser = word_parser!(MemoryModel))]
    pub(crate) memory_model: Option<MemoryModel>,
    /// Working memory of the target, e.g. 320kB.
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub(crate) ram: Option<Bytes>,
    /// Program memory of the target, e.g. 1MB.
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub(crate) flash: Option<Bytes>,
    /// The target device (see `convwise device list`).
    #[arg(long, value_name = "ID")]
    pub(crate) device: Option<String>,
    /// This machine is the target, although the deployment would not say so.
    #[arg(long)]
    pub(crate) here: bool,
    /// Images a batch [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(draft::BATCHES))]
    pub(crate) batch: Option<u64>,
    /// Threads a run may use [default: all processors of the target, 1 where nobody counted them].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(draft::THREADS))]
    pub(crate) threads: Option<u64>,
    /// Labelled images to train on.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(draft::IMAGES))]
    pub(crate) train_images: Option<u64>,
    /// Classes to tell apart.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(draft::CLASSES))]
    pub(crate) classes: Option<u64>,
    /// What the images show.
    #[arg(long, value_parser = word_parser!(Domain))]
    pub(crate) domain: Option<Domain>,
    /// The network must keep up with a live stream (30 images a second unless --latency or --throughput says more).
    #[arg(long)]
    pub(crate) real_time: bool,
    /// Engineering effort that can be spent.
    #[arg(long, value_parser = word_parser!(Effort))]
    pub(crate) effort: Option<Effort>,
    /// What matters most among what fits [default: balanced].
    #[arg(long, value_parser = word_parser!(Priority))]
    pub(crate) priority: Option<Priority>,
    /// Acceptable licences of code and weights [default: any].
    #[arg(long, alias = "license", value_parser = word_parser!(LicenceDemand))]
    pub(crate) licence: Option<LicenceDemand>,
    /// Most objects that must be found in one image.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(draft::OBJECTS))]
    pub(crate) objects: Option<u64>,
    /// Side in pixels of the smallest objects that matter, as the network's input shows them.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(draft::OBJECT_SIZES))]
    pub(crate) object_size: Option<u64>,
    /// The latency covers post-processing: decoded boxes, suppression of doubles, the best class of each pixel.
    #[arg(long)]
    pub(crate) postprocess: bool,
    /// Dataset on which accuracies are compared [default: the one that covers most of the networks that fit].
    #[arg(long, value_name = "ID")]
    pub(crate) dataset: Option<String>,
    /// Number format to consider (repeatable) [default: fp32, and int8 for mobile and edge].
    #[arg(long, value_parser = word_parser!(Precision))]
    pub(crate) precision: Vec<Precision>,
    /// Runner whose latency counts [default: rten].
    #[arg(long, value_name = "NAME")]
    pub(crate) runner: Option<String>,
    /// Request file in TOML: the flags' names without dashes in front, e.g. `latency = "20ms"`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise advise --task classify --deploy cpu-server --latency 60ms --threads 1 --measure
  convwise advise --task classify --deploy mobile --max-size 20MB --min-accuracy 70
  convwise advise --request deployment.toml --json
  convwise advise --task classify --deploy cpu-server --what-if latency=10ms..100ms
  convwise advise --task classify --deploy edge --flash 1MB --what-if ram=64kB..1MB:40
  convwise advise --task classify --deploy cpu-server --latency 60ms --sensitivity

--what-if moves latency, throughput, min-accuracy, max-size, max-params, ram, flash, batch, threads, train-images,
objects, object-size or classes, and says where the first pick changes, to three digits. --sensitivity says how far each input may move, the
one that the answer hangs on first. Neither measures anything.

Picks are measured only with --measure, and only when this machine is the target: for cpu-server, for
gpu-server when a runner finds a GPU, and otherwise with --here.")]
pub(crate) struct AdviseArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Measure on this machine what the answer depends on, N networks at the most.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "8", require_equals = true,
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) measure: Option<u64>,
    /// Time that measuring may take altogether.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub(crate) measure_time: Millis,
    /// Try networks again that the runner failed with before.
    #[arg(long, requires = "measure")]
    pub(crate) retry: bool,
    /// How many picks to print.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) top: u64,
    /// Where the first pick changes while a figure of the request moves: 20 points, or as many as N.
    #[arg(long, value_name = "FIELD=LOW..HIGH[:N]", conflicts_with_all = ["measure", "markdown", "sensitivity", "retry"])]
    pub(crate) what_if: Option<String>,
    /// Which inputs the first pick hangs on, and how far each may move.
    #[arg(long, conflicts_with_all = ["measure", "markdown", "retry"])]
    pub(crate) sensitivity: bool,
    /// The decision record as one JSON document.
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Markdown, for a design document or a ticket.
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise explain resnet101 --task classify --deploy cpu-server --latency 60ms --threads 1
  convwise explain resnet50 --request deployment.toml --all
  convwise explain mcunet_in4 --task classify --deploy edge --device stm32f746 --ram 320kB --flash 1MB --json

Every rule says whether it holds, what it read on which evidence, by how much, and what it adds to the score. What keeps
the network from the first place comes last, with the smallest changes to the request or to the network that would not;
each was tried before it is named.")]
pub(crate) struct ExplainArgs {
    /// The network, e.g. resnet50.
    pub(crate) architecture: String,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Every candidate of the network in full, and the rules that do not apply one by one.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  convwise compare resnet50 efficientnet_b0 convnext_tiny")]
pub(crate) struct CompareArgs {
    /// The networks.
    #[arg(required = true, num_args = 2..)]
    pub(crate) architectures: Vec<String>,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise bench resnet50 mobilenet_v3_large --threads 1
  convwise bench resnet50 --runner onnxruntime --threads 1 --profile
  convwise bench model.onnx --runner onnxruntime --quick --json")]
pub(crate) struct BenchArgs {
    /// Networks by name, ONNX files, or TorchScript files for libtorch.
    #[arg(required = true, value_name = "ARCH|FILE.onnx|FILE.pt")]
    pub(crate) subjects: Vec<String>,
    /// Runner (repeatable) [default: rten].
    #[arg(long, value_name = "NAME")]
    pub(crate) runner: Vec<String>,
    /// Images a batch.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(crate) batch: u64,
    /// Threads [default: all processors].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub(crate) threads: Option<u64>,
    /// Number format.
    #[arg(long, default_value = "fp32", value_parser = word_parser!(Precision))]
    pub(crate) precision: Precision,
    /// Rows of the input in pixels, or rows and columns (512x1024) [default: the network's own].
    #[arg(long, value_name = "ROWS|ROWSxCOLUMNS")]
    pub(crate) input_size: Option<InputSize>,
    /// Classes of the last layer [default: as published].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) classes: Option<u64>,
    /// Measure it with post-processing too (decoded boxes, doubles suppressed, the best class of each pixel), and say what that costs.
    #[arg(long)]
    pub(crate) postprocess: bool,
    /// How requests arrive.
    #[arg(long, default_value = "latency", value_parser = word_parser!(Scenario))]
    pub(crate) scenario: Scenario,
    /// One process instead of several: a screening.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Run what a runner failed with before, too.
    #[arg(long)]
    pub(crate) retry: bool,
    /// The most memory a worker may take [default: no limit].
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<Bytes>,
    /// Option for the runner (repeatable).
    #[arg(long = "option", value_name = "KEY=VALUE")]
    pub(crate) options: Vec<String>,
    /// Time one network may take altogether.
    #[arg(long, value_name = "TIME", default_value = "2m")]
    pub(crate) max_time: Millis,
    /// Afterwards, say which layers are slowest, by the engine's own profiler.
    #[arg(long)]
    pub(crate) profile: bool,
    /// Kernels of a profile to print.
    #[arg(long, default_value_t = 15, requires = "profile", value_name = "N")]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise export resnet50 -o resnet50.onnx
  convwise export resnet50 -o resnet50.onnx --weights resnet50.safetensors --batch dynamic
  convwise export convnext_tiny -o ten.onnx --weights timm-convnext_tiny.safetensors --classes 10

A file of weights may have the names of the reference or of another package that has the network (`convwise arch show`
names them, and says how to make the file). With another number of classes the last layer begins anew.")]
pub(crate) struct ExportArgs {
    /// The network.
    pub(crate) architecture: String,
    /// File to write.
    #[arg(long, short, value_name = "FILE.onnx", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// Weights: a safetensors file with the names of the reference or of timm, or seed:N for random ones.
    #[arg(long, default_value = "seed:0", value_name = "FILE.safetensors|seed:N")]
    pub(crate) weights: String,
    /// Classes of the last layer [default: as published].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) classes: Option<u64>,
    /// Rows of the input in pixels, or rows and columns (512x1024) [default: the network's own].
    #[arg(long, value_name = "ROWS|ROWSxCOLUMNS")]
    pub(crate) input_size: Option<InputSize>,
    /// Images a batch: a number, or `dynamic`.
    #[arg(long, default_value = "1", value_name = "N|dynamic")]
    pub(crate) batch: String,
    /// End in answers: decoded boxes with doubles suppressed, the best class of each pixel.
    #[arg(long)]
    pub(crate) postprocess: bool,
    /// Keep batch normalisation as nodes of its own.
    #[arg(long)]
    pub(crate) keep_batchnorm: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ArchCommand {
    /// All architectures, or some of them.
    List {
        /// Only those in whose name, family, task, tags or origin every one of these words stands.
        words: Vec<String>,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// One architecture with its costs and published results.
    Show {
        /// The network.
        id: String,
        /// Classes of the last layer.
        #[arg(long)]
        classes: Option<u64>,
        /// Rows of the input in pixels, or rows and columns (512x1024).
        #[arg(long, value_name = "ROWS|ROWSxCOLUMNS")]
        input_size: Option<InputSize>,
        /// With post-processing.
        #[arg(long)]
        postprocess: bool,
        /// Print the layer graph as text.
        #[arg(long, conflicts_with_all = ["json", "dot"])]
        graph: bool,
        /// Print the layer graph for Graphviz.
        #[arg(long, conflicts_with = "json")]
        dot: bool,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Look for mistakes in architecture plugins.
    Check(JsonArgs),
    /// Compare an architecture with a fixture of its reference implementation.
    Verify {
        /// The network.
        id: String,
        /// Fixture file.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        fixture: PathBuf,
        /// Weights of the reference as a safetensors file [default: filled by the fixture's rule].
        #[arg(long, value_name = "FILE.safetensors", value_hint = ValueHint::FilePath)]
        weights: Option<String>,
        /// Runner.
        #[arg(long, default_value = "rten")]
        runner: String,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Write the skeleton of a new family.
    New {
        /// Its name.
        name: String,
        /// Folder of plugins; the family goes below its `architectures/`.
        #[arg(long, value_name = "DIR", default_value = "convwise")]
        dir: PathBuf,
    },
    /// Write the shipped architectures out for editing.
    Eject {
        /// Folder of plugins; the families go below its `architectures/`.
        #[arg(long, value_name = "DIR", default_value = "convwise")]
        dir: PathBuf,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum RulesCommand {
    /// All rules, where they stand and what overrides what.
    List(ListArgs),
    /// One rule with its documentation, source and text, or the page of one lint.
    Show {
        /// The rule or lint.
        id: String,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Look for mistakes in the rules: in their text, in their cases, and in what they do to every architecture.
    Check(CheckArgs),
    /// Run the cases that stand beside the rules, and the scenarios: whole answers.
    #[command(after_help = "\
Examples:
  convwise rules test latency
  convwise rules test --coverage --min-coverage 90
  convwise rules test --rules my-rules --watch
  convwise rules test --rules my-rules --bless

Exit status 1 if a case fails, or the coverage is below what is asked.")]
    Test(TestArgs),
    /// What rules may read, declare and call: fields with type and unit, clauses, functions.
    Fields(FieldsArgs),
    /// The digest of a pack's rule files, which its pack.toml may state.
    Digest(DigestArgs),
    /// Write a rule with its case, or a pack, to start from.
    New(NewArgs),
    /// Write shipped rules out for editing: all, a file, a rule, or an example pack.
    Eject(EjectArgs),
    /// My rules against the shipped ones: what differs, and who changed what since they were ejected.
    Diff(DiffArgs),
}

#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// Only cases and scenarios whose name, rule or file contains this.
    pub(crate) filter: Option<String>,
    /// Say of each rule what no case tried: that it holds, fails, is unknown, applies or does not.
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Fail if less than this share of what the rules can say is tried, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(crate) min_coverage: Option<u64>,
    /// Run again whenever a file of the rules changes, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["bless", "json"])]
    pub(crate) watch: bool,
    /// Rewrite the expectations of failing cases in your own files to what the rules say now.
    #[arg(long, conflicts_with = "json")]
    pub(crate) bless: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Subcommand, Debug)]
pub(crate) enum RunnerCommand {
    /// All runners, usable or not.
    List(JsonArgs),
    /// One runner: version, options, devices.
    Show {
        /// The runner.
        name: String,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Examine a runner: numbered requirements, each tried in a worker process.
    #[command(after_help = "\
Examples:
  convwise runner check rten
  convwise runner check my-engine/runners/my-engine.toml
  convwise runner check target/release/libmy_engine.so --json

A requirement is met, broken, or not examined where it does not apply (a runner without a clock of its own, say). Exit
status 1 if one is broken.")]
    Check {
        /// A runner's name, a manifest, or a library.
        runner: String,
        /// Try this requirement only; may be given several times.
        #[arg(long, value_name = "NUMBER")]
        only: Vec<String>,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Write a runner of your own: a Rust package that runs ONNX models from the first build.
    #[command(after_help = "\
Examples:
  convwise runner new my-engine
  cargo build --release --manifest-path my-engine/Cargo.toml
  convwise runner check my-engine/runners/my-engine.toml
  convwise bench resnet18 --runner my-engine --plugins my-engine")]
    New {
        /// Its name.
        name: String,
        /// Folder in which a folder of this name is made.
        #[arg(long, default_value = ".", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Fetch a runner's native library with the package client of this machine.
    #[command(after_help = "\
Examples:
  convwise runner install onnxruntime           24 MB to download, 29 MB on disk
  convwise runner install libtorch              540 MB, 445 MB: runs without CUDA
  convwise runner install onnxruntime-gpu       1.20 GB, 1.65 GB: with the parts of CUDA 13 that it needs
  convwise runner install tensorrt              says how it is to be had

Files come through pip from the package index that it is set to (CONVWISE_PIP names another command), and are checked
against digests that are part of this program. Interrupted, the same command goes on from the packages that came whole.

A library of your own comes first: ORT_DYLIB_PATH, LIBTORCH and TENSORRT_HOME, then what is installed in the active Python
environment or that of `python3` if its version fits (CONVWISE_PYTHON names another, or none if empty).")]
    Install {
        /// The library.
        name: String,
        #[command(flatten)]
        output: JsonArgs,
    },
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DeviceArgs {
    #[command(subcommand)]
    pub(crate) command: Option<DeviceCommand>,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Subcommand, Debug)]
pub(crate) enum DeviceCommand {
    /// This machine, or a known device.
    Show {
        /// The device; this machine without one.
        id: Option<String>,
        #[command(flatten)]
        output: JsonArgs,
    },
    /// Every device that is described or was measured on.
    List(JsonArgs),
}
