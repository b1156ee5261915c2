//! Trials of a runner that only its own worker process can make: what a strange host meets, what describing starts,
//! whether errors are given back, two sessions at once, what a run leaves undone.
//!
//! Owns the observations and no opinion: which of them are failures is for whoever asked (`conformance`).

mod greeting;
mod quiet;
mod together;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::spec::RunnerSource;

pub(crate) use greeting::greet;
pub(crate) use quiet::{Descriptors, describe_quietly};
pub(crate) use together::together;

/// One trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trial {
    /// Load the library as another host would; the first and only thing asked of that process.
    Greet {
        /// The runner.
        source: RunnerSource,
        /// Who greets it.
        host: StrangeHost,
    },
    /// What does describing start?
    Describe,
    /// Ask for extensions: those that are listed, and one that nobody has.
    Extensions,
    /// Provoke an error `count` times, by loading a file that is not there.
    Errors {
        /// A path without a file.
        missing: PathBuf,
        /// How often, after a tenth as often to settle.
        count: usize,
    },
    /// Load the model twice and run both at once, `runs` times each, on different inputs.
    Together {
        /// The model file.
        model: PathBuf,
        /// Options of `load`.
        options: BTreeMap<String, String>,
        /// Runs of each session.
        runs: usize,
    },
    /// Run the loaded model `runs` times and fetch its first output right after each.
    Promptness {
        /// How often.
        runs: usize,
    },
    /// Are the descriptors that the runner did not open still what they were?
    Descriptors,
}

/// A host that is not this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrangeHost {
    /// Speaks the next major version.
    NextMajor,
    /// Speaks a later minor version, with a longer structure.
    LaterMinor,
    /// Its structure ends before `log`, at the edge of readable memory.
    Short,
}

/// What a trial showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    /// Of [`Trial::Greet`].
    Greeting(Greeting),
    /// Of [`Trial::Describe`].
    Started(Started),
    /// Of [`Trial::Extensions`].
    Extensions(Extensions),
    /// Of [`Trial::Errors`].
    Growth {
        /// Resident bytes once settled.
        before: u64,
        /// Resident bytes at the end.
        after: u64,
    },
    /// Of [`Trial::Together`]: the first difference between running alone and together, if any.
    Together(Option<String>),
    /// Of [`Trial::Promptness`].
    Promptness(Promptness),
    /// Of [`Trial::Descriptors`]: the numbers of those that changed.
    Descriptors(Vec<i32>),
}

/// How a library answers a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Greeting {
    /// The runner is linked into the program: it has no entry to greet.
    NoEntry,
    /// It returned null.
    Refused,
    /// It returned a table, and described itself as this, or could not.
    Accepted(Result<String, String>),
}

/// What was there after describing and not before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Libraries.
    pub libraries: Vec<String>,
}

/// Extensions asked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extensions {
    /// Listed, and there.
    pub present: Vec<String>,
    /// Listed, and not there, or too short to be what its name says.
    pub missing: Vec<String>,
    /// There, and not listed.
    pub unlisted: Vec<String>,
    /// A table came for a name that nobody has.
    pub answers_anything: bool,
}

/// Nanoseconds of runs and of fetching an output after them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promptness {
    /// Of each run, by the host's clock.
    pub run_ns: Vec<u64>,
    /// Of each run, by the runner's own clock, if it has one.
    pub own_ns: Vec<u64>,
    /// Of fetching the first output after it.
    pub output_ns: Vec<u64>,
}
