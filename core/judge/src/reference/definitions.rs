//! Definitions for editors: what the Rhai language server reads from a file beside the rules.

use std::fmt::Write as _;

use super::functions::FUNCTIONS;
use super::{ClauseEntry, FieldEntry, KindEntry, TableEntry, reference};
use crate::fields::{Field, Kind, TABLES, Table};

/// Name of the file.
pub const DEFINITIONS_FILE: &str = "convwise.d.rhai";

/// The definitions of this program, as a `.d.rhai` file.
#[must_use]
pub fn definitions() -> String {
    let reference = reference();
    let mut out = String::from(OPENING);
    for (table, entry) in TABLES.iter().zip(&reference.tables) {
        fields(table, entry, &mut out);
    }
    out.push_str(VARIABLES);
    for kind in &reference.kinds {
        declaration(kind, &mut out);
    }
    for function in &FUNCTIONS {
        let _ = writeln!(
            out,
            "/// {}\n///\n/// `{}`\nfn {};\n",
            function.doc,
            function.example.replace('`', "'"),
            function.signature
        );
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

const OPENING: &str = "/// What rules may read, declare and call. Written by convwise; `convwise rules fields --definitions` prints it anew.
module static;

";

const VARIABLES: &str = "/// The feasible candidates, as the rank formula sees them.
type Pool = #{ size: int };

/// The candidate that is judged.
let net: Net;

/// The request, and what it will run on.
let need: Need;

/// The feasible candidates; rank formula only.
let pool: Pool;

";

fn fields(table: &Table, entry: &TableEntry, out: &mut String) {
    let _ = writeln!(out, "/// {}\ntype {} = #{{", entry.doc, type_name(table));
    for (field, entry) in table.fields.iter().zip(&entry.fields) {
        let _ = writeln!(out, "    /// {}\n    {}: {},", said(entry), field.name, type_of(field));
    }
    out.push_str("};\n\n");
}

/// What a field is, with its words or unit, and whether it may be unknown.
fn said(entry: &FieldEntry) -> String {
    let words = (!entry.words.is_empty()).then(|| entry.words.join(", "));
    let unit = (!entry.unit.is_empty()).then(|| entry.unit.to_owned());
    let doubt = entry.may_be_unknown.then(|| "may be unknown".to_owned());
    let more: Vec<String> = [words, unit, doubt].into_iter().flatten().collect();
    if more.is_empty() { entry.doc.to_owned() } else { format!("{} ({})", entry.doc, more.join("; ")) }
}

fn declaration(kind: &KindEntry, out: &mut String) {
    let name = camel(kind.name);
    let _ = writeln!(out, "/// {}\ntype {name} = #{{", kind.doc);
    for ClauseEntry { name, required, doc } in &kind.clauses {
        let required = if *required { " Required." } else { "" };
        let _ = writeln!(out, "    /// {doc}{required}\n    {name}: ?,");
    }
    let _ = writeln!(out, "}};\n\n/// {}\nfn {}(rule: {name});\n", kind.doc, kind.name);
}

fn type_of(field: &Field) -> String {
    match field.kind {
        Kind::Flag => "bool".to_owned(),
        Kind::Whole => "int".to_owned(),
        Kind::Real => "float".to_owned(),
        // The language server's grammar has types of one word, and its parser has not.
        Kind::Text | Kind::Word(_) => "String".to_owned(),
        Kind::Words => "[String]".to_owned(),
        Kind::Object(table) => type_name(table),
    }
}

/// `NetLatency` for `net.latency`.
fn type_name(table: &Table) -> String {
    table.path.split('.').map(camel).collect()
}

fn camel(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clauses::RuleKind;
    use crate::load;

    /// Names of what an engine was taught beside the standard library; a getter under the name of its field.
    fn registered() -> BTreeSet<String> {
        let engine = load::engine(&load::Collector::default());
        let name = |f: rhai::FuncInfo<'_>| Some(f.metadata.name.to_string());
        let names = engine.collect_fn_metadata(None, name, false).into_iter();
        names
            .map(|name| name.trim_start_matches("get$").to_owned())
            .filter(|name| !name.starts_with("index$"))
            .collect()
    }

    #[test]
    fn everything_that_is_registered_is_documented_and_nothing_else() {
        let fields: BTreeSet<String> =
            TABLES.iter().flat_map(|t| t.fields.iter().map(|f| f.name.to_owned())).collect();
        let functions = FUNCTIONS.iter().map(|f| f.name().to_owned());
        let kinds = RuleKind::ALL.map(|kind| kind.as_str().to_owned());
        let expect: BTreeSet<String> = functions.chain(kinds).chain(fields).collect();
        let found = registered();
        let undocumented: Vec<_> = found.difference(&expect).collect();
        let invented: Vec<_> = expect.difference(&found).collect();
        assert_eq!((undocumented, invented), (Vec::new(), Vec::new()));
        assert!(found.len() > 60, "the engine was asked for nothing");
    }

    /// Every example of a function is something that rules can say.
    #[test]
    fn the_examples_are_written_as_rules_write_them() {
        let engine = load::engine(&load::Collector::default());
        for function in &FUNCTIONS {
            let script = format!("|net, need, pool, x, a, b| {}", function.example);
            assert!(engine.compile(&script).is_ok(), "{script}");
        }
    }
}
