//! Work on many lines at once: reading and checking them takes longer than anything else that is done with them.

/// Items that are worth a thread.
const SHARE: usize = 256;

/// What `work` makes of every item, in their order, on as many threads as are worth it.
pub(crate) fn mapped<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(threads).max(SHARE);
    let worked = |share: &[T]| share.iter().map(&work).collect::<Vec<R>>();
    std::thread::scope(|scope| {
        let mut shares = items.chunks(share);
        let first = shares.next();
        let others: Vec<_> = shares.map(|share| scope.spawn(|| worked(share))).collect();
        let mut done = first.map(worked).unwrap_or_default();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        for count in [0, 1, SHARE - 1, SHARE, SHARE + 1, 10 * SHARE + 3] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(
                mapped(&items, |item| item * 2),
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
    }
}
