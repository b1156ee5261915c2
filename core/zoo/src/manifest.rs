//! `family.toml`: its form, and what is checked about it beyond the form.

use std::collections::{BTreeMap, BTreeSet};

use convwise_types::{
    Coverage, Diagnostic, Fit, InputShape, LicenceTerms, Maturity, Paper, Percent, Precision, Preprocessing,
    PublishedLatency, PublishedResult, Reach, Span, StatedCost, Task, TrainingData, Weights, WeightsTag,
    did_you_mean,
};
use serde::Deserialize;
use toml::{Spanned, Table};

use crate::latency::LatencyEntry;
use crate::naming::{NameRule, Naming};
use crate::problem::Problem;

/// The `schema` that this program reads.
pub(crate) const SCHEMA: u32 = 1;

/// A family as its file states it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a family")]
pub(crate) struct Manifest {
    schema: Spanned<u32>,
    pub family: String,
    pub task: Task,
    pub paper: Option<Paper>,
    /// Implementation whose tensor names and figures the family follows.
    pub reference: Option<String>,
    pub code_licence: Option<LicenceTerms>,
    pub weights_licence: Option<LicenceTerms>,
    /// What weights that say nothing else were trained on.
    #[serde(default)]
    trained_on: Vec<String>,
    pub maturity: Option<Maturity>,
    /// Why that maturity.
    pub maturity_reason: Option<String>,
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// What the design of its variants lets them find.
    reach: Option<Reach>,
    /// How packages name the tensors of all variants.
    #[serde(default)]
    names: BTreeMap<String, NamesEntry>,
    /// Beginnings of names of tensors that only training uses.
    #[serde(default)]
    pub training_only: Vec<String>,
    #[serde(default)]
    defaults: Defaults,
    pub variants: BTreeMap<String, VariantEntry>,
}

/// What variants share unless they say otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of defaults")]
struct Defaults {
    input: Option<[u64; 3]>,
    #[serde(default)]
    args: Table,
    #[serde(default)]
    preprocessing: PreprocessingEntry,
}

/// How one package names the tensors of a family.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a naming")]
struct NamesEntry {
    rules: Vec<NameRule>,
}

/// The same network in another package.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a network elsewhere")]
struct ElsewhereEntry {
    /// What it is called there.
    model: String,
    /// Arguments with which the variant is that network.
    #[serde(default)]
    args: Table,
    /// Rules before the family's.
    #[serde(default)]
    rules: Vec<NameRule>,
}

/// Preparation of images; what is absent comes from the family's defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a preprocessing")]
struct PreprocessingEntry {
    fit: Option<Fit>,
    resize: Option<u64>,
    crop: Option<u64>,
    longest: Option<u64>,
    interpolation: Option<String>,
    mean: Option<Vec<f64>>,
    std: Option<Vec<f64>>,
}

/// A variant as its file states it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a variant")]
pub(crate) struct VariantEntry {
    pub title: String,
    /// Replaces the family's paper.
    pub paper: Option<Paper>,
    input: Option<Spanned<[u64; 3]>>,
    #[serde(default)]
    args: Table,
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// Replaces the family's.
    reach: Option<Reach>,
    /// Latencies that somebody published.
    #[serde(default)]
    latencies: Vec<LatencyEntry>,
    /// Figures of the reference implementation; all there is where the family has no graph script.
    pub stated: Option<StatedCost>,
    #[serde(default)]
    weights: Vec<WeightsEntry>,
    /// The same network in other packages.
    #[serde(default)]
    elsewhere: BTreeMap<String, ElsewhereEntry>,
}

/// Trained weights as their file states them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of trained weights")]
struct WeightsEntry {
    tag: Spanned<String>,
    #[serde(default)]
    covers: Coverage,
    /// Replaces what the family's weights were trained on.
    trained_on: Option<Vec<String>>,
    /// Replaces the family's licence of weights.
    licence: Option<LicenceTerms>,
    url: Option<String>,
    found_as: Option<String>,
    preprocessing: Option<Spanned<PreprocessingEntry>>,
    /// Source of the results that name none.
    source: Option<String>,
    #[serde(default)]
    results: Vec<ResultEntry>,
}

/// One evaluation: metric -> percentage.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a result")]
struct ResultEntry {
    dataset: Spanned<String>,
    input_size: u64,
    #[serde(default = "fp32")]
    precision: Precision,
    values: BTreeMap<String, Spanned<f64>>,
    source: Option<String>,
}

pub(crate) fn fp32() -> Precision {
    Precision::Fp32
}

impl Manifest {
    /// Reads a file.
    #[expect(clippy::result_large_err, reason = "a manifest that cannot be read ends the work on it")]
    pub fn parse(file: &str, text: &str, has_script: bool) -> Result<Self, Diagnostic> {
        let manifest: Self = toml::from_str(text).map_err(|error| toml_error(&error, file, text))?;
        match manifest.first_problem(has_script) {
            None => Ok(manifest),
            Some(problem) => Err(problem.show(file, text)),
        }
    }

    /// Arguments of a variant: the family's, then its own.
    pub fn args(&self, variant: &VariantEntry) -> Table {
        let mut args = self.defaults.args.clone();
        args.extend(variant.args.clone());
        args
    }

    /// Default input of a variant.
    pub fn input(&self, variant: &VariantEntry) -> InputShape {
        let own = variant.input.as_ref().map(|input| *input.get_ref());
        InputShape::from(own.or(self.defaults.input).unwrap_or([3, 224, 224]))
    }

    /// Known weights of a variant.
    pub fn weights(&self, variant: &VariantEntry) -> Vec<Weights> {
        variant.weights.iter().map(|entry| self.weights_of(entry)).collect()
    }

    fn weights_of(&self, entry: &WeightsEntry) -> Weights {
        Weights {
            tag: WeightsTag::from(entry.tag.get_ref().as_str()),
            covers: entry.covers,
            trained_on: self.training_data(entry),
            licence: entry.licence.clone().or_else(|| self.weights_licence.clone()),
            url: entry.url.clone(),
            found_as: entry.found_as.clone(),
            preprocessing: self.preprocessing(entry),
            results: entry.results.iter().flat_map(|result| result.published(entry)).collect(),
        }
    }

    /// Names alone: the knowledge base has the terms.
    fn training_data(&self, entry: &WeightsEntry) -> Vec<TrainingData> {
        let names = entry.trained_on.as_ref().unwrap_or(&self.trained_on);
        names.iter().map(|id| TrainingData { id: id.clone(), terms: None }).collect()
    }

    /// Known only where every part of it is.
    fn preprocessing(&self, entry: &WeightsEntry) -> Option<Preprocessing> {
        let (none, usual) = (PreprocessingEntry::default(), &self.defaults.preprocessing);
        let own = entry.preprocessing.as_ref().map_or(&none, Spanned::get_ref);
        let stated = Preprocessing {
            fit: own.fit.or(usual.fit).unwrap_or_default(),
            resize: own.resize.or(usual.resize),
            crop: own.crop.or(usual.crop),
            longest: own.longest.or(usual.longest),
            interpolation: own.interpolation.clone().or_else(|| usual.interpolation.clone())?,
            mean: own.mean.clone().or_else(|| usual.mean.clone())?,
            std: own.std.clone().or_else(|| usual.std.clone())?,
        };
        Some(stated).filter(Preprocessing::is_complete)
    }

    /// What the design of a variant lets it find.
    pub fn reach(&self, variant: &VariantEntry) -> Option<Reach> {
        variant.reach.or(self.reach)
    }

    /// Latencies of a variant that somebody published.
    pub fn latencies(&self, variant: &VariantEntry) -> Vec<PublishedLatency> {
        variant.latencies.iter().filter_map(|entry| entry.published(self.input(variant))).collect()
    }

    /// How other packages name the tensors of a variant.
    pub fn namings(&self, variant: &VariantEntry) -> Vec<Naming> {
        let naming = |(package, entry): (&String, &ElsewhereEntry)| {
            let shared = self.names.get(package).map_or(&[][..], |names| &names.rules);
            let rules = entry.rules.iter().chain(shared).cloned().collect();
            Naming::new(package, &entry.model, entry.args.clone(), rules)
        };
        variant.elsewhere.iter().map(naming).collect()
    }

    fn first_problem(&self, has_script: bool) -> Option<Problem> {
        if *self.schema.get_ref() != SCHEMA {
            let text =
                format!("schema {} is not known; this program reads schema {SCHEMA}", self.schema.get_ref());
            return Some(Problem::at(&self.schema, text, "update the program, or the file"));
        }
        if self.variants.is_empty() {
            return Some(Problem::nowhere("the family has no variant", "add a `[variants.NAME]` table"));
        }
        let bare = self.variants.iter().find(|(_, v)| !has_script && v.stated.is_none());
        if let Some((id, _)) = bare {
            let text = format!("there is no graph.rhai beside it, and `{id}` states no figures instead");
            return Some(Problem::nowhere(
                text,
                "write graph.rhai, or add `stated = { params = 1000000, source = \"https://...\" }` to every variant",
            ));
        }
        self.variants.iter().find_map(|(id, variant)| self.problem_of(id, variant))
    }

    fn problem_of(&self, id: &str, variant: &VariantEntry) -> Option<Problem> {
        if let Err(reason) = check_id(id) {
            return Some(Problem::nowhere(format!("`{id}` cannot name a variant: {reason}"), "rename it"));
        }
        if variant.input.is_none() && self.defaults.input.is_none() {
            let text = format!("the variant `{id}` has no input");
            return Some(Problem::nowhere(text, "add `input = [3, 224, 224]` to it or to `[defaults]`"));
        }
        if let Some(input) = variant.input.as_ref().filter(|input| input.get_ref().contains(&0)) {
            return Some(Problem::at(input, "an input extent is 0", "write [channels, height, width]"));
        }
        let weights = variant.weights.iter().find_map(|weights| self.problem_of_weights(weights));
        weights.or_else(|| variant.latencies.iter().find_map(LatencyEntry::problem))
    }

    fn problem_of_weights(&self, weights: &WeightsEntry) -> Option<Problem> {
        let own = weights.preprocessing.as_ref();
        if let Some(incomplete) = own.filter(|_| self.preprocessing(weights).is_none()) {
            return Some(Problem::at(
                incomplete,
                "the preprocessing is incomplete",
                "it needs interpolation, mean and std, and as `fit` wants resize and crop, here or in `[defaults.preprocessing]`",
            ));
        }
        weights.problem()
    }
}

impl WeightsEntry {
    fn problem(&self) -> Option<Problem> {
        if self.tag.get_ref().is_empty() {
            return Some(Problem::at(
                &self.tag,
                "the tag is empty",
                "write for example \"torchvision/IMAGENET1K_V1\"",
            ));
        }
        self.results.iter().find_map(|result| result.problem(self))
    }
}

impl ResultEntry {
    fn source<'a>(&'a self, weights: &'a WeightsEntry) -> Option<&'a String> {
        self.source.as_ref().or(weights.source.as_ref())
    }

    fn problem(&self, weights: &WeightsEntry) -> Option<Problem> {
        let sourced = self.source(weights).is_some_and(|url| url.starts_with("http"));
        if !sourced {
            return Some(Problem::at(
                &self.dataset,
                "the result has no source",
                "add `source = \"https://...\"`",
            ));
        }
        let off = self.values.values().find(|v| !(0.0..=100.0).contains(v.get_ref()));
        off.map(|v| Problem::at(v, "the value is not a percentage", "write a number from 0 to 100"))
    }

    fn published(&self, weights: &WeightsEntry) -> Vec<PublishedResult> {
        let source = self.source(weights).cloned().unwrap_or_default();
        let result = |(metric, value): (&String, &Spanned<f64>)| PublishedResult {
            dataset: self.dataset.get_ref().clone(),
            metric: metric.clone(),
            value: Percent(*value.get_ref()),
            input_size: self.input_size,
            precision: self.precision,
            source: source.clone(),
        };
        self.values.iter().map(result).collect()
    }
}

/// Ids are typed on command lines and used in file names.
pub(crate) fn check_id(id: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    if id.is_empty() || id.len() > 64 {
        Err("it must have 1 to 64 characters")
    } else if !id.starts_with(|c: char| c.is_ascii_lowercase()) {
        Err("it must begin with a small letter")
    } else if !id.chars().all(plain) {
        Err("it may hold small letters, digits, `_`, `-` and `.`")
    } else {
        Ok(())
    }
}

fn toml_error(error: &toml::de::Error, file: &str, text: &str) -> Diagnostic {
    let message = plain(error.message());
    let help = unknown_key_help(&message);
    let mut diagnostic = Diagnostic::error("toml", file, message);
    if let Some(bytes) = error.span() {
        diagnostic = diagnostic.at(text, Span::of_bytes(text, bytes), "here");
    }
    diagnostic.help = help;
    diagnostic
}

/// The reader's names of types, in words.
fn plain(message: &str) -> String {
    let first = message.lines().next().unwrap_or(message);
    ["u64", "u32"]
        .iter()
        .fold(first.to_owned(), |text, name| text.replace(name, "a whole number of at least 0"))
        .replace("f64", "a number")
        .replace("unknown field", "unknown key")
        .replace("unknown variant", "unknown word")
        .replace("missing field", "missing key")
}

fn unknown_key_help(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let typed = quoted.next().filter(|_| message.starts_with("unknown "))?;
    did_you_mean(typed, quoted).strip_prefix("; ").map(str::to_owned)
}
