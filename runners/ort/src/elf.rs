//! Reads from a shared library's file which other libraries it needs (ELF: System V ABI, "Dynamic Section"), so that all
//! that are missing can be named and not only the first one, which is all that the loader says.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const NEEDED: u64 = 1;
const STRING_TABLE: u64 = 5;

/// Most of each that is read of a file; a real library has far fewer.
const SEGMENTS: u16 = 256;
const ENTRIES: u64 = 4096;
const NAME: usize = 256;

/// The libraries that the 64-bit little-endian ELF file at `path` needs; none for any other file.
pub(crate) fn needed(path: &Path) -> Vec<String> {
    File::open(path).ok().and_then(|file| Elf { file }.needed()).unwrap_or_default()
}

struct Elf {
    file: File,
}

/// A part of the file and where it is in memory.
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

impl Elf {
    fn needed(&mut self) -> Option<Vec<String>> {
        let segments = self.segments()?;
        let entries = self.entries(segments.iter().find(|segment| segment.kind == DYNAMIC)?)?;
        let table = entries.iter().find(|(tag, _)| *tag == STRING_TABLE)?.1;
        let table = offset_of(table, &segments)?;
        let names = entries.iter().filter(|(tag, _)| *tag == NEEDED);
        names.map(|(_, at)| self.name(table.checked_add(*at)?)).collect()
    }

    fn segments(&mut self) -> Option<Vec<Segment>> {
        let header: [u8; 64] = self.read(0)?;
        if !header.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let (start, size, count) = (long(&header, 32)?, short(&header, 54)?, short(&header, 56)?);
        let at = |index: u16| start.checked_add(u64::from(index) * u64::from(size));
        (0..count.min(SEGMENTS)).map(|index| self.segment(at(index)?)).collect()
    }

    fn segment(&mut self, at: u64) -> Option<Segment> {
        let header: [u8; 56] = self.read(at)?;
        let kind = u32::from_le_bytes(*header.first_chunk()?);
        Some(Segment {
            kind,
            offset: long(&header, 8)?,
            address: long(&header, 16)?,
            size: long(&header, 32)?,
        })
    }

    /// Tags and values of the dynamic section.
    fn entries(&mut self, dynamic: &Segment) -> Option<Vec<(u64, u64)>> {
        let count = (dynamic.size / 16).min(ENTRIES);
        let entry = |index: u64| {
            let bytes: [u8; 16] = self.read(dynamic.offset.checked_add(index * 16)?)?;
            Some((long(&bytes, 0)?, long(&bytes, 8)?))
        };
        (0..count).map(entry).collect()
    }

    fn name(&mut self, at: u64) -> Option<String> {
        self.file.seek(SeekFrom::Start(at)).ok()?;
        let mut bytes = Vec::new();
        self.file.by_ref().take(NAME as u64).read_to_end(&mut bytes).ok()?;
        let name = bytes.split(|byte| *byte == 0).next()?;
        String::from_utf8(name.to_vec()).ok()
    }

    fn read<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// Where in the file the memory address lies.
fn offset_of(address: u64, segments: &[Segment]) -> Option<u64> {
    let holds = |segment: &&Segment| {
        segment.kind == LOAD && address.checked_sub(segment.address).is_some_and(|at| at < segment.size)
    };
    let segment = segments.iter().find(holds)?;
    segment.offset.checked_add(address - segment.address)
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library with one segment, which needs two others.
    fn library() -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01".to_vec();
        file.resize(64, 0);
        file[32..40].copy_from_slice(&64u64.to_le_bytes());
        file[54..56].copy_from_slice(&56u16.to_le_bytes());
        file[56..58].copy_from_slice(&2u16.to_le_bytes());
        // Two segments, the dynamic section with four entries, the names; loaded at 0x1000.
        let (dynamic, names) = (64 + 2 * 56, 64 + 2 * 56 + 4 * 16);
        for (kind, offset, address, size) in
            [(1u32, 0u64, 0x1000u64, 512u64), (2, dynamic, 0x1000 + dynamic, 64)]
        {
            let at = file.len();
            file.resize(at + 56, 0);
            file[at..at + 4].copy_from_slice(&kind.to_le_bytes());
            for (from, value) in [(8, offset), (16, address), (32, size)] {
                file[at + from..at + from + 8].copy_from_slice(&value.to_le_bytes());
            }
        }
        for (tag, value) in [(1u64, 1u64), (1, 14), (5, 0x1000 + names), (0, 0)] {
            file.extend(tag.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file.extend(b"\0libcuda.so.1\0libc.so.6\0");
        file
    }

    fn check(bytes: &[u8], expect: &[&str]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        assert_eq!(needed(file.path()), expect);
    }

    #[test]
    fn needs_are_read_and_any_other_file_has_none() {
        let whole = library();
        check(&whole, &["libcuda.so.1", "libc.so.6"]);
        check(b"not a library", &[]);
        for length in 0..whole.len() - 24 {
            check(&whole[..length], &[]);
        }
    }

    #[test]
    fn damage_is_survived() {
        let whole = library();
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let file = tempfile::NamedTempFile::new().unwrap();
                std::fs::write(file.path(), damaged).unwrap();
                let _ = needed(file.path());
            }
        }
    }
}
