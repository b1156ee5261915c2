//! Names of the tensors of a file, each used once.
//!
//! The network's outputs and its trained tensors have names that others rely on and come first.
//! A node's tensor is called like the node unless that name is taken.

use std::collections::HashSet;

/// Hands out names.
#[derive(Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// `name` itself, or else `name` with the first number that makes it free.
    pub fn claim(&mut self, name: &str) -> String {
        let numbered = (1u32..).map(|i| format!("{name}.{i}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|n| !self.taken.contains(n));
        let free = free.unwrap_or_else(|| name.to_owned());
        self.taken.insert(free.clone());
        free
    }
}
