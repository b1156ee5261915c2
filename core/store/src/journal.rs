//! The journal file: appending so that what returns is on disk, and reading it back piece by piece.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::files::sync_parent;
use crate::line::LONGEST_LINE;

/// A range of bytes in the journal, newline included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub offset: u64,
    pub length: u64,
}

impl Place {
    pub fn end(self) -> u64 {
        self.offset + self.length
    }
}

/// One newline-terminated piece of the journal.
#[derive(Debug)]
pub(crate) struct Piece {
    pub place: Place,
    /// The bytes without the newline; empty when the piece is longer than any line may be.
    pub bytes: Vec<u8>,
    /// The newline was there.
    pub ended: bool,
    /// Longer than any line may be.
    pub too_long: bool,
}

/// The open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens for appending, creating the file on first use.
    pub fn writable(path: &Path) -> Result<Self, StoreError> {
        let fresh = !path.exists();
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let file = file.map_err(|error| StoreError::io("open", path, error))?;
        if fresh {
            sync_parent(path).map_err(|error| StoreError::io("create", path, error))?;
        }
        Ok(Self { file, path: path.to_owned() })
    }

    /// Opens for reading only.
    pub fn readable(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(|error| StoreError::io("read", path, error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Bytes in the file.
    pub fn length(&self) -> Result<u64, StoreError> {
        self.file.metadata().map(|info| info.len()).map_err(|error| self.failed("read", error))
    }

    /// Appends and syncs; when it fails, the file is as long as before.
    pub fn append(&mut self, bytes: &[u8]) -> Result<Place, StoreError> {
        let offset = self.length()?;
        if let Err(error) = self.file.write_all(bytes).and_then(|()| self.file.sync_data()) {
            // If even this fails, the next opening sets the unfinished end aside.
            let cut = self.file.set_len(offset);
            drop(cut);
            return Err(self.failed("write", error));
        }
        Ok(Place { offset, length: bytes.len() as u64 })
    }

    /// Appends what `write` writes, and syncs; when it fails, the file is as long as before.
    pub fn append_from(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Place, StoreError> {
        let offset = self.length()?;
        let mut out = BufWriter::with_capacity(1 << 18, &self.file);
        let written = write(&mut out).and_then(|()| out.flush());
        // What is still in the buffer of a failed writer must not be written when it is dropped.
        let (file, _) = out.into_parts();
        if let Err(error) = written.and_then(|()| file.sync_data()) {
            let cut = file.set_len(offset);
            drop(cut);
            return Err(self.failed("write", error));
        }
        Ok(Place { offset, length: self.length()?.saturating_sub(offset) })
    }

    /// Cuts the end off.
    pub fn cut(&mut self, length: u64) -> Result<(), StoreError> {
        self.file
            .set_len(length)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| self.failed("cut", error))
    }

    /// The bytes at a place.
    pub fn read_at(&self, place: Place) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(place.offset))?;
        let length = place.length.min(LONGEST_LINE);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The pieces between two offsets, read on their own so that the journal can be changed meanwhile.
    pub fn pieces(&self, from: u64, until: u64) -> Result<Pieces, StoreError> {
        let open = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(from))?;
            Ok(BufReader::with_capacity(1 << 18, file.take(until.saturating_sub(from))))
        };
        let reader = open().map_err(|error| self.failed("read", error))?;
        Ok(Pieces { reader, offset: from, path: self.path.clone() })
    }

    fn failed(&self, doing: &'static str, error: io::Error) -> StoreError {
        StoreError::io(doing, &self.path, error)
    }
}

/// Iterator over a part of the journal.
#[derive(Debug)]
pub(crate) struct Pieces {
    reader: BufReader<io::Take<File>>,
    offset: u64,
    path: PathBuf,
}

impl Iterator for Pieces {
    type Item = Result<Piece, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece =
            next_piece(&mut self.reader, self.offset).map_err(|e| StoreError::io("read", &self.path, e));
        if let Ok(Some(piece)) = &piece {
            self.offset = piece.place.end();
        }
        piece.transpose()
    }
}

/// Lines read at a time.
const GROUP: usize = 2048;
/// Bytes after which a group ends sooner.
const GROUP_BYTES: u64 = 16 << 20;

/// The next lines, none at the end.
pub(crate) fn next_group(
    pieces: &mut impl Iterator<Item = Result<Piece, StoreError>>,
) -> Result<Vec<Piece>, StoreError> {
    let (mut group, mut bytes) = (Vec::new(), 0);
    while group.len() < GROUP && bytes < GROUP_BYTES {
        let Some(piece) = pieces.next().transpose()? else { break };
        bytes += piece.place.length;
        group.push(piece);
    }
    Ok(group)
}

/// The next line of a reader, never holding more of it than a line may be long.
pub(crate) fn next_piece(reader: &mut impl BufRead, offset: u64) -> io::Result<Option<Piece>> {
    let mut bytes = Vec::new();
    let mut length = reader.take(LONGEST_LINE + 1).read_until(b'\n', &mut bytes)? as u64;
    if length == 0 {
        return Ok(None);
    }
    let mut ended = bytes.last() == Some(&b'\n');
    let too_long = !ended && length > LONGEST_LINE;
    if ended {
        bytes.pop();
    }
    if too_long {
        bytes = Vec::new();
        let (skipped, found) = skip_line(reader)?;
        length += skipped;
        ended = found;
    }
    Ok(Some(Piece { place: Place { offset, length }, bytes, ended, too_long }))
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<(u64, bool)> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok((skipped, false));
        }
        let newline = buffer.iter().position(|b| *b == b'\n');
        let step = newline.map_or(buffer.len(), |at| at + 1);
        reader.consume(step);
        skipped += step as u64;
        if newline.is_some() {
            return Ok((skipped, true));
        }
    }
}
