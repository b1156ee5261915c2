//! What the decision record says of the rules: what is in force, and what gave way to what.

use std::collections::{BTreeMap, BTreeSet};

use convwise_types::{PackStamp, RuleSetStamp};

use crate::clauses::RuleKind;
use crate::ejected::DELETED;
use crate::layer::Layer;
use crate::manifest::digest;
use crate::pack::Pack;
use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::settle::{By, SetAside, place};

impl RuleSet {
    /// What the decision record says of the rules.
    #[must_use]
    pub fn stamp(&self) -> RuleSetStamp {
        let disabled = self.set_aside.iter().filter(|one| matches!(one.by, By::Pack(_)));
        let disabled: BTreeSet<_> = disabled.map(|one| one.rule.id.clone()).collect();
        let packs = self.packs.iter().filter(|pack| pack.layer != Layer::Shipped);
        RuleSetStamp {
            fingerprint: self.fingerprint(),
            rules: u64::try_from(self.rules.len()).unwrap_or(u64::MAX),
            overrides: self.overrides(),
            packs: packs.filter_map(pack_stamp).collect(),
            disabled: disabled.into_iter().filter(|id| self.rule(id.as_str()).is_none()).collect(),
        }
    }

    /// Every folder that was read, the weakest first.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// What replaces, extends or switches off what, one sentence each.
    #[must_use]
    pub fn overrides(&self) -> Vec<String> {
        let (same, changed): (Vec<_>, Vec<_>) = self.set_aside.iter().partition(|one| self.is_repeated(one));
        let mut said: Vec<String> = changed.iter().map(|one| self.sentence(one)).collect();
        let mut repeated: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for one in same {
            if let By::Rule(winner) = &one.by {
                *repeated.entry((self.shown(winner), self.shown(&one.rule))).or_default() += 1;
            }
        }
        said.extend(repeated.into_iter().map(|((by, old), count)| {
            let rules = if count == 1 { "rule" } else { "rules" };
            format!("{by} repeats {count} {rules} of {old} unchanged")
        }));
        let deleted = self.load_diagnostics.iter().filter(|problem| problem.code == DELETED);
        said.extend(deleted.map(|problem| problem.message.clone()));
        said.sort();
        said
    }

    fn shown(&self, rule: &Rule) -> &str {
        self.file_of(rule).map_or("", |f| f.shown.as_str())
    }

    /// Whether the rule that replaces it says the same.
    fn is_repeated(&self, one: &SetAside) -> bool {
        match &one.by {
            By::Rule(winner) => winner.extends.is_none() && self.written(winner) == self.written(&one.rule),
            By::Pack(_) => false,
        }
    }

    fn sentence(&self, one: &SetAside) -> String {
        let old = place(&self.files, &one.rule);
        match &one.by {
            By::Rule(winner) => {
                let does = if winner.extends.as_ref() == Some(&one.rule.id) { "extends" } else { "replaces" };
                let by = place(&self.files, winner);
                format!("rule `{}` of {by} {does} `{}` of {old}", winner.id, one.rule.id)
            }
            By::Pack(pack) => {
                let by = self.packs.get(*pack).map(Pack::manifest_file).unwrap_or_default();
                let (what, so) = match one.rule.kind {
                    RuleKind::Require => ("requirement", ": nothing is rejected or left unproven for it"),
                    _ => ("rule", ""),
                };
                format!("{by} disables the {what} `{}` of {old}{so}", one.rule.id)
            }
        }
    }

    /// A digest of what decides: the rules in force with the files that they stand in, and what is missing.
    fn fingerprint(&self) -> String {
        let texts: Vec<String> =
            self.files.iter().map(|f| digest([(f.name.as_str(), f.text.as_ref())])).collect();
        let source = |rule: &Rule| {
            let files = rule.files.iter().filter_map(|at| texts.get(*at).map(String::as_str));
            (rule.id.to_string(), files.collect::<Vec<_>>().join(" "))
        };
        let lost =
            self.lost.iter().map(|lost| (format!("lost {} {}", lost.id, lost.line), lost.error.clone()));
        let parts: Vec<(String, String)> = self.rules.iter().map(source).chain(lost).collect();
        digest(parts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }
}

fn pack_stamp(pack: &Pack) -> Option<PackStamp> {
    let manifest = pack.manifest.as_ref()?;
    Some(PackStamp {
        name: manifest.name.clone(),
        version: manifest.version.to_string(),
        layer: pack.layer.to_string(),
        refused: pack.refusal.clone(),
    })
}
