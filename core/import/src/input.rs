//! A file to read: opened, looked at, and read in bounded memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::desk::Problem;
use crate::sniff;

/// The most bytes that a line of JSON or a row of a table may have.
pub(crate) const LONGEST_ROW: usize = 1 << 20;

/// The most bytes of a file that is one document.
const LONGEST_DOCUMENT: u64 = 64 << 20;

/// Bytes read at once, of which the first decide what kind of file it is.
const CHUNK: usize = 1 << 17;

/// A file that is there and looks like text.
pub struct Input {
    name: String,
    reader: Box<dyn BufRead>,
    /// The byte that ends lines: a line feed, or a carriage return where there are no line feeds.
    pub(crate) newline: u8,
}

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be read, or is something else than text; the problem says what, and what to try.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let unreadable = |e: std::io::Error| Problem::of_file(format!("cannot be read: {e}"));
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(Problem::of_file(format!(
                "is a folder; name the files in it: {}",
                path.join("*.csv").display()
            )));
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Self::of(&name, file)
    }

    /// Bytes from anywhere, known as `name`.
    ///
    /// # Errors
    /// As for [`Input::open`].
    pub fn of(name: &str, bytes: impl Read + 'static) -> Result<Self, Problem> {
        let mut reader = BufReader::with_capacity(CHUNK, bytes);
        let head = reader.fill_buf().map_err(|e| Problem::of_file(format!("cannot be read: {e}")))?;
        if let Some(why) = sniff::refusal(name, head) {
            return Err(Problem::of_file(why));
        }
        let newline = if head.contains(&b'\r') && !head.contains(&b'\n') { b'\r' } else { b'\n' };
        let mark = sniff::mark(head);
        reader.consume(mark);
        Ok(Self { name: name.to_owned(), reader: Box::new(reader), newline })
    }

    /// Name of the file without its folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next bytes; none at the end.
    pub(crate) fn peek(&mut self, line: u64) -> Result<&[u8], Problem> {
        self.reader.fill_buf().map_err(|e| Problem::at(line, format!("cannot be read: {e}")))
    }

    /// Goes on behind some of the bytes.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.reader.consume(bytes);
    }

    /// All of it, for a file that is one document.
    pub(crate) fn document(self) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        let read = self.reader.take(LONGEST_DOCUMENT + 1).read_to_end(&mut bytes);
        read.map_err(|e| Problem::of_file(format!("cannot be read: {e}")))?;
        if bytes.len() as u64 > LONGEST_DOCUMENT {
            let most = LONGEST_DOCUMENT >> 20;
            return Err(Problem::of_file(format!("has more than the {most} MiB that one document may have")));
        }
        String::from_utf8(bytes).map_err(|e| {
            let line =
                e.as_bytes().iter().take(e.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count();
            Problem::at(line as u64 + 1, sniff::not_utf8())
        })
    }
}
