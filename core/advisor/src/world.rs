//! Everything that an answer is drawn from.

use std::path::Path;

use convwise_host::RunnerList;
use convwise_judge::RuleSet;
use convwise_store::Store;
use convwise_types::Device;
use convwise_zoo::Zoo;

/// The parts of the program that know something, opened by the command line.
#[derive(Debug)]
pub struct World<'a> {
    /// Architectures.
    pub zoo: &'a Zoo,
    /// Rules.
    pub rules: &'a RuleSet,
    /// What was measured and stated.
    pub store: &'a Store,
    /// Runners.
    pub runners: &'a RunnerList,
    /// This machine.
    pub here: &'a Device,
    /// Whether a runner of this machine reaches a GPU.
    pub here_has_gpu: bool,
    /// The program that is also the worker process.
    pub program: &'a Path,
    /// Version of the program, for records.
    pub version: &'a str,
}
