//! From ids to the numbers of records: sorted lists of ids, told apart by the leading bits.

use std::collections::BTreeMap;

use super::{Id, Tail, cut_short, opened, sealed};
use crate::index::{Change, Fault, Index, Key, for_each};

/// Bytes of an entry: an id and its number.
const WIDTH: usize = 20;
/// Ids a list, on average, after which there are twice as many lists.
const FULL: u64 = 1024;
/// Lists read at a time.
const PAGE: usize = 64;

/// The directory as it stands in an index: how many leading bits name a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Directory {
    pub bits: u32,
}

fn key(list: u32) -> Key {
    [b"i".as_slice(), &list.to_be_bytes()].concat()
}

fn split(entry: &[u8; WIDTH]) -> (Id, u32) {
    let (id, number) = entry.split_at(16);
    (id.try_into().unwrap_or_default(), u32::from_be_bytes(number.try_into().unwrap_or_default()))
}

fn entries(value: &[u8]) -> Result<&[[u8; WIDTH]], Fault> {
    let (entries, rest) = opened(value)?.as_chunks::<WIDTH>();
    if rest.is_empty() { Ok(entries) } else { Err(cut_short()) }
}

impl Directory {
    fn list_of(self, id: &Id) -> u32 {
        let (front, _) = id.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        u32::from_be_bytes(*front).checked_shr(32 - self.bits).unwrap_or(0)
    }

    /// The numbers of ids, `None` for those that are not known.
    pub fn find(
        self,
        index: &dyn Index,
        folded: u64,
        tail: &Tail,
        ids: &[Id],
    ) -> Result<Vec<Option<u32>>, Fault> {
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_unstable_by_key(|at| ids.get(*at));
        let mut found: Vec<Option<u32>> = ids.iter().map(|id| tail.number_of(id, folded)).collect();
        if folded == 0 {
            return Ok(found);
        }
        let id_at = |at: &usize| ids.get(*at).copied().unwrap_or_default();
        let mut lists: Vec<u32> = order.iter().map(|at| self.list_of(&id_at(at))).collect();
        lists.dedup();
        let mut rest = order.as_slice();
        for page in lists.chunks(PAGE) {
            let values = index.get(page.iter().map(|list| key(*list)).collect())?;
            for (list, value) in page.iter().zip(values) {
                let end = rest.partition_point(|at| self.list_of(&id_at(at)) <= *list);
                let (here, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                rest = after;
                let Some(value) = value else { continue };
                let entries = entries(&value)?;
                for at in here {
                    let id = id_at(at);
                    if let Ok(place) = entries.binary_search_by(|entry| split(entry).0.cmp(&id))
                        && let (Some(slot), Some(entry)) = (found.get_mut(*at), entries.get(place))
                    {
                        *slot = Some(split(entry).1);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Up to `most` ids between two, both included, in order, with their numbers.
    pub fn between(
        self,
        index: &dyn Index,
        folded: u64,
        tail: &Tail,
        (low, high): (&Id, &Id),
        most: usize,
    ) -> Result<Vec<(Id, u32)>, Fault> {
        let mut found: Vec<(Id, u32)> = tail.between(low, high, folded);
        for list in self.list_of(low)..=self.list_of(high) {
            if found.len() >= most {
                break;
            }
            let Some(value) = index.get(vec![key(list)])?.pop().flatten() else { continue };
            let here = entries(&value)?.iter().map(split).filter(|(id, _)| id >= low && id <= high);
            found.extend(here);
        }
        found.sort_unstable();
        found.truncate(most);
        Ok(found)
    }

    /// Every id with its number, in order.
    pub fn all(self, index: &dyn Index, folded: u64, tail: &Tail) -> Result<Vec<(Id, u32)>, Fault> {
        let mut found = Vec::with_capacity(usize::try_from(folded).unwrap_or_default());
        let mut outcome = Ok(());
        for_each(index, b"i", |_, value| match entries(value) {
            Ok(entries) => found.extend(entries.iter().map(split)),
            Err(fault) => outcome = Err(fault),
        })?;
        outcome?;
        let newest = tail.between(&[0; 16], &[u8::MAX; 16], folded);
        if !newest.is_empty() {
            found.extend(newest);
            found.sort_unstable();
        }
        Ok(found)
    }

    /// The directory with more ids, which are new to it, and what changes in the index for them. `folded` counts them.
    pub fn grown(
        self,
        index: &dyn Index,
        folded: u64,
        mut fresh: Vec<(Id, u32)>,
    ) -> Result<(Self, Vec<Change>), Fault> {
        let needed = folded.div_ceil(FULL).max(1).next_power_of_two().trailing_zeros();
        let grown = Self { bits: needed.max(self.bits) };
        fresh.sort_unstable();
        let mut lists: BTreeMap<u32, Vec<(Id, u32)>> = BTreeMap::new();
        for entry in fresh {
            lists.entry(grown.list_of(&entry.0)).or_default().push(entry);
        }
        let mut touched: Vec<u32> = if grown.bits == self.bits {
            lists.keys().copied().collect()
        } else {
            (0..1 << self.bits).collect()
        };
        touched.dedup();
        let mut changes = Vec::new();
        for page in touched.chunks(PAGE) {
            let values = index.get(page.iter().map(|list| key(*list)).collect())?;
            let mut merged: BTreeMap<u32, Vec<(Id, u32)>> = BTreeMap::new();
            for value in values.into_iter().flatten() {
                for entry in entries(&value)?.iter().map(split) {
                    merged.entry(grown.list_of(&entry.0)).or_default().push(entry);
                }
            }
            let shift = grown.bits - self.bits;
            for list in page.iter().flat_map(|list| list << shift..(list + 1) << shift) {
                merged.entry(list).or_default().extend(lists.remove(&list).unwrap_or_default());
            }
            changes.extend(merged.into_iter().filter(|(_, list)| !list.is_empty()).map(written));
        }
        changes.extend(lists.into_iter().map(written));
        Ok((grown, changes))
    }
}

fn written((list, mut entries): (u32, Vec<(Id, u32)>)) -> Change {
    entries.sort_unstable();
    let mut bytes = Vec::with_capacity(entries.len() * WIDTH);
    for (id, number) in entries {
        bytes.extend_from_slice(&id);
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    (key(list), Some(sealed(&bytes)))
}
