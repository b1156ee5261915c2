//! Reads the machine: the one place here that looks at it.

use std::fs;

use super::Readings;

/// What this system tells about itself.
pub(super) fn readings() -> Readings {
    let common = Readings {
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
        platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
        ..Readings::default()
    };
    if cfg!(target_os = "macos") { macos(common) } else { linux(common) }
}

fn linux(common: Readings) -> Readings {
    Readings {
        cpuinfo: text("/proc/cpuinfo"),
        ram: memory(&text("/proc/meminfo")),
        product: text("/sys/class/dmi/id/sys_vendor") + &text("/sys/class/dmi/id/product_name"),
        ..common
    }
}

/// Files of the kernel that are not there read as empty: the fact is then unknown.
fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// `MemTotal` of `/proc/meminfo`, which counts in units of 1024 bytes.
fn memory(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

fn macos(common: Readings) -> Readings {
    let feature = |(key, name): (&str, &str)| (sysctl(key)? == "1").then(|| name.to_owned());
    let isa = [
        ("hw.optional.avx2_0", "avx2"),
        ("hw.optional.neon", "neon"),
        ("hw.optional.arm.FEAT_DotProd", "dotprod"),
        ("hw.optional.arm.FEAT_I8MM", "i8mm"),
    ];
    Readings {
        cpu_name: sysctl("machdep.cpu.brand_string"),
        ram: sysctl("hw.memsize").and_then(|bytes| bytes.parse().ok()).unwrap_or_default(),
        isa: isa.into_iter().filter_map(feature).collect(),
        ..common
    }
}

fn sysctl(key: &str) -> Option<String> {
    let output = std::process::Command::new("/usr/sbin/sysctl").args(["-n", key]).output().ok()?;
    let value = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::memory;

    #[test]
    fn memory_is_in_kibibytes() {
        assert_eq!(memory("MemTotal:       24611660 kB\nMemFree: 1 kB\n"), 24_611_660 * 1024);
        assert_eq!(memory(""), 0);
    }
}
