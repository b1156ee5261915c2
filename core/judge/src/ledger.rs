//! What the clauses of a file have cost so far, so that a file that wastes time is stopped as a whole.
//!
//! One call is bounded by the engine's own limits. But a clause is called for every candidate, and a file may have many
//! rules that each stay just below them. So each file has an allowance that grows with its calls, in operations and, for
//! what operations cannot see (a long list sorted in one of them), in time. An honest clause uses a hundredth of it.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use convwise_types::Diagnostic;
use rhai::{Dynamic, Engine};
use rustix::time::{ClockId, clock_gettime};

/// Operations that one call of a clause may take. A clause of the shipped rules takes fewer than 200.
pub(crate) const CALL: u64 = 10_000;
/// Longest time of one call on its processor. Only a call that has taken many operations looks at the clock.
const CALL_TIME: Duration = Duration::from_secs(1);
/// Operations between two looks at the clock in one call.
const CLOCK_EVERY: u64 = 1_024;

/// Operations that a file's calls may take on average, and what it may take at first.
const AVERAGE: u64 = 1_000;
const AT_FIRST: u64 = 2_000_000;
/// The same in nanoseconds.
const AVERAGE_TIME: u64 = 100_000;
const AT_FIRST_TIME: u64 = 3_000_000_000;
/// One call in so many is timed, and stands for all of them.
const TIMED: u64 = 32;

thread_local! {
    /// Operations of the call that runs on this thread, or of the last one.
    static OPERATIONS: Cell<u64> = const { Cell::new(0) };
    /// When it began, if it takes long.
    static BEGAN: Cell<Option<Duration>> = const { Cell::new(None) };
    /// Calls on this thread.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Makes an engine count the operations of each call, and stop one that takes too long.
pub(crate) fn count(engine: &mut Engine) {
    engine.on_progress(|operations| {
        OPERATIONS.set(operations);
        if !operations.is_multiple_of(CLOCK_EVERY) {
            return None;
        }
        if operations == CLOCK_EVERY {
            BEGAN.set(Some(worked()));
        }
        let late = BEGAN.get().is_some_and(|began| worked().saturating_sub(began) > CALL_TIME);
        late.then(|| Dynamic::from(format!("{} s", CALL_TIME.as_secs_f64())))
    });
}

/// The account of one file.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    calls: AtomicU64,
    operations: AtomicU64,
    nanoseconds: AtomicU64,
    overdrawn: AtomicBool,
}

impl Ledger {
    /// Whether the file has used up what it may; it has then for good.
    pub fn is_overdrawn(&self) -> bool {
        self.overdrawn.load(Relaxed)
    }

    /// Runs a call and charges it.
    pub fn charge<T>(&self, call: impl FnOnce() -> T) -> T {
        OPERATIONS.set(0);
        let number = CALLS.get().wrapping_add(1);
        CALLS.set(number);
        let began = number.is_multiple_of(TIMED).then(worked);
        let result = call();
        let calls = self.calls.fetch_add(1, Relaxed) + 1;
        let operations = add(&self.operations, OPERATIONS.get());
        let nanoseconds = match began {
            Some(began) => {
                add(&self.nanoseconds, nanoseconds(worked().saturating_sub(began)).saturating_mul(TIMED))
            }
            None => 0,
        };
        let over = operations > AT_FIRST.saturating_add(calls.saturating_mul(AVERAGE))
            || nanoseconds > AT_FIRST_TIME.saturating_add(calls.saturating_mul(AVERAGE_TIME));
        if over {
            self.overdrawn.store(true, Relaxed);
        }
        result
    }
}

/// How long this thread has worked. Time in which others had the processor does not count: the answer must not hang on
/// what else the machine does.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

fn add(sum: &AtomicU64, amount: u64) -> u64 {
    sum.fetch_add(amount, Relaxed).saturating_add(amount)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What every rule of an overdrawn file says.
pub(crate) fn overdrawn(file: &str) -> Arc<Diagnostic> {
    let problem =
        Diagnostic::error("limit", file, format!("the rules of {file} take too long, so none of them runs"));
    Arc::new(problem.with_help("a clause should take some hundred operations at the most"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rhai::EvalAltResult;

    #[test]
    fn the_clock_stops_what_counting_does_not() {
        let mut engine = Engine::new();
        count(&mut engine);
        let error = engine.run("loop { }").unwrap_err();
        assert!(matches!(*error, EvalAltResult::ErrorTerminated(..)), "{error}");
    }

    #[test]
    fn cheap_calls_are_never_too_many_and_dear_ones_soon() {
        let ledger = Ledger::default();
        for _ in 0..100_000 {
            ledger.charge(|| OPERATIONS.set(200));
        }
        assert!(!ledger.is_overdrawn());
        let dear = Ledger::default();
        let calls = (1..10_000).find(|_| {
            dear.charge(|| OPERATIONS.set(CALL - 1));
            dear.is_overdrawn()
        });
        assert!(calls.is_some_and(|n| (100..400).contains(&n)), "{calls:?}");
    }
}
