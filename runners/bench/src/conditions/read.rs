//! Reads the kernel's counters: the one place here that looks at the machine.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use super::{Processors, Snapshot};

/// Where Linux keeps what it knows of processors.
const PROCESSORS: &str = "/sys/devices/system/cpu";

/// How many processors to ask for their clock: each answer may interrupt the processor asked.
const ASKED: usize = 16;

pub(super) fn snapshot() -> Snapshot {
    Snapshot {
        processors: text("/proc/stat").and_then(|stat| Processors::parse(&stat)),
        load: text("/proc/loadavg").and_then(|load| load.split_whitespace().next()?.parse().ok()),
        governor: text(format!("{PROCESSORS}/cpu0/cpufreq/scaling_governor")),
        mhz: clock(),
        heat_throttles: heat_throttles(),
        quota_stopped_us: text("/sys/fs/cgroup/cpu.stat").and_then(|stat| field(&stat, "throttled_usec")),
    }
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

/// The value of `key` in lines of `key value`.
fn field(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
}

/// Numbers of a file that each of the first processors has.
fn of_each<T: FromStr>(file: &str) -> impl Iterator<Item = T> {
    (0..ASKED).map_while(move |cpu| text(format!("{PROCESSORS}/cpu{cpu}/{file}"))?.parse().ok())
}

/// The fastest of the first processors: the ones at work run fast, and idle ones say nothing.
fn clock() -> Option<f64> {
    let kilohertz = of_each::<f64>("cpufreq/scaling_cur_freq").reduce(f64::max);
    kilohertz.map(|kilohertz| kilohertz / 1000.0)
}

fn heat_throttles() -> Option<u64> {
    of_each::<u64>("thermal_throttle/core_throttle_count").reduce(|sum, count| sum + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_by_name() {
        let stat = "usage_usec 5\nnr_throttled 3\nthrottled_usec 812\n";
        assert_eq!(field(stat, "throttled_usec"), Some(812));
        assert_eq!(field(stat, "absent"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_counts_its_time() {
        let (before, after) = (snapshot(), snapshot());
        assert!(before.processors.is_some() && before.load.is_some());
        assert_eq!(before.governor, after.governor);
    }
}
