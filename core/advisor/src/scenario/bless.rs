//! Expectations of scenarios rewritten to what the rules answer now, in place: what holds stays as it is written, and
//! what a scenario does not state, it does not state afterwards either.

use std::collections::BTreeSet;

use convwise_judge::{Blessed, ScenarioText, replace_value};
use convwise_types::Verdict;
use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value};

use super::answered::Answered;
use super::read::{self, Expectations, Names, Reasons};
use super::{Ground, check, selected};

/// The file with its failing scenarios rewritten; `None` if none fails.
pub(super) fn file(ground: &mut Ground<'_>, file: &ScenarioText, filter: Option<&str>) -> Option<Blessed> {
    let scenarios = read::scenarios(&file.shown, &file.text).ok()?;
    let mut document: DocumentMut = file.text.parse().ok()?;
    let tables = document.get_mut("scenario")?.as_array_of_tables_mut()?;
    let mut names = Vec::new();
    for (scenario, table) in scenarios.iter().zip(tables.iter_mut()) {
        if !selected(scenario, file, filter) {
            continue;
        }
        let truth = ground.answer(file, scenario, |found| truth(&scenario.expect, found));
        let expect = table.get_mut("expect");
        if let (Ok(Some(truth)), Some(expect)) = (truth, expect) {
            truth.apply(expect);
            names.push(scenario.name.get_ref().clone());
        }
    }
    (!names.is_empty()).then(|| Blessed {
        file: file.shown.clone(),
        before: file.text.to_string(),
        text: document.to_string(),
        names,
    })
}

/// What has to change so that the expectations are met.
struct Truth {
    edits: Vec<Edit>,
    nothing_fits: bool,
}

impl Truth {
    /// Something is always expected afterwards: what expects nothing cannot fail, and is refused.
    fn apply(self, expect: &mut Item) {
        let Some(table) = expect.as_table_like_mut() else { return };
        self.edits.into_iter().for_each(|edit| edit.apply(table));
        if table.is_empty() {
            replace_value(table, "nothing_fits", self.nothing_fits);
        }
        tidy(expect);
    }
}

/// One expectation, with what it should be; it goes if there is no such thing to expect.
struct Edit {
    /// The table within the expectations, if it is not they themselves.
    table: Option<&'static str>,
    key: String,
    value: Option<Value>,
}

impl Edit {
    fn apply(self, expect: &mut dyn TableLike) {
        let Some(name) = self.table else { return set(expect, &self.key, self.value) };
        let inner = expect.entry(name).or_insert_with(|| Item::Value(InlineTable::new().into()));
        let Some(table) = inner.as_table_like_mut() else { return };
        set(table, &self.key, self.value);
        if table.is_empty() {
            expect.remove(name);
        } else {
            tidy(inner);
        }
    }
}

/// Blanks as they should be in a table on one line.
fn tidy(table: &mut Item) {
    table.as_inline_table_mut().into_iter().for_each(InlineTable::fmt);
}

fn set(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    match value {
        Some(value) => replace_value(table, key, value),
        None => drop(table.remove(key)),
    }
}

/// `None` if the expectations are met.
fn truth(expect: &Expectations, found: &Answered<'_>) -> Option<Truth> {
    if check::differences(expect, found).is_empty() {
        return None;
    }
    let mut edits = Vec::new();
    let picked: Vec<&str> = found.picked().collect();
    let mut put = |key: &str, value: Option<Value>| {
        edits.push(Edit { table: None, key: key.to_owned(), value });
    };
    if let Some(wanted) = check::named_if(expect.picks.as_ref())
        && !picked.starts_with(&wanted)
    {
        put("picks", list(picked.iter().copied().take(wanted.len())));
    }
    let among = picked.iter().copied().collect();
    for (key, wanted, there, fallback) in [
        ("among", &expect.among, among, picked.first().copied()),
        ("because", &expect.because, found.reasons(), None),
        ("notes", &expect.notes, found.remarks(), None),
        ("overruled", &expect.overruled, found.overruled(), None),
        ("steps", &expect.steps, found.advising(), None),
    ] {
        if let Some(changed) = kept(wanted.as_ref(), |name| there.contains(name)) {
            put(key, if changed.is_empty() { list(fallback.into_iter()) } else { list(changed.into_iter()) });
        }
    }
    let (advising, names) = (found.advising(), picked.iter().copied().collect::<BTreeSet<_>>());
    for (key, wanted, there) in
        [("not_among", &expect.not_among, names), ("no_steps", &expect.no_steps, advising)]
    {
        if let Some(changed) = kept(wanted.as_ref(), |name| !there.contains(name)) {
            put(key, list(changed.into_iter()));
        }
    }
    if expect.nothing_fits.is_some() {
        put("nothing_fits", Some(picked.is_empty().into()));
    }
    edits.extend(named_edits(expect, found));
    Some(Truth { edits, nothing_fits: picked.is_empty() })
}

/// The names of which something holds, if it does not hold of all.
fn kept(wanted: Option<&Names>, holds: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
    let wanted = check::named_if(wanted)?;
    let kept: Vec<_> = wanted.iter().copied().filter(|name| holds(name)).collect();
    (kept.len() < wanted.len()).then_some(kept)
}

/// Expectations that stand in tables of their own.
fn named_edits(expect: &Expectations, found: &Answered<'_>) -> Vec<Edit> {
    let labels = expect.labels.iter().map(|(label, wanted)| {
        let holder = found.holder(*label);
        let changed = holder != Some(wanted.get_ref());
        changed.then(|| Edit {
            table: Some("labels"),
            key: label.to_string(),
            value: holder.map(Value::from),
        })
    });
    let settings = expect.settings.iter().map(|(key, wanted)| {
        let value = found.setting(key).map(|(_, value)| value);
        let changed = value != Some(wanted.as_str());
        changed.then(|| Edit { table: Some("settings"), key: key.clone(), value: value.map(Value::from) })
    });
    let named = labels.chain(settings).flatten();
    named
        .chain(verdict_edits("rejected", Verdict::Rejected, &expect.rejected, found))
        .chain(verdict_edits("unproven", Verdict::Unproven, &expect.unproven, found))
        .collect()
}

/// A network that came out otherwise moves to where it belongs, with the rules that decided.
fn verdict_edits(
    table: &'static str,
    wanted: Verdict,
    expected: &Reasons,
    found: &Answered<'_>,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (network, rules) in expected {
        let name = network.get_ref().as_str();
        let (actual, decisive) = (found.verdict(name), found.decisive(name));
        let changed = kept(Some(rules), |rule| decisive.contains(rule));
        if actual == Some(wanted) && changed.is_none() {
            continue;
        }
        let changed = changed.unwrap_or_default();
        let rules = if changed.is_empty() { list(decisive.into_iter()) } else { list(changed.into_iter()) };
        if actual != Some(wanted) {
            edits.push(Edit { table: Some(table), key: name.to_owned(), value: None });
        }
        let now = match actual {
            Some(Verdict::Rejected) => "rejected",
            Some(Verdict::Unproven) => "unproven",
            _ => continue,
        };
        edits.push(Edit { table: Some(now), key: name.to_owned(), value: rules });
    }
    edits
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> Option<Value> {
    let names: Array = names.collect();
    (!names.is_empty()).then(|| Value::from(names))
}
