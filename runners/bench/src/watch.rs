//! Ends a worker that is in the middle of something long when the caller asks to stop.
//!
//! Requests to a worker block: a load may take minutes, a run seconds. Between runs the schedule looks at the
//! cancellation itself; this thread is for the rest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How often to look. A wake-up costs microseconds, which the median does not see.
const POLL: Duration = Duration::from_millis(100);

/// How long the schedule has to stop by itself, which loses nothing.
const GRACE: Duration = Duration::from_millis(700);

/// Which process to end.
#[derive(Debug)]
pub(crate) struct Watch<'c> {
    cancel: &'c AtomicBool,
    process: Mutex<Option<Pid>>,
    over: AtomicBool,
}

/// A process that is watched until this is dropped. It must be dropped before the process is waited for: its number may
/// belong to another one afterwards.
#[derive(Debug)]
pub(crate) struct Followed<'w> {
    watch: &'w Watch<'w>,
}

impl Drop for Followed<'_> {
    fn drop(&mut self) {
        self.watch.set(None);
    }
}

impl<'c> Watch<'c> {
    /// Runs `work` while a thread watches `cancel`.
    pub(crate) fn during<T>(cancel: &'c AtomicBool, work: impl FnOnce(&Watch<'_>) -> T) -> T {
        let watch = Watch { cancel, process: Mutex::new(None), over: AtomicBool::new(false) };
        thread::scope(|scope| {
            let thread = scope.spawn(|| watch.poll());
            let result = work(&watch);
            watch.over.store(true, Ordering::Relaxed);
            thread.thread().unpark();
            result
        })
    }

    /// From now on a cancellation ends this worker. Its id is also that of its process group.
    pub(crate) fn follow(&'c self, id: u32) -> Followed<'c> {
        self.set(i32::try_from(id).ok().and_then(Pid::from_raw));
        Followed { watch: self }
    }

    /// Whether the caller asked to stop.
    pub(crate) fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    fn set(&self, process: Option<Pid>) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = process;
    }

    fn poll(&self) {
        let mut asked: Option<Instant> = None;
        while !self.over.load(Ordering::Relaxed) {
            thread::park_timeout(POLL);
            if self.cancelled() && asked.get_or_insert_with(Instant::now).elapsed() >= GRACE {
                self.end();
            }
        }
    }

    fn end(&self) {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(group) = process {
            // One that is gone already is what we want.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::Command;

    fn sleeper() -> std::process::Child {
        Command::new("sleep").arg("600").process_group(0).spawn().unwrap()
    }

    #[test]
    fn a_cancellation_ends_the_process_that_is_followed() {
        let cancel = AtomicBool::new(true);
        let status = Watch::during(&cancel, |watch| {
            let mut child = sleeper();
            let _followed = watch.follow(child.id());
            child.wait().unwrap()
        });
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    }

    #[test]
    fn nothing_happens_to_one_that_is_not_followed_any_more() {
        let cancel = AtomicBool::new(false);
        let mut child = sleeper();
        Watch::during(&cancel, |watch| {
            drop(watch.follow(child.id()));
            cancel.store(true, Ordering::Relaxed);
            thread::sleep(GRACE + 3 * POLL);
        });
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
