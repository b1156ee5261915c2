//! Filters records by an expression over the columns that are listed for their kind, in the language of the rules.
#![expect(clippy::result_large_err, reason = "a query that is wrong ends the work on it")]

use std::cell::RefCell;
use std::sync::Arc;

use convwise_script::{Budget, Sources, compile, diagnose, sandbox};
use convwise_types::listing::{Better as Direction, Columns, FieldInfo, Item, ListKind};
use convwise_types::{Diagnostic, Missing, Span, nearest};
use rhai::{AST, Dynamic, Engine, ImmutableString};

use crate::fields::{Better, Cell, Field, Kind, Read, Table};
use crate::lint::expressions::{self, Roots};
use crate::query::QueryAnswer;
use crate::row::Words;
use crate::vocabulary::{self, MissingFact};

/// What a query is called in its errors.
const FILE: &str = "query";

/// Filters the rows of columns, one after the other.
///
/// # Errors
/// A syntax error, an unknown field (with the nearest one), a comparison of text with a number, or a result that is not
/// true or false; each with its place.
pub fn select(expression: &str, fields: &[FieldInfo], columns: &Columns) -> Result<QueryAnswer, Diagnostic> {
    let mut engine = sandbox(&Budget { operations: 20_000, functions: 64, ..Budget::default() });
    vocabulary::teach(&mut engine);
    engine.set_strict_variables(false);
    engine.set_fast_operators(false);
    read_cells(&mut engine);
    let ast = parse(&engine, fields, expression)?;
    let names: Vec<_> = expressions::variables(&ast).into_iter().map(|(name, _)| name).collect();
    let read: Vec<_> = fields.iter().filter(|f| names.iter().any(|n| n == f.name)).copied().collect();
    let mut answer = QueryAnswer::default();
    for row in 0..columns.rows() {
        let cells = read.iter().map(|f| (f.name, cell(f, columns.item(f.name, row)))).collect();
        CURRENT.with_borrow_mut(|current| *current = cells);
        match engine.eval_ast::<Dynamic>(&ast) {
            Ok(value) if value.is_bool() => {
                answer.matched.extend(value.as_bool().ok().filter(|m| *m).map(|_| row))
            }
            Ok(value) => return Err(not_a_condition(value.type_name(), expression)),
            Err(error) if MissingFact::behind(&error).is_some() => answer.unknown += 1,
            Err(error) => {
                let mut sources = Sources::new();
                sources.add(FILE, expression);
                return Err(diagnose(&error, FILE, &sources, &engine));
            }
        }
    }
    Ok(answer)
}

thread_local! {
    /// What the running expression may read.
    static CURRENT: RefCell<Vec<(&'static str, Cell)>> = const { RefCell::new(Vec::new()) };
}

#[expect(deprecated, reason = "marked so only because its form may change; the engine's version is pinned")]
fn read_cells(engine: &mut Engine) {
    engine.on_var(|name, _, _| {
        let cell =
            CURRENT.with_borrow(|cells| cells.iter().find(|(n, _)| *n == name).map(|(_, c)| c.clone()));
        match cell {
            Some(Cell::Known(value, _)) => Ok(Some(value)),
            Some(Cell::Unknown(missing)) => Err(MissingFact::raise(missing)),
            None => Ok(None),
        }
    });
}

fn parse(engine: &Engine, fields: &[FieldInfo], expression: &str) -> Result<AST, Diagnostic> {
    let whole = compile(engine, FILE, expression)?;
    if engine.compile_expression(expression).is_err() {
        let problem = Diagnostic::error("syntax", FILE, "a query is one expression, without statements");
        return Err(problem.with_help("join conditions with `&&` and `||`"));
    }
    for (name, position) in expressions::variables(&whole) {
        if fields.iter().all(|f| f.name != name) {
            let span =
                Span::of_word(expression, position.line().unwrap_or(1), position.position().unwrap_or(1));
            let problem = Diagnostic::error("unknown-field", FILE, format!("there is no field `{name}`"));
            let names = || fields.iter().map(|f| f.name);
            let help = nearest(&name, names()).map_or_else(
                || format!("the fields are {}", names().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(problem.at(expression, span, "not a field").with_help(help));
        }
    }
    let problems = expressions::check(&whole, &Roots::Bare(table(fields)), FILE, expression);
    problems.into_iter().next().map_or(Ok(whole), Err)
}

/// The fields as the checks of expressions read them. They ask for tables that last as long as the program; this one is
/// made once a query.
fn table(fields: &[FieldInfo]) -> &'static Table {
    let nothing = Read::Measurement(|_| Cell::unknown("field", "it is read from columns"));
    let field = |f: &FieldInfo| Field {
        name: f.name,
        kind: kind(f.kind),
        unit: f.unit,
        doc: f.doc,
        better: match f.better {
            Direction::Higher => Better::Higher,
            Direction::Lower => Better::Lower,
            Direction::Neither => Better::Neither,
        },
        read: nothing,
    };
    let fields: &'static [Field] = Vec::leak(fields.iter().map(field).collect());
    Box::leak(Box::new(Table { index: 0, path: "record", doc: "", fields }))
}

fn kind(kind: ListKind) -> Kind {
    match kind {
        ListKind::Name | ListKind::Text => Kind::Text,
        ListKind::Word(words) => Kind::Word(words),
        ListKind::Words => Kind::Words,
        ListKind::Whole => Kind::Whole,
        ListKind::Real => Kind::Real,
        ListKind::Flag => Kind::Flag,
    }
}

fn cell(field: &FieldInfo, item: Item) -> Cell {
    match item {
        Item::Unknown => Cell::Unknown(Arc::new(Missing::new(field.name, field.lack))),
        Item::Text(text) if matches!(field.kind, ListKind::Words) => {
            let words = text.split_whitespace().map(ImmutableString::from).collect();
            Cell::Known(Dynamic::from(Words(words)), None)
        }
        Item::Text(text) => Cell::text(&text),
        Item::Whole(value) => Cell::Known(Dynamic::from(value), None),
        Item::Real(value) => Cell::real(value),
        Item::Flag(value) => Cell::flag(value),
    }
}

fn not_a_condition(found: &str, expression: &str) -> Diagnostic {
    let found = convwise_script::type_in_words(found);
    let message = format!("the query must be true or false for each row; it gives a {found}");
    Diagnostic::error("wrong-type", FILE, message)
        .at(expression, Span::of_bytes(expression, 0..expression.len()), "not a condition")
        .with_help("compare it with something, e.g. `value >= 80`")
}

#[cfg(test)]
mod tests {
    use convwise_types::AddedFact;
    use convwise_types::listing::{FACT_FIELDS, infos};
    use serde_json::json;

    use super::*;

    fn facts() -> Vec<AddedFact> {
        let fact = |name: &str, unit: Option<&str>| AddedFact {
            about: "device:x".to_owned(),
            name: name.to_owned(),
            value: json!(1),
            unit: unit.map(str::to_owned),
            source: "https://example.org/".to_owned(),
        };
        vec![fact("ram", Some("bytes")), fact("cores", None), fact("flash", Some("bytes"))]
    }

    fn check(expression: &str, matched: &[usize], unknown: usize) {
        let columns = Columns::of(FACT_FIELDS, &facts());
        let answer = select(expression, &infos(FACT_FIELDS), &columns).unwrap();
        assert_eq!((answer.matched.as_slice(), answer.unknown), (matched, unknown), "{expression}");
    }

    fn refused(expression: &str, word: &str) {
        let columns = Columns::of(FACT_FIELDS, &facts());
        let problem = select(expression, &infos(FACT_FIELDS), &columns).unwrap_err().to_string();
        assert!(problem.contains(word), "{expression}: {problem}");
    }

    #[test]
    fn records_match_by_their_columns() {
        check("true", &[0, 1, 2], 0);
        check("name == \"ram\" || name == \"cores\"", &[0, 1], 0);
        check("unit == \"bytes\"", &[0, 2], 1);
        check("name in [\"flash\"]", &[2], 0);
    }

    #[test]
    fn what_is_wrong_is_said_without_a_row_too() {
        refused("nam == 1", "did you mean `name`?");
        refused("name > 3", "impossible-comparison");
        refused("name", "true or false");
        refused("let x = 1; true", "one expression");
        let nothing = Columns::of::<AddedFact>(FACT_FIELDS, &[]);
        assert!(select("nam == 1", &infos(FACT_FIELDS), &nothing).is_err());
    }
}
