//! Lines of a file that cannot be accepted: one of them refuses the file, and the first few are named.

use std::path::Path;

use crate::error::{Refusal, StoreError};

/// Refused lines that are named; the others are counted.
const NAMED: usize = 10;

/// Lines that were refused.
#[derive(Default)]
pub(crate) struct Refused {
    named: Vec<Refusal>,
    total: u64,
}

impl Refused {
    pub fn add(&mut self, file: Option<&Path>, line: u64, why: String) {
        self.total += 1;
        if self.named.len() < NAMED {
            self.named.push(Refusal { file: file.map(Path::to_owned), line, why });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The error that names them, if there are any.
    pub fn verdict(self, error: impl FnOnce(Vec<Refusal>, u64) -> StoreError) -> Result<(), StoreError> {
        if self.is_empty() { Ok(()) } else { Err(error(self.named, self.total)) }
    }
}
