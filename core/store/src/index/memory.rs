//! An index in memory, for homes that cannot be written.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Change, Fault, Index, Key, Span, Value};

/// A sorted map that is gone when the program ends.
#[derive(Debug, Default)]
pub(crate) struct MemoryIndex {
    entries: BTreeMap<Key, Value>,
}

impl Index for MemoryIndex {
    fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Value>>, Fault> {
        Ok(keys.iter().map(|key| self.entries.get(key).cloned()).collect())
    }

    fn scan(&self, span: Span) -> Result<Vec<(Key, Value)>, Fault> {
        let start = span.after.map_or(Bound::Included(span.prefix.clone()), Bound::Excluded);
        let entries = self.entries.range((start, Bound::Unbounded));
        let inside = entries.take_while(|(key, _)| key.starts_with(&span.prefix)).take(span.limit);
        Ok(inside.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn apply(&mut self, changes: Vec<Change>) -> Result<(), Fault> {
        for (key, value) in changes {
            match value {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
        Ok(())
    }
}
