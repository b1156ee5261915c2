//! What a worker process has used, read by the process itself.
//!
//! Peak memory is the kernel's high-water mark of this process image (`VmHWM`): the figure that `wait4` reports is
//! inherited across exec and would show the parent's peak for a small child.

use std::fs;

use serde::{Deserialize, Serialize};

/// Memory and processor time of a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerUsage {
    /// Most resident bytes since the model was loaded (or since the start, if `peak_covers_load`).
    pub peak_rss_bytes: u64,
    /// Most resident bytes until the model was loaded; 0 before that.
    pub load_peak_rss_bytes: u64,
    /// Whether the mark could not be reset after loading, so that `peak_rss_bytes` includes it.
    pub peak_covers_load: bool,
    /// Resident bytes now.
    pub rss_bytes: u64,
    /// Processor time in user code, nanoseconds, all threads, since the start.
    pub user_ns: u64,
    /// Processor time in the kernel.
    pub system_ns: u64,
    /// Times it was put aside for another process.
    pub involuntary_switches: u64,
    /// Pages that had to be fetched from disk.
    pub major_faults: u64,
    /// Threads it has now.
    pub threads: u64,
}

/// Remembers the peak of loading while the mark is reset.
#[derive(Debug, Default)]
pub(crate) struct UsageMeter {
    load_peak: u64,
    reset_failed: bool,
}

impl UsageMeter {
    /// Notes the peak so far as that of loading, and starts a new mark.
    pub(crate) fn loading_is_done(&mut self) {
        self.load_peak = Status::read().bytes("VmHWM:");
        self.reset_failed = fs::write("/proc/self/clear_refs", "5").is_err();
    }

    /// What was used so far.
    pub(crate) fn read(&self) -> WorkerUsage {
        let (status, times) = (Status::read(), resource_usage());
        WorkerUsage {
            peak_rss_bytes: status.bytes("VmHWM:"),
            load_peak_rss_bytes: self.load_peak,
            peak_covers_load: self.reset_failed,
            rss_bytes: status.bytes("VmRSS:"),
            threads: status.number("Threads:"),
            ..times
        }
    }
}

/// The text of `/proc/self/status`; empty where there is none, and then every figure is 0.
struct Status(String);

impl Status {
    fn read() -> Self {
        Self(fs::read_to_string("/proc/self/status").unwrap_or_default())
    }

    fn number(&self, key: &str) -> u64 {
        let value = self.0.lines().find_map(|line| line.strip_prefix(key));
        value.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Figures of memory are in units of 1024 bytes there.
    fn bytes(&self, key: &str) -> u64 {
        self.number(key) * 1024
    }
}

/// Threads of this process; 0 where the system does not say.
pub(crate) fn threads_now() -> u64 {
    Status::read().number("Threads:")
}

fn resource_usage() -> WorkerUsage {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the structure may be written, and all zeros is a valid value of it if the call fails.
    #[expect(unsafe_code, reason = "the system call has no safe wrapper here")]
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    WorkerUsage {
        user_ns: nanoseconds(usage.ru_utime),
        system_ns: nanoseconds(usage.ru_stime),
        involuntary_switches: u64::try_from(usage.ru_nivcsw).unwrap_or(0),
        major_faults: u64::try_from(usage.ru_majflt).unwrap_or(0),
        ..WorkerUsage::default()
    }
}

fn nanoseconds(time: libc::timeval) -> u64 {
    let (seconds, micros) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_usec));
    seconds.unwrap_or(0) * 1_000_000_000 + micros.unwrap_or(0) * 1_000
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_in_their_units() {
        let status = Status("VmHWM:\t    2048 kB\nThreads:\t3\n".into());
        assert_eq!(status.bytes("VmHWM:"), 2_097_152);
        assert_eq!(status.number("Threads:"), 3);
        assert_eq!(status.number("Missing:"), 0);
    }

    /// The kernel gathers its counters per processor, so that two readings may differ by some pages in either
    /// direction; a block that is wholly resident is far more than that.
    #[test]
    fn a_peak_covers_what_was_resident() {
        let mut meter = UsageMeter::default();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        let most_of_it = block.len() as u64 * 9 / 10;
        let usage = meter.read();
        assert!(usage.peak_rss_bytes > most_of_it && usage.rss_bytes > most_of_it, "{usage:?}");
        assert!(usage.threads > 0);
        meter.loading_is_done();
        assert!(meter.read().load_peak_rss_bytes > most_of_it);
        drop(block);
    }
}
