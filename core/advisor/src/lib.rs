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
mod answer;
pub mod catalogue;
pub mod changes;
pub mod compare;
mod compared;
pub mod conflicts;
pub mod corpus;
pub mod devices;
pub mod draft;
pub mod explain;
pub mod faults;
pub mod front;
pub mod gather;
pub mod imported;
pub mod knob;
mod linear;
pub mod listing;
pub mod measure;
mod place;
pub mod predict;
mod prior;
mod published;
pub mod recorded;
mod report;
pub mod request_file;
mod round;
mod runner;
pub mod scenario;
pub mod sensitivity;
pub mod shortlist;
mod standing;
pub mod what_if;
mod world;

pub use advise::{AdvisorError, Ask, Budget, Case, Watch, advise, find_buildable, find_runner};
pub use answer::{Assessment, Grounds, Manner};
pub use compared::NoComparison;
pub use place::{KnownDevices, Place, UnknownDevice};
pub use standing::{Standing, distinct, labels, ties};
pub use world::World;
