//! What to start: which runner, in which program, under which limits.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::protocol::WORKER_COMMAND;

/// Tells a worker which native libraries of its runner were not found, for the message should it fail to load.
pub(crate) const NEEDS_VARIABLE: &str = "CONVWISE_NEEDS";

/// Where a runner's table comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunnerSource {
    /// Linked into the worker's program, by name.
    Builtin {
        /// The name in the program's list of built-in runners.
        name: String,
    },
    /// A shared library.
    Library {
        /// Its absolute path.
        path: PathBuf,
        /// The SHA-256 its manifest pins, in lower-case hexadecimal.
        digest: Option<String>,
    },
}

/// Everything that is decided before a worker starts.
#[derive(Clone, Debug)]
pub struct WorkerSpec {
    /// The runner's name, for messages.
    pub name: String,
    /// Where its table comes from.
    pub runner: RunnerSource,
    /// The program to start: one whose `args` lead to [`crate::run_worker`].
    pub program: PathBuf,
    /// Its arguments; convwise's hidden worker command unless set otherwise.
    pub args: Vec<OsString>,
    /// Compute threads, put into the environment variables that thread pools read at start.
    pub threads: Option<usize>,
    /// CPUs the worker may use; empty leaves the choice to the system.
    pub affinity: Vec<usize>,
    /// Bytes of private writable memory the worker may have. Reserved address space and mapped files do not count, so
    /// that a GPU's address reservations do not either.
    pub memory_limit: Option<u64>,
    /// Further environment variables.
    pub env: BTreeMap<String, OsString>,
    /// How long each kind of call may take.
    pub deadlines: Deadlines,
}

impl WorkerSpec {
    /// A worker for `runner` in `program`, without limits other than the usual deadlines.
    pub fn new(name: impl Into<String>, runner: RunnerSource, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            runner,
            program: program.into(),
            args: vec![WORKER_COMMAND.into()],
            threads: None,
            affinity: Vec::new(),
            memory_limit: None,
            env: BTreeMap::new(),
            deadlines: Deadlines::default(),
        }
    }
}

/// How long each kind of call may take before the worker is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Starting the process and opening the library.
    pub open: Duration,
    /// `describe`.
    pub describe: Duration,
    /// `probe`.
    pub probe: Duration,
    /// `load`: some backends compile for minutes.
    pub load: Duration,
    /// One `run`.
    pub run: Duration,
    /// Everything else: inputs, outputs, usage, release.
    pub other: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            open: seconds(60),
            describe: seconds(10),
            probe: seconds(60),
            load: seconds(600),
            run: seconds(120),
            other: seconds(120),
        }
    }
}

impl Deadlines {
    /// The same time for every kind of call.
    #[must_use]
    pub const fn all(time: Duration) -> Self {
        Self { open: time, describe: time, probe: time, load: time, run: time, other: time }
    }
}
