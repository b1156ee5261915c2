//! Everything that can go wrong with the zoo, in words for the user.

use std::io;
use std::path::PathBuf;

use convwise_graph::GraphError;
use convwise_types::Diagnostic;
use thiserror::Error;

/// What went wrong.
#[derive(Debug, Error)]
pub enum ZooError {
    /// Nothing is called that.
    #[error("there is no architecture `{asked}`{near}")]
    Unknown {
        /// What was asked for.
        asked: String,
        /// `; did you mean ...?`, or where to look.
        near: String,
    },
    /// The script or the manifest is wrong; shows the line.
    #[error("{0}")]
    Script(Box<Diagnostic>),
    /// Only published figures of the network are known.
    #[error(
        "`{architecture}` cannot be built here: its family has no graph.rhai, only published figures \
         (`convwise arch show {architecture}` prints them); write one into its folder to export and measure it"
    )]
    NoGraph {
        /// Which architecture.
        architecture: String,
    },
    /// Nothing turns the network's predictions into answers.
    #[error(
        "`{architecture}` has no post-processing: its graph.rhai has no `fn postprocess(net, found, args)`; leave \
         --postprocess out, or write one"
    )]
    NoPostprocess {
        /// Which architecture.
        architecture: String,
    },
    /// The network cannot be built as asked.
    #[error("`{architecture}` cannot be built with {what}: {reason}")]
    Options {
        /// Which architecture.
        architecture: String,
        /// Which option.
        what: &'static str,
        /// Why not, and what to try.
        reason: String,
    },
    /// A graph that is not valid.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A fixture that cannot be used.
    #[error("`{file}` is not a fixture: {reason}")]
    Fixture {
        /// Which file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} `{}`", .path.display())]
    File {
        /// `read`, `write`, `create`.
        action: &'static str,
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A name that cannot be used.
    #[error("`{name}` cannot name an architecture: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not, and what to try.
        reason: String,
    },
}

impl From<Diagnostic> for ZooError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Script(Box::new(diagnostic))
    }
}

impl ZooError {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { action, path: path.into(), source }
    }
}
