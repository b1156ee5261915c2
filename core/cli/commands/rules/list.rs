//! `rules list`: every rule, where it stands and what overrides what; and the packs.

use std::fmt::Write as _;

use convwise_judge::{Layer, Pack, RuleFolder, RuleInfo, RuleSet};
use convwise_types::did_you_mean;
use serde_json::{Value, json};

use crate::args::ListArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::table::{table, text};
use crate::screen::{FAINT, NAME, styled};

pub(super) fn list(context: &Context, args: &ListArgs) -> Result<(), CliError> {
    let rules = context.rules()?;
    if args.packs {
        return list_packs(context, rules, args.output.json);
    }
    known_layer(rules, args.layer.as_deref())?;
    let wanted = |rule: &RuleInfo| is_wanted(rule, args);
    let in_force: Vec<RuleInfo> = rules.list().into_iter().filter(wanted).collect();
    let disabled: Vec<RuleInfo> = rules.disabled().into_iter().filter(wanted).collect();
    if args.output.json {
        return context.screen.json(&json!({
            "schema": "convwise.rules/1",
            "rules": in_force,
            "disabled": disabled,
            "packs": rules.packs().iter().map(pack_line).collect::<Vec<_>>(),
            "overrides": rules.overrides(),
            "fingerprint": rules.stamp().fingerprint,
        }));
    }
    let columns = [text("rule"), text("kind"), text("status"), text("says"), text("at"), text("from")];
    let mut out = table(&columns, in_force.iter().chain(&disabled).map(row));
    for line in rules.overrides() {
        let _ = writeln!(out, "{line}");
    }
    context.screen.result(&out)
}

fn row(rule: &RuleInfo) -> Vec<String> {
    let name = if rule.disabled_by.is_some() { styled(FAINT, &rule.id) } else { styled(NAME, &rule.id) };
    vec![
        name,
        rule.kind.clone(),
        rule.status.clone(),
        rule.doc.clone(),
        format!("{}:{}", rule.file, rule.line),
        origin(rule),
    ]
}

/// Pack and layer, and what the rule does to a weaker one or what is done to it.
fn origin(rule: &RuleInfo) -> String {
    let from = match (&rule.pack, &rule.pack_version) {
        (Some(pack), Some(version)) if rule.layer != Layer::Shipped => {
            format!("{pack} {version} ({})", rule.layer)
        }
        _ => rule.layer.to_string(),
    };
    let over = match (&rule.disabled_by, &rule.extends, rule.replaces.last()) {
        (Some(file), ..) => format!(", disabled by {file}"),
        (None, Some(base), _) => format!(", extends {base}"),
        (None, None, Some(place)) => format!(", replaces {place}"),
        (None, None, None) => String::new(),
    };
    format!("{from}{over}")
}

fn is_wanted(rule: &RuleInfo, args: &ListArgs) -> bool {
    let text = format!("{} {} {}", rule.id, rule.doc, rule.source).to_lowercase();
    let of_layer = |layer: &String| rule.layer.as_str() == layer || rule.pack.as_ref() == Some(layer);
    args.words.iter().all(|word| text.contains(&word.to_lowercase()))
        && args.kind.as_ref().is_none_or(|kind| rule.kind == *kind)
        && args.layer.as_ref().is_none_or(of_layer)
}

/// A layer or pack that was asked for must be one.
fn known_layer(rules: &RuleSet, asked: Option<&str>) -> Result<(), CliError> {
    let mut known: Vec<&str> = Layer::ALL.into_iter().map(Layer::as_str).collect();
    known.extend(rules.packs().iter().filter_map(Pack::name));
    match asked.filter(|asked| !known.contains(asked)) {
        None => Ok(()),
        Some(asked) => {
            let near = did_you_mean(asked, known.iter().copied());
            Err(CliError::invalid(format!("`{asked}` is neither a layer nor a pack{near}")))
        }
    }
}

fn list_packs(context: &Context, rules: &RuleSet, as_json: bool) -> Result<(), CliError> {
    let examples: Vec<Value> = RuleFolder::examples().iter().map(example_line).collect();
    let packs: Vec<Value> = rules.packs().iter().map(pack_line).collect();
    if as_json {
        let document = json!({"schema": "convwise.packs/1", "packs": packs, "examples": examples});
        return context.screen.json(&document);
    }
    let columns = [text("pack"), text("version"), text("layer"), text("at"), text("says")];
    let said = |line: &Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
    let cells = |line: &Value| {
        let why = line["refused"].as_str().map(|why| format!("not used: {why}"));
        let says = why.unwrap_or_else(|| said(line, "description"));
        vec![
            styled(NAME, said(line, "name")),
            said(line, "version"),
            said(line, "layer"),
            said(line, "folder"),
            says,
        ]
    };
    let mut out = table(&columns, packs.iter().rev().chain(&examples).map(cells));
    if !examples.is_empty() {
        out.push_str("an example is off: `--rules PACK` uses it as it is, `convwise rules eject PACK` writes it out for editing\n");
    }
    context.screen.result(&out)
}

fn pack_line(pack: &Pack) -> Value {
    let manifest = pack.manifest.as_ref();
    json!({
        "name": manifest.map(|m| &m.name),
        "version": manifest.map(|m| m.version.to_string()),
        "description": manifest.map(|m| &m.description),
        "layer": pack.layer,
        "folder": pack.folder,
        "disable": manifest.map(|m| &m.disable),
        "refused": pack.refusal,
    })
}

fn example_line(folder: &RuleFolder) -> Value {
    let manifest = folder.manifest.as_ref();
    json!({
        "name": manifest.map(|m| &m.name),
        "version": manifest.map(|m| m.version.to_string()),
        "description": manifest.map(|m| &m.description),
        "layer": "example",
        "folder": folder.origin.to_string(),
    })
}
