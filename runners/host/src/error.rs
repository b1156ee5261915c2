//! What can go wrong with a worker, and the words for it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use convwise_sdk::ErrorCode;

use crate::library::LibraryError;

/// What the worker was asked to do when something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Loading the runner's library.
    Open,
    /// `describe`.
    Describe,
    /// `probe`.
    Probe,
    /// `load`.
    Load,
    /// `io`.
    Io,
    /// `set_input`.
    SetInput,
    /// `run`.
    Run,
    /// `output`.
    Output,
    /// `profile` of the extension `convwise.profile/1`.
    Profile,
    /// Reporting what it used.
    Usage,
    /// A trial of the conformance suite.
    Trial,
    /// `release`, and the end of the process.
    Release,
}

impl Phase {
    /// The phase's name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Describe => "describe",
            Self::Probe => "probe",
            Self::Load => "load",
            Self::Io => "io",
            Self::SetInput => "set-input",
            Self::Run => "run",
            Self::Output => "output",
            Self::Profile => "profile",
            Self::Usage => "usage",
            Self::Trial => "trial",
            Self::Release => "release",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "while its library was opened",
            Self::Describe => "while it described itself",
            Self::Probe => "while it looked for what it needs",
            Self::Load => "while it loaded the model",
            Self::Io => "while it listed the model's inputs and outputs",
            Self::SetInput => "while it took an input",
            Self::Run => "while it ran the model",
            Self::Output => "while it handed out an output",
            Self::Profile => "while it profiled the model",
            Self::Usage => "while it reported what it used",
            Self::Trial => "while it was examined",
            Self::Release => "while it released the model",
        })
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// The system does not say.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => f.write_str(name),
                None => write!(f, "signal {signal}"),
            },
            Self::Unknown => f.write_str("an unknown cause"),
        }
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGSEGV => "SIGSEGV, an invalid memory access",
        libc::SIGABRT => "SIGABRT, it gave up by itself",
        libc::SIGBUS => "SIGBUS, an invalid memory access",
        libc::SIGILL => "SIGILL, an instruction this processor does not have",
        libc::SIGFPE => "SIGFPE, an arithmetic fault",
        libc::SIGKILL => "SIGKILL, ended from outside",
        libc::SIGTERM => "SIGTERM, ended from outside",
        libc::SIGTRAP => "SIGTRAP, a failed check",
        _ => return None,
    })
}

/// A worker's failure. It concerns that worker and nothing else: the caller records it and goes on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The process could not be started.
    #[error("cannot start a worker process from {}: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The process ended on its own.
    #[error(
        "runner {runner} crashed {phase}: {exit}; nothing else is lost; try another runner, or another version of this one{}",
        Tail(stderr_tail)
    )]
    Crashed {
        /// The runner's name.
        runner: String,
        /// What it was asked to do.
        phase: Phase,
        /// How the process ended.
        exit: Exit,
        /// The last lines it wrote to standard error.
        stderr_tail: String,
    },
    /// A call took too long and the process was ended.
    #[error(
        "runner {runner} did not answer within {} {phase} and was ended; try a smaller model or a longer limit{}",
        Seconds(after),
        Tail(stderr_tail)
    )]
    Hung {
        /// The runner's name.
        runner: String,
        /// What it was asked to do.
        phase: Phase,
        /// The time it was given.
        after: Duration,
        /// The last lines it wrote to standard error.
        stderr_tail: String,
    },
    /// Memory ran out: its own limit, the machine's, or a device's.
    #[error(
        "runner {runner} ran out of memory {phase}{}; try a smaller batch or input, or a higher limit{}",
        Limit(limit),
        Tail(stderr_tail)
    )]
    OutOfMemory {
        /// The runner's name.
        runner: String,
        /// What it was asked to do.
        phase: Phase,
        /// The limit it ran under, in bytes.
        limit: Option<u64>,
        /// The last lines it wrote to standard error, or the runner's own message.
        stderr_tail: String,
    },
    /// What came from the worker is not what the contract allows.
    #[error("runner {runner} broke the contract {phase}: {what}; report it to whoever made the runner")]
    Protocol {
        /// The runner's name.
        runner: String,
        /// What it was asked to do.
        phase: Phase,
        /// What came.
        what: String,
    },
    /// The runner returned an error.
    #[error("runner {runner} refused {phase}: {}: {message}", code.label())]
    Refused {
        /// The runner's name.
        runner: String,
        /// What it was asked to do.
        phase: Phase,
        /// The runner's code.
        code: ErrorCode,
        /// The runner's sentence.
        message: String,
    },
    /// The runner's library cannot be used.
    #[error("runner {runner}: {source}")]
    Library {
        /// The runner's name.
        runner: String,
        /// Why.
        source: LibraryError,
    },
    /// An input's size is not decided by the model and the batch.
    #[error("dimension {axis} of input {input} is {}; set this input with a tensor, or export the model for this batch", Given(*fixed))]
    DynamicShape {
        /// The input's name.
        input: String,
        /// The dimension, from 0.
        axis: usize,
        /// The size that the model fixes, if it is not the one asked for.
        fixed: Option<usize>,
    },
    /// The worker ended earlier.
    #[error("the worker of runner {runner} has ended; start another")]
    Ended {
        /// The runner's name.
        runner: String,
    },
}

impl WorkerError {
    /// A short kebab-case name for records, stable across versions.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Spawn { .. } => "spawn",
            Self::Crashed { .. } => "crashed",
            Self::Hung { .. } => "hung",
            Self::OutOfMemory { .. } => "out-of-memory",
            Self::Protocol { .. } => "protocol",
            Self::Refused { .. } => "refused",
            Self::Library { source, .. } => source.kind(),
            Self::DynamicShape { .. } => "dynamic-shape",
            Self::Ended { .. } => "ended",
        }
    }

    /// What the worker was doing, where that is known.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Crashed { phase, .. }
            | Self::Hung { phase, .. }
            | Self::OutOfMemory { phase, .. }
            | Self::Protocol { phase, .. }
            | Self::Refused { phase, .. } => Some(*phase),
            Self::Library { .. } => Some(Phase::Open),
            Self::Spawn { .. } | Self::DynamicShape { .. } | Self::Ended { .. } => None,
        }
    }
}

/// The tail of standard error as an appendix, or nothing.
struct Tail<'a>(&'a str);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.trim().is_empty() {
            return Ok(());
        }
        f.write_str("\nits last words:")?;
        self.0.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

struct Seconds<'a>(&'a Duration);

impl fmt::Display for Seconds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

struct Limit<'a>(&'a Option<u64>);

impl fmt::Display for Limit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, " under its limit of {} MB", bytes / 1_000_000),
            None => Ok(()),
        }
    }
}

struct Given(Option<usize>);

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(size) => write!(f, "fixed at {size} in the model"),
            None => f.write_str("left open by the model"),
        }
    }
}
