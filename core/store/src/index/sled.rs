//! The sled index itself. Only what 0.34.7 does reliably: get, range, batch, flush. `Tree::len` never returns on
//! some damaged files and is not called.

use std::ops::Bound;
use std::path::Path;
use std::time::{Duration, Instant};

use sled::{Batch, Config, Db};

use super::{Change, Fault, Index, Key, Span, Value};

/// Memory that sled may use for its cache; its own default is 1 GB.
const CACHE_BYTES: u64 = 8 << 20;

/// After a database is closed, a background thread may hold its file lock a little longer.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// An open sled database.
#[derive(Debug)]
pub(super) struct SledIndex {
    db: Db,
}

impl SledIndex {
    /// Opens or creates the database in a folder.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        settle(path)?;
        let start = Instant::now();
        loop {
            // No background flusher: a rebuilt index is as good as a flushed one, and closing flushes.
            let config = Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
            match config.open() {
                Ok(db) => return Ok(Self { db }),
                Err(error) if is_lock(&error) && start.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(fault(&error)),
            }
        }
    }

    /// Writes everything to disk.
    pub fn flush(&self) -> Result<(), Fault> {
        self.db.flush().map(|_| ()).map_err(|error| fault(&error))
    }
}

impl Index for SledIndex {
    fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Value>>, Fault> {
        let one = |key: Key| self.db.get(key).map(|value| value.map(|bytes| bytes.to_vec()));
        keys.into_iter().map(one).collect::<Result<_, _>>().map_err(|error| fault(&error))
    }

    fn scan(&self, span: Span) -> Result<Vec<(Key, Value)>, Fault> {
        let start = span.after.map_or(Bound::Included(span.prefix.clone()), Bound::Excluded);
        let mut found = Vec::new();
        for entry in self.db.range::<Key, _>((start, Bound::Unbounded)).take(span.limit) {
            let (key, value) = entry.map_err(|error| fault(&error))?;
            if !key.starts_with(&span.prefix) {
                break;
            }
            found.push((key.to_vec(), value.to_vec()));
        }
        Ok(found)
    }

    fn apply(&mut self, changes: Vec<Change>) -> Result<(), Fault> {
        let mut batch = Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).map_err(|error| fault(&error))
    }
}

/// Another version's folder would open as an empty database and be mixed with ours, so it is refused. What a killed
/// process had only begun is removed: a folder before its database is there, and the snapshot that sled was writing,
/// which it would take for a whole one.
fn settle(path: &Path) -> Result<(), Fault> {
    if path.exists() && !path.is_dir() {
        return Err(Fault::Damaged("there is a file in place of its folder".to_owned()));
    }
    let Ok(entries) = std::fs::read_dir(path) else { return Ok(()) };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if names.is_empty() || (has("conf") && has("db")) {
        let mut begun = names.iter().filter(|name| name.to_string_lossy().ends_with(".generating"));
        return begun.try_for_each(|name| removed(std::fs::remove_file(path.join(name))));
    }
    if names.iter().all(|name| name == "blobs" || name == "conf") && is_empty(&path.join("blobs")) {
        return removed(std::fs::remove_dir_all(path));
    }
    Err(Fault::Damaged("the folder does not hold an index of this version".to_owned()))
}

fn removed(outcome: std::io::Result<()>) -> Result<(), Fault> {
    outcome.map_err(|error| Fault::Storage(error.to_string()))
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn is_lock(error: &sled::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn fault(error: &sled::Error) -> Fault {
    match error {
        sled::Error::Io(io) if crate::error::is_full(io) || crate::error::cannot_write(io) => {
            Fault::Storage(io.to_string())
        }
        other => Fault::Damaged(first_line(&other.to_string())),
    }
}

/// sled appends long debug dumps to some messages.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}
