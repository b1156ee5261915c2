//! `rules check`: what is wrong or doubtful.

use convwise_advisor::catalogue::{Catalogue, Form};
use convwise_advisor::corpus::corpus;
use convwise_judge::{Level, LevelError, Levels};
use convwise_types::{Diagnostic, Severity};
use serde_json::{Value, json};

use crate::args::CheckArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::screen::{FAINT, styled};

pub(super) fn check(context: &Context, args: &CheckArgs) -> Result<(), CliError> {
    let levels = levels(args).map_err(CliError::invalid)?;
    let (rules, _) = context.load_rules();
    let corpus =
        corpus(&Catalogue::build(context.zoo(), context.shipped(), Form::default()), context.shipped());
    let found = rules.check(&corpus, &levels);
    let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
    if args.output.json {
        let findings: Vec<Value> = found.iter().map(with_page).collect();
        let document = json!({"schema": "convwise.rules-check/1", "ok": errors == 0, "findings": findings});
        context.screen.json(&document)?;
    } else {
        let shown = found.iter().map(shown);
        let end = format!(
            "{}: {}, {}",
            count_of(rules.len(), "rule"),
            count_of(errors, "error"),
            count_of(found.len() - errors, "warning")
        );
        context.screen.result(&shown.chain([end]).collect::<Vec<_>>().join("\n\n"))?;
    }
    if errors == 0 { Ok(()) } else { Err(CliError::Reported(3)) }
}

/// The levels that were asked for; what is named last among the stricter ones wins.
fn levels(args: &CheckArgs) -> Result<Levels, LevelError> {
    let mut levels = Levels::default();
    let stated = [(Level::Allow, &args.allow), (Level::Warning, &args.warn), (Level::Error, &args.deny)];
    for (level, names) in stated {
        for name in names {
            match (level, name.as_str()) {
                (Level::Error, "warnings") => levels.deny_warnings(),
                _ => levels.set(name, level)?,
            }
        }
    }
    Ok(levels)
}

/// Where to read what a finding means.
fn page(found: &Diagnostic) -> String {
    format!("convwise rules show {}", found.code)
}

fn shown(found: &Diagnostic) -> String {
    format!("{}\n  {}", found.render(true), styled(FAINT, format!("= page: {}", page(found))))
}

fn with_page(found: &Diagnostic) -> Value {
    let mut value = json!(found);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("page".to_owned(), json!(page(found)));
    }
    value
}
