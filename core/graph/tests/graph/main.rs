//! Tests of the crate from outside, one module a subject. `cfg(test)` tells clippy that all of it may unwrap.

#[cfg(test)]
mod cost;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod nets;
#[cfg(test)]
mod text;
#[cfg(test)]
mod windows;
