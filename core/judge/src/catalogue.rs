//! The rules as documents: list them, show one with its text.

use convwise_types::{Origin, UnknownWord, did_you_mean};
use serde::Serialize;

use crate::layer::Layer;
use crate::pack::Pack;
use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::settle::{By, place};
use crate::text;

/// A rule as `rules list` and `rules show` print it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleInfo {
    /// Its id.
    pub id: String,
    /// The function that declares it: `require`, `prefer`, ...
    pub kind: String,
    /// What it finds.
    pub doc: String,
    /// Who says so.
    pub source: String,
    /// `preview`, `stable` or `deprecated`.
    pub status: String,
    /// File as findings show it.
    pub file: String,
    /// Line of the declaration, from 1.
    pub line: usize,
    /// Whose it is.
    pub origin: Origin,
    /// The layer of its folder.
    pub layer: Layer,
    /// The pack that it belongs to, if its folder is one.
    pub pack: Option<String>,
    /// Version of that pack.
    pub pack_version: Option<String>,
    /// The rule of a weaker layer that it builds on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Where the rules stand that it replaces, the weakest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
    /// The file that switches it off, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_by: Option<String>,
    /// The declaration as written.
    pub text: String,
}

impl RuleSet {
    /// Every rule, by id.
    #[must_use]
    pub fn list(&self) -> Vec<RuleInfo> {
        self.rules.iter().map(|rule| self.info(rule)).collect()
    }

    /// One rule.
    ///
    /// # Errors
    /// There is no rule of this id; the error names the nearest one.
    pub fn show(&self, id: &str) -> Result<RuleInfo, UnknownWord> {
        self.rule(id).map(|rule| self.info(rule)).ok_or_else(|| {
            let ids = || self.rules.iter().map(|r| r.id.as_str());
            UnknownWord {
                word: id.to_owned(),
                what: "rule",
                known: ids().collect::<Vec<_>>().join(", "),
                hint: did_you_mean(id, ids()),
            }
        })
    }

    /// Every rule that a pack switches off and nothing stronger declares anew, by id.
    #[must_use]
    pub fn disabled(&self) -> Vec<RuleInfo> {
        let off = self.set_aside.iter().filter_map(|one| match one.by {
            By::Pack(pack) if self.rule(one.rule.id.as_str()).is_none() => {
                Some((&one.rule, self.packs.get(pack)?))
            }
            _ => None,
        });
        let info = |(rule, pack): (&Rule, &Pack)| RuleInfo {
            disabled_by: Some(pack.manifest_file()),
            ..self.info(rule)
        };
        let mut infos: Vec<RuleInfo> = off.map(info).collect();
        infos.sort_by(|a, b| a.id.cmp(&b.id));
        infos
    }

    fn info(&self, rule: &Rule) -> RuleInfo {
        let (file, pack) = (self.file_of(rule), self.pack_of(rule));
        let range = file.map(|f| text::declaration(&f.text, rule.line, rule.column));
        let text = range.and_then(|r| file.and_then(|f| f.text.get(r))).unwrap_or_default();
        let manifest = pack.and_then(|p| p.manifest.as_ref());
        RuleInfo {
            id: rule.id.to_string(),
            kind: rule.kind.to_string(),
            doc: rule.doc.clone(),
            source: rule.source.clone(),
            status: rule.status.as_str().to_owned(),
            file: file.map(|f| f.shown.clone()).unwrap_or_default(),
            line: rule.line,
            origin: pack.map_or(Origin::Shipped, |p| p.origin.clone()),
            layer: pack.map_or(Layer::Shipped, |p| p.layer),
            pack: manifest.map(|m| m.name.clone()),
            pack_version: manifest.map(|m| m.version.to_string()),
            extends: rule.extends.as_ref().map(ToString::to_string),
            replaces: self.replaced_by(rule),
            disabled_by: None,
            text: text.to_owned(),
        }
    }

    fn replaced_by(&self, winner: &Rule) -> Vec<String> {
        let losers = self.set_aside.iter().filter(|one| match &one.by {
            By::Rule(by) => by.id == winner.id && by.place() == winner.place(),
            By::Pack(_) => false,
        });
        losers.map(|one| place(&self.files, &one.rule)).collect()
    }
}
