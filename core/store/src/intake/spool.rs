//! Bodies of records on their way into the journal: in memory while they are few, then in a file.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes that are kept in memory.
const IN_MEMORY: usize = 8 << 20;

/// A queue of texts that is written once and then read.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
}

impl Spool {
    /// A spool whose file, if it needs one, stands in a folder.
    pub fn new(folder: &Path) -> Self {
        let path = folder.join(format!("incoming-{}", std::process::id()));
        Self { path, memory: Vec::new(), file: None }
    }

    /// Adds a text.
    pub fn write(&mut self, body: &str) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if self.file.is_none() && self.memory.len() + body.len() > IN_MEMORY {
            self.file = Some(BufWriter::with_capacity(1 << 18, self.unnamed()?));
        }
        let out: &mut dyn Write = match &mut self.file {
            Some(file) => file,
            None => &mut self.memory,
        };
        out.write_all(&length.to_le_bytes())?;
        out.write_all(body.as_bytes())
    }

    /// A file without a name wherever the system allows that, so that nothing is left of it when the program is killed.
    fn unnamed(&self) -> io::Result<File> {
        let file =
            fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&self.path)?;
        drop(fs::remove_file(&self.path));
        Ok(file)
    }

    /// Calls `visit` with every text, in order.
    pub fn read(&mut self, mut visit: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        each(&mut self.memory.as_slice(), &mut visit)?;
        let Some(file) = &mut self.file else { return Ok(()) };
        file.flush()?;
        let mut file = file.get_ref();
        file.seek(SeekFrom::Start(0))?;
        each(&mut BufReader::with_capacity(1 << 18, file), &mut visit)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.file.is_some() {
            drop(fs::remove_file(&self.path));
        }
    }
}

fn each(reader: &mut impl Read, visit: &mut impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut length = [0; 4];
    let mut body = Vec::new();
    while reader.read_exact(&mut length).is_ok() {
        body.clear();
        reader.take(u64::from(u32::from_le_bytes(length))).read_to_end(&mut body)?;
        visit(std::str::from_utf8(&body).map_err(|_| io::ErrorKind::InvalidData)?)?;
    }
    Ok(())
}
