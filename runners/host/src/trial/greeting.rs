//! How a library answers hosts of other versions.
#![expect(unsafe_code, reason = "calls a library's entry with structures at the edge of memory")]

use std::mem::offset_of;
use std::ptr;

use convwise_abi::{ABI_MAJOR, ABI_MINOR, EntryFn, HostServices};

use super::{Greeting, StrangeHost};
use crate::library::{self, LibraryError, check_table};
use crate::spec::RunnerSource;

/// The services of a later minor version: ours, and fields that nobody knows yet.
#[repr(C)]
struct Longer {
    services: HostServices,
    unknown: [u64; 8],
}

/// Loads the runner's library and greets it as `host`.
pub(crate) fn greet(source: &RunnerSource, host: StrangeHost) -> Result<Greeting, LibraryError> {
    let RunnerSource::Library { path, digest } = source else { return Ok(Greeting::NoEntry) };
    let entry = library::entry(path, digest.as_deref())?;
    let services = services_of(host).ok_or_else(|| LibraryError::Load {
        path: path.clone(),
        reason: "no memory could be had for the trial".into(),
    })?;
    answer_of(entry, services)
}

fn answer_of(entry: EntryFn, services: *const HostServices) -> Result<Greeting, LibraryError> {
    // SAFETY: the services are never given back and as long as their `struct_size` says; the entry is called once.
    let table = unsafe { entry(services) };
    if table.is_null() {
        return Ok(Greeting::Refused);
    }
    // SAFETY: what an entry returns is its table, which stays valid.
    let table = unsafe { check_table(table) }?;
    let name = table.describe().map(|description| description.name);
    Ok(Greeting::Accepted(name.map_err(|error| format!("{error:?}"))))
}

/// The services of a strange host, in memory that is never given back.
fn services_of(host: StrangeHost) -> Option<*const HostServices> {
    let ours = library::services();
    Some(match host {
        StrangeHost::NextMajor => leak(HostServices { major: ABI_MAJOR + 1, minor: 0, ..ours }),
        StrangeHost::LaterMinor => {
            let services = HostServices { struct_size: size_of::<Longer>(), minor: ABI_MINOR + 1, ..ours };
            ptr::from_ref(Box::leak(Box::new(Longer { services, unknown: [u64::MAX; 8] }))).cast()
        }
        StrangeHost::Short => at_the_edge(&HostServices { struct_size: SHORT, ..ours })?,
    })
}

fn leak(services: HostServices) -> *const HostServices {
    ptr::from_ref(Box::leak(Box::new(services)))
}

/// Everything before `log`.
const SHORT: usize = offset_of!(HostServices, log);

/// The first [`SHORT`] bytes of `services` at the end of a page behind which nothing may be read.
fn at_the_edge(services: &HostServices) -> Option<*const HostServices> {
    let page = rustix::param::page_size();
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping of two pages that nobody else has; the second is closed, and the bytes that are written
    // lie at the end of the first.
    unsafe {
        let start = libc::mmap(ptr::null_mut(), 2 * page, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if start == libc::MAP_FAILED || libc::mprotect(start.byte_add(page), page, libc::PROT_NONE) != 0 {
            return None;
        }
        let place = start.byte_add(page - SHORT).cast::<u8>();
        ptr::copy_nonoverlapping(ptr::from_ref(services).cast::<u8>(), place, SHORT);
        Some(place.cast_const().cast())
    }
}
