//! The reference of what rules may read, declare and call, drawn from what the program registers.

mod bare;
mod definitions;
mod functions;

use std::fmt::Write as _;

use serde::Serialize;

pub use bare::why_unknown;
pub use definitions::{DEFINITIONS_FILE, definitions};
pub use functions::{FUNCTIONS, FunctionSpec};

use crate::clauses::RuleKind;
use crate::fields::{Better, Field, Kind, TABLES, Table};

/// Name of the JSON form of [`Reference`].
pub const REFERENCE_SCHEMA: &str = "convwise.rules-fields/1";

/// Everything that rules may read, declare and call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// `convwise.rules-fields/1`.
    pub schema: &'static str,
    /// Groups of fields.
    pub tables: Vec<TableEntry>,
    /// Kinds of rules.
    pub kinds: Vec<KindEntry>,
    /// Functions.
    pub functions: Vec<FunctionEntry>,
}

/// A group of fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableEntry {
    /// How scripts reach it.
    pub path: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Its fields.
    pub fields: Vec<FieldEntry>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldEntry {
    /// Whole path: `net.latency.ms`.
    pub path: String,
    /// Type in words.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The words that it may be, if the list is closed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<&'static str>,
    /// Unit in words; empty where there is none.
    pub unit: &'static str,
    /// Whether it may be unknown, which ends a rule that reads it as undecided.
    pub may_be_unknown: bool,
    /// `higher` or `lower`, where one is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub better: Option<&'static str>,
    /// One sentence.
    pub doc: &'static str,
}

/// A kind of rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindEntry {
    /// The function that declares it.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// What its closures may take.
    pub takes: &'static [&'static str],
    /// Its clauses.
    pub clauses: Vec<ClauseEntry>,
}

/// A clause of a kind of rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClauseEntry {
    /// Its name.
    pub name: &'static str,
    /// Whether a rule of the kind must have it.
    pub required: bool,
    /// One sentence.
    pub doc: &'static str,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FunctionEntry {
    /// Its name.
    pub name: &'static str,
    /// As it is written in a rule.
    pub example: &'static str,
    /// What it gives.
    pub doc: &'static str,
}

/// The reference of this program.
#[must_use]
pub fn reference() -> Reference {
    let function = |f: &FunctionSpec| FunctionEntry { name: f.name(), example: f.example, doc: f.doc };
    Reference {
        schema: REFERENCE_SCHEMA,
        tables: TABLES.iter().map(|table| table_entry(table)).collect(),
        kinds: RuleKind::ALL.into_iter().map(kind_entry).collect(),
        functions: FUNCTIONS.iter().map(function).collect(),
    }
}

fn table_entry(table: &'static Table) -> TableEntry {
    let unknown = bare::may_be_unknown(table);
    let fields = table.fields.iter().zip(unknown);
    let fields = fields.map(|(field, unknown)| field_entry(table, field, unknown)).collect();
    TableEntry { path: table.path, doc: table.doc, fields }
}

fn field_entry(table: &Table, field: &'static Field, may_be_unknown: bool) -> FieldEntry {
    FieldEntry {
        path: format!("{}.{}", table.path, field.name),
        kind: field.kind.noun(),
        words: if let Kind::Word(words) = field.kind { words() } else { Vec::new() },
        unit: field.unit,
        may_be_unknown,
        better: match field.better {
            Better::Higher => Some("higher"),
            Better::Lower => Some("lower"),
            Better::Neither => None,
        },
        doc: field.doc,
    }
}

fn kind_entry(kind: RuleKind) -> KindEntry {
    let is_required = |name: &str| kind.required().any(|required| required == name);
    let clause = |c: &crate::clauses::ClauseSpec| ClauseEntry {
        name: c.name,
        required: is_required(c.name),
        doc: c.doc,
    };
    KindEntry {
        name: kind.as_str(),
        doc: kind.doc(),
        takes: kind.arguments(),
        clauses: kind.clauses().map(clause).collect(),
    }
}

impl FieldEntry {
    /// Type, words or unit, direction and doubt, as one phrase.
    #[must_use]
    pub fn nature(&self) -> String {
        let words = self.words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" ");
        let mut parts = vec![if words.is_empty() { self.kind.to_owned() } else { words }];
        parts.extend((!self.unit.is_empty()).then(|| self.unit.to_owned()));
        parts.extend(self.better.map(|better| format!("{better} is better")));
        parts.join(", ")
    }
}

impl Reference {
    /// What has all of the words in its name or documentation; groups and kinds of which nothing is left are left out.
    #[must_use]
    pub fn about(mut self, words: &[String]) -> Self {
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let is_about = |name: &str, doc: &str| {
            let text = format!("{name} {doc}").to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        for table in &mut self.tables {
            table.fields.retain(|field| is_about(&field.path, field.doc));
        }
        for kind in &mut self.kinds {
            kind.clauses.retain(|clause| is_about(&format!("{} {}", kind.name, clause.name), clause.doc));
        }
        self.tables.retain(|table| !table.fields.is_empty());
        self.kinds.retain(|kind| !kind.clauses.is_empty());
        self.functions.retain(|function| is_about(function.example, function.doc));
        self
    }

    /// The reference as a page.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::from(OPENING);
        for table in &self.tables {
            table.page(&mut out);
        }
        for kind in &self.kinds {
            kind.page(&mut out);
        }
        if self.functions.is_empty() {
            return out;
        }
        let _ = writeln!(out, "\n## Functions\n\n{ABOUT_FUNCTIONS}\n\n| as written | gives |\n|---|---|");
        for function in &self.functions {
            let _ = writeln!(out, "| {} | {} |", code(function.example), cell(function.doc));
        }
        out
    }
}

impl TableEntry {
    fn page(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "\n## {}\n\n{}\n\n| field | type | may be unknown | is |\n|---|---|---|---|",
            self.path, self.doc
        );
        for field in &self.fields {
            let unknown = if field.may_be_unknown { "yes" } else { "" };
            let _ = writeln!(
                out,
                "| `{}` | {} | {unknown} | {} |",
                field.path,
                cell(&field.nature()),
                cell(field.doc)
            );
        }
    }
}

impl KindEntry {
    fn page(&self, out: &mut String) {
        let takes = self.takes.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            out,
            "\n## {}\n\n{} Its closures may take {takes}.\n\n| clause | required | is |\n|---|---|---|",
            self.name, self.doc
        );
        for clause in &self.clauses {
            let required = if clause.required { "yes" } else { "" };
            let _ = writeln!(out, "| `{}` | {required} | {} |", clause.name, cell(clause.doc));
        }
    }
}

const OPENING: &str = "# What rules may read, declare and call

Written by the program from what it registers, compared by a test; `CONVWISE_REGEN=1 cargo test -p convwise-judge reference`
rewrites it, `convwise rules fields` prints it. Reading a field that may be unknown ends the rule as undecided while it is;
`net.has(\"latency\")` asks first.
";

const ABOUT_FUNCTIONS: &str = "Beside the standard library of Rhai for numbers, texts, lists and maps.";

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Code in a cell; what itself has backticks stands in two.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {} ``", cell(text)) } else { format!("`{}`", cell(text)) }
}
