//! What the user typed after `convwise rules`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::JsonArgs;

/// `rules list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
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
