//! SQLite with the same records and columns.

use std::path::Path;

use convwise_types::canonical;
use convwise_types::listing::{Item, ListKind, MEASUREMENT_FIELDS};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::process::report_memory;
use crate::{Outcome, data};

pub fn fill(file: &Path, count: u64) -> Outcome<()> {
    let mut connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(&schema())?;
    let transaction = connection.transaction()?;
    {
        let places = vec!["?"; MEASUREMENT_FIELDS.len() + 2].join(", ");
        let mut insert =
            transaction.prepare(&format!("INSERT OR IGNORE INTO measurements VALUES ({places})"))?;
        for seed in 0..count {
            let m = data::measurement(seed).sealed();
            let fields = MEASUREMENT_FIELDS.iter().map(|field| value((field.read)(&m)));
            let ends = [Value::Text(m.id.to_string()), Value::Text(canonical(&m))];
            insert.execute(params_from_iter(ends.into_iter().chain(fields)))?;
        }
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    report_memory();
    Ok(())
}

fn schema() -> String {
    let column = |kind: ListKind| match kind {
        ListKind::Whole | ListKind::Flag => "INTEGER",
        ListKind::Real => "REAL",
        _ => "TEXT",
    };
    let columns: Vec<_> =
        MEASUREMENT_FIELDS.iter().map(|field| format!("{} {}", field.name, column(field.kind))).collect();
    let mut text =
        format!("CREATE TABLE measurements (id TEXT PRIMARY KEY, body TEXT, {});", columns.join(", "));
    for index in ["architecture", "device", "median_ms"] {
        text.push_str(&format!("CREATE INDEX by_{index} ON measurements ({index});"));
    }
    text
}

fn value(item: Item) -> Value {
    match item {
        Item::Unknown => Value::Null,
        Item::Text(text) => Value::Text(text),
        Item::Whole(number) => Value::Integer(number),
        Item::Real(number) => Value::Real(number),
        Item::Flag(flag) => Value::Integer(i64::from(flag)),
    }
}

pub fn point(file: &Path, id: &str) -> Outcome<()> {
    let connection = Connection::open(file)?;
    let body: String =
        connection.query_row("SELECT body FROM measurements WHERE id = ?", [id], |row| row.get(0))?;
    println!("{body}");
    Ok(())
}

pub fn ask(file: &Path, condition: &str) -> Outcome<()> {
    let connection = Connection::open(file)?;
    let mut found = connection.prepare(&format!("SELECT * FROM measurements WHERE {condition} LIMIT 20"))?;
    let columns = found.column_count();
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let cells: Vec<String> = (0..columns)
            .map(|at| row.get::<_, Value>(at).map(|v| format!("{v:?}")))
            .collect::<Result<_, _>>()?;
        println!("{}", cells.join("\t"));
    }
    Ok(())
}
