//! Weights from a safetensors file, by name.
//!
//! The file may come from anywhere: its header is read only after its length was compared with the
//! file's, and nothing is allocated for a tensor but what the graph asks for. Tensors are read when
//! needed instead of being mapped, so that a file changed meanwhile cannot crash the program.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use convwise_graph::{Graph, Param, Shape};
use half::{bf16, f16};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use super::matching::{Fit, Matching};
use super::seeded::Seeded;
use super::{MisshapedTensor, MissingTensor, UnreadableTensor, WeightReport, WeightSource};
use crate::error::WeightError;

/// Bytes before the header: its length.
const PREFIX: u64 = 8;
/// Longest header read; that of a network of ten thousand tensors has 1 MB.
const MAX_HEADER: u64 = 4 << 20;
/// Bytes converted at a time.
const CHUNK: usize = 1 << 16;

/// An open safetensors file whose header was found sound.
#[derive(Debug)]
pub struct Safetensors {
    path: PathBuf,
    file: Mutex<File>,
    metadata: Metadata,
    /// Where the tensors' bytes begin.
    data: u64,
    matching: Matching,
}

impl Safetensors {
    /// Opens a file and checks its header against its length.
    ///
    /// # Errors
    /// The file cannot be read, is truncated, or is no safetensors file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightError> {
        let path = path.as_ref().to_path_buf();
        let unreadable = |source| WeightError::Read { path: path.clone(), source };
        let mut file = File::open(&path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let header = read_header(&mut file, length).map_err(|e| e.at(&path))?;
        let metadata = parse_header(&header, length).map_err(|e| e.at(&path))?;
        let data = PREFIX + header.len() as u64;
        Ok(Self { path, file: Mutex::new(file), metadata, data, matching: Matching::default() })
    }

    /// The same file for a network that differs from its own in what `matching` says.
    #[must_use]
    pub fn matched(self, matching: Matching) -> Self {
        Self { matching, ..self }
    }

    /// Names of all tensors in the file, training's counters left out.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.metadata.tensors().into_keys().filter(|n| !is_counter(n)).collect();
        names.sort();
        names
    }

    /// Extents of a tensor in the file.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<Shape> {
        self.metadata.info(name).map(|info| Shape(info.shape.clone()))
    }

    /// Tensors of the network that begin anew, because the file has them for another number of classes.
    #[must_use]
    pub fn begun_anew(&self, graph: &Graph) -> Vec<String> {
        let anew = |param: &&Param| {
            let found = self.metadata.info(self.matching.name_of(param));
            found.is_some_and(|info| self.matching.fit(param, &info.shape) == Fit::Anew)
        };
        graph.params().filter(anew).map(|param| param.name.clone()).collect()
    }

    /// Tensors of the file that only training uses: those that the network has are not among them.
    #[must_use]
    pub fn left_out(&self, graph: &Graph) -> Vec<String> {
        let used: BTreeSet<&str> = graph.params().map(|param| self.matching.name_of(param)).collect();
        let unused = |name: &String| self.matching.leaves_out(name) && !used.contains(name.as_str());
        self.names().into_iter().filter(unused).collect()
    }

    fn info(&self, param: &Param, elements: usize) -> Result<&TensorInfo, WeightError> {
        let fits = |info: &&TensorInfo| {
            self.matching.fit(param, &info.shape) != Fit::Misfit && param.shape.elements() == elements as u64
        };
        self.metadata
            .info(self.matching.name_of(param))
            .filter(fits)
            .ok_or_else(|| self.no_tensor(param, elements))
    }

    fn no_tensor(&self, param: &Param, elements: usize) -> WeightError {
        WeightError::NoTensor { weights: self.describe(), tensor: param.name.clone(), elements }
    }

    fn read(&self, info: &TensorInfo, out: &mut [f32], convert: Convert) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.data + info.data_offsets.0 as u64))?;
        let width = info.dtype.bitsize() / 8;
        let mut buffer = vec![0; CHUNK];
        for values in out.chunks_mut(CHUNK / width) {
            let bytes = buffer.get_mut(..values.len() * width).unwrap_or_default();
            file.read_exact(bytes)?;
            convert(bytes, values);
        }
        Ok(())
    }
}

impl WeightSource for Safetensors {
    fn describe(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        format!("safetensors:{}", name.to_string_lossy())
    }

    /// `num_batches_tracked`, which PyTorch keeps beside each batch norm, is not a weight and is passed over.
    fn check(&self, graph: &Graph) -> WeightReport {
        let mut report = WeightReport::default();
        let mut found = self.metadata.tensors();
        for param in graph.params() {
            compare(param, found.remove(self.matching.name_of(param)), &self.matching, &mut report);
        }
        let extra = |name: &String| !is_counter(name) && !self.matching.leaves_out(name);
        report.extra = found.into_keys().filter(extra).collect();
        report.sort();
        report
    }

    fn fill(&self, param: &Param, out: &mut [f32]) -> Result<(), WeightError> {
        let info = self.info(param, out.len())?;
        if self.matching.fit(param, &info.shape) == Fit::Anew {
            return Seeded(0).fill(param, out);
        }
        let convert = conversion(info.dtype).ok_or_else(|| self.no_tensor(param, out.len()))?;
        self.read(info, out, convert).map_err(|source| WeightError::Read { path: self.path.clone(), source })
    }
}

/// Turns little-endian bytes into as many numbers as there are places.
type Convert = fn(&[u8], &mut [f32]);

fn conversion(dtype: Dtype) -> Option<Convert> {
    match dtype {
        Dtype::F32 => Some(|bytes, out| convert(bytes, out, f32::from_le_bytes)),
        Dtype::F16 => Some(|bytes, out| convert(bytes, out, |b| f16::from_le_bytes(b).to_f32())),
        Dtype::BF16 => Some(|bytes, out| convert(bytes, out, |b| bf16::from_le_bytes(b).to_f32())),
        _ => None,
    }
}

fn convert<const WIDTH: usize>(bytes: &[u8], out: &mut [f32], number: impl Fn([u8; WIDTH]) -> f32) {
    let (parts, _) = bytes.as_chunks::<WIDTH>();
    for (slot, part) in out.iter_mut().zip(parts) {
        *slot = number(*part);
    }
}

fn compare(param: &Param, found: Option<&TensorInfo>, matching: &Matching, report: &mut WeightReport) {
    let name = param.name.clone();
    match found {
        None => report.missing.push(MissingTensor { name, shape: param.shape.clone() }),
        Some(info) if matching.fit(param, &info.shape) == Fit::Misfit => {
            let (expected, found) = (param.shape.clone(), Shape(info.shape.clone()));
            report.misshaped.push(MisshapedTensor { name, expected, found });
        }
        Some(info) if conversion(info.dtype).is_none() => {
            report.unreadable.push(UnreadableTensor { name, dtype: info.dtype.to_string() });
        }
        Some(_) => {}
    }
}

fn is_counter(name: &str) -> bool {
    name.rsplit('.').next() == Some("num_batches_tracked")
}

/// What is wrong with a header, before the file's name is put to it.
enum Fault {
    Io(io::Error),
    Damaged(String),
}

impl Fault {
    fn at(self, path: &Path) -> WeightError {
        let path = path.to_path_buf();
        match self {
            Self::Io(source) => WeightError::Read { path, source },
            Self::Damaged(reason) => WeightError::Damaged { path, reason },
        }
    }
}

fn read_header(file: &mut File, length: u64) -> Result<Vec<u8>, Fault> {
    if length < PREFIX {
        return Err(Fault::Damaged(format!("it has {length} bytes; expected at least {PREFIX}")));
    }
    let mut prefix = [0; PREFIX as usize];
    file.read_exact(&mut prefix).map_err(Fault::Io)?;
    let header = u64::from_le_bytes(prefix);
    if header > MAX_HEADER {
        return Err(Fault::Damaged(format!(
            "its header claims {header} bytes; expected at most {MAX_HEADER}"
        )));
    }
    if header > length - PREFIX {
        let left = length - PREFIX;
        return Err(Fault::Damaged(format!(
            "its header claims {header} bytes and {left} follow; it is truncated"
        )));
    }
    let mut bytes = vec![0; header as usize];
    file.read_exact(&mut bytes).map_err(Fault::Io)?;
    Ok(bytes)
}

fn parse_header(header: &[u8], length: u64) -> Result<Metadata, Fault> {
    // The format demands it, and the decoder's own words for it are about its types.
    if header.first() != Some(&b'{') {
        return Err(Fault::Damaged("its header is no JSON object".to_owned()));
    }
    let metadata: Metadata = serde_json::from_slice(header)
        .map_err(|e| Fault::Damaged(format!("its header does not describe tensors: {e}")))?;
    let (claimed, present) = (metadata.data_len() as u64, length - PREFIX - header.len() as u64);
    if claimed == present {
        return Ok(metadata);
    }
    let verdict = if claimed > present { "it is truncated" } else { "it has bytes too many" };
    Err(Fault::Damaged(format!(
        "its tensors take {claimed} bytes and {present} follow the header; {verdict}"
    )))
}
