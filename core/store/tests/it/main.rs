//! The promises of the knowledge base, each with a test that would catch its breach.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

mod columns;
mod damage;
mod exchange;
mod formats;
mod intake;
mod messages;
mod processes;
mod records;
mod repairing;
mod shipped_facts;
mod support;
mod unwritable;
