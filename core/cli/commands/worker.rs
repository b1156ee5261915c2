//! The hidden command that the program starts itself with, once a runner.

use convwise_host::{Builtin, run_worker};

/// How the host calls it.
pub(crate) const NAME: &str = convwise_host::WORKER_COMMAND;

/// Runners that are part of the program.
pub(crate) const BUILTINS: &[Builtin] = &[Builtin { name: "rten", table: convwise_rten::table }];

/// Serves one runner until the host goes away.
pub(crate) fn run() -> ! {
    run_worker(BUILTINS)
}
