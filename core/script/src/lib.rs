//! The one sandbox in which scripts run: limits, imports from memory, problems shown with their line.
//!
//! Owns everything that graph scripts and rules have in common. It knows neither graphs nor rules,
//! and gives a script no file, no network, no clock, no process and no unbounded work.

mod budget;
mod closures;
mod compile;
mod diagnose;
mod facade;
mod modules;
mod numbers;
mod sources;
mod words;

pub use budget::{Budget, sandbox};
pub use closures::{Closure, parameters};
pub use compile::{MAX_SOURCE_BYTES, compile};
pub use diagnose::{Complaint, diagnose};
pub use modules::Library;
pub use sources::{Sources, find_function};
pub use words::{a_type_in_words, type_in_words};
