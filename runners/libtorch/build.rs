//! Gives the shared library the folder of the libtorch it was built with. CUDA is not linked: the runner opens that side of
//! libtorch when a card is asked for.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // From the build script of torch-sys, which has found libtorch or has said what to do.
    let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB") else {
        println!(
            "cargo::error=libtorch was not found; set LIBTORCH to the folder of libtorch 2.13.0, or \
             LIBTORCH_USE_PYTORCH=1 for that of an installed PyTorch"
        );
        return;
    };
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // A new-style path comes after LD_LIBRARY_PATH: whoever starts the library can say where libtorch is now.
        println!("cargo::rustc-link-arg=-Wl,--enable-new-dtags,-rpath,{}", folder.display());
    }
}
