//! What can be asked of each kind of row: its fields by name, each under a flat name (`latency_ms`) beside its path
//! (`latency.ms`).

mod flat;

use convwise_judge::fields::{self, Kind, NET};
use convwise_judge::why_unknown;
use convwise_types::did_you_mean;
use convwise_types::listing::{Better, FieldInfo, RecordTable, record_tables};
use serde::Serialize;

use crate::args::asking::Table;

/// One field.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FieldLine {
    /// As columns are called: `latency_ms`.
    pub(crate) name: String,
    /// Where rows have it: `latency.ms`.
    pub(crate) path: String,
    /// Type in words.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// The words that it may be, if the list is closed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) words: Vec<&'static str>,
    /// Unit in words; empty where there is none.
    pub(crate) unit: &'static str,
    /// Which way it improves.
    #[serde(serialize_with = "better_in_words")]
    pub(crate) better: Better,
    /// What it says.
    pub(crate) meaning: &'static str,
    /// Why it may be unknown; nothing where it never is.
    pub(crate) unknown_where: Option<String>,
}

fn better_in_words<S: serde::Serializer>(better: &Better, to: S) -> Result<S::Ok, S::Error> {
    word_of(*better).serialize(to)
}

/// `higher` or `lower`.
pub(crate) fn word_of(better: Better) -> Option<&'static str> {
    match better {
        Better::Higher => Some("higher"),
        Better::Lower => Some("lower"),
        Better::Neither => None,
    }
}

impl FieldLine {
    /// Whether it holds numbers.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.kind, "a number" | "a whole number")
    }
}

impl Table {
    /// As it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Architectures => "architectures",
            Self::Measurements => "measurements",
            Self::Results => "results",
            Self::Timings => "timings",
            Self::Costs => "costs",
            Self::Facts => "facts",
            Self::Failures => "failures",
        }
    }

    /// What its rows are.
    pub(crate) fn meaning(self) -> &'static str {
        match self.records() {
            Some(table) => table.doc,
            None => "Networks with weights at an input size, as they would run in a setting.",
        }
    }

    /// Its kind of record; none for architectures, which are no records.
    pub(crate) fn records(self) -> Option<&'static RecordTable> {
        record_tables().iter().find(|table| table.name == self.name())
    }
}

/// The fields of a table.
pub(crate) struct Fields {
    pub(crate) table: Table,
    pub(crate) lines: Vec<FieldLine>,
}

impl Fields {
    /// Those of a table.
    pub(crate) fn of(table: Table) -> Self {
        let lines = match table {
            Table::Architectures => group(&NET, ""),
            records => records.records().into_iter().flat_map(|table| &table.fields).map(line).collect(),
        };
        Self { table, lines }
    }

    /// The field of a name, flat or dotted.
    ///
    /// # Errors
    /// There is none; with the nearest.
    pub(crate) fn field(&self, typed: &str) -> Result<&FieldLine, String> {
        let found = self
            .lines
            .iter()
            .find(|f| f.path == typed)
            .or_else(|| self.lines.iter().find(|f| f.name == typed));
        found.ok_or_else(|| {
            let hint = did_you_mean(typed, self.lines.iter().map(|f| f.name.as_str()));
            let table = self.table.name();
            format!("{table} have no field `{typed}` (`convwise kb fields --from {table}` lists them){hint}")
        })
    }

    /// The fields of a name: one, or all of a group (`latency`).
    ///
    /// # Errors
    /// As for [`Fields::field`].
    pub(crate) fn fields(&self, typed: &str) -> Result<Vec<&FieldLine>, String> {
        let inside = |f: &&FieldLine| f.path.strip_prefix(typed).is_some_and(|rest| rest.starts_with('.'));
        let group: Vec<_> = self.lines.iter().filter(inside).collect();
        if group.is_empty() { Ok(vec![self.field(typed)?]) } else { Ok(group) }
    }
}

/// The fields of a group and of those inside it.
fn group(table: &'static fields::Table, before: &str) -> Vec<FieldLine> {
    let mut lines = Vec::new();
    for (field, why) in table.fields.iter().zip(why_unknown(table)) {
        let path = format!("{before}{}", field.name);
        match field.kind {
            _ if field.name == "preference" => {}
            Kind::Object(inner) => lines.extend(group(inner, &format!("{path}."))),
            kind => lines.push(FieldLine {
                name: path.replace('.', "_"),
                kind: kind.noun(),
                words: if let Kind::Word(words) = kind { words() } else { Vec::new() },
                unit: field.unit,
                better: field.better,
                meaning: field.doc,
                // A row has the runner of its setting.
                unknown_where: why.filter(|_| path != "runner").map(|why| in_a_setting(&path, why)),
                path,
            }),
        }
    }
    lines
}

/// Rows of architectures stand in a setting: what the barest network lacks may be known there, and the other way round.
fn in_a_setting(path: &str, why: String) -> String {
    let text = match path.split('.').next().unwrap_or_default() {
        "latency" | "throughput" => {
            "it has no layer graph here to predict it from, and nobody published it for this device and engine"
        }
        "accuracy" | "top1" => {
            "no weights of it are published, or nobody published this metric for them on the dataset that counts"
        }
        "params" | "macs" | "size_bytes" => "it has no layer graph here, and nobody counted it elsewhere",
        "activations" | "depthwise_share" | "ops" | "ram_bytes" | "least_ram_bytes" => {
            "it has no layer graph here"
        }
        _ => return why,
    };
    text.to_owned()
}

fn line(field: &FieldInfo) -> FieldLine {
    let kind = Kind::from(field.kind);
    FieldLine {
        name: field.name.to_owned(),
        path: field.name.to_owned(),
        kind: kind.noun(),
        words: if let Kind::Word(words) = kind { words() } else { Vec::new() },
        unit: field.unit,
        better: field.better,
        meaning: field.doc,
        unknown_where: (!field.lack.is_empty()).then(|| field.lack.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_go_by_either_name_and_groups_by_one() {
        let fields = Fields::of(Table::Architectures);
        assert_eq!(fields.field("latency_ms").unwrap().path, "latency.ms");
        assert_eq!(fields.field("latency.ms").unwrap().name, "latency_ms");
        assert!(fields.fields("accuracy").unwrap().iter().any(|f| f.name == "accuracy_dataset"));
        assert!(fields.field("latncy_ms").unwrap_err().contains("did you mean `latency_ms`?"));
        let names: Vec<_> = fields.lines.iter().map(|f| &f.name).collect();
        assert!(names.iter().all(|name| names.iter().filter(|n| n == &name).count() == 1), "{names:?}");
    }
}
