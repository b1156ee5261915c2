//! End-to-end tests: the real program in a temporary home, as its user runs it; and the house's own rules.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod advise;
mod architectures;
mod asking;
mod bad_input;
mod explain;
mod export;
mod guide;
mod harness;
mod house;
mod importing;
mod keeping;
mod knowledge_base;
mod libtorch;
mod measured;
mod measuring;
mod packs;
mod postprocess;
mod profile;
mod published;
mod rules;
mod runners;
mod surface;
mod surviving;
mod weights;
mod what_if;
