//! The processor times of `/proc/stat`.

use crate::stats::{count, real};

/// Ticks of all processors together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Processors {
    /// Work of programs and of the kernel.
    busy: u64,
    /// Idle, or waiting for a disk.
    idle: u64,
    /// Time that a hypervisor gave to other machines.
    steal: u64,
    /// Number of processors.
    processors: usize,
}

impl Processors {
    /// Reads the text of `/proc/stat` (proc(5): user, nice, system, idle, iowait, irq, softirq, steal; the guest
    /// columns that follow are part of user and nice).
    pub(crate) fn parse(stat: &str) -> Option<Self> {
        let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = all.split_whitespace().filter_map(|tick| tick.parse().ok()).collect();
        let [user, nice, system, idle, iowait, irq, softirq, rest @ ..] = ticks.as_slice() else {
            return None;
        };
        let single = |line: &&str| line.starts_with("cpu") && !line.starts_with("cpu ");
        Some(Self {
            busy: user + nice + system + irq + softirq,
            idle: idle + iowait,
            steal: rest.first().copied().unwrap_or(0),
            processors: stat.lines().filter(single).count(),
        })
    }

    /// What passed since an earlier look.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(before.busy),
            idle: self.idle.saturating_sub(before.idle),
            steal: self.steal.saturating_sub(before.steal),
            processors: self.processors,
        }
    }

    fn share(self, ticks: u64) -> f64 {
        real(ticks) / real(self.busy + self.idle + self.steal).max(1.0)
    }

    /// Processors at work, on average.
    pub(crate) fn busy(self) -> f64 {
        self.share(self.busy) * self.processors()
    }

    /// Share of the time that was stolen.
    pub(crate) fn steal(self) -> f64 {
        self.share(self.steal)
    }

    /// Number of processors.
    pub(crate) fn processors(self) -> f64 {
        count(self.processors)
    }
}

#[cfg(test)]
mod tests {
    use super::Processors;

    #[test]
    fn odd_texts_are_no_counters() {
        assert_eq!(Processors::parse(""), None);
        assert_eq!(Processors::parse("cpu  1 2 3\n"), None);
        assert!(
            Processors::parse("cpu  1 2 3 4 5 6 7\ncpu0 1\n").is_some(),
            "kernels before steal was counted"
        );
    }
}
