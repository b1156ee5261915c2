//! Content addressing: the same record gets the same id wherever it is taken or read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::RecordId;
use crate::measurement::Measurement;

/// The id of a record: BLAKE3 of its canonical JSON, 32 hexadecimal digits.
#[must_use]
pub fn content_id<T: Serialize>(record: &T) -> RecordId {
    id_of(&canonical(record))
}

/// The id that belongs to a text made by [`canonical`].
#[must_use]
pub fn id_of(canonical: &str) -> RecordId {
    let hash = blake3::hash(canonical.as_bytes()).to_hex();
    RecordId::from(hash.as_str().get(..32).unwrap_or_default())
}

/// Canonical JSON of a record, without its member `id`: members in byte order of their names, no white space,
/// numbers in their shortest form that reads back to the same value. A value that is not valid JSON (not a
/// number) has no place in a record; the knowledge base refuses it.
#[must_use]
pub fn canonical<T: Serialize>(record: &T) -> String {
    let text = serde_json::to_string(record).unwrap_or_else(|_| "null".to_owned());
    let mut sorted = String::with_capacity(text.len());
    match serde_json::from_str::<Members<'_>>(&text) {
        Ok(mut members) => {
            members.retain(|name, _| name.0 != "id");
            write_members(&members, &mut sorted);
        }
        Err(_) => write_value(&text, &mut sorted),
    }
    sorted
}

/// The members of an object, whose values are still text: a tree of values would cost several times as much.
type Members<'a> = BTreeMap<Name<'a>, &'a RawValue>;

#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn write_members(members: &Members<'_>, out: &mut String) {
    out.push('{');
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::to_string(&name.0).unwrap_or_default());
        out.push(':');
        write_value(value.get(), out);
    }
    out.push('}');
}

fn write_value(text: &str, out: &mut String) {
    let array = text.starts_with('[') && text.contains('{');
    if text.starts_with('{')
        && let Ok(members) = serde_json::from_str::<Members<'_>>(text)
    {
        write_members(&members, out);
    } else if array && let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_value(item.get(), out);
        }
        out.push(']');
    } else {
        out.push_str(text);
    }
}

impl Measurement {
    /// The same measurement under the id that its content demands.
    #[must_use]
    pub fn sealed(self) -> Self {
        Self { id: content_id(&self), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_id_follows_the_content_and_not_the_order() {
        let id = content_id(&json!({"b": [1, {"y": 0.1, "x": null}], "a": "é"}));
        assert_eq!(id, content_id(&json!({"a": "é", "id": "other", "b": [1, {"x": null, "y": 0.1}]})));
        assert_ne!(id, content_id(&json!({"a": "é", "b": [1, {"x": null, "y": 0.2}]})));
        assert_eq!(id.as_str().len(), 32);
    }

    #[test]
    fn the_text_that_is_hashed() {
        assert_eq!(
            canonical(&json!({"id": 1, "b": 1.0, "a": {"d": true, "c": [2, 1]}})),
            r#"{"a":{"c":[2,1],"d":true},"b":1.0}"#
        );
        assert_eq!(
            canonical(&json!([{"z": [{"\"": 1, "id": "\u{1}{", "\n": []}], "a": {}}, null, "x"])),
            r#"[{"a":{},"z":[{"\n":[],"\"":1,"id":"\u0001{"}]},null,"x"]"#
        );
        assert_eq!(canonical(&f64::NAN), "null");
    }

    #[test]
    fn a_tree_of_values_would_be_the_same_text() {
        let record = json!({"numbers": [1e300, -0.0, 5e-324, 1, 1.0, u64::MAX, i64::MIN], "é": "\u{7f}\u{2028}", "": {
            "deep": [[[{"b": {"y": [], "x": {}}, "a": "{[\\"}]]], "B": false, "a\\": 0.1 + 0.2
        }});
        let mut sorted = record.clone();
        sorted.sort_all_objects();
        assert_eq!(canonical(&record), sorted.to_string());
    }
}
