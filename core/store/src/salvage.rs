//! What can still be had from a damaged line. Nothing is believed that a checksum or the digest of the content does not
//! prove.

use convwise_types::id_of;

use crate::line::{CHECK_LENGTH, Line, ending};
use crate::record::Record;

/// How a line begins.
const BEGINNING: &[u8] = b"{\"schema\":";

/// The lines (with newlines) that are whole in spite of the damage, or were made whole again.
pub(crate) fn salvage(bytes: &[u8]) -> Vec<Vec<u8>> {
    let one = || with_wrong_end(bytes).or_else(|| with_wrong_bit(bytes)).or_else(|| with_right_digest(bytes));
    one().map_or_else(|| run_together(bytes), |line| vec![line])
}

/// Two pieces that were one line, of which a bit flipped and made a newline.
pub(crate) fn rejoin(first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    (0..8).find_map(|bit| {
        let middle = [b'\n' ^ (1 << bit)];
        good([first, &middle, second].concat())
    })
}

/// The line, if checksum and digest fit.
fn good(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let line = Line::decode(&bytes).ok()?;
    fits(&line, line.record().ok()?.as_ref()).ok()?;
    bytes.push(b'\n');
    Some(bytes)
}

/// The content must have the digest that is its name.
pub(crate) fn fits(line: &Line<'_>, record: Option<&Record>) -> Result<(), String> {
    // As this program writes bodies, they are the very text that the digest is made of.
    if id_of(line.body) == line.id {
        return Ok(());
    }
    match record.map(Record::id) {
        Some(digest) if digest != line.id => {
            Err(format!("its id is {}, but its content has the digest {digest}", line.id))
        }
        _ => Ok(()),
    }
}

/// One bit flipped in the checksum itself.
fn with_wrong_end(bytes: &[u8]) -> Option<Vec<u8>> {
    let (front, end) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_LENGTH)?)?;
    let right = ending(crc32fast::hash(front));
    let wrong: u32 = end.iter().zip(right.as_bytes()).map(|(a, b)| (a ^ b).count_ones()).sum();
    if wrong > 1 { None } else { good([front, right.as_bytes()].concat()) }
}

/// One bit flipped in front of the checksum, which tells which one: for every bit there is another difference.
fn with_wrong_bit(bytes: &[u8]) -> Option<Vec<u8>> {
    let (front, end) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_LENGTH)?)?;
    let digits = end.strip_prefix(b",\"crc\":\"")?.strip_suffix(b"\"}")?;
    let said = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    let (at, bit) = flipped(front.len(), said ^ crc32fast::hash(front))?;
    let mut mended = bytes.to_vec();
    *mended.get_mut(at)? ^= 1 << bit;
    good(mended)
}

/// Which bit of so many bytes makes this difference to their CRC-32, found from the last byte to the first.
fn flipped(length: usize, difference: u32) -> Option<(usize, u32)> {
    let table = crc_table();
    let step = |crc: u32| (crc >> 8) ^ table.get((crc & 0xff) as usize).copied().unwrap_or(0);
    let mut differences: [u32; 8] = std::array::from_fn(|bit| step(1 << bit));
    for at in (0..length).rev() {
        if let Some(bit) = (0..).zip(differences).find_map(|(bit, d)| (d == difference).then_some(bit)) {
            return Some((at, bit));
        }
        differences = differences.map(step);
    }
    None
}

/// The table of the CRC-32 of IEEE 802.3.
fn crc_table() -> [u32; 256] {
    std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Whatever is wrong, the content has the digest that is its name. When it arrived is not proved by that.
fn with_right_digest(bytes: &[u8]) -> Option<Vec<u8>> {
    let line = Line::decode_unchecked(bytes).ok()?;
    let record = line.record().ok()??;
    fits(&line, Some(&record)).ok()?;
    Some(Line { at: None, ..line }.journalled(0))
}

/// Two lines whose newline between them was changed.
fn run_together(bytes: &[u8]) -> Vec<Vec<u8>> {
    let begins = bytes.windows(BEGINNING.len()).enumerate().skip(1).filter(|(_, w)| *w == BEGINNING);
    for (at, _) in begins {
        let (Some(first), Some(second)) = (bytes.get(..at - 1), bytes.get(at..)) else { continue };
        let both: Vec<_> = [first, second].into_iter().filter_map(|part| good(part.to_vec())).collect();
        if both.len() == 2 {
            return both;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::encode;

    fn line(value: u64) -> Vec<u8> {
        let record = Record::from(convwise_types::AddedFact {
            about: "device:J*x".to_owned(),
            name: "ram".to_owned(),
            value: value.into(),
            unit: None,
            source: "https://example.org/".to_owned(),
        });
        encode(&record, &record.id(), 0)
    }

    #[test]
    fn every_flipped_bit_of_a_line_is_mended() {
        let whole = line(1);
        for at in 0..(whole.len() - 1) * 8 {
            let mut damaged = whole[..whole.len() - 1].to_vec();
            damaged[at / 8] ^= 1 << (at % 8);
            assert_eq!(salvage(&damaged), std::slice::from_ref(&whole), "bit {at}");
        }
    }

    #[test]
    fn lines_that_ran_together_or_fell_apart_are_mended() {
        let (one, other) = (line(1), line(2));
        let mut both = [one.as_slice(), &other[..other.len() - 1]].concat();
        both[one.len() - 1] = b'*';
        assert_eq!(salvage(&both), [one.clone(), other]);
        let at = one.iter().position(|b| *b == b'J').unwrap();
        assert_eq!(rejoin(&one[..at], &one[at + 1..one.len() - 1]), Some(one));
    }

    #[test]
    fn what_nothing_proves_is_not_believed() {
        let text = String::from_utf8(line(1)).unwrap();
        let changed = text.replace("example", "elpmaxe");
        assert!(salvage(changed.trim_end().as_bytes()).is_empty());
        assert!(salvage(b"").is_empty() && salvage(b"rubbish that is long enough to have an end").is_empty());
        // Only the checksum is wrong, and by much: the digest proves the content, but nothing proves the arrival.
        let (front, _) = text.rsplit_once(",\"crc\"").unwrap();
        let saved = salvage(format!("{front},\"crc\":\"zzzzzzzz\"}}").as_bytes());
        assert!(saved.len() == 1 && !String::from_utf8_lossy(&saved[0]).contains("\"at\""));
    }
}
