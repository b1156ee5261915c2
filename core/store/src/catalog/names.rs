//! The different words of a column, in the order in which they were first seen; a word's place is its code.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Kind, cut_short, opened, sealed};
use crate::index::{Change, Fault, Index, Key, for_each};

/// Bytes after which a chunk of words is full.
const CHUNK: usize = 16 << 10;
/// The longest word; longer ones are cut in the index (never in the journal).
const LONGEST: usize = 1000;

/// The words of one column.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub list: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
    /// Words in all chunks but the last, and how many chunks these are.
    settled: usize,
    chunks: u32,
}

fn prefix(kind: Kind, field: usize) -> Key {
    vec![b'w', kind.code(), u8::try_from(field).unwrap_or(u8::MAX)]
}

impl Names {
    /// The list alone, for reading.
    pub fn list(index: &dyn Index, kind: Kind, field: usize) -> Result<Vec<Arc<str>>, Fault> {
        Ok(Self::read(index, kind, field)?.list)
    }

    /// The list with the codes of its words, for writing.
    pub fn load(index: &dyn Index, kind: Kind, field: usize) -> Result<Self, Fault> {
        let mut names = Self::read(index, kind, field)?;
        names.codes = (0..).zip(&names.list).map(|(code, name)| (Arc::clone(name), code)).collect();
        Ok(names)
    }

    fn read(index: &dyn Index, kind: Kind, field: usize) -> Result<Self, Fault> {
        let mut names = Self::default();
        let mut outcome = Ok(());
        for_each(index, &prefix(kind, field), |_, value| {
            let before = names.list.len();
            let read = opened(value).and_then(|bytes| split(bytes, &mut names.list));
            if outcome.is_ok() {
                outcome = read;
            }
            (names.settled, names.chunks) = (before, names.chunks + 1);
        })?;
        names.chunks = names.chunks.saturating_sub(1);
        outcome.map(|()| names)
    }

    /// The codes of words, which are added where they are new.
    pub fn codes_of(&mut self, words: &[Arc<str>]) -> Vec<u32> {
        words.iter().map(|word| self.code_of(word)).collect()
    }

    fn code_of(&mut self, word: &Arc<str>) -> u32 {
        let word: Arc<str> = match word.get(..word.floor_char_boundary(LONGEST)) {
            Some(front) if front.len() < word.len() => front.into(),
            _ => Arc::clone(word),
        };
        if let Some(code) = self.codes.get(&word) {
            return *code;
        }
        let code = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(Arc::clone(&word));
        self.codes.insert(word, code);
        code
    }

    /// Writes the last chunk again, and new ones after it, if there are words after the first `known`.
    pub fn changes(&self, kind: Kind, field: usize, known: usize) -> Vec<Change> {
        if self.list.len() == known {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let (mut bytes, mut chunk) = (Vec::new(), self.chunks);
        let key = |chunk: u32| [prefix(kind, field).as_slice(), &chunk.to_be_bytes()].concat();
        for word in self.list.get(self.settled..).unwrap_or_default() {
            if bytes.len() >= CHUNK {
                changes.push((key(chunk), Some(sealed(&std::mem::take(&mut bytes)))));
                chunk += 1;
            }
            bytes.extend_from_slice(&u16::try_from(word.len()).unwrap_or_default().to_le_bytes());
            bytes.extend_from_slice(word.as_bytes());
        }
        changes.push((key(chunk), Some(sealed(&bytes))));
        changes
    }
}

fn split(mut bytes: &[u8], list: &mut Vec<Arc<str>>) -> Result<(), Fault> {
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (word, rest) =
            rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or_else(cut_short)?;
        list.push(String::from_utf8_lossy(word).into());
        bytes = rest;
    }
    if bytes.is_empty() { Ok(()) } else { Err(cut_short()) }
}
