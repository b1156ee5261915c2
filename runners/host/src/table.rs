//! A runner's table, checked once, with safe calls: every error is taken and freed here, every document parsed.
#![expect(unsafe_code, reason = "calls through function pointers of the C ABI")]

use std::collections::BTreeMap;
use std::path::Path;
use std::ptr;

use convwise_abi::{
    AbiError, AbiOption, AbiStr, ClockFn, ClockTable, DescribeFn, EXT_CLOCK, EXT_PROFILE, ErrorFreeFn,
    ExtensionFn, IoFn, LoadFn, OutputFn, ProbeFn, ProfileFn, ProfileTable, ReleaseFn, RunFn, RunnerTable,
    SetInputFn,
};
use convwise_sdk::{Description, ErrorCode, Probe, RunnerError, SCHEMA};
use serde::de::DeserializeOwned;

use crate::library::LibraryError;
use crate::session::RunningSession;
use crate::trial::Extensions;

/// A failed call: the runner said so, or it broke the contract.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// The runner's error.
    Runner(RunnerError),
    /// What the contract does not allow.
    Contract(String),
}

impl From<RunnerError> for CallError {
    fn from(error: RunnerError) -> Self {
        Self::Runner(error)
    }
}

/// The functions of a runner, all present.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    describe: DescribeFn,
    probe: ProbeFn,
    load: LoadFn,
    pub(crate) io: IoFn,
    pub(crate) set_input: SetInputFn,
    pub(crate) run: RunFn,
    pub(crate) output: OutputFn,
    pub(crate) release: ReleaseFn,
    extension: ExtensionFn,
    error_free: ErrorFreeFn,
}

/// The runner's own clock, if it has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) last_run_ns: ClockFn,
    pub(crate) load_ns: ClockFn,
}

impl Table {
    /// Takes the functions of a table whose version and size were checked.
    pub(crate) fn new(table: &RunnerTable) -> Result<Self, LibraryError> {
        fn present<T>(function: Option<T>, name: &str) -> Result<T, LibraryError> {
            function.ok_or_else(|| LibraryError::MissingFunction { function: name.into() })
        }
        Ok(Self {
            describe: present(table.describe, "describe")?,
            probe: present(table.probe, "probe")?,
            load: present(table.load, "load")?,
            io: present(table.io, "io")?,
            set_input: present(table.set_input, "set_input")?,
            run: present(table.run, "run")?,
            output: present(table.output, "output")?,
            release: present(table.release, "release")?,
            extension: present(table.extension, "extension")?,
            error_free: present(table.error_free, "error_free")?,
        })
    }

    /// The runner's description.
    pub(crate) fn describe(&self) -> Result<Description, CallError> {
        let mut json = AbiStr::EMPTY;
        // SAFETY: a place to write; the text stays valid.
        unsafe {
            self.check((self.describe)(&mut json))?;
            parse(json, "describe")
        }
    }

    /// Can the runner run here?
    pub(crate) fn probe(&self, options: &BTreeMap<String, String>) -> Result<Probe, CallError> {
        let options = abi_options(options);
        let mut json = AbiStr::EMPTY;
        // SAFETY: options that live through the call and a place to write; the text stays valid until the next probe.
        unsafe {
            self.check((self.probe)(options.as_ptr(), options.len(), &mut json))?;
            parse(json, "probe")
        }
    }

    /// Loads a model.
    pub(crate) fn load(
        &self,
        path: &Path,
        options: &BTreeMap<String, String>,
    ) -> Result<RunningSession, CallError> {
        let path = path.to_str().ok_or_else(|| {
            RunnerError::invalid(format!("the path {} is not UTF-8; rename it", path.display()))
        })?;
        let options = abi_options(options);
        let mut session = ptr::null_mut();
        // SAFETY: text and options that live through the call and a place to write.
        unsafe {
            self.check((self.load)(AbiStr::borrow(path), options.as_ptr(), options.len(), &mut session))?;
        }
        if session.is_null() {
            return Err(CallError::Contract("load succeeded without a session".into()));
        }
        // SAFETY: a session that this table just made and that nobody else has.
        Ok(unsafe { RunningSession::new(*self, session, self.clock()) })
    }

    fn clock(&self) -> Option<Clock> {
        // SAFETY: borrowed text; a table that an extension returns is constant and stays valid.
        let clock = unsafe { (self.extension)(AbiStr::borrow(EXT_CLOCK)).cast::<ClockTable>().as_ref() }?;
        if clock.struct_size < size_of::<ClockTable>() {
            return None;
        }
        Some(Clock { last_run_ns: clock.last_run_ns?, load_ns: clock.load_ns? })
    }

    /// The runner's profiler, if it has one.
    pub(crate) fn profiler(&self) -> Option<ProfileFn> {
        // SAFETY: as in `clock`.
        let table = unsafe { (self.extension)(AbiStr::borrow(EXT_PROFILE)).cast::<ProfileTable>().as_ref() }?;
        if table.struct_size < size_of::<ProfileTable>() { None } else { table.profile }
    }

    /// Asks for the extensions that are listed, for those that are known, and for one that nobody has.
    pub(crate) fn try_extensions(&self) -> Result<Extensions, CallError> {
        let listed = self.describe()?.extensions;
        let known = [(EXT_CLOCK, size_of::<ClockTable>()), (EXT_PROFILE, size_of::<ProfileTable>())];
        let needed = |id: &str| known.iter().find(|row| row.0 == id).map_or(size_of::<usize>(), |row| row.1);
        let has = |id: &str| self.extension_size(id).is_some_and(|size| size >= needed(id));
        let (present, missing) = listed.iter().cloned().partition(|id| has(id));
        let unlisted = known.iter().map(|row| row.0).filter(|id| !listed.iter().any(|l| l == id) && has(id));
        Ok(Extensions {
            present,
            missing,
            unlisted: unlisted.map(str::to_owned).collect(),
            answers_anything: self.extension_size("convwise.no-such-thing/1").is_some(),
        })
    }

    /// What the table of an extension says of its size.
    fn extension_size(&self, id: &str) -> Option<usize> {
        // SAFETY: borrowed text; the table of an extension is null or starts with its size.
        unsafe { (self.extension)(AbiStr::borrow(id)).cast::<usize>().as_ref().copied() }
    }

    /// Gives back an error and a session that there are not, which a runner must put up with.
    pub(crate) fn give_back_nothing(&self) {
        // SAFETY: both functions accept null.
        unsafe {
            (self.error_free)(ptr::null_mut());
            (self.release)(ptr::null_mut());
        }
    }

    /// Takes and frees the error of a call.
    ///
    /// # Safety
    /// `error` is null or an error that this table just returned.
    pub(crate) unsafe fn check(&self, error: *mut AbiError) -> Result<(), CallError> {
        // SAFETY: the caller's promise.
        let Some(head) = (unsafe { error.as_ref() }) else { return Ok(()) };
        let code = ErrorCode::from_abi(head.code);
        // SAFETY: the message belongs to the error, which is freed once, after its last use.
        let message = unsafe {
            let message = text_from(head.message);
            (self.error_free)(error);
            message
        };
        let message = message.map_err(|what| CallError::Contract(format!("an error's message {what}")))?;
        Err(CallError::Runner(RunnerError::new(code, message)))
    }
}

fn abi_options(options: &BTreeMap<String, String>) -> Vec<AbiOption> {
    options
        .iter()
        .map(|(key, value)| AbiOption { key: AbiStr::borrow(key), value: AbiStr::borrow(value) })
        .collect()
}

/// Documents longer than this are taken for a wrong length.
const MAX_TEXT: usize = 16 << 20;

/// A copy of a runner's text, or what is wrong with it.
///
/// # Safety
/// Its pointer is valid for its length.
pub(crate) unsafe fn text_from(text: AbiStr) -> Result<String, String> {
    match text.len {
        0 => return Ok(String::new()),
        _ if text.ptr.is_null() => return Err("is a null pointer".into()),
        len if len > MAX_TEXT => return Err(format!("is {len} bytes long")),
        _ => {}
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len) };
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "is not UTF-8".into())
}

/// Parses a document that `function` handed out.
///
/// # Safety
/// As [`text_from`].
pub(crate) unsafe fn parse<T: DeserializeOwned>(json: AbiStr, function: &str) -> Result<T, CallError> {
    // SAFETY: the caller's promise.
    let text = unsafe { text_from(json) }
        .map_err(|what| CallError::Contract(format!("the document of {function} {what}")))?;
    let broken = |error: serde_json::Error| {
        CallError::Contract(format!("the document of {function} cannot be read: {error}"))
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(broken)?;
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema == u64::from(SCHEMA) => serde_json::from_value(value).map_err(broken),
        Some(schema) => Err(CallError::Contract(format!(
            "the document of {function} has schema {schema}, this program reads {SCHEMA}"
        ))),
        None => Err(CallError::Contract(format!("the document of {function} has no schema number"))),
    }
}
