//! Lines of JSON: one object a line, `{"kind": "timing", ...}` with the members of that record's body.

use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, PublishedResult, StatedCost, did_you_mean,
};
use serde::de::{DeserializeOwned, Deserializer, Visitor, value::Error};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use crate::desk::{Desk, Problem};
use crate::input::{Input, LONGEST_ROW};
use crate::number::shortened;
use crate::{Entry, Place, sniff};

/// What is said of a file for another command.
pub(crate) const EXPORTED: &str = "is what `convwise kb export` wrote; take it over with `convwise kb merge`, which keeps its records as they are";

const KINDS: [&str; 4] = ["result", "timing", "cost", "fact"];

pub(crate) fn read(mut input: Input, desk: &mut Desk<'_, '_>) -> Result<(), Problem> {
    let (mut bytes, mut line, mut total) = (Vec::new(), 0, 0);
    while next_line(&mut input, line + 1, &mut bytes)? {
        line += 1;
        total += bytes.len() as u64;
        let text = std::str::from_utf8(&bytes).map_err(|_| Problem::at(line, sniff::not_utf8()))?.trim();
        if text.is_empty() {
            continue;
        }
        desk.report.rows += 1;
        match entry(text, || desk.source_at(line)) {
            Ok((entry, column)) => desk.hand(entry, Place { line: Some(line), column, read: total }),
            Err(Wrong::Line(text)) => desk.problem(Problem::at(line, text)),
            Err(Wrong::File(text)) => return Err(Problem::at(line, text)),
        }
    }
    if desk.report.rows == 0 {
        return Err(Problem::of_file("has no lines with anything in them"));
    }
    Ok(())
}

/// Reads a line with its end; whether there is one.
fn next_line(input: &mut Input, line: u64, into: &mut Vec<u8>) -> Result<bool, Problem> {
    into.clear();
    let end = input.newline;
    loop {
        let chunk = input.peek(line)?;
        if chunk.is_empty() {
            return Ok(!into.is_empty());
        }
        let at = chunk.iter().position(|b| *b == end);
        let taken = at.map_or(chunk.len(), |at| at + 1);
        if into.len() + taken > LONGEST_ROW {
            return Err(Problem::at(
                line,
                format!("the line has more than the {LONGEST_ROW} bytes that it may have"),
            ));
        }
        into.extend_from_slice(chunk.get(..taken).unwrap_or_default());
        input.skip(taken);
        if at.is_some() {
            return Ok(true);
        }
    }
}

/// What is wrong: with this line, or with all of them.
enum Wrong {
    Line(String),
    File(String),
}

/// The entry of a line and the member that has its figure.
fn entry(text: &str, source: impl Fn() -> String) -> Result<(Entry, Option<&'static str>), Wrong> {
    let value: Value = serde_json::from_str(text).map_err(|e| Wrong::Line(broken(&e)))?;
    let Value::Object(mut members) = value else {
        return Err(Wrong::Line("is not a JSON object; write {\"kind\": \"timing\", ...}".to_owned()));
    };
    if members.contains_key("body") && members.contains_key("schema") {
        return Err(Wrong::File(EXPORTED.to_owned()));
    }
    let kind = match members.remove("kind") {
        Some(Value::String(kind)) => kind,
        _ => return Err(Wrong::Line(format!("says no `kind`: one of {}", KINDS.join(", ")))),
    };
    let read = match kind.as_str() {
        "result" => within::<PublishedResult>(&mut members, "result", &source)
            .and_then(|()| body::<AddedResult>(members, None))
            .map(|r| (Entry::Result(r), Some("result"))),
        "timing" => body::<AddedTiming>(members, Some(source())).map(|t| (Entry::Timing(t), Some("latency"))),
        "cost" => within::<StatedCost>(&mut members, "cost", &source)
            .and_then(|()| body::<AddedCost>(members, None))
            .map(|c| (Entry::Cost(c), Some("cost"))),
        "fact" => body::<AddedFact>(members, Some(source())).map(|f| (Entry::Fact(f), Some("value"))),
        _ => {
            let hint = did_you_mean(&kind, KINDS);
            Err(format!(
                "`{}` is no kind of record that can be added: use one of {}{hint}",
                shortened(&kind),
                KINDS.join(", ")
            ))
        }
    };
    read.map_err(Wrong::Line)
}

fn broken(error: &serde_json::Error) -> String {
    let cut = if error.is_eof() { "; was the line cut off?" } else { "" };
    format!("is not JSON at character {}{cut}", error.column())
}

/// Reads a body; `source` stands in where the line names none.
fn body<T: DeserializeOwned>(mut members: Map<String, Value>, source: Option<String>) -> Result<T, String> {
    known::<T>(&members)?;
    if let Some(source) = source {
        members.entry("source").or_insert(Value::String(source));
    }
    serde_json::from_value(Value::Object(members)).map_err(|e| e.to_string())
}

/// Looks at an object inside a body, and names its source where it does not itself.
fn within<T: DeserializeOwned>(
    members: &mut Map<String, Value>,
    name: &str,
    source: &impl Fn() -> String,
) -> Result<(), String> {
    let Some(Value::Object(inner)) = members.get_mut(name) else { return Ok(()) };
    known::<T>(inner)?;
    inner.entry("source").or_insert_with(|| Value::String(source()));
    Ok(())
}

/// A member that a body does not have is more often misspelt than meant for somebody else.
fn known<T: DeserializeOwned>(members: &Map<String, Value>) -> Result<(), String> {
    let fields = fields_of::<T>();
    match members.keys().find(|name| !fields.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let hint = did_you_mean(name, fields.iter().copied());
            Err(format!("there is no member `{}`; known are {}{hint}", shortened(name), fields.join(", ")))
        }
    }
}

/// The members of a struct as serde knows them.
fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // It has nothing to give: it is asked which fields are wanted, and that is all.
    let _ = T::deserialize(Asked(&mut fields));
    fields
}

/// A deserializer that only notes what it is asked for.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("there is nothing"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
