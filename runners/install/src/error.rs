//! Why nothing was installed, and what to try.

use std::io;
use std::path::PathBuf;

use convwise_types::Bytes;

/// An installation that did not happen. Nothing half-done is left where it would be found.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Not one of ours.
    #[error("there is no `{name}` to install; there is {known}{hint}")]
    Unknown {
        /// The user's word.
        name: String,
        /// What there is.
        known: String,
        /// "did you mean".
        hint: String,
    },
    /// Not for this kind of machine.
    #[error("{title} has no package for {platform}, only for {known}; build it yourself and set {variable}")]
    NoWheel {
        /// The library.
        title: String,
        /// This machine.
        platform: String,
        /// The machines it has packages for.
        known: String,
        /// What points a runner to one's own.
        variable: String,
    },
    /// Nobody could say which file is the right one.
    #[error("{why}; any one of these brings it:{}\n{then}", listed(ways))]
    Elsewhere {
        /// Why it is not fetched.
        why: String,
        /// How it can be had.
        ways: Vec<String>,
        /// What is to be known besides.
        then: String,
    },
    /// Somebody else's rights, with the caller's environment.
    #[error("this program runs with another user's rights than its caller's; install as that user")]
    Elevated,
    /// The caller asked to stop.
    #[error(
        "stopped, nothing was installed; packages that came whole are kept, so that the same command goes on from there"
    )]
    Stopped,
    /// No package client.
    #[error(
        "no pip was found (tried {tried}); install Python's pip, for example `apt-get install python3-pip`, or set \
         CONVWISE_PIP to the command that starts it"
    )]
    NoClient {
        /// The commands that were tried.
        tried: String,
    },
    /// The package index could not be reached.
    #[error(
        "pip could not reach a package index; check the network and pip's own configuration (`pip config list`), then \
         run the same command again{}",
        quoted(said)
    )]
    NoNetwork {
        /// The end of what pip said.
        said: String,
    },
    /// The index does not have the file.
    #[error(
        "the package index that pip uses has no {wanted}; `pip config list` shows which index that is{}",
        quoted(said)
    )]
    NotOffered {
        /// Package, version and platform.
        wanted: String,
        /// The end of what pip said.
        said: String,
    },
    /// Anything else that pip says.
    #[error("pip failed ({status}){}", quoted(said))]
    Client {
        /// How it ended.
        status: String,
        /// The end of what it said.
        said: String,
    },
    /// Not the file that was published.
    #[error(
        "{what} is not the one that was published: its SHA-256 is {found}, not {expected}; it was thrown away, so try \
         again, and if it happens again do not trust the package index"
    )]
    Digest {
        /// File or member.
        what: String,
        /// The pinned digest.
        expected: String,
        /// The digest found.
        found: String,
    },
    /// The archive is damaged, or not what it should be.
    #[error("{wheel} cannot be unpacked: {message}; it was thrown away, so try again")]
    Archive {
        /// The file.
        wheel: String,
        /// What is wrong.
        message: String,
    },
    /// Too little room to begin.
    #[error(
        "installing {title} takes {needed} of room in {} while it happens, and {free} are free; free some, or set \
         CONVWISE_HOME to a folder on another disk",
        path.display()
    )]
    NoRoom {
        /// The library.
        title: String,
        /// Where it is to go.
        path: PathBuf,
        /// What it takes.
        needed: Bytes,
        /// What there is.
        free: Bytes,
    },
    /// The room ran out on the way.
    #[error("the disk of {} is full; free some room, or set CONVWISE_HOME to a folder on another disk", path.display())]
    DiskFull {
        /// Where it was to go.
        path: PathBuf,
    },
    /// A file or folder cannot be written or read.
    #[error("{}: {source}; check who may write there, or set CONVWISE_HOME to another folder", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A mistake in the program itself.
    #[error("the list of libraries that is part of this program is broken: {message}")]
    Pins {
        /// What is wrong.
        message: String,
    },
}

impl InstallError {
    /// The error for a path, telling a full disk from everything else.
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, source },
        }
    }
}

fn listed(ways: &[String]) -> String {
    ways.iter().map(|way| format!("\n  - {way}")).collect()
}

fn quoted(said: &str) -> String {
    let lines: Vec<String> = said.lines().map(|line| format!("\n  pip: {line}")).collect();
    lines.concat()
}
