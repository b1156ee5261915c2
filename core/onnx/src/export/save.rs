//! A model on disk: one file, or two where the weights would make it too large for a message.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Model;

/// Bytes collected before they are written.
const BUFFER: usize = 1 << 20;

impl Model {
    /// Writes the model to `path`, and its weights to a file beside it where they need one. Answers the files.
    ///
    /// # Errors
    /// A file that cannot be written. What was written by then stays.
    pub fn save(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        if !self.needs_data_file() {
            written(path, |out| self.write_to(out))?;
            return Ok(vec![path.to_owned()]);
        }
        let data = data_file(path);
        let name = data.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut weights = BufWriter::with_capacity(BUFFER, File::create(&data)?);
        written(path, |out| self.write_split(out, &mut weights, &name))?;
        weights.flush()?;
        Ok(vec![path.to_owned(), data])
    }
}

/// Where the weights of a model stand that needs a file for them: `net.onnx.data` for `net.onnx`.
#[must_use]
pub fn data_file(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".data");
    PathBuf::from(name)
}

fn written(path: &Path, content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, File::create(path)?);
    content(&mut out)?;
    out.flush()
}
