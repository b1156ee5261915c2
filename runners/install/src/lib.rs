//! Fetches the native libraries that runners need, through the user's own package client.
//!
//! Owns the pins (which version, which file, which digest), the call of the client, and the place in convwise's home. It
//! must not know the runners that use the libraries, and it names no package index: where packages come from is the
//! user's configuration.
//!
//! ```text
//! pins.toml -> pip download -> wheels, digests checked -> some of their members, digests checked
//!           -> <home>/native/<name>/<version>/... <- <home>/native/<name>/<link>
//! ```
//! What is downloaded and unpacked lies in a folder of its own until it is whole; the last step is a rename. So whatever
//! breaks off leaves either nothing or a whole library. Packages that came whole are kept there for the next call, which
//! clears up the rest.

mod client;
mod digest;
mod error;
mod install;
mod pins;
mod unfinished;
mod wheel;

pub use error::InstallError;
pub use install::{Installed, Step, install};
