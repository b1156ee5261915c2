//! What the store asks of an index: a sorted map from bytes to bytes that takes a set of changes as one.
//!
//! Values come and go as owned bytes, so that the sled implementation can live on a thread of its own and be left
//! behind when it hangs.

mod guard;
mod memory;
mod separated;
mod sled;
mod values;

pub(crate) use guard::GuardedIndex;
pub(crate) use memory::MemoryIndex;

/// Key in the index.
pub(crate) type Key = Vec<u8>;
/// Value in the index.
pub(crate) type Value = Vec<u8>;

/// Set a key, or remove it.
pub(crate) type Change = (Key, Option<Value>);

/// Why the index could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The files are damaged, or the engine panicked or hung over them: set them aside and rebuild.
    Damaged(String),
    /// The storage refuses (full, read-only): rebuilding would not help.
    Storage(String),
}

/// A page of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Keys start with this.
    pub prefix: Key,
    /// Keys are greater than this.
    pub after: Option<Key>,
    /// At most this many.
    pub limit: usize,
}

/// A sorted map from bytes to bytes.
pub(crate) trait Index: Send {
    /// The values of keys, in the order of the keys.
    fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Value>>, Fault>;
    /// A page of entries, in order.
    fn scan(&self, span: Span) -> Result<Vec<(Key, Value)>, Fault>;
    /// Makes all changes or none.
    fn apply(&mut self, changes: Vec<Change>) -> Result<(), Fault>;
}

/// Entries read from the index at a time.
const PAGE: usize = 4096;

/// Calls `visit` with every entry whose key starts with `prefix`, in order.
pub(crate) fn for_each(
    index: &dyn Index,
    prefix: &[u8],
    mut visit: impl FnMut(&[u8], &[u8]),
) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let page = index.scan(Span { prefix: prefix.to_vec(), after: after.take(), limit: PAGE })?;
        for (key, value) in &page {
            visit(key, value);
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => after = Some(key.clone()),
            _ => return Ok(()),
        }
    }
}
