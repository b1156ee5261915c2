//! Gives the shared library the folder of the libtorch it was built with, and links CUDA where that libtorch has it.
//!
//! Without this the library would find libtorch only through the environment, and never CUDA: no symbol of
//! libtorch_cuda is used directly, so that the linker would leave it out.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // From the build script of torch-sys, which has found libtorch or has said what to do.
    let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        println!(
            "cargo::error=libtorch was not found; set LIBTORCH to the folder of libtorch 2.13.0, or \
             LIBTORCH_USE_PYTORCH=1 for that of an installed PyTorch"
        );
        return;
    };
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-search=native={}", folder.display());
        // A new-style path comes after LD_LIBRARY_PATH: whoever starts the library can say where libtorch is now.
        println!("cargo::rustc-link-arg=-Wl,--enable-new-dtags,-rpath,{}", folder.display());
        link_cuda(&folder.join("libtorch_cuda.so"));
    }
}

/// Links CUDA, unless libraries that it needs itself are missing: then nothing could be loaded any more, not even for
/// the CPU.
fn link_cuda(library: &Path) {
    println!("cargo::rerun-if-changed={}", library.display());
    if !library.is_file() {
        return;
    }
    match missing(library) {
        Some(name) => {
            println!("cargo::warning=built for the CPU only: libtorch_cuda.so is there, but {name} is not")
        }
        None => println!("cargo::rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,-ltorch,--as-needed"),
    }
}

/// The first library that the loader does not find for this one.
fn missing(library: &Path) -> Option<String> {
    let listed = Command::new("ldd").arg(library).output().ok()?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("not found"))?;
    line.split_whitespace().next().map(str::to_owned)
}
