//! Content addressing: the same record gets the same id wherever it is taken or read.

use serde::Serialize;
use serde_json::Value;

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
    let mut value = serde_json::to_value(record).unwrap_or_default();
    if let Value::Object(members) = &mut value {
        members.remove("id");
    }
    value.sort_all_objects();
    value.to_string()
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
    }
}
