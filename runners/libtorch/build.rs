//! Gives the shared library the folder of the libtorch it was built with, and links every part of it that is there.
//!
//! Without this the library would find libtorch only through the environment, and never CUDA: no symbol of
//! libtorch_cuda is used directly, so that the linker would leave it out.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // From the build script of torch-sys, which has found libtorch or has said what to do.
    println!("cargo::rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        println!(
            "cargo::error=libtorch was not found; set LIBTORCH to the folder of libtorch 2.13.0, or \
             LIBTORCH_USE_PYTORCH=1 for that of an installed PyTorch"
        );
        return;
    };
    println!("cargo::rustc-link-search=native={}", folder.display());
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        for argument in linux_arguments(&folder) {
            println!("cargo::rustc-link-arg={argument}");
        }
    }
}

fn linux_arguments(folder: &Path) -> Vec<String> {
    // An old-style RPATH would come before the environment; the host must be able to say where libtorch is now.
    let mut arguments = vec![format!("-Wl,-rpath,{}", folder.display()), "-Wl,--enable-new-dtags".to_owned()];
    if folder.join("libtorch_cuda.so").is_file() {
        arguments.extend(["-Wl,--no-as-needed", "-ltorch_cuda", "-ltorch", "-Wl,--as-needed"].map(String::from));
    }
    arguments
}
