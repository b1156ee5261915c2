//! A loaded folder of rules, a pack or not, as the rule set remembers it.

use convwise_types::Origin;

use crate::ejected::Ejected;
use crate::layer::Layer;
use crate::manifest::{Manifest, PACK_FILE};
use crate::stack::Placed;

/// A folder that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// What its `pack.toml` says, if it has one that can be read.
    pub manifest: Option<Manifest>,
    /// The layer it belongs to.
    pub layer: Layer,
    /// Whose it is.
    pub origin: Origin,
    /// The folder as findings show it.
    pub folder: String,
    /// 0 is the weakest.
    pub strength: usize,
    /// What the shipped rules were that were ejected into it.
    pub(crate) ejected: Option<Ejected>,
    /// Why its rules are not used, if so.
    pub refusal: Option<String>,
}

impl Pack {
    pub(crate) fn of(placed: &Placed<'_>) -> Self {
        Self {
            manifest: placed.folder.manifest.clone(),
            layer: placed.folder.layer,
            origin: placed.folder.origin.clone(),
            folder: placed.folder.shown("").trim_end_matches('/').to_owned(),
            strength: placed.strength,
            ejected: placed.folder.ejected.clone(),
            refusal: placed.refusal.as_ref().map(|problem| problem.message.clone()),
        }
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.manifest.as_ref().map(|m| m.name.as_str())
    }

    /// `house-policy 1.0.0`, or the layer alone.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.manifest {
            Some(manifest) => format!("{} {}", manifest.name, manifest.version),
            None => self.layer.to_string(),
        }
    }

    /// Where its `pack.toml` is, or would be.
    pub(crate) fn manifest_file(&self) -> String {
        format!("{}/{PACK_FILE}", self.folder)
    }

    /// The manifest of a pack whose rules are used.
    pub(crate) fn in_force(&self) -> Option<&Manifest> {
        self.manifest.as_ref().filter(|_| self.refusal.is_none())
    }
}
