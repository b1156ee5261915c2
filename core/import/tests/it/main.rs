//! Whole files: what is read of each, and that nothing breaks the reader.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod damage;
mod others;
mod support;
mod tables;
mod timm;
