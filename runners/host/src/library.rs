//! Opening a runner's shared library: checks before it is loaded, loads it once and for ever, asks for its table.
//!
//! Runs in the worker process only: a library's constructors are foreign code.
#![expect(unsafe_code, reason = "loading a library runs its constructors")]

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use convwise_abi::{
    ABI_MAJOR, ABI_MINOR, AbiStr, ENTRY_SYMBOL, EntryFn, HostServices, RunnerTable, log_level,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use serde::{Deserialize, Serialize};

use crate::spec::NEEDS_VARIABLE;
use crate::table::Table;
use crate::trust::{self, file_digest};

/// Why a runner's library cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LibraryError {
    /// There is no such file.
    #[error("its library {} is missing; install it there, or correct `library` in its manifest", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Everybody may change it.
    #[error("its library is not trusted: {reason}")]
    Untrusted {
        /// What is open to everybody, and the command that closes it.
        reason: String,
    },
    /// It is not the file that the manifest pins.
    #[error("its library {} has changed: the manifest pins {expected}, the file has {found}; install it again or, if you trust it as it is, write the new digest into the manifest: sha256 = \"{found}\"", path.display())]
    Digest {
        /// The library.
        path: PathBuf,
        /// The pinned SHA-256.
        expected: String,
        /// The SHA-256 of the file.
        found: String,
    },
    /// It is made for another kind of machine.
    #[error("its library {} is made for {found}, this program for {wanted}; install the build for this machine", path.display())]
    Architecture {
        /// The library.
        path: PathBuf,
        /// What this program is made for.
        wanted: String,
        /// What the library is made for.
        found: String,
    },
    /// The system's loader refused it.
    #[error("its library {} cannot be loaded: {reason}", path.display())]
    Load {
        /// The library.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// It is a library, but not a runner.
    #[error("{} is not a runner: it does not export {ENTRY_SYMBOL}", path.display())]
    MissingSymbol {
        /// The library.
        path: PathBuf,
    },
    /// It speaks another major version of the ABI.
    #[error(
        "it speaks {found} of the runner ABI, this program version {wanted}; get a runner built for version {wanted}"
    )]
    AbiVersion {
        /// The runner's major version, or nothing if the runner refused this program's.
        found: AbiMajor,
        /// This program's major version.
        wanted: u32,
    },
    /// Its table is shorter than its version demands.
    #[error(
        "its table has {found} bytes where version {ABI_MAJOR}.0 of the runner ABI has {wanted}; rebuild it with the current header"
    )]
    ShortTable {
        /// What the runner says.
        found: usize,
        /// What version 1.0 has.
        wanted: usize,
    },
    /// A function that every runner must have is null.
    #[error("its table lacks the function {function}")]
    MissingFunction {
        /// Which.
        function: String,
    },
    /// The program has no built-in runner of this name.
    #[error("this program has no built-in runner {name}")]
    UnknownBuiltin {
        /// The name.
        name: String,
    },
}

/// A major version that a runner reported; a runner that refuses the host reports none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbiMajor(pub Option<u32>);

impl std::fmt::Display for AbiMajor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(major) => write!(f, "version {major}"),
            None => f.write_str("another version"),
        }
    }
}

impl LibraryError {
    /// A short kebab-case name for records, stable across versions.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing-library",
            Self::Untrusted { .. } => "untrusted-library",
            Self::Digest { .. } => "stale-digest",
            Self::Architecture { .. } => "wrong-architecture",
            Self::Load { .. } => "load-failed",
            Self::MissingSymbol { .. } => "not-a-runner",
            Self::AbiVersion { .. } => "abi-version",
            Self::ShortTable { .. } => "short-table",
            Self::MissingFunction { .. } => "missing-function",
            Self::UnknownBuiltin { .. } => "unknown-builtin",
        }
    }
}

/// Opens the library at `path` and returns its table. The library stays loaded until the process ends: unloading a
/// library that may own threads and thread-local data is never sound.
pub(crate) fn open(path: &Path, digest: Option<&str>) -> Result<Table, LibraryError> {
    let entry = entry(path, digest)?;
    // SAFETY: the services are a static, and the entry is called once, before anything else.
    let table = unsafe { entry(&SERVICES) };
    // SAFETY: a runner returns null or its table, which stays valid.
    unsafe { check_table(table) }
}

/// Loads the library at `path` for ever and finds its entry.
pub(crate) fn entry(path: &Path, digest: Option<&str>) -> Result<EntryFn, LibraryError> {
    let real = check_before_loading(path, digest)?;
    // SAFETY: loading runs foreign constructors; that is what this process is for, and nothing else is in it.
    let library = unsafe { Library::open(Some(real), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| LibraryError::Load { path: path.into(), reason: reason(&error) })?;
    let library: &'static Library = Box::leak(Box::new(library));
    // SAFETY: the symbol's type is the contract of its name.
    let entry: Symbol<EntryFn> = unsafe { library.get(ENTRY_SYMBOL.as_bytes()) }
        .map_err(|_| LibraryError::MissingSymbol { path: path.into() })?;
    Ok(*entry)
}

/// Checks a table that a library returned.
///
/// # Safety
/// `table` is null or points to at least `struct_size` readable bytes for the rest of the process.
pub(crate) unsafe fn check_table(table: *const RunnerTable) -> Result<Table, LibraryError> {
    if table.is_null() {
        return Err(LibraryError::AbiVersion { found: AbiMajor(None), wanted: ABI_MAJOR });
    }
    // SAFETY: these three fields open the table in every version.
    let (size, major) =
        unsafe { ((&raw const (*table).struct_size).read(), (&raw const (*table).major).read()) };
    if major != ABI_MAJOR {
        return Err(LibraryError::AbiVersion { found: AbiMajor(Some(major)), wanted: ABI_MAJOR });
    }
    if size < convwise_abi::TABLE_SIZE_1_0 {
        return Err(LibraryError::ShortTable { found: size, wanted: convwise_abi::TABLE_SIZE_1_0 });
    }
    // SAFETY: the table covers every field we read.
    Table::new(&unsafe { table.read() })
}

/// The file behind all links: what is checked is what is loaded.
fn check_before_loading(path: &Path, digest: Option<&str>) -> Result<PathBuf, LibraryError> {
    if !path.is_file() {
        return Err(LibraryError::Missing { path: path.into() });
    }
    let real = trust::check(path).map_err(|reason| LibraryError::Untrusted { reason })?;
    if let Some(expected) = digest {
        check_digest(path, expected)?;
    }
    match foreign_machine(path) {
        Ok(Some((wanted, found))) => Err(LibraryError::Architecture { path: path.into(), wanted, found }),
        Ok(None) => Ok(real),
        Err(error) => Err(LibraryError::Load { path: path.into(), reason: error.to_string() }),
    }
}

pub(crate) fn check_digest(path: &Path, expected: &str) -> Result<(), LibraryError> {
    let found = file_digest(path)
        .map_err(|error| LibraryError::Load { path: path.into(), reason: error.to_string() })?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(LibraryError::Digest { path: path.into(), expected: expected.into(), found })
}

/// This program's machine and that of an ELF file, where they differ. Other formats are left to the loader.
fn foreign_machine(path: &Path) -> io::Result<Option<(String, String)>> {
    let (own, file) = (elf_machine(&std::env::current_exe()?)?, elf_machine(path)?);
    Ok(match (own, file) {
        (Some(own), Some(file)) if own != file => Some((machine_name(own), machine_name(file))),
        _ => None,
    })
}

/// Bits and machine number from an ELF header.
fn elf_machine(path: &Path) -> io::Result<Option<(u8, u16)>> {
    let mut head = Vec::new();
    File::open(path)?.take(20).read_to_end(&mut head)?;
    Ok(match head.as_slice() {
        [0x7f, b'E', b'L', b'F', class, 2, .., high, low] => {
            Some((*class, u16::from_be_bytes([*high, *low])))
        }
        [0x7f, b'E', b'L', b'F', class, .., low, high] => Some((*class, u16::from_be_bytes([*high, *low]))),
        _ => None,
    })
}

/// The field's names for ELF machine numbers.
fn machine_name((class, machine): (u8, u16)) -> String {
    let name = match machine {
        3 => "x86",
        40 => "arm",
        62 => "x86-64",
        183 => "aarch64",
        243 => "riscv",
        _ => return format!("machine number {machine}"),
    };
    if class == 1 && machine != 3 { format!("{name} (32 bit)") } else { name.to_owned() }
}

/// The loader's own words stand in the source of its error; what was not found beforehand explains most of them.
fn reason(error: &libloading::Error) -> String {
    let said = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    match std::env::var(NEEDS_VARIABLE) {
        Ok(needs) => format!("{said}; it needs {needs}"),
        Err(_) => said,
    }
}

/// What runners may use of this process.
static SERVICES: HostServices = services();

/// What this program offers.
pub(crate) const fn services() -> HostServices {
    HostServices {
        struct_size: size_of::<HostServices>(),
        major: ABI_MAJOR,
        minor: ABI_MINOR,
        ctx: std::ptr::null_mut(),
        log: Some(log),
    }
}

/// Log lines go to standard error, of which the host keeps the tail.
unsafe extern "C" fn log(_: *mut std::ffi::c_void, level: u32, message: AbiStr) {
    let level = match level {
        log_level::ERROR => "error",
        log_level::WARN => "warning",
        log_level::INFO => "info",
        _ => "debug",
    };
    // SAFETY: the runner passes borrowed text.
    let text = unsafe { crate::table::text_from(message) };
    let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{level}: {}\n", text.unwrap_or_default()));
}
