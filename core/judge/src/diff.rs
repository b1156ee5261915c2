//! The user's rules against the shipped ones, clause by clause.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::ejected::EjectedRule;
use crate::layer::Layer;
use crate::pack::Pack;
use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::settle::{By, place};

/// How the user's rule stands to the shipped one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Both the user and the program changed it since it was ejected.
    BothChanged,
    /// The program changed it since it was ejected; the user did not.
    ProgramChanged,
    /// The user changed it; the program did not.
    UserChanged,
    /// They differ, and nobody recorded what it was.
    Differs,
    /// The user's builds on the shipped one.
    Extends,
    /// It was ejected and is not in the user's file any more: the shipped one is in force.
    DeletedHere,
    /// The program no longer has it; the user's is in force.
    GoneFromProgram,
    /// It came to the program after its file was ejected; it is in force.
    NewInProgram,
    /// A pack switches it off.
    Disabled,
    /// Only the user has it.
    Added,
    /// They are the same.
    Same,
}

/// One rule compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleDiff {
    /// Its id.
    pub id: String,
    /// The function that declares it.
    pub kind: String,
    /// How the user's stands to the shipped one.
    pub state: State,
    /// Where the user's stands; the file that switches it off where it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mine: Option<String>,
    /// Where the shipped one stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipped: Option<String>,
    /// Version of the program that it was ejected from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ejected_from: Option<String>,
    /// What the user changed; against the shipped one where nobody recorded what it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_user: Vec<Change>,
    /// What the program changed since it was ejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_program: Vec<Change>,
}

/// One clause, or one constant or function that the rule needs, that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub part: String,
    /// Its lines: `- ` what was, `+ ` what is, two spaces for what stays.
    pub lines: Vec<String>,
}

type Parts = BTreeMap<String, String>;

/// What there is of a rule.
#[derive(Clone, Copy, Default)]
struct Sides<'a> {
    mine: Option<&'a Rule>,
    shipped: Option<&'a Rule>,
    /// The pack that switches the shipped one off.
    disabled: Option<usize>,
}

impl RuleSet {
    /// Every rule that the user has, switches off or ejected, against the shipped one; by how much they need a look.
    #[must_use]
    pub fn diff(&self) -> Vec<RuleDiff> {
        let ejected = self.ejected();
        let files: BTreeSet<&str> = ejected.values().map(|one| one.file.as_str()).collect();
        let sides = self.sides();
        let mut found: Vec<RuleDiff> = sides
            .iter()
            .filter_map(|(id, sides)| self.compare(id, *sides, ejected.get(id).copied(), &files))
            .collect();
        found.sort_by(|a, b| (a.state, &a.id).cmp(&(b.state, &b.id)));
        found
    }

    /// What was recorded of ejected rules; of two records the stronger pack's.
    fn ejected(&self) -> BTreeMap<&str, &EjectedRule> {
        let records = self.packs.iter().filter_map(|pack| pack.ejected.as_ref());
        records.flat_map(|ejected| ejected.rules.iter().map(|(id, rule)| (id.as_str(), rule))).collect()
    }

    fn sides(&self) -> BTreeMap<&str, Sides<'_>> {
        let mut sides: BTreeMap<&str, Sides<'_>> = BTreeMap::new();
        let is_shipped = |rule: &Rule| self.pack_of(rule).is_none_or(|pack| pack.layer == Layer::Shipped);
        for one in &self.set_aside {
            let side = sides.entry(one.rule.id.as_str()).or_default();
            if is_shipped(&one.rule) {
                side.shipped = Some(&one.rule);
            }
            if let By::Pack(pack) = one.by {
                side.disabled = Some(pack);
            }
        }
        for rule in &self.rules {
            let side = sides.entry(rule.id.as_str()).or_default();
            if is_shipped(rule) { side.shipped = Some(rule) } else { side.mine = Some(rule) }
        }
        sides
    }

    fn compare(
        &self,
        id: &str,
        sides: Sides<'_>,
        base: Option<&EjectedRule>,
        files: &BTreeSet<&str>,
    ) -> Option<RuleDiff> {
        let rule = sides.mine.or(sides.shipped)?;
        let parts = |rule: Option<&Rule>| rule.and_then(|r| self.written(r)).map(|w| w.parts());
        let texts = Texts {
            mine: parts(sides.mine),
            shipped: parts(sides.shipped),
            base: base.map(|one| &one.parts),
            extends: sides.mine.is_some_and(|rule| rule.extends.is_some()),
        };
        let in_ejected_file = self.file_of(rule).is_some_and(|file| files.contains(file.name.as_str()));
        let disabling = sides.disabled.filter(|_| sides.mine.is_none()).and_then(|pack| self.packs.get(pack));
        let place = |rule: &Rule| place(&self.files, rule);
        Some(RuleDiff {
            id: id.to_owned(),
            kind: rule.kind.to_string(),
            state: if disabling.is_some() { State::Disabled } else { texts.state(in_ejected_file)? },
            mine: sides.mine.map(place).or_else(|| disabling.map(Pack::manifest_file)),
            shipped: sides.shipped.map(place),
            ejected_from: base.map(|one| one.version.clone()),
            by_user: texts.by_user(),
            by_program: texts.by_program(),
        })
    }
}

/// The parts of a rule on each side.
struct Texts<'a> {
    mine: Option<Parts>,
    shipped: Option<Parts>,
    /// What the shipped one was when it was ejected.
    base: Option<&'a Parts>,
    /// Whether the user's builds on the shipped one.
    extends: bool,
}

impl Texts<'_> {
    /// How the sides stand to each other; nothing where the user has nothing to do with the rule.
    fn state(&self, in_ejected_file: bool) -> Option<State> {
        match (&self.mine, &self.shipped) {
            (None, Some(_)) if self.base.is_some() => Some(State::DeletedHere),
            (None, Some(_)) if in_ejected_file => Some(State::NewInProgram),
            (None, _) => None,
            (Some(_), _) if self.extends => Some(State::Extends),
            (Some(_), None) if self.base.is_some() => Some(State::GoneFromProgram),
            (Some(_), None) => Some(State::Added),
            (Some(mine), Some(shipped)) => Some(state_of(mine, shipped, self.base)),
        }
    }

    /// What the user changed: since the ejection where that is known, else against the shipped rule.
    fn by_user(&self) -> Vec<Change> {
        match (&self.mine, self.base.or(self.shipped.as_ref())) {
            (Some(mine), _) if self.extends => changes(&overlaid(self.shipped.as_ref(), mine), mine),
            (Some(mine), Some(old)) => changes(old, mine),
            _ => Vec::new(),
        }
    }

    fn by_program(&self) -> Vec<Change> {
        match (self.base, &self.shipped) {
            (Some(base), Some(shipped)) => changes(base, shipped),
            _ => Vec::new(),
        }
    }
}

fn state_of(mine: &Parts, shipped: &Parts, base: Option<&Parts>) -> State {
    match base {
        _ if mine == shipped => State::Same,
        None => State::Differs,
        Some(base) if base == shipped => State::UserChanged,
        Some(base) if base == mine => State::ProgramChanged,
        Some(_) => State::BothChanged,
    }
}

/// Of the shipped rule's parts those that a rule which extends it says anew.
fn overlaid(shipped: Option<&Parts>, mine: &Parts) -> Parts {
    let said = |(name, _): &(&String, &String)| mine.contains_key(*name);
    shipped.into_iter().flatten().filter(said).map(|(name, text)| (name.clone(), text.clone())).collect()
}

fn changes(old: &Parts, new: &Parts) -> Vec<Change> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    changed.map(|name| change(name, old.get(name), new.get(name))).collect()
}

fn change(name: &str, old: Option<&String>, new: Option<&String>) -> Change {
    let text = |side: Option<&String>| side.map(|text| format!("{text}\n")).unwrap_or_default();
    let (old, new) = (text(old), text(new));
    let diff = TextDiff::from_lines(&old, &new);
    let line = |change: similar::Change<&str>| {
        let mark = match change.tag() {
            ChangeTag::Delete => "-",
            ChangeTag::Insert => "+",
            ChangeTag::Equal => " ",
        };
        format!("{mark} {}", change.value().trim_end())
    };
    Change { part: name.to_owned(), lines: diff.iter_all_changes().map(line).collect() }
}
