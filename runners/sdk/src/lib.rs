//! Write a runner in safe Rust: implement [`Runner`] and [`Session`], name the runner in [`export_runner!`], build a
//! `cdylib`.
//!
//! Owns the safe side of the ABI: documents, tensors, errors, and the glue that turns a trait into the table of
//! function pointers with a panic guard round every entry. It must not know the host, the worker or any backend.
//!
//! ```
//! use std::path::Path;
//! use convwise_sdk::{Description, Io, Options, Probe, Runner, RunnerError, Session, TensorView};
//!
//! struct Echo;
//!
//! impl Runner for Echo {
//!     fn describe(&self) -> Description {
//!         Description::new("echo", "0.1.0")
//!     }
//!     fn probe(&self, _: &Options) -> Result<Probe, RunnerError> {
//!         Ok(Probe::cpu())
//!     }
//!     fn load(&self, model: &Path, _: &Options) -> Result<Box<dyn Session>, RunnerError> {
//!         Err(RunnerError::model(format!("{}: this example loads nothing", model.display())))
//!     }
//! }
//!
//! convwise_sdk::export_runner!(Echo);
//! # fn main() { assert_eq!(table().major, 1); }
//! ```

mod document;
mod error;
mod export;
mod glue;
mod options;
mod tensor;

pub use convwise_abi::RunnerTable;
pub use document::{
    Build, Description, Device, Dim, Io, LayerTime, Missing, OptionDoc, Probe, Profile, SCHEMA, TensorInfo,
};
pub use error::{ErrorCode, RunnerError};
pub use options::Options;
pub use tensor::{DType, Tensor, TensorError, TensorView};

#[doc(hidden)]
pub use convwise_abi::HostServices as __HostServices;
#[doc(hidden)]
pub use glue::{__Exported, __RunnerCell, __entry, __table};

use std::path::Path;

/// One backend. Made once per process; it answers from any thread, one call at a time.
pub trait Runner: Send + Sync {
    /// What this runner is. Starts nothing and always answers the same.
    fn describe(&self) -> Description;

    /// Can it run here, on which devices, and if not, what to install.
    ///
    /// # Errors
    /// Only when probing itself fails; a missing library is an answer.
    fn probe(&self, options: &Options) -> Result<Probe, RunnerError>;

    /// Loads a model and does everything that can be done once.
    ///
    /// # Errors
    /// [`ErrorCode::Model`], [`ErrorCode::Unsupported`], [`ErrorCode::Invalid`] for options, and the like.
    fn load(&self, model: &Path, options: &Options) -> Result<Box<dyn Session>, RunnerError>;
}

/// A loaded model. Used by one thread at a time.
pub trait Session: Send {
    /// Inputs and outputs, in the order of the indices below.
    ///
    /// # Errors
    /// When the loaded model cannot be described.
    fn io(&self) -> Result<Io, RunnerError>;

    /// Copies one input to where [`Session::run`] reads it; it is kept for every later run.
    ///
    /// # Errors
    /// [`ErrorCode::Invalid`] for a wrong index, element type or shape; the earlier input then stays.
    fn set_input(&mut self, index: usize, tensor: TensorView<'_>) -> Result<(), RunnerError>;

    /// One complete, synchronous inference: the host times this call and nothing else.
    ///
    /// # Errors
    /// [`ErrorCode::State`] while an input is missing; whatever the backend reports.
    fn run(&mut self) -> Result<(), RunnerError>;

    /// One output of the last run, in host memory.
    ///
    /// # Errors
    /// [`ErrorCode::State`] before the first run; [`ErrorCode::Invalid`] for a wrong index.
    fn output(&mut self, index: usize) -> Result<TensorView<'_>, RunnerError>;

    /// Nanoseconds the last run took, for a runner that knows better than the clock round [`Session::run`] and lists
    /// `convwise.clock/1` in its description.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] unless overridden; [`ErrorCode::State`] before the first run.
    fn last_run_ns(&mut self) -> Result<u64, RunnerError> {
        Err(RunnerError::unsupported("this runner has no clock of its own"))
    }

    /// Nanoseconds that loading this session took; as [`Session::last_run_ns`].
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] unless overridden.
    fn load_ns(&mut self) -> Result<u64, RunnerError> {
        Err(RunnerError::unsupported("this runner has no clock of its own"))
    }

    /// Runs the model `runs` times with the engine's own profiler, for a runner that lists `convwise.profile/1` in its
    /// description. The outputs of an earlier run are gone.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] unless overridden; else as [`Session::run`].
    fn profile(&mut self, runs: u32) -> Result<Profile, RunnerError> {
        Err(RunnerError::unsupported(format!("this runner has no profiler for {runs} runs")))
    }
}
