//! What the index holds about records, and where.
//!
//! One key space, told apart by its first byte: `m` meta, `t` the newest records one by one, `i` places of ids, `p` places in the
//! journal, `k` columns of values, `w` the words of a column, `a` architecture, `c` cached value. Every value is sealed
//! with a layout number and a CRC.
//!
//! Records are numbered in the order of their arrival. The newest stand one by one (the tail); from time to time they
//! are folded into blocks of a few thousand, because the engine is slow and large with a million small entries and quick with
//! a few thousand blocks.

mod batch;
mod block;
mod directory;
mod fold;
mod kind;
mod meta;
mod names;
mod places;
mod table;
mod tail;

pub(crate) use batch::Batch;
pub(crate) use directory::Directory;
pub(crate) use fold::fold;
pub(crate) use kind::{ABOUT, FIGURE, figure_of, items_of};
pub use kind::{ARRIVED, Kind};
pub(crate) use meta::{Anchor, Meta};
pub(crate) use places::{Entry, places};
pub(crate) use table::{columns, ordinals, ordinals_at};
pub(crate) use tail::Tail;

use convwise_types::RecordId;

use crate::index::{Fault, Value};

/// Layout of keys and values. Raised with every change to it; another number means rebuilding from the journal.
const LAYOUT: u8 = 3;

/// Key of the meta entry.
pub(crate) const META: &[u8] = b"m";
/// Keys of architectures.
pub(crate) const ARCHITECTURES: &[u8] = b"a";
/// Keys of cached values.
pub(crate) const CACHE: &[u8] = b"c";

/// Rows in a block of a column, and records in a block of places.
pub(crate) const ROWS: usize = 2048;

/// Wraps bytes with the layout number and a checksum.
pub(crate) fn sealed(bytes: &[u8]) -> Value {
    let mut value = Vec::with_capacity(bytes.len() + 5);
    value.push(LAYOUT);
    value.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    value.extend_from_slice(bytes);
    value
}

/// Unwraps what [`sealed`] wrapped.
pub(crate) fn opened(value: &[u8]) -> Result<&[u8], Fault> {
    let damaged = |why: &str| Fault::Damaged(why.to_owned());
    let (layout, rest) = value.split_first().ok_or_else(|| damaged("an entry is empty"))?;
    if *layout != LAYOUT {
        return Err(damaged("it has the layout of another version"));
    }
    let (crc, bytes) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("an entry is cut short"))?;
    if u32::from_le_bytes(*crc) != crc32fast::hash(bytes) {
        return Err(damaged("an entry fails its checksum"));
    }
    Ok(bytes)
}

fn cut_short() -> Fault {
    Fault::Damaged("an entry is cut short".to_owned())
}

/// Digest of a text, where a number must stand for it.
fn digest(text: &str) -> i64 {
    let hash = blake3::hash(text.as_bytes());
    let (front, _) = hash.as_bytes().split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    i64::from_le_bytes(*front).max(i64::MIN + 1)
}

/// A record's id as bytes.
pub(crate) type Id = [u8; 16];

/// The bytes of an id.
pub(crate) fn id_bytes(id: &RecordId) -> Id {
    let mut bytes = [0; 16];
    let digits = id.as_str().as_bytes().as_chunks::<2>().0;
    for (byte, [high, low]) in bytes.iter_mut().zip(digits) {
        *byte = nibble(*high) << 4 | nibble(*low);
    }
    bytes
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => 0,
    }
}

/// An id as it is written.
pub(crate) fn id_text(id: &Id) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}
