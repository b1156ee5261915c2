//! From the safe traits to the C table: every entry converts its arguments, runs the trait method under a panic guard,
//! and converts the answer.
#![expect(unsafe_code, reason = "this module is the boundary: raw pointers in, raw pointers out")]

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};

use convwise_abi::{
    ABI_MAJOR, ABI_MINOR, AbiError, AbiOption, AbiSession, AbiStr, AbiTensor, ClockTable, EXT_CLOCK,
    EXT_PROFILE, HostServices, ProfileTable, RunnerTable,
};
use serde::Serialize;

use crate::{DType, Options, Runner, RunnerError, Session, TensorError, TensorView};

/// Names the runner behind a table: implemented by the macros.
#[doc(hidden)]
pub trait __Exported: 'static {
    /// The one cell of this runner.
    fn cell() -> &'static __RunnerCell;
}

/// A runner, made on first use, and the documents it handed out.
#[doc(hidden)]
pub struct __RunnerCell {
    make: fn() -> Box<dyn Runner>,
    runner: OnceLock<Box<dyn Runner>>,
    description: OnceLock<String>,
    last_probe: Mutex<String>,
}

impl __RunnerCell {
    /// A cell that makes its runner with `make`.
    #[must_use]
    pub const fn new(make: fn() -> Box<dyn Runner>) -> Self {
        Self {
            make,
            runner: OnceLock::new(),
            description: OnceLock::new(),
            last_probe: Mutex::new(String::new()),
        }
    }

    fn runner(&self) -> &dyn Runner {
        self.runner.get_or_init(self.make).as_ref()
    }

    fn description(&self) -> Result<&str, RunnerError> {
        if let Some(text) = self.description.get() {
            return Ok(text);
        }
        let text = to_json(&self.runner().describe())?;
        Ok(self.description.get_or_init(|| text))
    }
}

/// The table of `E`'s runner.
#[doc(hidden)]
#[must_use]
pub const fn __table<E: __Exported>() -> RunnerTable {
    RunnerTable {
        struct_size: size_of::<RunnerTable>(),
        major: ABI_MAJOR,
        minor: ABI_MINOR,
        describe: Some(describe::<E>),
        probe: Some(probe::<E>),
        load: Some(load::<E>),
        io: Some(io),
        set_input: Some(set_input),
        run: Some(run),
        output: Some(output),
        release: Some(release),
        extension: Some(extension::<E>),
        error_free: Some(error_free),
    }
}

/// The entry behind the exported symbol: the table, or null for a host of another major version.
///
/// # Safety
/// `host` is null or points to a host's services of any version, valid until the process ends.
#[doc(hidden)]
pub unsafe fn __entry(host: *const HostServices, table: fn() -> &'static RunnerTable) -> *const RunnerTable {
    // SAFETY: `major` lies in the part of the structure that every version has; nothing behind it is looked at, since
    // the structure of another version may be shorter than ours.
    let major = unsafe { (!host.is_null()).then(|| (&raw const (*host).major).read()) };
    if major == Some(ABI_MAJOR) { table() } else { ptr::null() }
}

/// What a session pointer points to.
struct Handle {
    session: Box<dyn Session>,
    io: String,
    profile: String,
    shapes: Vec<Vec<i64>>,
    /// A call panicked: the session may be half changed, so nothing but releasing it is safe.
    broken: bool,
}

unsafe extern "C" fn describe<E: __Exported>(json: *mut AbiStr) -> *mut AbiError {
    guard(|| {
        let text = E::cell().description()?;
        // SAFETY: the caller passes a pointer that may be written; the text lives in a static.
        unsafe { json.write(AbiStr::borrow(text)) };
        Ok(())
    })
}

unsafe extern "C" fn probe<E: __Exported>(
    options: *const AbiOption,
    option_count: usize,
    json: *mut AbiStr,
) -> *mut AbiError {
    guard(|| {
        // SAFETY: the caller passes `option_count` options.
        let options = unsafe { options_from(options, option_count) }?;
        let text = to_json(&E::cell().runner().probe(&options)?)?;
        let mut last = E::cell().last_probe.lock().unwrap_or_else(PoisonError::into_inner);
        *last = text;
        // SAFETY: the caller passes a pointer that may be written; the text stays until the next probe.
        unsafe { json.write(AbiStr::borrow(&last)) };
        Ok(())
    })
}

unsafe extern "C" fn load<E: __Exported>(
    path: AbiStr,
    options: *const AbiOption,
    option_count: usize,
    session: *mut *mut AbiSession,
) -> *mut AbiError {
    guard(|| {
        // SAFETY: the caller passes borrowed text and `option_count` options.
        let (path, options) = unsafe { (text_from(path)?, options_from(options, option_count)?) };
        let loaded = E::cell().runner().load(Path::new(&path), &options)?;
        let handle = Handle {
            session: loaded,
            io: String::new(),
            profile: String::new(),
            shapes: Vec::new(),
            broken: false,
        };
        // SAFETY: the caller passes a pointer that may be written.
        unsafe { session.write(Box::into_raw(Box::new(handle)).cast()) };
        Ok(())
    })
}

unsafe extern "C" fn io(session: *mut AbiSession, json: *mut AbiStr) -> *mut AbiError {
    // SAFETY: the caller passes a session of this runner that no other thread uses now.
    unsafe {
        with_session(session, |handle| {
            handle.io = to_json(&handle.session.io()?)?;
            json.write(AbiStr::borrow(&handle.io));
            Ok(())
        })
    }
}

unsafe extern "C" fn set_input(
    session: *mut AbiSession,
    index: u32,
    tensor: *const AbiTensor,
) -> *mut AbiError {
    // SAFETY: as in `io`; the tensor is borrowed for the call.
    unsafe {
        with_session(session, |handle| {
            let tensor = tensor.as_ref().ok_or_else(|| RunnerError::invalid("the tensor is missing"))?;
            handle.session.set_input(index as usize, view_from_abi(tensor)?)
        })
    }
}

unsafe extern "C" fn run(session: *mut AbiSession) -> *mut AbiError {
    // SAFETY: as in `io`.
    unsafe { with_session(session, |handle| handle.session.run()) }
}

unsafe extern "C" fn output(session: *mut AbiSession, index: u32, tensor: *mut AbiTensor) -> *mut AbiError {
    // SAFETY: as in `io`; the caller passes a tensor that may be written.
    unsafe {
        with_session(session, |handle| {
            let Handle { session, shapes, .. } = handle;
            let view = session.output(index as usize)?;
            tensor.write(view_to_abi(&view, keep_shape(shapes, index as usize, &view)));
            Ok(())
        })
    }
}

unsafe extern "C" fn release(session: *mut AbiSession) {
    if !session.is_null() {
        // SAFETY: `load` made this pointer from a box, and the caller hands it back for good.
        let handle = unsafe { Box::from_raw(session.cast::<Handle>()) };
        // A panic while dropping has nobody to be told; its message is on standard error.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
    }
}

unsafe extern "C" fn extension<E: __Exported>(id: AbiStr) -> *const c_void {
    static CLOCK: ClockTable = ClockTable {
        struct_size: size_of::<ClockTable>(),
        last_run_ns: Some(last_run_ns),
        load_ns: Some(load_ns),
    };
    static PROFILE: ProfileTable =
        ProfileTable { struct_size: size_of::<ProfileTable>(), profile: Some(profile) };
    let table = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller passes borrowed text.
        let id = unsafe { text_from(id) }.unwrap_or_default();
        let table: *const c_void = match id.as_str() {
            EXT_CLOCK => ptr::from_ref(&CLOCK).cast(),
            EXT_PROFILE => ptr::from_ref(&PROFILE).cast(),
            _ => return ptr::null(),
        };
        if E::cell().runner().describe().has_extension(&id) { table } else { ptr::null() }
    }));
    table.unwrap_or(ptr::null())
}

unsafe extern "C" fn last_run_ns(session: *mut AbiSession, ns: *mut u64) -> *mut AbiError {
    // SAFETY: as in `io`; the caller passes a pointer that may be written.
    unsafe {
        with_session(session, |handle| {
            ns.write(handle.session.last_run_ns()?);
            Ok(())
        })
    }
}

unsafe extern "C" fn load_ns(session: *mut AbiSession, ns: *mut u64) -> *mut AbiError {
    // SAFETY: as in `last_run_ns`.
    unsafe {
        with_session(session, |handle| {
            ns.write(handle.session.load_ns()?);
            Ok(())
        })
    }
}

unsafe extern "C" fn profile(session: *mut AbiSession, runs: u32, json: *mut AbiStr) -> *mut AbiError {
    // SAFETY: as in `io`.
    unsafe {
        with_session(session, |handle| {
            if runs == 0 {
                return Err(RunnerError::invalid("a profile needs at least one run"));
            }
            handle.profile = to_json(&handle.session.profile(runs)?)?;
            json.write(AbiStr::borrow(&handle.profile));
            Ok(())
        })
    }
}

/// An error with the text its head points to.
#[repr(C)]
struct OwnedError {
    head: AbiError,
    message: Box<str>,
}

fn error_to_abi(error: RunnerError) -> *mut AbiError {
    let message = error.message.into_boxed_str();
    let head = AbiError { code: error.code.to_abi(), message: AbiStr::borrow(&message) };
    Box::into_raw(Box::new(OwnedError { head, message })).cast()
}

unsafe extern "C" fn error_free(error: *mut AbiError) {
    if !error.is_null() {
        // SAFETY: `error_to_abi` made this pointer, and the caller hands it back for good. The head is the first
        // field of a C structure, so both have one address.
        drop(unsafe { Box::from_raw(error.cast::<OwnedError>()) });
    }
}

/// Runs `body`; an error or a panic becomes an ABI error.
fn guard(body: impl FnOnce() -> Result<(), RunnerError>) -> *mut AbiError {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => ptr::null_mut(),
        Ok(Err(error)) => error_to_abi(error),
        Err(payload) => {
            error_to_abi(RunnerError::internal(format!("the runner panicked: {}", panic_text(&*payload))))
        }
    }
}

/// Runs `body` on the session behind the pointer.
///
/// # Safety
/// `session` is null or a session of this library that is not used elsewhere during the call.
unsafe fn with_session(
    session: *mut AbiSession,
    body: impl FnOnce(&mut Handle) -> Result<(), RunnerError>,
) -> *mut AbiError {
    // SAFETY: the caller's promise; `load` made the pointer from a box of this type.
    let Some(handle) = (unsafe { session.cast::<Handle>().as_mut() }) else {
        return error_to_abi(RunnerError::state("there is no session"));
    };
    if handle.broken {
        return error_to_abi(RunnerError::state(
            "an earlier call on this session panicked; load the model again",
        ));
    }
    // Set during the call, so that it stays set when the call does not come back in order.
    handle.broken = true;
    guard(|| {
        let answer = body(handle);
        handle.broken = false;
        answer
    })
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn to_json(document: &impl Serialize) -> Result<String, RunnerError> {
    serde_json::to_string(document)
        .map_err(|error| RunnerError::internal(format!("a document cannot be written: {error}")))
}

/// # Safety
/// `text` points to `len` bytes.
unsafe fn text_from(text: AbiStr) -> Result<String, RunnerError> {
    if text.len == 0 {
        return Ok(String::new());
    }
    if text.ptr.is_null() {
        return Err(RunnerError::invalid("a text of the host is missing"));
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len) };
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|error| RunnerError::invalid(format!("a text is not UTF-8: {error}")))
}

/// # Safety
/// `options` points to `count` options.
unsafe fn options_from(options: *const AbiOption, count: usize) -> Result<Options, RunnerError> {
    if count == 0 {
        return Ok(Options::default());
    }
    // SAFETY: the caller's promise.
    let options = unsafe { std::slice::from_raw_parts(options, count) };
    // SAFETY: keys and values are borrowed texts.
    options.iter().map(|option| unsafe { Ok((text_from(option.key)?, text_from(option.value)?)) }).collect()
}

/// A view of what a tensor points to.
///
/// # Safety
/// Its pointers are valid for what its rank and byte count say, for as long as the view is used.
unsafe fn view_from_abi(tensor: &AbiTensor) -> Result<TensorView<'_>, TensorError> {
    let dtype = DType::from_abi(tensor.dtype).ok_or(TensorError::UnknownType(tensor.dtype))?;
    // SAFETY: the caller's promise; a null pointer comes only with a length of zero.
    let (shape, data) = unsafe {
        (slice_or_empty(tensor.shape, tensor.rank as usize), slice_or_empty(tensor.data.cast(), tensor.bytes))
    };
    TensorView::from_abi_shape(dtype, shape, data)
}

/// # Safety
/// `first` points to `len` elements unless `len` is zero.
unsafe fn slice_or_empty<'a, T>(first: *const T, len: usize) -> &'a [T] {
    if len == 0 || first.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(first, len) }
}

fn view_to_abi(view: &TensorView<'_>, shape: &[i64]) -> AbiTensor {
    AbiTensor {
        dtype: view.dtype().to_abi(),
        rank: u32::try_from(shape.len()).unwrap_or(u32::MAX),
        shape: shape.as_ptr(),
        data: view.data().as_ptr().cast(),
        bytes: view.data().len(),
    }
}

/// Keeps the shape of output `index` where the host may read it until the next output of that index.
fn keep_shape<'a>(shapes: &'a mut Vec<Vec<i64>>, index: usize, view: &TensorView<'_>) -> &'a [i64] {
    if shapes.len() <= index {
        shapes.resize_with(index + 1, Vec::new);
    }
    match shapes.get_mut(index) {
        Some(slot) => {
            *slot = view.shape().iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect();
            slot
        }
        None => &[],
    }
}
