//! `rules diff`: my rules against the shipped ones.

use std::fmt::Write as _;

use convwise_judge::{Change, RuleDiff, State};
use convwise_types::did_you_mean;
use serde_json::json;

use crate::args::DiffArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::screen::{BAD, FAINT, GOOD, NAME, WARN, styled};

pub(super) fn diff(context: &Context, args: &DiffArgs) -> Result<(), CliError> {
    let mut found = context.rules()?.diff();
    if let Some(id) = &args.rule {
        let near = did_you_mean(id, found.iter().map(|one| one.id.as_str()));
        found.retain(|one| one.id == *id);
        if found.is_empty() {
            return Err(CliError::invalid(format!(
                "there is no rule `{id}` of yours, nor one that you ejected or disabled{near}"
            )));
        }
    }
    if args.output.json {
        return context.screen.json(&json!({"schema": "convwise.rules-diff/1", "rules": found}));
    }
    let same = found.iter().filter(|one| one.state == State::Same).count();
    let is_shown = |one: &&RuleDiff| args.all || args.rule.is_some() || one.state != State::Same;
    let mut out: String = found.iter().filter(is_shown).map(shown).collect();
    let _ = writeln!(out, "{} compared, {same} the same", count_of(found.len(), "rule"));
    context.screen.result(&out)
}

fn shown(one: &RuleDiff) -> String {
    let places: Vec<&str> = [&one.mine, &one.shipped].into_iter().flatten().map(String::as_str).collect();
    let mut out = format!(
        "{} ({}): {}\n  {}\n",
        styled(NAME, &one.id),
        one.kind,
        said(one),
        styled(FAINT, places.join(", "))
    );
    section("changed here", &one.by_user, &mut out);
    section("changed in the program", &one.by_program, &mut out);
    out.push('\n');
    out
}

/// The state as a sentence.
fn said(one: &RuleDiff) -> String {
    let since = one.ejected_from.as_ref().map(|version| format!(" since {version}")).unwrap_or_default();
    match one.state {
        State::Same => "the same".to_owned(),
        State::UserChanged => format!("you changed it, the program did not{since}"),
        State::ProgramChanged => {
            format!("the program changed it{since}, you did not: yours is the older one")
        }
        State::BothChanged => format!("you and the program both changed it{since}"),
        State::Differs => "it differs from the shipped one".to_owned(),
        State::Extends => "yours builds on the shipped one".to_owned(),
        State::Added => "only you have it".to_owned(),
        State::Disabled => "switched off".to_owned(),
        State::DeletedHere => {
            "you deleted it, and the shipped one is in force; `disable` switches it off".to_owned()
        }
        State::GoneFromProgram => format!("the program dropped it{since}; yours is in force"),
        State::NewInProgram => "new in the program, and in force".to_owned(),
    }
}

fn section(title: &str, changes: &[Change], out: &mut String) {
    for change in changes {
        let _ = writeln!(out, "  {}, {title}", styled(WARN, &change.part));
        for line in &change.lines {
            let style = if line.starts_with('-') { Some(BAD) } else { line.starts_with('+').then_some(GOOD) };
            let line = style.map_or_else(|| line.clone(), |style| styled(style, line));
            let _ = writeln!(out, "    {line}");
        }
    }
}
