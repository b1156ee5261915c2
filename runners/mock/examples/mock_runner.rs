//! The mock as a shared library: what a runner outside the program looks like.
#![expect(unsafe_code, reason = "a constructor that can be told to crash")]

convwise_sdk::export_runner!(convwise_mock::MockRunner);

/// Runs when the library is loaded, before anything is called.
#[cfg(target_os = "linux")]
#[used]
// SAFETY: the loader calls the functions in this section without arguments; more than it passes is not read.
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    convwise_mock::crash_in_constructor_if_told();
}
