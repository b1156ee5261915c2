//! `convwise kb fields`: what can be asked for.

use std::fmt::Write as _;

use clap::ValueEnum;
use convwise_types::listing::Better;
use serde_json::{Value, json};

use crate::args::asking::{FieldsArgs, Table};
use crate::context::Context;
use crate::error::CliError;
use crate::render::table::{table, text};
use crate::screen::{HEADING, NAME, styled};
use crate::tables::{FieldLine, Fields, word_of};

pub(super) fn run(context: &Context, args: &FieldsArgs) -> Result<(), CliError> {
    let tables = args.from.map_or_else(|| Table::value_variants().to_vec(), |table| vec![table]);
    let mut found: Vec<_> = tables.into_iter().map(|table| about(Fields::of(table), &args.words)).collect();
    found.retain(|fields| !fields.lines.is_empty());
    if found.is_empty() {
        let words = args.words.join(" ");
        return Err(CliError::invalid(format!(
            "no field is about `{words}`; `convwise kb fields` prints all"
        )));
    }
    if args.output.json {
        let tables: Vec<_> = found.iter().map(document).collect();
        return context.screen.json(&json!({"schema": "convwise.kb-fields/1", "tables": tables}));
    }
    context.screen.result(&found.iter().map(shown).collect::<Vec<_>>().join("\n"))
}

/// The fields in whose name or meaning every one of some words stands.
fn about(mut fields: Fields, words: &[String]) -> Fields {
    let words: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
    fields.lines.retain(|f| {
        let all = format!("{} {} {}", f.name, f.path, f.meaning).to_lowercase();
        words.iter().all(|word| all.contains(word))
    });
    fields
}

fn document(fields: &Fields) -> Value {
    json!({"name": fields.table.name(), "meaning": fields.table.meaning(), "fields": fields.lines})
}

fn shown(fields: &Fields) -> String {
    let name = fields.table.name();
    let mut out = format!("{}  {}\n", styled(HEADING, name), fields.table.meaning());
    if fields.lines.iter().any(|f| f.name != f.path) {
        let _ = writeln!(
            out,
            "In expressions `latency.ms` and `latency_ms` are the same; columns have the second name."
        );
    }
    let columns =
        [text("field"), text("type"), text("unit"), text("better"), text("meaning"), text("unknown where")];
    out.push_str(&table(&columns, fields.lines.iter().map(row)));
    out
}

fn row(f: &FieldLine) -> Vec<String> {
    let better = if f.better == Better::Neither { "" } else { word_of(f.better).unwrap_or_default() };
    let kind = if f.words.is_empty() { f.kind.to_owned() } else { f.words.join(", ") };
    let unknown = f.unknown_where.clone().unwrap_or_default();
    vec![styled(NAME, &f.name), kind, f.unit.to_owned(), better.to_owned(), f.meaning.to_owned(), unknown]
}
