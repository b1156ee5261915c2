//! Values that follow from plugins: architectures and cached results of long computations.
//!
//! They live in the index only. The journal does not have them, because they can be made again from the plugins at
//! any time; when the index is rebuilt they are simply gone.

use std::collections::{BTreeMap, BTreeSet};

use convwise_types::{Architecture, ArchitectureId};
use serde::{Deserialize, Serialize};

use crate::catalog::{ARCHITECTURES, CACHE, opened, sealed};
use crate::error::StoreError;
use crate::index::{Change, Fault, Key, for_each};
use crate::section::{Section, Trouble};
use crate::store::Store;

/// An architecture as it stands in the index.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// What the value depends on: the plugin's digest and the program that read it.
    made_from: String,
    value: Architecture,
}

impl Store {
    /// Makes the stored architectures equal to these. Only entries whose plugin digest changed (or that another
    /// version of the program wrote) are written, those of plugins that are gone are removed. Returns how many
    /// entries were changed.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn sync_architectures(&self, architectures: &[Architecture]) -> Result<u64, StoreError> {
        self.with(|section| section.attempt(|s| s.sync_architectures(architectures)))
    }

    /// Every stored architecture, in order of their ids.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn architectures(&self) -> Result<Vec<Architecture>, StoreError> {
        self.with(|section| section.attempt(|s| s.architectures()))
    }

    /// One stored architecture.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn architecture(&self, id: &ArchitectureId) -> Result<Option<Architecture>, StoreError> {
        self.with(|section| section.attempt(|s| s.architecture(id)))
    }

    /// A cached value, as the text that was kept. `kind` names the computation and its version, `key` everything that its
    /// result depends on.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn cache_get(&self, kind: &str, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.cache_get_many(kind, &[key])?.pop().flatten())
    }

    /// Cached values in the order of the keys, for the price of one.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn cache_get_many(&self, kind: &str, keys: &[&str]) -> Result<Vec<Option<String>>, StoreError> {
        self.with(|section| section.attempt(|s| s.cached(kind, keys)))
    }

    /// Keeps a value. In a home that cannot be written it is kept until the program ends.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn cache_put(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        self.cache_put_many(kind, &[(key, value)])
    }

    /// Keeps values, for the price of one.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn cache_put_many(&self, kind: &str, values: &[(&str, &str)]) -> Result<(), StoreError> {
        let changes = || {
            let change = |(key, value): &(&str, &str)| (cache_key(kind, key), Some(sealed(value.as_bytes())));
            values.iter().map(change).collect::<Vec<Change>>()
        };
        self.with(|section| section.attempt(|s| Ok(s.index_mut()?.apply(changes())?)))
    }
}

impl Section {
    fn sync_architectures(&mut self, architectures: &[Architecture]) -> Result<u64, Trouble> {
        let mut stale: BTreeMap<Key, String> = self.stored_stamps()?;
        let mut changes = Vec::new();
        let mut seen = BTreeSet::new();
        for architecture in architectures {
            let key = architecture_key(&architecture.id);
            let old = stale.remove(&key);
            if seen.insert(key.clone()) && old.as_deref() != Some(stamp(architecture).as_str()) {
                changes.push((key, Some(stored(architecture))));
            }
        }
        changes.extend(stale.into_keys().map(|key| (key, None)));
        let changed = changes.len() as u64;
        if changed > 0 {
            self.index_mut()?.apply(changes)?;
        }
        Ok(changed)
    }

    /// What each stored architecture was made from.
    fn stored_stamps(&self) -> Result<BTreeMap<Key, String>, Trouble> {
        #[derive(Deserialize)]
        struct Stamp {
            made_from: String,
        }
        let mut stamps = BTreeMap::new();
        for (key, bytes) in self.derived(ARCHITECTURES)? {
            let stamp: Stamp = read(&bytes)?;
            stamps.insert(key, stamp.made_from);
        }
        Ok(stamps)
    }

    fn architectures(&self) -> Result<Vec<Architecture>, Trouble> {
        let stored = self.derived(ARCHITECTURES)?;
        stored.iter().map(|(_, bytes)| Ok(read::<Stored>(bytes)?.value)).collect()
    }

    fn architecture(&self, id: &ArchitectureId) -> Result<Option<Architecture>, Trouble> {
        let found = self.index()?.get(vec![architecture_key(id)])?.pop().flatten();
        found.map(|value| Ok(read::<Stored>(opened(&value)?)?.value)).transpose()
    }

    fn cached(&self, kind: &str, keys: &[&str]) -> Result<Vec<Option<String>>, Trouble> {
        let keys = keys.iter().map(|key| cache_key(kind, key)).collect();
        let text =
            |value: Vec<u8>| Ok(std::str::from_utf8(opened(&value)?).map_err(|_| no_text())?.to_owned());
        self.index()?.get(keys)?.into_iter().map(|value| value.map(text).transpose()).collect()
    }

    /// Number of stored architectures.
    pub(crate) fn count_architectures(&self) -> Result<u64, Trouble> {
        let mut count = 0;
        for_each(self.index()?, ARCHITECTURES, |_, _| count += 1)?;
        Ok(count)
    }

    fn derived(&self, prefix: &[u8]) -> Result<Vec<(Key, Vec<u8>)>, Trouble> {
        let mut found = Vec::new();
        for_each(self.index()?, prefix, |key, value| {
            found.push((key.to_vec(), opened(value).map(<[u8]>::to_vec)))
        })?;
        found.into_iter().map(|(key, bytes)| Ok((key, bytes?))).collect()
    }
}

/// Cached facts are part of the value, and they follow from the plugin and from this program.
fn stamp(architecture: &Architecture) -> String {
    let facts = architecture.graph.as_ref().map_or("no graph", |facts| facts.graph.as_str());
    format!("{} {} {} {facts}", env!("CARGO_PKG_VERSION"), architecture.plugin, architecture.origin)
}

fn stored(architecture: &Architecture) -> Vec<u8> {
    let stored = Stored { made_from: stamp(architecture), value: architecture.clone() };
    sealed(&serde_json::to_vec(&stored).unwrap_or_default())
}

fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes)
        .map_err(|error| Fault::Damaged(format!("an entry cannot be read ({error})")))
}

fn no_text() -> Fault {
    Fault::Damaged("a cached value is not text".to_owned())
}

fn architecture_key(id: &ArchitectureId) -> Key {
    [ARCHITECTURES, id.as_str().as_bytes()].concat()
}

/// Keys may be long and hold anything, so a digest stands for kind and key.
fn cache_key(kind: &str, key: &str) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(kind.len() as u64).to_le_bytes());
    hasher.update(kind.as_bytes());
    hasher.update(key.as_bytes());
    [CACHE, hasher.finalize().as_bytes().as_slice()].concat()
}
