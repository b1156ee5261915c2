//! The wire between host and worker: frames of a JSON document and a raw payload, one reply a request.
//!
//! A frame is two little-endian lengths (32 bits of JSON, 64 bits of payload), then the JSON, then the payload. Tensors
//! and samples travel as payload, so that nothing large is ever parsed.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use convwise_sdk::{DType, Description, Io, Probe, Profile, RunnerError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::library::LibraryError;
use crate::spec::RunnerSource;
use crate::trial::{Observation, Trial};
use crate::usage::WorkerUsage;

/// The hidden command of the program that leads to [`crate::run_worker`].
pub const WORKER_COMMAND: &str = "__worker";
/// The environment variable that tells a worker the number of its end of the socket.
pub(crate) const CHANNEL_VARIABLE: &str = "CONVWISE_WORKER_FD";
/// The most JSON a frame may carry: documents are small, and garbage must not make us allocate.
const MAX_JSON: u32 = 16 << 20;
/// The most payload a frame may carry.
const MAX_PAYLOAD: u64 = 8 << 30;
/// Payload is read in pieces, so that a false length costs no more memory than was really sent.
const PIECE: u64 = 1 << 20;

/// What the host asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Load the library, or find the built-in table.
    Open { source: RunnerSource },
    /// The runner's description.
    Describe,
    /// Can it run here?
    Probe { options: BTreeMap<String, String> },
    /// Load a model; an earlier session is released first.
    Load { path: PathBuf, options: BTreeMap<String, String> },
    /// Inputs and outputs of the session.
    Io,
    /// Set an input from the payload.
    SetInput { index: usize, dtype: DType, shape: Vec<usize> },
    /// Set an input to the deterministic fill of `seed`.
    FillInput { index: usize, dtype: DType, shape: Vec<usize>, seed: u64 },
    /// Run until `count` runs are done or the runs took `budget_ns` together.
    Run { count: usize, budget_ns: u64 },
    /// An output of the last run, as payload.
    Output { index: usize },
    /// Whether the outputs of the last run are numbers.
    CheckOutputs,
    /// Where the time of a run goes.
    Profile { runs: u32 },
    /// What the process has used so far.
    Usage,
    /// Try something out that only the worker can see.
    Try { trial: Trial },
    /// End the session.
    Release,
    /// End the process.
    Close,
}

/// What the worker answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply {
    /// It worked.
    Done(Answer),
    /// It did not.
    Failed(Failure),
}

/// Why a request failed, while the worker goes on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Failure {
    /// The runner returned an error.
    Runner(RunnerError),
    /// The library cannot be used.
    Library(LibraryError),
    /// The runner broke the contract.
    Contract(String),
}

/// The content of a successful reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Done,
    Description(Description),
    Probe(Probe),
    Loaded(Loaded),
    Io(Io),
    /// Samples follow as payload: 64-bit little-endian nanoseconds.
    Times {
        own_clock: bool,
    },
    /// The elements follow as payload.
    Tensor {
        dtype: DType,
        shape: Vec<usize>,
    },
    Checks(Vec<OutputCheck>),
    Profile(Profile),
    Usage(WorkerUsage),
    Observed(Observation),
}

/// A model was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// Nanoseconds that loading took.
    pub nanos: u64,
    /// The model's inputs and outputs.
    pub io: Io,
}

/// The times of some runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTimes {
    /// Nanoseconds of each run, in order.
    pub nanos: Vec<u64>,
    /// Whether the runner's own clock gave them (see the ABI's `convwise.clock/1`) and not the one round the call.
    pub own_clock: bool,
}

/// What one output of the last run holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputCheck {
    /// The output's name in the model.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Dimensions.
    pub shape: Vec<usize>,
    /// Number of elements.
    pub elements: usize,
    /// Elements that are not a number.
    pub nan: usize,
    /// Infinite elements.
    pub infinite: usize,
    /// The smallest finite element, if there is one.
    pub min: Option<f64>,
    /// The largest finite element, if there is one.
    pub max: Option<f64>,
}

impl OutputCheck {
    /// Whether every element is a finite number.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.nan == 0 && self.infinite == 0
    }
}

/// Sends one frame.
pub(crate) fn send(to: &mut impl Write, document: &impl Serialize, payload: &[u8]) -> io::Result<()> {
    let json = serde_json::to_vec(document)?;
    let length = u32::try_from(json.len()).ok().filter(|length| *length <= MAX_JSON);
    let length = length.ok_or_else(|| garbage(format!("a document of {} bytes is too long", json.len())))?;
    let mut head = Vec::with_capacity(12 + json.len());
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    head.extend_from_slice(&json);
    to.write_all(&head)?;
    to.write_all(payload)?;
    to.flush()
}

/// Receives one frame. `InvalidData` means that what came is no frame.
pub(crate) fn receive<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<(T, Vec<u8>)> {
    let (mut json_length, mut payload_length) = ([0; 4], [0; 8]);
    from.read_exact(&mut json_length)?;
    from.read_exact(&mut payload_length)?;
    let (json_length, payload_length) = (u32::from_le_bytes(json_length), u64::from_le_bytes(payload_length));
    if json_length > MAX_JSON || payload_length > MAX_PAYLOAD {
        return Err(garbage(format!("a frame of {json_length} + {payload_length} bytes")));
    }
    let json = read_pieces(from, json_length.into())?;
    let document = serde_json::from_slice(&json)
        .map_err(|error| garbage(format!("{error} in \"{}\"", excerpt(&json))))?;
    Ok((document, read_pieces(from, payload_length)?))
}

fn read_pieces(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut left = length;
    while left > 0 {
        let read = from.by_ref().take(left.min(PIECE)).read_to_end(&mut bytes)? as u64;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        left -= read.min(left);
    }
    Ok(bytes)
}

fn garbage(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn excerpt(bytes: &[u8]) -> String {
    let start = bytes.get(..bytes.len().min(60)).unwrap_or_default();
    start.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_with_its_payload() {
        let mut wire = Vec::new();
        send(&mut wire, &Request::Run { count: 3, budget_ns: 9 }, &[1, 2, 3]).unwrap();
        let (request, payload) = receive::<Request>(&mut wire.as_slice()).unwrap();
        assert!(matches!(request, Request::Run { count: 3, budget_ns: 9 }));
        assert_eq!(payload, [1, 2, 3]);
    }

    #[test]
    fn garbage_is_recognised_and_costs_no_memory() {
        let text = b"hello from a library that prints where it should not\n";
        let error = receive::<Reply>(&mut text.as_slice()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let mut wire = 7_u32.to_le_bytes().to_vec();
        wire.extend_from_slice(&0_u64.to_le_bytes());
        wire.extend_from_slice(b"{\"a\":1}");
        let error = receive::<Reply>(&mut wire.as_slice()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    }

    #[test]
    fn a_frame_that_breaks_off_is_an_end_of_file() {
        let mut wire = Vec::new();
        send(&mut wire, &Request::Io, &[0; 100]).unwrap();
        wire.truncate(wire.len() - 1);
        let error = receive::<Request>(&mut wire.as_slice()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
