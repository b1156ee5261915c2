//! NVIDIA's driver and GPUs, asked of the driver's management library where there is one (NVML API Reference). Every part
//! is optional: what cannot be found out is left out.
//!
//! NVML counts GPUs by their place on the bus; CUDA does so only under `CUDA_DEVICE_ORDER=PCI_BUS_ID`. With several
//! different GPUs the names may therefore stand at other indices than those that the option `device` means.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use libloading::{Library, Symbol};

use crate::engine::reason;

const LIBRARY: &str = "libnvidia-ml.so.1";

/// Room for a name; NVML's longest buffer is 96 bytes.
const ROOM: usize = 128;

/// Most GPUs that are listed.
const MOST: u32 = 64;

/// What the driver says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nvidia {
    /// Version of the driver.
    pub(crate) driver: Option<String>,
    /// GPUs by index.
    pub(crate) gpus: Vec<Gpu>,
}

/// One GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gpu {
    /// Its maker's name for it.
    pub(crate) name: String,
    /// What tells it from another of its kind.
    pub(crate) uuid: String,
}

/// Asks the driver, or says why it cannot be asked.
pub(crate) fn look() -> Result<Nvidia, String> {
    look_with(LIBRARY)
}

type Text = unsafe extern "C" fn(*mut c_char, c_uint) -> c_int;
type DeviceText = unsafe extern "C" fn(*mut c_void, *mut c_char, c_uint) -> c_int;

#[expect(unsafe_code, reason = "calls functions of a C library")]
fn look_with(name: &str) -> Result<Nvidia, String> {
    // SAFETY: the driver's own library; loading it starts nothing.
    let library = unsafe { Library::new(name) }.map_err(|error| reason(&error))?;
    // SAFETY: the type is that of nvml.h.
    let init: Symbol<'_, unsafe extern "C" fn() -> c_int> = function(&library, c"nvmlInit_v2")?;
    // SAFETY: takes nothing; it may be called again and again.
    match unsafe { init() } {
        0 => {}
        code => return Err(format!("nvmlInit_v2 answered {code}")),
    }
    let found = Nvidia { driver: driver(&library), gpus: gpus(&library) };
    // Its threads may go on: unloading it is not sound.
    std::mem::forget(library);
    Ok(found)
}

#[expect(unsafe_code, reason = "looks a function up in a C library")]
fn function<'a, F>(library: &'a Library, name: &CStr) -> Result<Symbol<'a, F>, String> {
    // SAFETY: each caller states the type that nvml.h gives the function.
    unsafe { library.get(name.to_bytes_with_nul()) }
        .map_err(|_| format!("it does not have {}", name.to_string_lossy()))
}

#[expect(unsafe_code, reason = "calls functions of a C library")]
fn driver(library: &Library) -> Option<String> {
    let version: Symbol<'_, Text> = function(library, c"nvmlSystemGetDriverVersion").ok()?;
    // SAFETY: the function writes a terminated text of at most the stated length.
    text(|buffer, room| unsafe { version(buffer, room) })
}

#[expect(unsafe_code, reason = "calls functions of a C library")]
fn gpus(library: &Library) -> Vec<Gpu> {
    let count: Result<Symbol<'_, unsafe extern "C" fn(*mut c_uint) -> c_int>, _> =
        function(library, c"nvmlDeviceGetCount_v2");
    let Ok(count) = count else { return Vec::new() };
    let mut number = 0;
    // SAFETY: the function writes one number.
    if unsafe { count(&mut number) } != 0 {
        return Vec::new();
    }
    (0..number.min(MOST)).map(|index| gpu(library, index).unwrap_or_default()).collect()
}

#[expect(unsafe_code, reason = "calls functions of a C library")]
fn gpu(library: &Library, index: c_uint) -> Option<Gpu> {
    let handle: Symbol<'_, unsafe extern "C" fn(c_uint, *mut *mut c_void) -> c_int> =
        function(library, c"nvmlDeviceGetHandleByIndex_v2").ok()?;
    let mut device = std::ptr::null_mut();
    // SAFETY: the function writes one handle.
    if unsafe { handle(index, &mut device) } != 0 {
        return None;
    }
    let read = |name: &CStr| {
        let get: Symbol<'_, DeviceText> = function(library, name).ok()?;
        // SAFETY: the handle is the library's; it writes a terminated text of at most the stated length.
        text(|buffer, room| unsafe { get(device, buffer, room) })
    };
    Some(Gpu { name: read(c"nvmlDeviceGetName")?, uuid: read(c"nvmlDeviceGetUUID").unwrap_or_default() })
}

/// The text that a call writes, unless it fails.
fn text(write: impl FnOnce(*mut c_char, c_uint) -> c_int) -> Option<String> {
    let mut buffer = [0u8; ROOM];
    let room = c_uint::try_from(ROOM - 1).ok()?;
    if write(buffer.as_mut_ptr().cast(), room) != 0 {
        return None;
    }
    let text = CStr::from_bytes_until_nul(&buffer).ok()?;
    Some(text.to_string_lossy().into_owned())
}

/// The version that TensorRT's main library states of itself (`getInferLibVersion`, NvInferRuntime.h).
#[expect(unsafe_code, reason = "calls the one function of a C library that needs no object")]
pub(crate) fn tensorrt_version(soname: &str) -> Option<String> {
    // SAFETY: the provider that the user asked for loads the same library.
    let library = unsafe { Library::new(soname) }.ok()?;
    let version: Symbol<'_, unsafe extern "C" fn() -> i32> =
        function(&library, c"getInferLibVersion").ok()?;
    // SAFETY: takes nothing.
    let number = unsafe { version() };
    std::mem::forget(library);
    Some(dotted(number))
}

/// NV_TENSORRT_VERSION of NvInferVersion.h: ten thousands and hundreds from version 10 on, thousands and hundreds before.
fn dotted(number: i32) -> String {
    let scale = if number < 10_000 { 1000 } else { 10_000 };
    format!("{}.{}.{}", number / scale, number % scale / 100, number % 100)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// A driver with two GPUs, or one that does not start.
    const FAKE: &str = r#"
#include <stdio.h>
#include <stddef.h>
int nvmlInit_v2(void) { return START; }
int nvmlSystemGetDriverVersion(char *t, unsigned n) { return snprintf(t, n, "580.65.06") < 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { *d = (void *)(size_t)(i + 1); return 0; }
int nvmlDeviceGetName(void *d, char *t, unsigned n) { return snprintf(t, n, "GPU %zu", (size_t)d) < 0; }
int nvmlDeviceGetUUID(void *d, char *t, unsigned n) { return snprintf(t, n, "uuid-%zu", (size_t)d) < 0; }
int getInferLibVersion(void) { return 101303; }
"#;

    fn fake(folder: &Path, start: &str) -> String {
        let (source, library) = (folder.join("fake.c"), folder.join(format!("fake{start}.so")));
        std::fs::write(&source, FAKE).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg(format!("-DSTART={start}"));
        assert!(cc.status().unwrap().success());
        library.display().to_string()
    }

    #[test]
    fn what_a_driver_says_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let library = fake(folder.path(), "0");
        let gpu = |n: u8| Gpu { name: format!("GPU {n}"), uuid: format!("uuid-{n}") };
        let expect = Nvidia { driver: Some("580.65.06".into()), gpus: vec![gpu(1), gpu(2)] };
        assert_eq!(look_with(&library), Ok(expect));
        assert_eq!(tensorrt_version(&library).as_deref(), Some("10.13.3"));
        assert_eq!(look_with(&fake(folder.path(), "9")), Err("nvmlInit_v2 answered 9".into()));
    }

    #[test]
    fn no_driver_is_an_answer() {
        assert!(look_with("libno-such-driver.so.1").unwrap_err().contains("libno-such-driver.so.1"));
        assert_eq!(tensorrt_version("libno-such-tensorrt.so.10"), None);
    }

    #[test]
    fn versions_of_both_countings() {
        assert_eq!((dotted(8601).as_str(), dotted(101_000).as_str()), ("8.6.1", "10.10.0"));
    }
}
