//! The index on disk: keys and short values in sled, long values in a file beside it.
//!
//! sled writes a page anew whenever a few of its values change and fills what became free with zeros at every opening: with
//! values of 20 kB it writes each of them several times, and 30 MB at every opening of an index of a million records. So
//! they are kept apart, as in Lu et al., `WiscKey`, FAST 2016.

use std::borrow::Cow;
use std::path::Path;

use super::sled::SledIndex;
use super::values::{Extent, Span as Place, ValueFile};
use super::{Change, Fault, Index, Key, Span, Value, for_each};

/// Values of at least this many bytes stand in the file.
const LONG: usize = 1024;

/// Key of the extent of the file; no key of the catalog starts like it.
const EXTENT: &[u8] = b"\0";

/// What sled holds of a value: the value itself, or where it stands.
const SHORT: u8 = 0;
/// See [`SHORT`].
const FAR: u8 = 1;

/// An open index.
#[derive(Debug)]
pub(super) struct SeparatedIndex {
    keys: SledIndex,
    values: ValueFile,
    /// Values were appended since the last flush.
    unsynced: bool,
}

/// A value as sled holds it.
enum Held<'a> {
    Short(&'a [u8]),
    Far(Place),
}

impl SeparatedIndex {
    /// Opens or creates the index in a folder.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let keys = SledIndex::open(folder)?;
        let extent = match keys.get(vec![EXTENT.to_vec()])?.pop().flatten() {
            Some(bytes) => Extent::decode(&bytes).ok_or_else(foreign)?,
            None => Extent::default(),
        };
        Ok(Self { keys, values: ValueFile::open(folder, extent)?, unsynced: false })
    }

    /// Writes everything to disk: the values before the keys that refer to them.
    pub fn flush(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.unsynced) {
            self.values.sync()?;
        }
        self.keys.flush()
    }

    fn value(&self, held: &[u8]) -> Result<Value, Fault> {
        match held_of(held)? {
            Held::Short(value) => Ok(value.to_vec()),
            Held::Far(place) => self.values.read(place),
        }
    }

    /// Bytes of the file that keys refer to which will be changed.
    fn replaced(&self, changes: &[Change]) -> Result<u64, Fault> {
        let keys = changes.iter().map(|(key, _)| key.clone()).collect();
        let old = self.keys.get(keys)?;
        let length = |held: &Value| match held_of(held)? {
            Held::Short(_) => Ok(0),
            Held::Far(place) => Ok(u64::from(place.length)),
        };
        old.iter().flatten().map(length).sum()
    }

    /// Writes every value that a key refers to into a fresh file, in the order of the keys.
    fn compact(&mut self) -> Result<(), Fault> {
        let mut found: Vec<(Key, Place)> = Vec::new();
        for_each(&self.keys, b"", |key, held| {
            if let Ok(Held::Far(place)) = held_of(held)
                && key != EXTENT
            {
                found.push((key.to_vec(), place));
            }
        })?;
        let mut fresh = self.values.successor();
        let written = fresh.append(found.iter().map(|(_, place)| self.values.read(*place).map(Cow::Owned)));
        let spans = match written.and_then(|spans| fresh.sync().map(|()| spans)) {
            Ok(spans) => spans,
            // Where there is no room for a copy, the waste stays.
            Err(Fault::Storage(_)) => {
                fresh.remove();
                return Ok(());
            }
            Err(damaged) => return Err(damaged),
        };
        fresh.extent.end = spans.iter().map(|span| u64::from(span.length)).sum();
        fresh.extent.live = fresh.extent.end;
        let mut changes: Vec<Change> =
            found.into_iter().zip(spans).map(|((key, _), place)| (key, Some(far(place)))).collect();
        changes.push((EXTENT.to_vec(), Some(fresh.extent.encode())));
        self.keys.apply(changes)?;
        self.keys.flush()?;
        std::mem::replace(&mut self.values, fresh).remove();
        self.unsynced = false;
        Ok(())
    }
}

impl Index for SeparatedIndex {
    fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Value>>, Fault> {
        let held = self.keys.get(keys)?;
        held.into_iter().map(|held| held.map(|held| self.value(&held)).transpose()).collect()
    }

    fn scan(&self, span: Span) -> Result<Vec<(Key, Value)>, Fault> {
        let held = self.keys.scan(span)?;
        held.into_iter().map(|(key, held)| Ok((key, self.value(&held)?))).collect()
    }

    fn apply(&mut self, changes: Vec<Change>) -> Result<(), Fault> {
        let mut extent = self.values.extent;
        extent.live = extent.live.saturating_sub(self.replaced(&changes)?);
        let long = changes.iter().filter_map(|(_, value)| value.as_ref().filter(|v| v.len() >= LONG));
        let mut long = long.map(|value| Ok(Cow::Borrowed(value.as_slice()))).peekable();
        let spans = if long.peek().is_some() { self.values.append(long)? } else { Vec::new() };
        let written: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
        extent.end += written;
        extent.live += written;
        let mut spans = spans.into_iter();
        let mut held: Vec<Change> = changes
            .into_iter()
            .map(|(key, value)| (key, value.map(|value| kept(value, &mut spans))))
            .collect();
        held.push((EXTENT.to_vec(), Some(extent.encode())));
        self.keys.apply(held)?;
        self.values.extent = extent;
        self.unsynced |= written > 0;
        if extent.is_wasteful() { self.compact() } else { Ok(()) }
    }
}

/// What sled is to hold of a value; the long ones stand at the places, in order.
fn kept(value: Value, places: &mut impl Iterator<Item = Place>) -> Value {
    let place = (value.len() >= LONG).then(|| places.next()).flatten();
    place.map_or_else(|| [&[SHORT], value.as_slice()].concat(), far)
}

fn far(place: Place) -> Value {
    [[FAR].as_slice(), &place.encode()].concat()
}

fn held_of(held: &[u8]) -> Result<Held<'_>, Fault> {
    match held.split_first() {
        Some((&SHORT, value)) => Ok(Held::Short(value)),
        Some((&FAR, place)) => Ok(Held::Far(Place::decode(place.try_into().map_err(|_| foreign())?))),
        _ => Err(foreign()),
    }
}

fn foreign() -> Fault {
    Fault::Damaged("it has the layout of another version".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(byte: u8, length: usize) -> Value {
        vec![byte; length]
    }

    fn files(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| name.starts_with("values."));
        names.sort();
        names
    }

    #[test]
    fn values_of_every_length_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let lengths = [0, 1, LONG - 1, LONG, LONG + 1, 100_000];
        let value = |at: usize| long(u8::try_from(at).unwrap(), lengths[at]);
        {
            let mut index = SeparatedIndex::open(folder.path()).unwrap();
            let changes = (0..lengths.len()).map(|at| (format!("k{at}").into_bytes(), Some(value(at))));
            index.apply(changes.collect()).unwrap();
            index.flush().unwrap();
        }
        let mut index = SeparatedIndex::open(folder.path()).unwrap();
        let keys = (0..=lengths.len()).map(|at| format!("k{at}").into_bytes()).collect();
        let expected: Vec<_> = (0..lengths.len()).map(|at| Some(value(at))).chain([None]).collect();
        assert_eq!(index.get(keys).unwrap(), expected);
        index.apply(vec![(b"k5".to_vec(), None), (b"k4".to_vec(), Some(long(9, 3)))]).unwrap();
        let scanned = index.scan(Span { prefix: b"k".to_vec(), after: None, limit: 9 }).unwrap();
        let lengths: Vec<usize> = scanned.iter().map(|(_, value)| value.len()).collect();
        assert_eq!(lengths, [0, 1, LONG - 1, LONG, 3]);
        assert_eq!(index.values.extent.live, LONG as u64);
    }

    #[test]
    fn waste_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut index = SeparatedIndex::open(folder.path()).unwrap();
        index.apply(vec![(b"stays".to_vec(), Some(long(1, 5000)))]).unwrap();
        for round in 0..40 {
            index.apply(vec![(b"changes".to_vec(), Some(long(round, 1 << 20)))]).unwrap();
        }
        let extent = index.values.extent;
        assert!(extent.generation > 0 && extent.end < 20 << 20, "{extent:?}");
        assert_eq!(extent.live, 5000 + (1 << 20));
        assert_eq!(files(folder.path()), [format!("values.{}", extent.generation)]);
        index.flush().unwrap();
        drop(index);
        std::fs::write(folder.path().join("values.99"), "left by a crash").unwrap();
        let index = SeparatedIndex::open(folder.path()).unwrap();
        assert_eq!(files(folder.path()), [format!("values.{}", extent.generation)]);
        let both = index.get(vec![b"stays".to_vec(), b"changes".to_vec()]).unwrap();
        assert_eq!(both, [Some(long(1, 5000)), Some(long(39, 1 << 20))]);
    }

    #[test]
    fn a_file_that_does_not_fit_its_keys_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        {
            let mut index = SeparatedIndex::open(folder.path()).unwrap();
            index.apply(vec![(b"k".to_vec(), Some(long(1, 5000)))]).unwrap();
            index.flush().unwrap();
        }
        let path = folder.path().join("values.0");
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4999).unwrap();
        assert!(matches!(SeparatedIndex::open(folder.path()), Err(Fault::Damaged(_))));
        std::fs::remove_file(path).unwrap();
        assert!(matches!(SeparatedIndex::open(folder.path()), Err(Fault::Damaged(_))));
    }
}
