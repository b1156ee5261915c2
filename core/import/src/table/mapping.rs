//! The mapping file: TOML, read with the place of every mistake.

use std::borrow::Cow;

use convwise_types::{Diagnostic, Span, did_you_mean};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::{Field, Kind, Value};
use crate::number::Style;

/// Which column of a table is what.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) separator: u8,
    pub(super) style: Style,
    pub(super) records: Vec<Recipe>,
}

/// How one record is made of a row.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub kind: Kind,
    pub parts: Vec<Part>,
}

/// Where one field comes from.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub field: &'static Field,
    pub from: Given,
}

/// A constant, or a column whose figures are multiplied.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Constant(String),
    Column { name: String, factor: f64 },
}

type Found<T> = Result<T, Box<Diagnostic>>;
type Key<'a> = Spanned<Cow<'a, str>>;
type Item<'a> = Spanned<DeValue<'a>>;

/// Members of the file beside its records.
const SETTINGS: [&str; 4] = ["separator", "decimal", "thousands", "record"];

/// The file, for messages.
struct Text<'a> {
    file: &'a str,
    source: &'a str,
}

impl Mapping {
    /// Reads the text of a mapping, which people know as `file`.
    ///
    /// # Errors
    /// It is not TOML, or says what no mapping can say.
    pub fn parse(file: &str, source: &str) -> Result<Self, Box<Diagnostic>> {
        let text = Text { file, source };
        let table = DeTable::parse(source).map_err(|e| {
            let place = Span::of_bytes(source, e.span().unwrap_or(0..0));
            let problem = Diagnostic::error("broken-mapping", file, "the mapping is not valid TOML");
            Box::new(problem.at(source, place, e.message().lines().collect::<Vec<_>>().join(", ")))
        })?;
        let mut mapping =
            Self { separator: b',', style: Style { decimal: '.', thousands: None }, records: Vec::new() };
        for (key, value) in table.get_ref() {
            mapping.set(&text, key, value)?;
        }
        mapping.finished(&text)
    }

    /// Names of the columns that are read.
    pub(super) fn columns(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for part in self.records.iter().flat_map(|record| &record.parts) {
            if let Given::Column { name, .. } = &part.from
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    fn set(&mut self, text: &Text<'_>, key: &Key<'_>, value: &Item<'_>) -> Found<()> {
        match key.get_ref().as_ref() {
            "separator" => {
                self.separator = text
                    .one_of(value, &[("tab", b'\t'), ("\t", b'\t'), (",", b','), (";", b';'), ("|", b'|')])?
            }
            "decimal" => self.style.decimal = text.one_of(value, &[(".", '.'), (",", ',')])?,
            "thousands" => {
                let marks = [(",", ','), (".", '.'), ("'", '\''), (" ", ' '), ("_", '_')];
                self.style.thousands = Some(text.one_of(value, &marks)?);
            }
            "record" => {
                let DeValue::Array(records) = value.get_ref() else {
                    return Err(text.wrong(
                        value.span(),
                        "records are tables of their own",
                        "write [[record]]",
                    ));
                };
                for record in records {
                    self.records.push(text.recipe(record)?);
                }
            }
            other => return Err(text.unknown(key.span(), "a mapping has no", other, &SETTINGS)),
        }
        Ok(())
    }

    fn finished(self, text: &Text<'_>) -> Found<Self> {
        let end = text.source.len();
        if self.records.is_empty() {
            let help = "write [[record]] and under it kind = \"result\"; --example prints a whole mapping";
            return Err(text.wrong(end..end, "the mapping makes no records", help));
        }
        if self.style.thousands == Some(self.style.decimal) {
            return Err(text.wrong(
                0..0,
                "`decimal` and `thousands` are the same mark",
                "leave `thousands` out",
            ));
        }
        Ok(self)
    }
}

impl Text<'_> {
    fn recipe(&self, record: &Item<'_>) -> Found<Recipe> {
        let DeValue::Table(table) = record.get_ref() else {
            return Err(self.wrong(record.span(), "a record is a table", "write [[record]]"));
        };
        let kind = table.iter().find(|(key, _)| key.get_ref() == "kind").map(|(_, value)| value);
        let Some(kind) = kind else {
            return Err(self.wrong(
                record.span(),
                "the record has no `kind`",
                "write kind = \"result\", \"timing\" or \"cost\"",
            ));
        };
        let kind = self.one_of(kind, &Kind::ALL)?;
        let mut parts = Vec::new();
        for (key, value) in table.iter().filter(|(key, _)| key.get_ref() != "kind") {
            parts.push(self.part(kind, key, value)?);
        }
        let recipe = Recipe { kind, parts };
        match recipe.lack() {
            Some(lack) => {
                Err(self.wrong(record.span(), &lack, "add it: a constant, or { column = \"...\" }"))
            }
            None => Ok(recipe),
        }
    }

    fn part(&self, kind: Kind, key: &Key<'_>, value: &Item<'_>) -> Found<Part> {
        let name = key.get_ref().as_ref();
        let names = || kind.fields().iter().map(|field| field.name).collect::<Vec<_>>();
        let field = kind.fields().iter().find(|field| field.name == name);
        let field = field.ok_or_else(|| self.unknown(key.span(), "such a record has no", name, &names()))?;
        let from = match value.get_ref() {
            DeValue::Table(table) => self.column(field, table, value)?,
            _ => self.constant(field, value)?,
        };
        Ok(Part { field, from })
    }

    fn constant(&self, field: &Field, value: &Item<'_>) -> Found<Given> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            _ => {
                return Err(self.wrong(
                    value.span(),
                    "is no constant that a record can have",
                    "write text or a whole number",
                ));
            }
        };
        let refused = match field.value {
            Value::Figure(_) => Err("a figure comes from a column".to_owned()),
            _ if text.trim().is_empty() => Err("is empty".to_owned()),
            kind => super::record::check(kind, &text),
        };
        match refused {
            Ok(()) => Ok(Given::Constant(text)),
            Err(why) => Err(self.wrong(
                value.span(),
                &format!("`{}`: {why}", field.name),
                "for a column write { column = \"...\" }",
            )),
        }
    }

    fn column(&self, field: &Field, table: &DeTable<'_>, value: &Item<'_>) -> Found<Given> {
        let (mut name, mut unit) = (None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "column" => name = Some(self.string(value)?),
                "unit" => unit = Some(value),
                other => return Err(self.unknown(key.span(), "a column has no", other, &["column", "unit"])),
            }
        }
        let Some(name) = name else {
            return Err(self.wrong(value.span(), "does not say which column", "write { column = \"...\" }"));
        };
        let factor = match (field.value, unit) {
            (Value::Figure(units), Some(unit)) => self.one_of(unit, units)?,
            (Value::Figure(units), None) => {
                let units = units.iter().map(|(unit, _)| *unit).collect::<Vec<_>>().join(", ");
                return Err(self.wrong(
                    value.span(),
                    "does not say its unit",
                    &format!("add unit = one of {units}"),
                ));
            }
            (_, Some(unit)) => return Err(self.wrong(unit.span(), "this has no unit", "leave it out")),
            (_, None) => 1.0,
        };
        Ok(Given::Column { name, factor })
    }

    fn string(&self, value: &Item<'_>) -> Found<String> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.wrong(value.span(), "is no text", "put it into quotes")),
        }
    }

    /// What one of some words stands for.
    fn one_of<T: Copy>(&self, value: &Item<'_>, known: &[(&str, T)]) -> Found<T> {
        let text = self.string(value)?;
        if let Some((_, meant)) = known.iter().find(|(word, _)| *word == text) {
            return Ok(*meant);
        }
        let words: Vec<_> = known.iter().map(|(word, _)| *word).filter(|word| *word != "\t").collect();
        Err(self.unknown(value.span(), "there is no", &text, &words))
    }

    fn unknown(
        &self,
        place: std::ops::Range<usize>,
        what: &str,
        name: &str,
        known: &[&str],
    ) -> Box<Diagnostic> {
        let hint = did_you_mean(name, known.iter().copied());
        self.wrong(place, &format!("{what} `{name}`{hint}"), &format!("known are {}", known.join(" ")))
    }

    fn wrong(&self, place: std::ops::Range<usize>, what: &str, help: &str) -> Box<Diagnostic> {
        let problem = Diagnostic::error("bad-mapping", self.file, what);
        Box::new(problem.at(self.source, Span::of_bytes(self.source, place), "here").with_help(help))
    }
}

impl Recipe {
    /// What every record of its kind must have and this one would not.
    fn lack(&self) -> Option<String> {
        let has = |name: &str| self.parts.iter().any(|part| part.field.name == name);
        let missing = self.kind.fields().iter().find(|field| field.required && !has(field.name));
        if let Some(field) = missing {
            return Some(format!("the record does not say its `{}`", field.name));
        }
        let figures = self.kind.figures();
        if !figures.iter().any(|name| has(name)) {
            return Some(format!("the record has no figure: {}", figures.join(" or ")));
        }
        (has("macs") && !has("input_size"))
            .then(|| "`macs` hold for an `input_size`, which is not said".to_owned())
    }
}
