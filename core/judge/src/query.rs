//! Filters rows of the knowledge base by an expression over bare field names, in the language of the rules:
//! `task == "classify" && top1 >= 80 && params < 30e6`.
#![expect(clippy::result_large_err, reason = "a query that is wrong ends the work on it")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use convwise_script::{Budget, Complaint, Sources, compile, diagnose, sandbox};
use convwise_types::{Architecture, Candidate, Diagnostic, Measurement, Span, Weights, nearest};
use rhai::{AST, Dynamic, Engine, EvalAltResult, ImmutableString, Position};
use serde_json::{Map, Value};

use crate::fields::{Cell, MEASUREMENT, NET, Table, published_candidate};
use crate::lint::expressions::{self, Roots};
use crate::row::{Row, View, Words};
use crate::vocabulary::{self, MissingFact};

/// What a query is called in its errors.
const FILE: &str = "query";

/// A row that can be queried: an architecture with one of its weights, a candidate, or a measurement.
#[derive(Clone, Debug)]
pub struct QueryRow(Arc<Row>);

impl QueryRow {
    /// A variant with one of its weights, or without any: what is published, nothing measured.
    #[must_use]
    pub fn architecture(architecture: &Arc<Architecture>, weights: Option<&Weights>) -> Self {
        Self(Arc::new(Row::candidate(&published_candidate(architecture, weights))))
    }

    /// A candidate.
    #[must_use]
    pub fn candidate(candidate: &Candidate) -> Self {
        Self(Arc::new(Row::candidate(candidate)))
    }

    /// A record.
    #[must_use]
    pub fn measurement(measurement: &Measurement) -> Self {
        Self(Arc::new(Row::measurement(measurement)))
    }

    /// Every field by name; what is unknown is `null`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        row_json(&self.0)
    }
}

fn row_json(row: &Row) -> Value {
    let named = row.table.fields.iter().zip(&row.cells);
    let entries =
        named.filter(|(f, _)| f.name != "preference").map(|(f, cell)| (f.name.to_owned(), cell_json(cell)));
    Value::Object(entries.collect::<Map<String, Value>>())
}

fn cell_json(cell: &Cell) -> Value {
    let Cell::Known(value, _) = cell else { return Value::Null };
    if let Some(view) = value.read_lock::<View>() {
        return row_json(&view.0);
    }
    if let Some(words) = value.read_lock::<Words>() {
        return words.0.iter().map(|w| Value::from(w.as_str())).collect();
    }
    let number = value.as_int().map(Value::from).or_else(|_| value.as_float().map(Value::from));
    number.or_else(|_| value.as_bool().map(Value::from)).unwrap_or_else(|_| Value::from(value.to_string()))
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryAnswer {
    /// Positions of the rows that match, in their order.
    pub matched: Vec<usize>,
    /// Rows that were left out because a field that the expression needs is unknown.
    pub unknown: usize,
}

/// Filters rows. Rows of a kind that lacks one of the fields are left out; text and numbers are never compared.
///
/// # Errors
/// A syntax error, an unknown field (with the nearest one), fields of two kinds of rows in one expression, a
/// comparison of text with a number, or a result that is not true or false; each with its place.
pub fn query(expression: &str, rows: &[QueryRow]) -> Result<QueryAnswer, Diagnostic> {
    let engine = query_engine();
    let ast = parse(&engine, expression)?;
    let table_paths = tables_of(&ast, expression)?;
    for table in &table_paths {
        let problems = expressions::check(&ast, &Roots::Bare(table), FILE, expression);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
    }
    let mut answer = QueryAnswer::default();
    for (at, row) in
        rows.iter().enumerate().filter(|(_, r)| table_paths.iter().any(|t| t.path == r.0.table.path))
    {
        match matches(&engine, &ast, expression, row)? {
            Some(true) => answer.matched.push(at),
            Some(false) => {}
            None => answer.unknown += 1,
        }
    }
    Ok(answer)
}

thread_local! {
    /// The row that the running expression reads.
    static CURRENT: RefCell<Option<Arc<Row>>> = const { RefCell::new(None) };
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
        let cell = CURRENT.with_borrow(|row| row.as_ref().and_then(|row| row.cell(name).cloned()));
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

/// The tables that have every name in the expression.
fn tables_of(ast: &AST, expression: &str) -> Result<Vec<&'static Table>, Diagnostic> {
    let names = expressions::variables(ast);
    let tables: [&'static Table; 2] = [&NET, &MEASUREMENT];
    let known = |name: &str| tables.iter().any(|t| t.field(name).is_some());
    if let Some((name, position)) = names.iter().find(|(name, _)| !known(name)) {
        return Err(unknown_name(name, *position, expression));
    }
    let whole: Vec<_> =
        tables.into_iter().filter(|t| names.iter().all(|(name, _)| t.field(name).is_some())).collect();
    if whole.is_empty() { Err(mixed_tables(&names, expression)) } else { Ok(whole) }
}

fn unknown_name(name: &str, position: Position, expression: &str) -> Diagnostic {
    let all: BTreeSet<&str> =
        [&NET, &MEASUREMENT].iter().flat_map(|t| t.fields.iter().map(|f| f.name)).collect();
    let inside = [&NET, &MEASUREMENT].iter().find_map(|t| t.suggestion(name));
    let near = nearest(name, all.iter().copied()).map(str::to_owned).or(inside);
    let problem = Diagnostic::error("unknown-field", FILE, format!("there is no field `{name}`"));
    let problem = problem.at(expression, span(expression, position), "not a field");
    match near {
        Some(near) => problem.with_help(format!("did you mean `{near}`?")),
        None => {
            problem.with_help(format!("the fields are {}", all.into_iter().collect::<Vec<_>>().join(", ")))
        }
    }
}

fn mixed_tables(names: &[(String, Position)], expression: &str) -> Diagnostic {
    let only = |table: &Table, other: &Table| {
        names.iter().find(|(n, _)| table.field(n).is_some() && other.field(n).is_none()).cloned()
    };
    let (net, record) = (only(&NET, &MEASUREMENT), only(&MEASUREMENT, &NET));
    let name = |n: &Option<(String, Position)>| n.as_ref().map(|(n, _)| n.clone()).unwrap_or_default();
    let message = format!(
        "`{}` is a field of architectures and `{}` one of measurements; no row has both",
        name(&net),
        name(&record)
    );
    let position = record.map_or(Position::NONE, |(_, p)| p);
    let problem = Diagnostic::error("mixed-rows", FILE, message);
    problem
        .at(expression, span(expression, position), "a field of measurements")
        .with_help("ask in two queries")
}

fn span(source: &str, position: Position) -> Span {
    Span::of_word(source, position.line().unwrap_or(1), position.position().unwrap_or(1))
}

/// Whether a row matches; `None` if a field that it needs is unknown.
fn matches(engine: &Engine, ast: &AST, expression: &str, row: &QueryRow) -> Result<Option<bool>, Diagnostic> {
    CURRENT.with_borrow_mut(|current| *current = Some(Arc::clone(&row.0)));
    let outcome = engine.eval_ast::<Dynamic>(ast);
    CURRENT.with_borrow_mut(|current| *current = None);
    match outcome {
        Ok(value) => value.as_bool().map(Some).map_err(|found| not_a_condition(found, expression)),
        Err(error) if MissingFact::behind(&error).is_some() => Ok(None),
        Err(error) => Err(run_error(&error, expression, engine)),
    }
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
