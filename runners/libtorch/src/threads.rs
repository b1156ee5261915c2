//! How many threads compute. libtorch keeps the number per process and OpenMP keeps it per calling thread, so that it is
//! stated again whenever a session runs on another thread than the session before it.

use std::sync::{Mutex, Once, PoisonError};
use std::thread::{ThreadId, current};

static STATED: Mutex<Option<(ThreadId, usize)>> = Mutex::new(None);
static BETWEEN_OPERATORS: Once = Once::new();

/// Has the operators that this thread calls next compute with `threads` threads.
pub(crate) fn state(threads: usize) {
    // Operators run one after the other; the number can be stated only once in a process.
    BETWEEN_OPERATORS.call_once(|| tch::set_num_interop_threads(1));
    let wanted = Some((current().id(), threads));
    let mut stated = STATED.lock().unwrap_or_else(PoisonError::into_inner);
    if *stated != wanted {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
        *stated = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_the_number_it_stated() {
        let _alone = crate::ops::testing::alone();
        state(2);
        assert_eq!(tch::get_num_threads(), 2);
        std::thread::spawn(|| state(1)).join().unwrap();
        state(2);
        assert_eq!(tch::get_num_threads(), 2);
        assert_eq!(tch::get_num_interop_threads(), 1);
        state(1);
    }
}
