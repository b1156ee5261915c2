//! What the user typed after `convwise rules`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::JsonArgs;

/// `rules list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// All lints instead: what `rules check` looks for, and how bad it is.
    #[arg(long)]
    pub(crate) lints: bool,
    /// Only rules whose id, documentation or source has all of these words.
    pub(crate) words: Vec<String>,
    /// Only rules of this kind.
    #[arg(long, value_parser = ["require", "prefer", "train", "optimise", "note", "rank"])]
    pub(crate) kind: Option<String>,
    /// Only rules of this layer, or of a pack of this name.
    #[arg(long, value_name = "LAYER|PACK")]
    pub(crate) layer: Option<String>,
    /// The packs instead of the rules: those in force, and the examples that can be ejected.
    #[arg(long)]
    pub(crate) packs: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// `rules digest`.
#[derive(Args, Debug)]
pub(crate) struct DigestArgs {
    /// The pack's folder.
    #[arg(default_value = "convwise/rules", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// Write it into the pack's pack.toml.
    #[arg(long)]
    pub(crate) write: bool,
}

/// `rules fields`.
#[derive(Args, Debug)]
pub(crate) struct FieldsArgs {
    /// Only fields, clauses and functions whose name or documentation has all of these words.
    pub(crate) words: Vec<String>,
    /// The definitions for editors, as `rules eject` writes them beside the rules.
    #[arg(long, conflicts_with_all = ["json", "words"])]
    pub(crate) definitions: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// `rules new`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise rules new require over-power-budget    a requirement; also prefer, train, optimise, note, rank
  convwise rules new over-power-budget            a preference
  convwise rules new --pack house                 a pack of its own, in a folder of its name")]
pub(crate) struct NewArgs {
    /// Kind of the rule (a preference without one), and the condition that it finds, which names it.
    #[arg(value_name = "[KIND] NAME", num_args = 1..=2, required_unless_present = "pack", conflicts_with = "pack")]
    pub(crate) words: Vec<String>,
    /// A pack of this name instead.
    #[arg(long, value_name = "NAME")]
    pub(crate) pack: Option<String>,
    /// Folder to put it in.
    #[arg(long, value_name = "DIR", default_value = "convwise/rules", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}

/// `rules eject`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise rules eject                            every shipped rule
  convwise rules eject deployment                 the rules of one file
  convwise rules eject small-network-for-cpu-server
  convwise rules eject house-policy               an example pack, which is in force from then on

Nothing is overwritten. Shipped rules that are not in your folder stay in force; `disable` in its pack.toml switches
one off.")]
pub(crate) struct EjectArgs {
    /// A file, a rule or an example pack; every shipped rule without one.
    pub(crate) what: Option<String>,
    /// Folder to put it in.
    #[arg(long, value_name = "DIR", default_value = "convwise/rules", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}

/// `rules diff`.
#[derive(Args, Debug)]
#[command(after_help = "Exit status 0 whether or not there are differences: a difference is no mistake.")]
pub(crate) struct DiffArgs {
    /// Only this rule.
    pub(crate) rule: Option<String>,
    /// Rules that are the same, too.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  convwise rules check
  convwise rules check --deny warnings --allow missing-source
  convwise rules check --rules house --json

`convwise rules list --lints` shows the lints, `convwise rules show LINT` the page of one. A comment
`// lint: allow(LINT) why` keeps a finding, on its line or above it. Exit status 3 if an error is found.")]
pub(crate) struct CheckArgs {
    /// Make an error of this lint, or of all `warnings` (repeatable).
    #[arg(long, value_name = "LINT")]
    pub(crate) deny: Vec<String>,
    /// Make a warning of this lint (repeatable).
    #[arg(long, value_name = "LINT")]
    pub(crate) warn: Vec<String>,
    /// Do not report this lint (repeatable).
    #[arg(long, value_name = "LINT")]
    pub(crate) allow: Vec<String>,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
