//! Weights for an export: where they come from, and what is done to make them fit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use convwise_graph::{Graph, Shape};
use convwise_onnx::{Matching, Safetensors, Seeded, WeightSource};
use convwise_zoo::{BuildOptions, Naming, Variant, Zoo, recognise};

use crate::error::CliError;
use crate::render::advice::count_of;

/// A network with its weights.
pub(crate) struct Weighted {
    pub(crate) graph: Graph,
    pub(crate) weights: Box<dyn WeightSource>,
    pub(crate) fitting: Fitting,
}

/// What was done to make a file fit.
#[derive(Debug, Default)]
pub(crate) struct Fitting {
    /// Package whose names the file has, if not the network's own, and what it calls the network.
    pub(crate) names: Option<(String, String)>,
    /// Whether the network was built as that package's, which differs by arguments.
    pub(crate) like: bool,
    /// Tensors that begin anew for another number of classes.
    pub(crate) begun_anew: Vec<String>,
    /// Tensors that only training uses.
    pub(crate) left_out: Vec<String>,
}

impl Fitting {
    /// What a person should know before using the file.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some((package, model)) = &self.names {
            let built = if self.like { ", and the network was built as that one" } else { "" };
            remarks.push(format!("the file has the names of {package}'s {model}{built}"));
        }
        if !self.begun_anew.is_empty() {
            let names = self.begun_anew.join(", ");
            remarks.push(format!("{names}: random, for the new number of classes; train them before use"));
        }
        if !self.left_out.is_empty() {
            let tensors = count_of(self.left_out.len(), "tensor");
            remarks.push(format!("left out what only training uses: {tensors}"));
        }
        remarks
    }
}

/// Builds a variant and finds its weights: `seed:N`, or a safetensors file with the names of the network or
/// of a package that has it too.
pub(crate) fn weighted(
    zoo: &Zoo,
    variant: &Variant,
    options: &BuildOptions,
    weights: &str,
) -> Result<Weighted, CliError> {
    if let Some(seed) = weights.strip_prefix("seed:") {
        let seed = seed.parse().map_err(|_| {
            CliError::invalid(format!("`{seed}` is not a seed; write for example --weights seed:1"))
        })?;
        let graph = zoo.build(variant, options)?;
        return Ok(Weighted { graph, weights: Box::new(Seeded(seed)), fitting: Fitting::default() });
    }
    from_file(zoo, variant, options, Path::new(weights))
}

fn from_file(
    zoo: &Zoo,
    variant: &Variant,
    options: &BuildOptions,
    path: &Path,
) -> Result<Weighted, CliError> {
    let file = Safetensors::open(path).map_err(CliError::invalid)?;
    let graph = zoo.build(variant, options)?;
    let namings = variant.namings();
    let Some((naming, renamed)) = recognised(&namings, &file, &graph) else {
        return fit(zoo, variant, options, file, graph, BTreeMap::new());
    };
    let like = naming.differs();
    let options = BuildOptions { like: like.then(|| naming.clone()), ..options.clone() };
    let graph = if like { zoo.build(variant, &options)? } else { graph };
    let mut weighted = fit(zoo, variant, &options, file, graph, renamed)?;
    weighted.fitting.names = Some((naming.package.clone(), naming.model.clone()));
    weighted.fitting.like = like;
    Ok(weighted)
}

fn recognised<'a>(
    namings: &'a [Naming],
    file: &Safetensors,
    graph: &Graph,
) -> Option<(&'a Naming, BTreeMap<String, String>)> {
    let names = file.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ours: BTreeSet<&str> = graph.params().map(|p| p.name.as_str()).collect();
    recognise(namings, &names, &ours)
}

fn fit(
    zoo: &Zoo,
    variant: &Variant,
    options: &BuildOptions,
    file: Safetensors,
    graph: Graph,
    renamed: BTreeMap<String, String>,
) -> Result<Weighted, CliError> {
    let published = BuildOptions { classes: None, ..options.clone() };
    let head = match options.classes {
        Some(_) => changed(&graph, &zoo.build(variant, &published)?),
        None => BTreeMap::new(),
    };
    let matching = Matching { renamed, training_only: variant.training_only().to_vec(), head };
    let file = file.matched(matching);
    let report = file.check(&graph);
    if options.classes.is_none() && !report.misshaped.is_empty() {
        let found = report.misshaped.iter().map(|m| (m.name.as_str(), m.found.dim(0))).collect();
        if let Some(classes) = classes_of(zoo, variant, &graph, &published, &found) {
            return Err(CliError::invalid(format!(
                "the weights ({}) are for {classes} classes; add --classes {classes}",
                file.describe()
            )));
        }
    }
    let fitting = Fitting {
        begun_anew: file.begun_anew(&graph),
        left_out: file.left_out(&graph),
        ..Fitting::default()
    };
    Ok(Weighted { graph, weights: Box::new(file), fitting })
}

/// Tensors whose extents differ between two builds of one variant, with those of the second.
fn changed(graph: &Graph, other: &Graph) -> BTreeMap<String, Shape> {
    let others: BTreeMap<&str, &Shape> = other.params().map(|p| (p.name.as_str(), &p.shape)).collect();
    let differing = graph.params().filter_map(|p| {
        let other = *others.get(p.name.as_str())?;
        (*other != p.shape).then(|| (p.name.clone(), other.clone()))
    });
    differing.collect()
}

/// The number of classes with which, instead of the published `graph`'s, exactly the misshapen tensors, known by their first extents, would fit.
fn classes_of(
    zoo: &Zoo,
    variant: &Variant,
    graph: &Graph,
    published: &BuildOptions,
    misshaped: &BTreeSet<(&str, Option<usize>)>,
) -> Option<u64> {
    let (_, first) = misshaped.first()?;
    let classes = (*first)? as u64;
    let built = zoo.build(variant, &BuildOptions { classes: Some(classes), ..published.clone() }).ok()?;
    let head = changed(graph, &built);
    let expected: BTreeSet<_> = head.iter().map(|(name, shape)| (name.as_str(), shape.dim(0))).collect();
    (expected == *misshaped).then_some(classes)
}
