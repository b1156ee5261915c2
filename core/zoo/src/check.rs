//! Looks for mistakes in families by building every variant.

use std::collections::BTreeSet;

use convwise_types::{Diagnostic, Severity, Span};

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

    /// Builds one variant and reports what is wrong.
    #[must_use]
    pub fn check_variant(&self, variant: &Variant) -> Option<Diagnostic> {
        let error = self.build(variant, &BuildOptions::default()).err()?;
        Some(match error {
            ZooError::Script(diagnostic) => {
                let message = format!("{}: {}", variant.id, diagnostic.message);
                Diagnostic { message, ..*diagnostic }
            }
            other => Diagnostic::error("build", &variant.family.files.script.name, other.to_string()),
        })
    }
}

impl Zoo {
    fn unread_arguments(&self, family: &Family) -> Vec<Diagnostic> {
        let modules = family.reach.iter().filter_map(|name| self.library.source(name));
        let texts: Vec<&str> = modules.chain([family.script()]).collect();
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
