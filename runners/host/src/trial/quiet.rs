//! What a runner starts or touches without being asked to.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::RawFd;

use super::Started;
use crate::table::{CallError, Table};
use crate::usage::threads_now;

/// Describes, and says what was there afterwards and not before. Where the system does not say, nothing was.
pub(crate) fn describe_quietly(table: &Table) -> Result<Started, CallError> {
    let (threads, descriptors, libraries) = surroundings();
    table.describe()?;
    let after = surroundings();
    Ok(Started {
        threads: after.0.saturating_sub(threads),
        descriptors: after.1.saturating_sub(descriptors),
        libraries: after.2.difference(&libraries).cloned().collect(),
    })
}

fn surroundings() -> (u64, u64, BTreeSet<String>) {
    (threads_now(), fs::read_dir("/proc/self/fd").map_or(0, |all| all.count() as u64), libraries())
}

/// Shared libraries that are mapped into this process.
fn libraries() -> BTreeSet<String> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    paths.filter(|path| path.contains(".so")).map(str::to_owned).collect()
}

/// What the descriptors are that a runner must leave alone.
#[derive(Debug)]
pub(crate) struct Descriptors(Vec<(RawFd, Identity)>);

/// Device and number of a file; nothing where the descriptor is closed.
type Identity = Option<(u64, u64)>;

impl Descriptors {
    /// The standard ones and `channel`, as they are now.
    pub(crate) fn now(channel: RawFd) -> Self {
        Self([0, 1, 2, channel].map(|number| (number, identity(number))).to_vec())
    }

    /// Those that are no longer what they were.
    pub(crate) fn changed(&self) -> Vec<i32> {
        let changed = self.0.iter().filter(|(number, before)| identity(*number) != *before);
        changed.map(|(number, _)| *number).collect()
    }
}

fn identity(number: RawFd) -> Identity {
    let mut found = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the structure may be written, and all zeros is a valid value of it; a closed descriptor is an error.
    #[expect(unsafe_code, reason = "a descriptor that may be closed cannot be borrowed")]
    let stat = unsafe { (libc::fstat(number, found.as_mut_ptr()) == 0).then(|| found.assume_init()) }?;
    #[expect(clippy::useless_conversion, reason = "the widths differ between systems")]
    let device = u64::try_from(stat.st_dev).unwrap_or(0);
    Some((device, stat.st_ino))
}
