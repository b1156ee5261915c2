//! libtorch's CUDA side, a library of its own beside libtorch_cpu.
//!
//! Nothing is linked to it: it is opened when a card is asked for, so that one build of this runner serves a libtorch with
//! CUDA and one without, and a run on the CPU does not carry its hundreds of megabytes.
#![expect(unsafe_code, reason = "loading a library runs its constructors")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

const CPU_SIDE: &str = "libtorch_cpu.so";
const CUDA_SIDE: &str = "libtorch_cuda.so";

/// What NVIDIA's driver puts on a machine; the second is that of Windows' subsystem for Linux.
const SIGNS_OF_A_DRIVER: [&str; 2] = ["/dev/nvidiactl", "/dev/dxg"];

/// Whether a driver seems to be there.
pub(crate) fn driver_is_here() -> bool {
    SIGNS_OF_A_DRIVER.iter().any(|sign| Path::new(sign).exists())
}

/// Opens the CUDA side of the libtorch in use, once; why there is none.
pub(crate) fn load() -> Result<(), String> {
    static OUTCOME: OnceLock<Result<(), String>> = OnceLock::new();
    OUTCOME
        .get_or_init(|| open(&beside_cpu_side().ok_or("where libtorch lies is not known on this system")?))
        .clone()
}

fn open(library: &Path) -> Result<(), String> {
    if !library.is_file() {
        return Err(format!(
            "the libtorch in use is for CPUs ({} is not there); set LIBTORCH to one with CUDA",
            library.display()
        ));
    }
    // SAFETY: it is a part of the libtorch that is linked already, and its constructors register its operators there,
    // which is why its symbols are for all.
    let opened = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL) };
    // Never unloaded: its operators stay registered.
    opened.map(std::mem::forget).map_err(|error| {
        let said = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        format!("{CUDA_SIDE} cannot be loaded: {said}")
    })
}

/// The CUDA side belongs into the folder of the CPU side, which is mapped into this process.
fn beside_cpu_side() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().filter_map(|line| line.split_once('/')).map(|(_, path)| format!("/{path}"));
    let mut cpu = path.filter(|path| path.ends_with(CPU_SIDE));
    Some(Path::new(&cpu.next()?).with_file_name(CUDA_SIDE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cuda_side_is_looked_for_beside_the_cpu_side() {
        // Links libtorch into this test, as the runner is.
        assert!(tch::get_num_threads() > 0);
        let place = beside_cpu_side().unwrap();
        assert!(place.with_file_name(CPU_SIDE).is_file(), "{}", place.display());
    }

    #[test]
    fn its_absence_says_what_to_do() {
        let why = open(Path::new("/nowhere/libtorch_cuda.so")).unwrap_err();
        assert!(why.contains("is for CPUs") && why.contains("LIBTORCH"), "{why}");
    }
}
