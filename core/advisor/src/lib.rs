//! From a request to an explained pick: gather, judge, rank, measure, learn, report, one module each.
//!
//! ```text
//! Request -> gather: Facts -> judge: Findings -> rank: Ranking -> measure: Measurements -> learn -> report: Advice
//! ```
//!
//! Owns the loop and what is concluded; the parts that know something (architectures, rules, records,
//! runners) come in as a [`World`]. It must not know the command line or how an answer is printed.

mod advise;
pub mod agreement;
pub mod catalogue;
pub mod compare;
pub mod explain;
pub mod faults;
pub mod gather;
mod linear;
pub mod measure;
mod place;
pub mod predict;
mod report;
mod runner;
pub mod shortlist;
mod standing;
mod world;

pub use advise::{AdvisorError, Ask, Assessment, Budget, Case, Watch, advise, find_runner};
pub use place::{KnownDevices, Place, UnknownDevice};
pub use standing::{Standing, distinct, labels, ties};
pub use world::World;
