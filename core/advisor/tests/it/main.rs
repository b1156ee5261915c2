//! The promises of the advisor's parts: which candidates there are, what is known about them and on what
//! evidence, where a request is aimed, what the best are called and what is worth a measurement.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod corpus;
mod draft;
mod evidence;
mod facts;
mod faults;
mod imported;
mod over_guide;
mod place;
mod prediction;
mod published;
mod samples;
mod scenario;
mod shortlist;
mod standing;
