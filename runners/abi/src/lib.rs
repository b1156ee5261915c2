//! The runner ABI, version 1: the Rust mirror of `include/runner.h`.
//!
//! Owns the layout that crosses the boundary between convwise and a runner's shared library, and nothing else: no
//! loading, no calls, no safety. The header is the contract (ownership, threads, states); items here repeat only what
//! a Rust reader needs to find the place. A test compiles the header and compares every size and offset.
#![no_std]

use core::ffi::{c_char, c_void};
use core::mem::{offset_of, size_of};

/// Raised by a change that an existing runner or host cannot survive; the entry symbol changes with it.
pub const ABI_MAJOR: u32 = 1;
/// Raised by fields appended to [`RunnerTable`] or [`HostServices`].
pub const ABI_MINOR: u32 = 0;
/// The one symbol a runner exports, of type [`EntryFn`].
pub const ENTRY_SYMBOL: &str = "convwise_runner_v1";
/// The id of the extension whose table is [`ClockTable`].
pub const EXT_CLOCK: &str = "convwise.clock/1";
/// The id of the extension whose table is [`ProfileTable`].
pub const EXT_PROFILE: &str = "convwise.profile/1";

/// Error codes: the values of [`AbiError::code`].
pub mod error_code {
    /// An argument or option value is wrong.
    pub const INVALID: u32 = 1;
    /// The model is fine, but this runner cannot run it.
    pub const UNSUPPORTED: u32 = 2;
    /// The model file is missing, damaged, or not what its name says.
    pub const MODEL: u32 = 3;
    /// Something is missing on this machine.
    pub const UNAVAILABLE: u32 = 4;
    /// Host or device memory is exhausted.
    pub const OUT_OF_MEMORY: u32 = 5;
    /// Not allowed in the session's state.
    pub const STATE: u32 = 6;
    /// Everything else.
    pub const INTERNAL: u32 = 7;
}

/// Element types: the values of [`AbiTensor::dtype`]. The numbers are ONNX's.
pub mod dtype {
    /// 32-bit float.
    pub const F32: u32 = 1;
    /// Unsigned byte.
    pub const U8: u32 = 2;
    /// Signed byte.
    pub const I8: u32 = 3;
    /// Unsigned 16-bit integer.
    pub const U16: u32 = 4;
    /// Signed 16-bit integer.
    pub const I16: u32 = 5;
    /// Signed 32-bit integer.
    pub const I32: u32 = 6;
    /// Signed 64-bit integer.
    pub const I64: u32 = 7;
    /// One byte an element, 0 or 1.
    pub const BOOL: u32 = 9;
    /// IEEE half precision.
    pub const F16: u32 = 10;
    /// 64-bit float.
    pub const F64: u32 = 11;
    /// The upper half of a 32-bit float.
    pub const BF16: u32 = 16;
}

/// Levels of [`HostServices::log`].
pub mod log_level {
    /// Something failed.
    pub const ERROR: u32 = 1;
    /// Something is not as it should be.
    pub const WARN: u32 = 2;
    /// Worth knowing.
    pub const INFO: u32 = 3;
    /// For whoever writes the runner.
    pub const DEBUG: u32 = 4;
}

/// UTF-8 text by pointer and length (`cw_str`); rule R2 of the header says who owns it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AbiStr {
    /// First byte; any value where `len` is 0.
    pub ptr: *const c_char,
    /// Length in bytes.
    pub len: usize,
}

impl AbiStr {
    /// The empty text.
    pub const EMPTY: Self = Self { ptr: core::ptr::null(), len: 0 };

    /// Borrows `text`: valid for as long as `text` is.
    #[must_use]
    pub const fn borrow(text: &str) -> Self {
        Self { ptr: text.as_ptr().cast(), len: text.len() }
    }
}

/// One option in (`cw_option`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AbiOption {
    /// One of the option names of the runner's description.
    pub key: AbiStr,
    /// Its value as text.
    pub value: AbiStr,
}

/// A dense row-major tensor (`cw_tensor`), borrowed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AbiTensor {
    /// One of [`dtype`].
    pub dtype: u32,
    /// Number of dimensions; 0 is a scalar.
    pub rank: u32,
    /// `rank` dimensions.
    pub shape: *const i64,
    /// First element.
    pub data: *const c_void,
    /// Element count times element size.
    pub bytes: usize,
}

/// An error (`cw_error`): owned by the runner until [`RunnerTable::error_free`].
#[repr(C)]
#[derive(Debug)]
pub struct AbiError {
    /// One of [`error_code`].
    pub code: u32,
    /// One sentence for a person.
    pub message: AbiStr,
}

/// A loaded model (`cw_session`): opaque, owned by the runner until [`RunnerTable::release`].
#[repr(C)]
#[derive(Debug)]
pub struct AbiSession {
    _opaque: [u8; 0],
}

/// What the host offers a runner (`cw_host`); valid until the process ends.
#[repr(C)]
#[derive(Debug)]
pub struct HostServices {
    /// Size of this structure in the host's build.
    pub struct_size: usize,
    /// [`ABI_MAJOR`] of the host's build.
    pub major: u32,
    /// [`ABI_MINOR`] of the host's build.
    pub minor: u32,
    /// Handed back unchanged to [`HostServices::log`].
    pub ctx: *mut c_void,
    /// Records a diagnostic line; from any thread.
    pub log: Option<unsafe extern "C" fn(ctx: *mut c_void, level: u32, message: AbiStr)>,
}

// SAFETY: the structure is never written after it is built, and the contract lets `log` be called from any thread.
#[expect(unsafe_code, reason = "the pointer in it is opaque and only handed back")]
unsafe impl Sync for HostServices {}

/// `describe`: the runner's document, starting nothing.
pub type DescribeFn = unsafe extern "C" fn(json: *mut AbiStr) -> *mut AbiError;
/// `probe`: can it run here, and if not, what to install.
pub type ProbeFn =
    unsafe extern "C" fn(options: *const AbiOption, option_count: usize, json: *mut AbiStr) -> *mut AbiError;
/// `load`: a model file and options to a session.
pub type LoadFn = unsafe extern "C" fn(
    path: AbiStr,
    options: *const AbiOption,
    option_count: usize,
    session: *mut *mut AbiSession,
) -> *mut AbiError;
/// `io`: the model's inputs and outputs.
pub type IoFn = unsafe extern "C" fn(session: *mut AbiSession, json: *mut AbiStr) -> *mut AbiError;
/// `set_input`: copies one input in.
pub type SetInputFn =
    unsafe extern "C" fn(session: *mut AbiSession, index: u32, tensor: *const AbiTensor) -> *mut AbiError;
/// `run`: one complete synchronous inference.
pub type RunFn = unsafe extern "C" fn(session: *mut AbiSession) -> *mut AbiError;
/// `output`: borrows one output of the last run.
pub type OutputFn =
    unsafe extern "C" fn(session: *mut AbiSession, index: u32, tensor: *mut AbiTensor) -> *mut AbiError;
/// `release`: ends a session.
pub type ReleaseFn = unsafe extern "C" fn(session: *mut AbiSession);
/// `extension`: a named table of further functions, or null.
pub type ExtensionFn = unsafe extern "C" fn(id: AbiStr) -> *const c_void;
/// `error_free`: frees an error of this runner.
pub type ErrorFreeFn = unsafe extern "C" fn(error: *mut AbiError);

/// The runner's table (`cw_runner`). Every function is required; they are options here because what a library hands
/// over is checked, not believed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RunnerTable {
    /// Size of this structure in the runner's build.
    pub struct_size: usize,
    /// [`ABI_MAJOR`] of the runner's build.
    pub major: u32,
    /// [`ABI_MINOR`] of the runner's build.
    pub minor: u32,
    /// See [`DescribeFn`].
    pub describe: Option<DescribeFn>,
    /// See [`ProbeFn`].
    pub probe: Option<ProbeFn>,
    /// See [`LoadFn`].
    pub load: Option<LoadFn>,
    /// See [`IoFn`].
    pub io: Option<IoFn>,
    /// See [`SetInputFn`].
    pub set_input: Option<SetInputFn>,
    /// See [`RunFn`].
    pub run: Option<RunFn>,
    /// See [`OutputFn`].
    pub output: Option<OutputFn>,
    /// See [`ReleaseFn`].
    pub release: Option<ReleaseFn>,
    /// See [`ExtensionFn`].
    pub extension: Option<ExtensionFn>,
    /// See [`ErrorFreeFn`].
    pub error_free: Option<ErrorFreeFn>,
}

/// The size of version 1.0's table: a runner whose `struct_size` is smaller is refused.
pub const TABLE_SIZE_1_0: usize = offset_of!(RunnerTable, error_free) + size_of::<Option<ErrorFreeFn>>();

/// The type of the entry symbol: called once, before anything else; null refuses the host.
pub type EntryFn = unsafe extern "C" fn(host: *const HostServices) -> *const RunnerTable;

/// The signature of both clocks: a session's nanoseconds.
pub type ClockFn = unsafe extern "C" fn(session: *mut AbiSession, ns: *mut u64) -> *mut AbiError;

/// The table of [`EXT_CLOCK`] (`cw_clock`): the runner says how long a run and a load took.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ClockTable {
    /// Size of this structure in the runner's build.
    pub struct_size: usize,
    /// Nanoseconds of the session's last run.
    pub last_run_ns: Option<ClockFn>,
    /// Nanoseconds of the session's loading.
    pub load_ns: Option<ClockFn>,
}

/// The signature of `profile`: runs with the engine's profiler, and the document about them.
pub type ProfileFn =
    unsafe extern "C" fn(session: *mut AbiSession, runs: u32, json: *mut AbiStr) -> *mut AbiError;

/// The table of [`EXT_PROFILE`] (`cw_profile`): where the time of a run goes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ProfileTable {
    /// Size of this structure in the runner's build.
    pub struct_size: usize,
    /// See [`ProfileFn`].
    pub profile: Option<ProfileFn>,
}

// The same asserts stand at the end of runner.h.
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<AbiStr>() == 16);
    assert!(size_of::<AbiOption>() == 32);
    assert!(size_of::<AbiTensor>() == 32);
    assert!(offset_of!(AbiTensor, shape) == 8);
    assert!(size_of::<AbiError>() == 24);
    assert!(offset_of!(AbiError, message) == 8);
    assert!(size_of::<HostServices>() == 32);
    assert!(offset_of!(HostServices, log) == 24);
    assert!(size_of::<RunnerTable>() == 96);
    assert!(offset_of!(RunnerTable, describe) == 16);
    assert!(offset_of!(RunnerTable, run) == 56);
    assert!(offset_of!(RunnerTable, error_free) == 88);
    assert!(TABLE_SIZE_1_0 == 96);
    assert!(size_of::<ClockTable>() == 24);
    assert!(offset_of!(ClockTable, load_ns) == 16);
    assert!(size_of::<ProfileTable>() == 16);
};
