//! Finds runners and runs each in a worker process of its own.
//!
//! Owns discovery (manifests, trust, digests), the worker process (spawning, limits, deadlines, its wire protocol) and
//! the only code that loads a runner's library. It must not know what is measured or why: schedules and statistics
//! belong to `bench`.
//!
//! ```text
//! discover -> RunnerEntry -> WorkerSpec -> Worker::spawn -> load -> fill_inputs -> run -> output
//!                                             |  frames on a socket
//!                                          run_worker -> library or built-in table
//! ```

mod child;
mod discovery;
mod error;
mod fill;
mod library;
mod manifest;
mod native;
mod process;
mod protocol;
mod python;
mod session;
mod spec;
mod table;
mod tail;
mod trial;
mod trust;
mod usage;
mod version;
mod worker;

pub use child::{Builtin, run_worker};
pub use convwise_sdk::{
    Build, DType, Description, Device, Dim, ErrorCode, Io, LayerTime, Missing, OptionDoc, Options, Probe,
    Profile, RunnerError, RunnerTable, Tensor, TensorError, TensorInfo, TensorView,
};
pub use discovery::{Discovery, Origin, RunnerEntry, RunnerList, Shelf, Skipped, discover, surroundings};
pub use error::{Exit, Phase, WorkerError};
pub use fill::fill_tensor;
pub use library::{AbiMajor, LibraryError};
pub use manifest::{Manifest, ManifestError, PythonPackage, Requirement};
pub use native::{Native, NativeOrigin};
pub use protocol::{Loaded, OutputCheck, RunTimes, WORKER_COMMAND};
pub use spec::{Deadlines, RunnerSource, WorkerSpec};
pub use trial::{Extensions, Greeting, Observation, Promptness, Started, StrangeHost, Trial};
pub use trust::{elevated, file_digest};
pub use usage::WorkerUsage;
pub use version::VersionRange;
pub use worker::Worker;
