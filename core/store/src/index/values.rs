//! The file of long values: appended to, read back by place, and written anew when most of it is waste.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Fault, Value};

/// Waste that is not worth writing the file anew.
const SLACK: u64 = 16 << 20;

/// Where a value stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub offset: u64,
    pub length: u32,
}

impl Span {
    pub fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (offset, length) = bytes.split_at_mut(8);
        offset.copy_from_slice(&self.offset.to_le_bytes());
        length.copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: [u8; 12]) -> Self {
        let [a, b, c, d, e, f, g, h, length @ ..] = bytes;
        let offset = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Self { offset, length: u32::from_le_bytes(length) }
    }
}

/// Which file is in use, and how much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Counts the files; the name of this one ends in it.
    pub generation: u64,
    /// Bytes from the beginning that were written.
    pub end: u64,
    /// Bytes of them that a key refers to.
    pub live: u64,
}

impl Extent {
    pub fn encode(self) -> Value {
        [self.generation, self.end, self.live].iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<8>();
        match numbers {
            [generation, end, live] if rest.is_empty() => Some(Self {
                generation: u64::from_le_bytes(*generation),
                end: u64::from_le_bytes(*end),
                live: u64::from_le_bytes(*live),
            }),
            _ => None,
        }
    }

    /// More than half of the file is waste.
    pub fn is_wasteful(self) -> bool {
        self.end.saturating_sub(self.live) > self.live.max(SLACK)
    }
}

/// The open file. Nothing in it is changed; what no key refers to any more is left behind when it is written anew.
#[derive(Debug)]
pub(super) struct ValueFile {
    path: PathBuf,
    file: Option<File>,
    pub extent: Extent,
}

impl ValueFile {
    /// Opens the file of an extent in a folder, and removes those of others, which a crash may have left.
    pub fn open(folder: &Path, extent: Extent) -> Result<Self, Fault> {
        let path = path(folder, extent.generation);
        remove_others(folder, &path);
        if extent.end == 0 {
            return Ok(Self { path, file: None, extent });
        }
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|error| unreadable(&error))?;
        let length = file.metadata().map_err(|error| unreadable(&error))?.len();
        if length < extent.end {
            return Err(Fault::Damaged("its file of values is cut short".to_owned()));
        }
        Ok(Self { path, file: Some(file), extent })
    }

    /// An empty file that is to follow this one.
    pub fn successor(&self) -> Self {
        let folder = self.path.parent().unwrap_or(&self.path);
        let extent = Extent { generation: self.extent.generation + 1, ..Extent::default() };
        Self { path: path(folder, extent.generation), file: None, extent }
    }

    /// The value at a place.
    pub fn read(&self, span: Span) -> Result<Value, Fault> {
        let inside =
            span.offset.checked_add(u64::from(span.length)).is_some_and(|end| end <= self.extent.end);
        let Some(mut file) = self.file.as_ref().filter(|_| inside) else {
            return Err(Fault::Damaged("a key refers to a value behind the end of its file".to_owned()));
        };
        let mut value = Vec::with_capacity(usize::try_from(span.length).unwrap_or_default());
        let read = file.seek(SeekFrom::Start(span.offset));
        let read = read.and_then(|_| file.take(u64::from(span.length)).read_to_end(&mut value));
        match read {
            Ok(_) if value.len() as u64 == u64::from(span.length) => Ok(value),
            Ok(_) => Err(Fault::Damaged("its file of values is cut short".to_owned())),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// Writes values behind the end. They belong to the file once [`Self::extent`] is moved behind them.
    pub fn append<'a>(
        &mut self,
        values: impl Iterator<Item = Result<Cow<'a, [u8]>, Fault>>,
    ) -> Result<Vec<Span>, Fault> {
        let mut offset = self.extent.end;
        let mut spans = Vec::new();
        let mut out = BufWriter::with_capacity(1 << 18, self.writer().map_err(|error| unwritable(&error))?);
        for value in values {
            let value = value?;
            let length = u32::try_from(value.len());
            let length = length.map_err(|_| Fault::Storage("a value is too long".to_owned()))?;
            out.write_all(&value).map_err(|error| unwritable(&error))?;
            spans.push(Span { offset, length });
            offset += u64::from(length);
        }
        out.flush().map_err(|error| unwritable(&error))?;
        Ok(spans)
    }

    /// The file, to be written behind its end; created on first use.
    fn writer(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            self.file = Some(options.read(true).write(true).create(true).truncate(true).open(&self.path)?);
        }
        let mut file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(self.extent.end))?;
        Ok(file)
    }

    /// What was appended is on disk when this returns.
    pub fn sync(&self) -> Result<(), Fault> {
        self.file.as_ref().map_or(Ok(()), File::sync_data).map_err(|error| unwritable(&error))
    }

    /// Removes the file.
    pub fn remove(self) {
        drop(fs::remove_file(self.path));
    }
}

const NAME: &str = "values.";

fn path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("{NAME}{generation}"))
}

fn remove_others(folder: &Path, own: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(NAME));
    for other in files.map(|entry| entry.path()).filter(|path| path != own) {
        drop(fs::remove_file(other));
    }
}

fn unreadable(error: &io::Error) -> Fault {
    Fault::Damaged(format!("its file of values cannot be read: {error}"))
}

fn unwritable(error: &io::Error) -> Fault {
    Fault::Storage(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_and_spans_come_back() {
        let extent = Extent { generation: 3, end: 1 << 40, live: 7 };
        assert_eq!(Extent::decode(&extent.encode()), Some(extent));
        assert_eq!(Extent::decode(&extent.encode()[1..]), None);
        let span = Span { offset: u64::MAX - 1, length: 99 };
        assert_eq!(Span::decode(span.encode()), span);
    }
}
