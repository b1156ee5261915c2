//! Records, column by column.

use std::convert::Infallible;
use std::sync::Arc;

use convwise_types::Diagnostic;
use convwise_types::listing::{Columns, Item, RecordTable};

use super::plan::plan;
use super::truth::{Truth, decide};
use super::{Question, Source};
use crate::fields::{Cell, Field, Kind, Table, record_table};

/// Which rows match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Their places, in order.
    pub rows: Vec<usize>,
    /// Rows that were left out because a field that the expression needs is unknown.
    pub unknown: usize,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum SelectError<E = Infallible> {
    /// The expression is wrong.
    Question(Box<Diagnostic>),
    /// The columns cannot be had.
    Columns(E),
}

/// The rows of a kind of record that match an expression. `load` is asked once, for the columns that the expression reads.
///
/// # Errors
/// As for [`super::query`], and what `load` says.
pub fn select<E>(
    expression: &str,
    of: &RecordTable,
    load: impl FnOnce(&[&str]) -> Result<Columns, E>,
) -> Result<Selection, SelectError<E>> {
    let wrong = |diagnostic: Diagnostic| SelectError::Question(Box::new(diagnostic));
    let Some(table) = record_table(of) else { return Ok(Selection::default()) };
    let question = Question::new(expression, table).map_err(wrong)?;
    let plan = plan(&question.ast, table);
    let names: Vec<&str> = question.names.iter().map(String::as_str).collect();
    let columns = Arc::new(load(&names).map_err(SelectError::Columns)?);
    let mut ask = |ast: &rhai::AST, row: usize| question.matches(ast, row_of(table, &columns, row));
    let verdicts = decide(&plan, &columns, None, &mut ask).map_err(wrong)?;
    let mut selection = Selection::default();
    for (row, verdict) in verdicts.into_iter().enumerate() {
        match verdict {
            Truth::True => selection.rows.push(row),
            Truth::False => {}
            Truth::Unknown => selection.unknown += 1,
        }
    }
    Ok(selection)
}

/// Gives the fields of a row to a script.
fn row_of(table: &'static Table, columns: &Arc<Columns>, row: usize) -> Source {
    let columns = Arc::clone(columns);
    Arc::new(move |name| table.field(name).map(|field| cell(field, &columns.item(name, row))))
}

fn cell(field: &Field, item: &Item) -> Cell {
    match (item, field.kind) {
        (Item::Text(words), Kind::Words) => Cell::words(words.split(' ').filter(|word| !word.is_empty())),
        (Item::Text(text), _) => Cell::text(text),
        (Item::Whole(value), _) => Cell::Known((*value).into(), None),
        (Item::Real(value), _) => Cell::real(*value),
        (Item::Flag(value), _) => Cell::flag(*value),
        (Item::Unknown, _) => Cell::unknown(field.name, "the record does not say"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use convwise_types::listing::{Builder, Column, record_tables};

    fn timings() -> &'static RecordTable {
        record_tables().iter().find(|table| table.name == "timings").unwrap()
    }

    /// A column of every kind, with unknown values in each.
    fn columns() -> Columns {
        let table = timings();
        let value = |name: &str, row: usize| match (name, row % 7) {
            (_, 3) => Item::Unknown,
            ("architecture", n) => Item::Text(format!("network_{n}")),
            ("batch", n) => Item::Whole(1 << n),
            ("latency_ms", n) => Item::Real(0.5 * f64::from(u8::try_from(n * row % 11).unwrap())),
            (_, n) => Item::Text(format!("{n}")),
        };
        let column = |name: &'static str| {
            let mut builder = Builder::new(table.field(name).unwrap().kind);
            (0..70).for_each(|row| builder.push(&value(name, row)));
            (name, Arc::<Column>::new(builder.finish()))
        };
        Columns::new(70, ["architecture", "batch", "latency_ms", "device"].map(column))
    }

    /// The same expression decided by the columns and, wrapped so that it has no plan, by the script engine.
    fn check(expression: &str) {
        let answer = |text: &str| {
            select::<Infallible>(text, timings(), |_| Ok(columns()))
                .map_err(|error| format!("{error:?}"))
                .unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        let by_columns = answer(expression);
        assert_eq!(
            by_columns,
            answer(&format!("if true {{ {expression} }} else {{ false }}")),
            "{expression}"
        );
        assert!(by_columns.rows.len() < 70, "{expression} selects everything");
    }

    #[test]
    fn columns_answer_as_scripts_do() {
        for field in ["batch", "latency_ms"] {
            for operator in ["==", "!=", "<", "<=", ">", ">="] {
                for value in ["-1", "0", "2", "2.0", "2.5", "1.0e9", "-0.5"] {
                    check(&format!("{field} {operator} {value}"));
                    check(&format!("{value} {operator} {field}"));
                }
            }
            check(&format!("{field} in [2, 4]"));
            check(&format!("!({field} in [1.0, 2.5])"));
        }
        for operator in ["==", "!=", "<", "<=", ">", ">="] {
            check(&format!("architecture {operator} \"network_4\""));
        }
        check("architecture in [\"network_1\", \"network_2\", \"other\"] && batch < 4");
        check("device == \"5\" || architecture == \"network_1\"");
        check("architecture == \"network_1\" || latency_ms > 1 && batch * 2 > 4");
        check("!(batch > 4 || latency_ms.to_string() == \"1.5\")");
        check("architecture.contains(\"_2\") || batch == 16 || batch + 1 == 3");
        check("false || batch > 100");
        for operator in ["==", "!=", "<", "<=", ">", ">="] {
            check(&format!("latency_ms {operator} batch"));
            check(&format!("batch * 0.25 + 1 {operator} latency_ms * 2 - 0.5"));
            check(&format!("-latency_ms / (batch - 4) {operator} 0.1"));
            check(&format!("batch * batch / 3 {operator} 5"));
            check(&format!("0.0 / latency_ms {operator} 1 / (latency_ms - latency_ms)"));
        }
        check("batch + 1 == 3 && architecture == \"network_1\" || !(batch - latency_ms >= 1)");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |text: &str, words: &[&str]| {
            let Err(SelectError::Question(problem)) =
                select::<Infallible>(text, timings(), |_| Ok(columns()))
            else {
                panic!("{text} is answered");
            };
            let said = format!("{} {:?}", problem.message, problem.help);
            assert!(words.iter().all(|word| said.contains(word)), "{text}: {said}");
        };
        wrong("latency_m < 3", &["latency_m", "did you mean `latency_ms`"]);
        wrong("median_ms < 3", &["median_ms", "--from measurements"]);
        wrong("batch == \"four\"", &["compare"]);
        wrong("batch", &["true or false"]);
        wrong("[1][5] == batch", &["5"]);
        wrong("batch / (batch - 4) > 1", &["zero"]);
        wrong("batch * 9223372036854775807 > 1", &["overflow"]);
        wrong("batch + device > 1", &["compare"]);
    }
}
