//! One job over many candidates, on the processors there are.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// Fewest candidates that are worth a thread of their own.
const SHARE: usize = 128;
/// More threads gain little: what is left is the memory allocator.
const MOST_THREADS: usize = 4;

/// Does the work in equal shares on the processors there are. The result is that of one share.
pub(crate) fn in_shares<T: Sync, R: Send, E: Send>(
    all: &[T],
    work: impl Fn(&[T]) -> Result<Vec<R>, E> + Sync,
) -> Result<Vec<R>, E> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
    let share = all.len().div_ceil(processors).max(SHARE);
    if all.len() <= share {
        return work(all);
    }
    let parts: Vec<Result<Vec<R>, E>> = thread::scope(|scope| {
        let running: Vec<_> = all.chunks(share).map(|part| scope.spawn(|| work(part))).collect();
        running.into_iter().map(|t| t.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    parts.into_iter().collect::<Result<Vec<_>, E>>().map(|parts| parts.into_iter().flatten().collect())
}
