//! Filters what the knowledge base knows by an expression over bare field names, in the language of the rules:
//! `task == "classify" && top1 >= 80 && params < 30e6`.
//!
//! Architectures are few and are read row by row ([`query`]); of records there may be millions, which are filtered column by
//! column ([`select`]).
#![expect(clippy::result_large_err, reason = "a query that is wrong ends the work on it")]

mod columnar;
mod computed;
mod plan;
mod rows;
mod truth;

pub use columnar::{SelectError, Selection, select};
pub use rows::{QueryAnswer, QueryRow, query};

use std::cell::RefCell;
use std::sync::Arc;

use convwise_script::{Budget, Complaint, Sources, compile, diagnose, sandbox};
use convwise_types::listing::record_tables;
use convwise_types::{Diagnostic, Span, nearest};
use rhai::{AST, Dynamic, Engine, EvalAltResult, ImmutableString, Position};

use crate::fields::{Cell, NET, Table, record_table};
use crate::lint::expressions::{self, Roots};
use crate::vocabulary::{self, MissingFact};

/// What a query is called in its errors.
const FILE: &str = "query";

/// An expression that was read and checked against the fields of one table.
struct Question<'a> {
    engine: Engine,
    ast: AST,
    text: &'a str,
    /// The fields that it reads.
    names: Vec<String>,
}

impl<'a> Question<'a> {
    /// Reads an expression.
    fn new(text: &'a str, table: &'static Table) -> Result<Self, Diagnostic> {
        let engine = query_engine();
        let ast = parse(&engine, text)?;
        let names = expressions::variables(&ast);
        if let Some((name, position)) = names.iter().find(|(name, _)| table.field(name).is_none()) {
            return Err(unknown_name(name, *position, text, table));
        }
        if let Some(problem) = expressions::check(&ast, &Roots::Bare(table), FILE, text).into_iter().next() {
            return Err(problem);
        }
        Ok(Self { engine, ast, text, names: names.into_iter().map(|(name, _)| name).collect() })
    }

    /// Whether a row matches, whose fields `source` has; `None` if a field that it needs is unknown.
    fn matches(&self, ast: &AST, source: Source) -> Result<Option<bool>, Diagnostic> {
        CURRENT.with_borrow_mut(|current| *current = Some(source));
        let outcome = self.engine.eval_ast::<Dynamic>(ast);
        CURRENT.with_borrow_mut(|current| *current = None);
        match outcome {
            Ok(value) => value.as_bool().map(Some).map_err(|found| not_a_condition(found, self.text)),
            Err(error) if MissingFact::behind(&error).is_some() => Ok(None),
            Err(error) => Err(run_error(&error, self.text, &self.engine)),
        }
    }
}

/// Gives the value of a field in the row at hand.
type Source = Arc<dyn Fn(&str) -> Option<Cell>>;

thread_local! {
    /// The row that the running expression reads.
    static CURRENT: RefCell<Option<Source>> = const { RefCell::new(None) };
}

fn query_engine() -> Engine {
    let mut engine = sandbox(&Budget { operations: 20_000, functions: 64, ..Budget::default() });
    vocabulary::teach(&mut engine);
    // Names are checked against the tables before anything runs.
    engine.set_strict_variables(false);
    // The engine's built-in operators call text and numbers unequal without a word; ours come first this way.
    engine.set_fast_operators(false);
    refuse_mixed_comparisons(&mut engine);
    resolve_fields(&mut engine);
    engine
}

#[expect(deprecated, reason = "marked so only because its form may change; the engine's version is pinned")]
fn resolve_fields(engine: &mut Engine) {
    engine.on_var(|name, _, _| {
        let cell = CURRENT.with_borrow(|row| row.as_ref().and_then(|row| row(name)));
        match cell {
            Some(Cell::Known(value, _)) => Ok(Some(value)),
            Some(Cell::Unknown(missing)) => Err(MissingFact::raise(missing)),
            None => Ok(None),
        }
    });
}

fn parse(engine: &Engine, expression: &str) -> Result<AST, Diagnostic> {
    if expression.trim().is_empty() {
        let problem = Diagnostic::error("syntax", FILE, "the query is empty");
        return Err(problem.with_help("write for example `task == \"classify\" && top1 >= 80`"));
    }
    let whole = compile(engine, FILE, expression)?;
    if engine.compile_expression(expression).is_err() {
        let problem = Diagnostic::error("syntax", FILE, "a query is one expression, without statements");
        return Err(problem.with_help("join conditions with `&&` and `||`"));
    }
    Ok(whole)
}

fn unknown_name(name: &str, position: Position, expression: &str, table: &'static Table) -> Diagnostic {
    let records = record_tables().iter().filter_map(record_table);
    let other = records.chain([&NET]).find(|t| t.path != table.path && t.field(name).is_some());
    let near = table.suggestion(name);
    let problem =
        Diagnostic::error("unknown-field", FILE, format!("{} have no field `{name}`", called(table)));
    let problem = problem.at(expression, span(expression, position), "not a field");
    match (near, other) {
        (_, Some(other)) => problem.with_help(format!(
            "it is a field of {}: ask with `--from {}`; no row has fields of both",
            called(other),
            called(other)
        )),
        (Some(near), None) => problem.with_help(format!("did you mean `{near}`?")),
        (None, None) => {
            let all = record_tables().iter().filter_map(record_table).chain([&NET]);
            let elsewhere = all.flat_map(|t| t.fields.iter().map(|f| f.name));
            let known = table.fields.iter().map(|f| f.name).collect::<Vec<_>>().join(", ");
            match nearest(name, elsewhere) {
                Some(near) => problem
                    .with_help(format!("another table has `{near}`; `convwise kb fields` lists all of them")),
                None => problem.with_help(format!("the fields are {known}")),
            }
        }
    }
}

/// A table as `--from` calls it.
fn called(table: &Table) -> &'static str {
    if table.path == NET.path { "architectures" } else { table.path }
}

fn span(source: &str, position: Position) -> Span {
    Span::of_word(source, position.line().unwrap_or(1), position.position().unwrap_or(1))
}

fn not_a_condition(found: &str, expression: &str) -> Diagnostic {
    let found = convwise_script::type_in_words(found);
    let message = format!("the query must be true or false for each row; it gives a {found}");
    Diagnostic::error("wrong-type", FILE, message)
        .at(expression, Span::of_bytes(expression, 0..expression.len()), "not a condition")
        .with_help("compare it with something, e.g. `top1 >= 80`")
}

fn run_error(error: &EvalAltResult, expression: &str, engine: &Engine) -> Diagnostic {
    let mut sources = Sources::new();
    sources.add(FILE, expression);
    diagnose(error, FILE, &sources, engine)
}

/// Comparisons of text, numbers and truth values with each other are errors, not `false`.
fn refuse_mixed_comparisons(engine: &mut Engine) {
    macro_rules! refuse {
        ($($a:ty, $b:ty;)+) => {
            $(for op in ["==", "!=", "<", "<=", ">", ">="] {
                engine.register_fn(op, move |_: $a, _: $b| mixed(op, stringify!($a), stringify!($b)));
                engine.register_fn(op, move |_: $b, _: $a| mixed(op, stringify!($b), stringify!($a)));
            })+
        };
    }
    refuse! {
        ImmutableString, i64;
        ImmutableString, f64;
        ImmutableString, bool;
        bool, i64;
        bool, f64;
    }
}

fn mixed(op: &str, a: &str, b: &str) -> Result<bool, Box<EvalAltResult>> {
    let [a, b] = [a, b].map(|name| match convwise_script::type_in_words(name) {
        "text" => "text".to_owned(),
        "true or false" => "true or false".to_owned(),
        number => format!("a {number}"),
    });
    Err(Complaint::new("wrong-type", format!("`{op}` cannot compare {a} with {b}")).into())
}
