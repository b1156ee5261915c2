//! One line of the journal or of an export: an envelope in JSON, in the journal with a checksum at its end.
//!
//! `{"schema":1,"kind":"measurement","id":"<32 hex>","left":2,"at":1795000000,"body":{...},"crc":"9a0b3c4d"}`
//!
//! `left` counts the records of the same transaction that follow; it is left out at 0. `at` is when the record arrived in
//! this journal, in seconds since 1970; lines of format 1 do not have it, and exports leave it out. `crc` is the CRC-32 of
//! all bytes of the line in front of `,"crc":`.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use convwise_types::RecordId;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::record::{RECORD_SCHEMA, Record};

/// Longest line: a measurement with a million samples takes about 10 MB.
pub(crate) const LONGEST_LINE: u64 = 16 << 20;

/// Longest body: every line has room for what stands round it.
pub(crate) const LONGEST_BODY: u64 = LONGEST_LINE - 256;

/// Length of `,"crc":"9a0b3c4d"}`.
pub(crate) const CHECK_LENGTH: usize = 18;

/// A line taken apart; the body is still text.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub schema: u32,
    pub kind: Cow<'a, str>,
    pub id: RecordId,
    pub left: u32,
    /// When it arrived, in seconds since 1970, where that is known.
    pub at: Option<u64>,
    pub body: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a record")]
struct Envelope<'a> {
    schema: u32,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    left: u32,
    #[serde(default)]
    at: Option<u64>,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(default, rename = "crc")]
    _crc: Option<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    /// Reads a journal line (without its newline); the checksum must be there and right.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
        match checksum(text) {
            Some(true) => Self::parse(text),
            Some(false) => Err("its checksum does not fit".to_owned()),
            None => Err("it has no checksum".to_owned()),
        }
    }

    /// Reads a line of an exported file, where a checksum may be missing but not wrong.
    pub fn decode_foreign(bytes: &'a [u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        match checksum(text) {
            Some(false) => Err("its checksum does not fit".to_owned()),
            _ => Self::parse(text),
        }
    }

    /// Reads a line whose checksum is known to be wrong; only the digest of its content can tell whether it is whole.
    pub fn decode_unchecked(bytes: &'a [u8]) -> Result<Self, String> {
        Self::parse(std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?)
    }

    fn parse(text: &'a str) -> Result<Self, String> {
        let envelope: Envelope<'a> = serde_json::from_str(text).map_err(|error| plain(&error))?;
        if !is_id(&envelope.id) {
            return Err(format!("`{}` is not a record id", shortened(&envelope.id)));
        }
        Ok(Self {
            schema: envelope.schema,
            kind: envelope.kind,
            id: RecordId::from(envelope.id.as_ref()),
            left: envelope.left,
            at: envelope.at,
            body: envelope.body.get(),
        })
    }

    /// The record, or `None` where only a newer program can read it.
    pub fn record(&self) -> Result<Option<Record>, String> {
        Record::read(&self.kind, self.schema, &self.id, self.body)
    }

    /// The line as it is exported: without checksum, arrival and place in a transaction, with its newline.
    pub fn exported(&self) -> String {
        let mut text = envelope(self.schema, &self.kind, &self.id, (0, None), self.body);
        text.push_str("}\n");
        text
    }

    /// The line as it stands in a journal, with its newline.
    pub fn journalled(&self, left: u32) -> Vec<u8> {
        closed(envelope(self.schema, &self.kind, &self.id, (left, self.at), self.body))
    }
}

/// The journal line of a record that arrives now, with its newline.
pub(crate) fn encode(record: &Record, id: &RecordId, left: u32) -> Vec<u8> {
    closed(envelope(RECORD_SCHEMA, record.kind(), id, (left, Some(now())), &record.canonical()))
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The CRC at the end of a journal line (with or without its newline), as a number.
pub(crate) fn crc_of(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes.strip_suffix(b"\n").unwrap_or(bytes))
}

fn envelope(schema: u32, kind: &str, id: &RecordId, place: (u32, Option<u64>), body: &str) -> String {
    let (left, at) = place;
    let left = if left == 0 { String::new() } else { format!("\"left\":{left},") };
    let at = at.map_or_else(String::new, |at| format!("\"at\":{at},"));
    let kind = serde_json::Value::from(kind);
    format!("{{\"schema\":{schema},\"kind\":{kind},\"id\":\"{id}\",{left}{at}\"body\":{body}")
}

fn closed(mut text: String) -> Vec<u8> {
    let end = ending(crc32fast::hash(text.as_bytes()));
    text.push_str(&end);
    text.push('\n');
    text.into_bytes()
}

/// The end of a line whose front has this checksum.
pub(crate) fn ending(crc: u32) -> String {
    format!(",\"crc\":\"{crc:08x}\"}}")
}

/// Whether the checksum at the end fits; `None` where there is none.
fn checksum(text: &str) -> Option<bool> {
    let at = text.len().checked_sub(CHECK_LENGTH)?;
    let digits = text.get(at..)?.strip_prefix(",\"crc\":\"")?.strip_suffix("\"}")?;
    let front = text.get(..at)?;
    Some(digits == format!("{:08x}", crc32fast::hash(front.as_bytes())))
}

/// Whether a text is a complete record id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a JSON reader says, without the names of our types and without its line, which is always the first.
pub(crate) fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string().replace(" at line 1 column", " at column");
    let mut words: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        match words.last() {
            Some(&"struct" | &"enum") => {
                words.pop();
                words.push("a record's part");
            }
            _ => words.push(word),
        }
    }
    words.join(" ")
}

/// At most forty characters of a text that somebody else wrote.
pub(crate) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let line = Line {
            schema: 1,
            kind: "fact".into(),
            id: RecordId::from("00112233445566778899aabbccddeeff"),
            left: 0,
            at: Some(1_795_000_000),
            body: r#"{"about":"device:x","name":"ram","source":"a","value":1.5}"#,
        };
        line.journalled(3)
    }

    #[test]
    fn a_line_reads_back() {
        let bytes = sample();
        let line = Line::decode(&bytes[..bytes.len() - 1]).unwrap();
        assert_eq!((line.left, line.kind.as_ref()), (3, "fact"));
        assert_eq!(line.journalled(3), bytes);
        assert!(!line.exported().contains("left") && !line.exported().contains("at\":1"));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = sample();
        let line = &bytes[..bytes.len() - 1];
        for at in 0..line.len() * 8 {
            let mut damaged = line.to_vec();
            damaged[at / 8] ^= 1 << (at % 8);
            assert!(Line::decode(&damaged).is_err(), "bit {at} of {}", String::from_utf8_lossy(&damaged));
        }
    }
}
