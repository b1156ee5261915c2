//! Values of a column, packed: whole numbers in as few bytes as they need, text with its length.

use convwise_types::listing::{Column, UNKNOWN_NAME};

use super::cut_short;
use crate::index::Fault;

/// The longest text of a column; longer ones are cut in the index (never in the journal).
const LONGEST_TEXT: usize = 200;

/// Packs the rows of a column from `from` up to `until`; `codes` are the numbers of its names in the index.
pub(super) fn pack(column: &Column, from: usize, until: usize, codes: &[u32]) -> Vec<u8> {
    match column {
        Column::Names { codes: own, .. } => {
            let code = |own: &u32| usize::try_from(*own).ok().and_then(|at| codes.get(at));
            ints(slice(own, from, until).iter().map(|own| code(own).map_or(i64::MIN, |c| i64::from(*c))))
        }
        Column::Wholes(values) => ints(slice(values, from, until).iter().copied()),
        Column::Flags(values) => {
            ints(slice(values, from, until).iter().map(|f| if *f > 1 { i64::MIN } else { i64::from(*f) }))
        }
        Column::Reals(values) => reals(slice(values, from, until)),
        Column::Texts { .. } => texts((from..until).map(|row| column.text(row).unwrap_or_default())),
    }
}

fn slice<T>(values: &[T], from: usize, until: usize) -> &[T] {
    values.get(from..until.min(values.len())).unwrap_or_default()
}

/// Number, smallest value, bytes a value, then the distances from the smallest plus one; 0 is unknown.
fn ints(values: impl Iterator<Item = i64> + Clone) -> Vec<u8> {
    let known = || values.clone().filter(|v| *v != i64::MIN);
    let (base, top) = (known().min().unwrap_or(0), known().max().unwrap_or(0));
    let all_known = known().count() == values.clone().count();
    // One more than the widest distance, for what is unknown.
    let width: u8 = match top.abs_diff(base) {
        0 if all_known => 0,
        distance if distance < 0xff => 1,
        distance if distance < 0xffff => 2,
        distance if distance < 0xffff_ffff => 4,
        _ => 8,
    };
    let count = values.clone().count();
    let mut bytes = header(count);
    bytes.extend_from_slice(&base.to_le_bytes());
    bytes.push(width);
    for value in values {
        let code = if value == i64::MIN { 0 } else { value.abs_diff(base) + 1 };
        bytes.extend_from_slice(code.to_le_bytes().get(..usize::from(width)).unwrap_or_default());
    }
    bytes
}

fn reals(values: &[f64]) -> Vec<u8> {
    let mut bytes = header(values.len());
    values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    bytes
}

fn texts<'a>(values: impl Iterator<Item = &'a str> + Clone) -> Vec<u8> {
    let mut bytes = header(values.clone().count());
    for value in values {
        let value = value.get(..value.floor_char_boundary(LONGEST_TEXT)).unwrap_or_default();
        bytes.extend_from_slice(&u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
        bytes.extend_from_slice(value.as_bytes());
    }
    bytes
}

fn header(count: usize) -> Vec<u8> {
    u32::try_from(count).unwrap_or_default().to_le_bytes().to_vec()
}

/// Adds the rows of a packed block to a column.
pub(super) fn unpack(bytes: &[u8], column: &mut Column) -> Result<(), Fault> {
    let (count, bytes) = bytes.split_first_chunk::<4>().ok_or_else(cut_short)?;
    let count = usize::try_from(u32::from_le_bytes(*count)).unwrap_or_default();
    match column {
        Column::Names { codes, .. } => {
            let code = |value: i64| u32::try_from(value).unwrap_or(UNKNOWN_NAME);
            each_int(bytes, count, |value| codes.push(code(value)))
        }
        Column::Wholes(values) => each_int(bytes, count, |value| values.push(value)),
        Column::Flags(values) => {
            each_int(bytes, count, |value| values.push(u8::try_from(value).unwrap_or(u8::MAX)))
        }
        Column::Reals(values) => {
            let chunks = bytes.as_chunks::<8>().0;
            if chunks.len() != count {
                return Err(cut_short());
            }
            values.extend(chunks.iter().map(|chunk| f64::from_le_bytes(*chunk)));
            Ok(())
        }
        Column::Texts { ends, text } => unpack_texts(bytes, count, ends, text),
    }
}

fn each_int(bytes: &[u8], count: usize, mut push: impl FnMut(i64)) -> Result<(), Fault> {
    let (base, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut_short)?;
    let base = i64::from_le_bytes(*base);
    let (width, rest) = rest.split_first().ok_or_else(cut_short)?;
    let value = |code: u64| if code == 0 { i64::MIN } else { base.wrapping_add_unsigned(code - 1) };
    match width {
        0 => (0..count).for_each(|_| push(base)),
        1 => rest.iter().for_each(|code| push(value(u64::from(*code)))),
        2 => rest.as_chunks().0.iter().for_each(|code| push(value(u64::from(u16::from_le_bytes(*code))))),
        4 => rest.as_chunks().0.iter().for_each(|code| push(value(u64::from(u32::from_le_bytes(*code))))),
        _ => rest.as_chunks().0.iter().for_each(|code| push(value(u64::from_le_bytes(*code)))),
    }
    if rest.len() == count * usize::from(*width) { Ok(()) } else { Err(cut_short()) }
}

fn unpack_texts(
    mut bytes: &[u8],
    count: usize,
    ends: &mut Vec<usize>,
    text: &mut String,
) -> Result<(), Fault> {
    for _ in 0..count {
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or_else(cut_short)?;
        let (value, rest) =
            rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or_else(cut_short)?;
        text.push_str(&String::from_utf8_lossy(value));
        ends.push(text.len());
        bytes = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use convwise_types::listing::{Builder, Item, ListKind};

    fn check(kind: ListKind, items: &[Item]) {
        let mut builder = Builder::new(kind);
        items.iter().for_each(|item| builder.push(item));
        let column = builder.finish();
        let codes: Vec<u32> = (0..100).collect();
        let packed = pack(&column, 0, items.len(), &codes);
        let mut back = match &column {
            Column::Names { names, .. } => Column::Names { codes: Vec::new(), names: names.clone() },
            _ => Column::empty(kind),
        };
        unpack(&packed, &mut back).unwrap();
        assert_eq!(items, (0..items.len()).map(|row| back.item(row)).collect::<Vec<_>>());
        for cut in 0..packed.len() {
            let cut_off = unpack(&packed[..cut], &mut Column::empty(kind));
            assert!(cut_off.is_err() || items.is_empty(), "{kind:?} cut to {cut}");
        }
    }

    #[test]
    fn values_come_back() {
        let wholes = [i64::MIN + 1, -1, 0, 1, 254, 255, 65_535, 1 << 32, i64::MAX].map(Item::Whole);
        for end in 0..wholes.len() {
            for start in 0..=end {
                check(ListKind::Whole, &wholes[start..=end]);
            }
        }
        check(ListKind::Whole, &[Item::Unknown, Item::Whole(7)]);
        check(ListKind::Whole, &[Item::Unknown]);
        check(ListKind::Real, &[Item::Real(0.1), Item::Unknown, Item::Real(-1e300)]);
        check(ListKind::Flag, &[Item::Flag(true), Item::Unknown, Item::Flag(false)]);
        check(ListKind::Name, &[Item::Text("a".into()), Item::Unknown, Item::Text("é".into())]);
        check(ListKind::Text, &[Item::Text("2026".into()), Item::Unknown, Item::Text("é".into())]);
    }
}
