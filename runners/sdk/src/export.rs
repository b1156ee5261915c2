//! The macros that make a table of a runner, and the exported symbol of a table.

/// Defines `pub fn table() -> &'static RunnerTable` for the runner that the expression makes (of a type that
/// implements [`crate::Runner`]). This is how a runner is linked into a program statically: no symbol is exported.
#[macro_export]
macro_rules! runner_table {
    ($runner:expr) => {
        /// This runner's table of functions, for a program that links it statically.
        #[must_use]
        pub fn table() -> &'static $crate::RunnerTable {
            struct Exported;
            impl $crate::__Exported for Exported {
                fn cell() -> &'static $crate::__RunnerCell {
                    static CELL: $crate::__RunnerCell =
                        $crate::__RunnerCell::new(|| ::std::boxed::Box::new($runner));
                    &CELL
                }
            }
            static TABLE: $crate::RunnerTable = $crate::__table::<Exported>();
            &TABLE
        }
    };
}

/// Exports the one symbol of a runner's shared library, for the runner that the expression makes. Use it once, in a
/// crate of type `cdylib`. It also defines `table()`, as [`runner_table!`] does.
#[macro_export]
macro_rules! export_runner {
    ($runner:expr) => {
        $crate::runner_table!($runner);

        /// The entry: see `convwise_runner_v1` in `runner.h`.
        ///
        /// # Safety
        /// `host` is null or points to the host's services, which stay valid until the process ends.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn convwise_runner_v1(
            host: *const $crate::__HostServices,
        ) -> *const $crate::RunnerTable {
            // SAFETY: the caller's promise is the one that is asked for.
            unsafe { $crate::__entry(host, table) }
        }
    };
}
