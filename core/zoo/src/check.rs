//! Looks for mistakes in families by building every variant.

use std::collections::BTreeSet;

use convwise_graph::{Cost, Graph, cost, infer};
use convwise_types::{Diagnostic, Severity, Span, StatedMacs};

use crate::build::BuildOptions;
use crate::error::ZooError;
use crate::family::{Family, Variant};
use crate::zoo::Zoo;

impl Zoo {
    /// Builds every variant and reports what is wrong: errors of scripts, and arguments that no script
    /// reads, which are mostly misspelt.
    #[must_use]
    pub fn check(&self) -> Vec<Diagnostic> {
        let builds = self.variants().filter_map(|variant| self.check_variant(variant));
        let arguments = self.families().flat_map(|family| self.unread_arguments(family));
        builds.chain(arguments).collect()
    }

    /// Builds one variant and reports what is wrong; where there is nothing to build, nothing is.
    #[must_use]
    pub fn check_variant(&self, variant: &Variant) -> Option<Diagnostic> {
        match self.build(variant, &BuildOptions::default()) {
            Ok(graph) => self.contradiction(variant, &graph).or_else(|| self.check_postprocess(variant)),
            Err(ZooError::NoGraph { .. }) => None,
            Err(error) => Some(said(variant, error)),
        }
    }

    fn check_postprocess(&self, variant: &Variant) -> Option<Diagnostic> {
        let options = BuildOptions { postprocess: true, ..BuildOptions::default() };
        variant
            .has_postprocess()
            .then(|| self.build(variant, &options).err())
            .flatten()
            .map(|e| said(variant, e))
    }
}

/// What keeps a variant from being built.
fn said(variant: &Variant, error: ZooError) -> Diagnostic {
    match error {
        ZooError::Script(diagnostic) => {
            let message = format!("{}: {}", variant.id, diagnostic.message);
            Diagnostic { message, ..*diagnostic }
        }
        other => Diagnostic::error("build", &variant.family.files.manifest.name, other.to_string()),
    }
}

/// What a count is called, what the manifest says of it, and the graph's own.
type Count = (&'static str, Option<u64>, u64);

impl Zoo {
    /// Figures that the manifest states beside a graph must be the graph's: the graph is what counts from then on.
    fn contradiction(&self, variant: &Variant, graph: &Graph) -> Option<Diagnostic> {
        let stated = variant.entry.stated.as_ref()?;
        let params: Count = ("parameters", stated.params.map(|p| p.0), counted(graph)?.params.0);
        let macs = stated.macs.and_then(|m| self.macs(variant, m));
        let (what, said, ours) =
            [Some(params), macs].into_iter().flatten().find(|(_, s, o)| s.is_some_and(|s| s != *o))?;
        let text = format!(
            "{}: {what} are stated as {}, the layer graph has {ours}",
            variant.id,
            said.unwrap_or_default()
        );
        let bare = Diagnostic::error("stated-cost", &variant.family.files.manifest.name, text);
        Some(bare.with_help("mend the graph, or take `stated` out: the graph's own figures are used"))
    }

    fn macs(&self, variant: &Variant, stated: StatedMacs) -> Option<Count> {
        let options = BuildOptions { input: Some(stated.input), ..BuildOptions::default() };
        let graph = self.build(variant, &options).ok()?;
        Some(("multiply-accumulates", Some(stated.count.0), counted(&graph)?.macs.0))
    }
}

fn counted(graph: &Graph) -> Option<Cost> {
    Some(cost(graph, &infer(graph, 1).ok()?))
}

impl Zoo {
    fn unread_arguments(&self, family: &Family) -> Vec<Diagnostic> {
        let modules = family.reach.iter().filter_map(|name| self.library.source(name));
        let Some(script) = family.script() else { return Vec::new() };
        let texts: Vec<&str> = modules.chain([script]).collect();
        let unread =
            arguments(family).into_iter().filter(|key| !texts.iter().any(|text| text.contains(key.as_str())));
        unread.map(|key| unread_argument(family, &key)).collect()
    }
}

/// Arguments of all variants.
fn arguments(family: &Family) -> BTreeSet<String> {
    let manifest = &family.manifest;
    manifest.variants.values().flat_map(|v| manifest.args(v).into_iter().map(|(key, _)| key)).collect()
}

fn unread_argument(family: &Family, key: &str) -> Diagnostic {
    let file = &family.files.manifest;
    let text = format!("the script never reads the argument `{key}`");
    let bare = Diagnostic::error("unread-argument", &file.name, text).with_severity(Severity::Warning);
    match file.text.find(key) {
        Some(at) => bare.at(&file.text, Span::of_bytes(&file.text, at..at + key.len()), "here"),
        None => bare,
    }
}
