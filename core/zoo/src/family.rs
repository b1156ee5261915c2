//! A family of architectures and its variants.

use std::collections::BTreeSet;
use std::sync::Arc;

use convwise_types::{Architecture, ArchitectureId, InputShape, Origin, Task, Weights};

use convwise_script::find_function;

use crate::build::POSTPROCESS;
use crate::folder::FamilyFiles;
use crate::manifest::{Manifest, VariantEntry};
use crate::naming::Naming;

/// A family: one graph script, and the arguments of its variants.
#[derive(Debug)]
pub struct Family {
    pub(crate) files: FamilyFiles,
    pub(crate) manifest: Manifest,
    /// Names of the modules that its script can reach.
    pub(crate) reach: BTreeSet<String>,
    pub(crate) digest: String,
}

impl Family {
    /// As rules name it: `ResNet`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.manifest.family
    }

    /// Name of its folder, by which families override each other.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.files.folder
    }

    /// What its networks do.
    #[must_use]
    pub fn task(&self) -> Task {
        self.manifest.task
    }

    /// Where it was read from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.files.origin
    }

    /// The implementation whose tensor names and figures it follows.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.manifest.reference.as_deref()
    }

    /// Why its ecosystem counts as that mature.
    #[must_use]
    pub fn maturity_reason(&self) -> Option<&str> {
        self.manifest.maturity_reason.as_deref()
    }

    /// Text of its graph script; `None` where only published figures are known.
    #[must_use]
    pub fn script(&self) -> Option<&str> {
        self.files.script.as_ref().map(|script| script.text.as_ref())
    }
}

/// A variant: arguments to its family's script.
#[derive(Clone, Debug)]
pub struct Variant {
    pub(crate) id: ArchitectureId,
    pub(crate) family: Arc<Family>,
    pub(crate) entry: VariantEntry,
}

impl Variant {
    /// `resnet50`.
    #[must_use]
    pub fn id(&self) -> &ArchitectureId {
        &self.id
    }

    /// Its family.
    #[must_use]
    pub fn family(&self) -> &Family {
        &self.family
    }

    /// Default input.
    #[must_use]
    pub fn input(&self) -> InputShape {
        self.family.manifest.input(&self.entry)
    }

    /// Known weights.
    #[must_use]
    pub fn weights(&self) -> Vec<Weights> {
        self.family.manifest.weights(&self.entry)
    }

    /// Whether its family has a graph script.
    #[must_use]
    pub fn is_buildable(&self) -> bool {
        self.family.files.script.is_some()
    }

    /// Whether its script can turn predictions into answers.
    #[must_use]
    pub fn has_postprocess(&self) -> bool {
        self.family.script().is_some_and(|script| find_function(script, POSTPROCESS).is_some())
    }

    /// How other packages name its tensors.
    #[must_use]
    pub fn namings(&self) -> Vec<Naming> {
        self.family.manifest.namings(&self.entry)
    }

    /// Beginnings of names of tensors that only training uses; a file of weights may have them.
    #[must_use]
    pub fn training_only(&self) -> &[String] {
        &self.family.manifest.training_only
    }

    /// Digest of everything its graph depends on: the manifest, the script, the imported modules and
    /// the version of the graph API.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.family.digest
    }

    /// Everything the manifest says; the graph's facts are left out.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        let manifest = &self.family.manifest;
        Architecture {
            id: self.id.clone(),
            family: manifest.family.clone(),
            title: self.entry.title.clone(),
            task: manifest.task,
            paper: self.entry.paper.clone().or_else(|| manifest.paper.clone()),
            code_licence: manifest.code_licence.clone(),
            maturity: manifest.maturity,
            tags: manifest.tags.union(&self.entry.tags).cloned().collect(),
            input: self.input(),
            weights: self.weights(),
            elsewhere: self.namings().into_iter().map(|n| (n.package, n.model)).collect(),
            graph: None,
            reach: manifest.reach(&self.entry),
            latencies: manifest.latencies(&self.entry),
            stated: self.entry.stated.clone().filter(|_| !self.is_buildable()),
            stated_macs: Vec::new(),
            origin: self.family.files.origin.clone(),
            plugin: self.family.digest.clone(),
        }
    }
}
