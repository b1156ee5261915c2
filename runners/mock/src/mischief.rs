//! Everything a runner should never do, on demand.
#![expect(unsafe_code, reason = "a segmentation fault cannot be had safely")]

use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

/// Where something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Constructor,
    Describe,
    Probe,
    Load,
    Run,
    Output,
    Exit,
}

/// A phase, and in which call of it: `run@3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    phase: Phase,
    call: u64,
}

impl Moment {
    /// This call of this phase, from 1.
    pub(crate) const fn new(phase: Phase, call: u64) -> Self {
        Self { phase, call }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (phase, call) = text.split_once('@').unwrap_or((text, "1"));
        let phase = match phase {
            "constructor" => Phase::Constructor,
            "describe" => Phase::Describe,
            "probe" => Phase::Probe,
            "load" => Phase::Load,
            "run" => Phase::Run,
            "output" => Phase::Output,
            "exit" => Phase::Exit,
            _ => return Err("use constructor, describe, probe, load, run, output or exit".into()),
        };
        let call = call.parse().map_err(|_| format!("\"{call}\" is not a number of a call"))?;
        Ok(Self { phase, call })
    }
}

/// How a crash happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Crash {
    #[default]
    Segfault,
    Abort,
    Exit,
    Panic,
}

impl FromStr for Crash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "segfault" => Self::Segfault,
            "abort" => Self::Abort,
            "exit" => Self::Exit,
            "panic" => Self::Panic,
            _ => return Err("use segfault, abort, exit or panic".into()),
        })
    }
}

/// What goes wrong, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mischief {
    pub(crate) crash: Option<Moment>,
    pub(crate) how: Crash,
    pub(crate) hang: Option<Moment>,
    pub(crate) garbage: Option<Moment>,
    pub(crate) leak_bytes: usize,
}

impl Mischief {
    /// Does what is due in this call of this phase.
    pub(crate) fn strike(&self, phase: Phase, call: u64) {
        let now = Some(Moment::new(phase, call));
        if self.garbage == now {
            write_garbage();
        }
        if self.crash == now {
            crash(self.how);
        }
        if self.hang == now {
            hang();
        }
        if phase == Phase::Run {
            leak(self.leak_bytes);
        }
    }
}

fn crash(how: Crash) {
    match how {
        Crash::Segfault => segfault(),
        Crash::Abort => std::process::abort(),
        Crash::Exit => std::process::exit(3),
        #[expect(clippy::panic, reason = "the test double must be able to")]
        Crash::Panic => panic!("the mock was told to panic"),
    }
}

/// Reads an address that no process has.
fn segfault() {
    // SAFETY: not safe, which is the purpose: the process ends here.
    let byte = unsafe { std::ptr::with_exposed_provenance::<u8>(8).read_volatile() };
    std::hint::black_box(byte);
}

fn hang() {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Takes memory, touches it and never gives it back.
fn leak(bytes: usize) {
    std::mem::forget(std::hint::black_box(vec![1_u8; bytes]));
}

/// Prints to standard output, and writes to whatever sockets it finds: nothing a runner has opened itself.
fn write_garbage() {
    const GARBAGE: &[u8] = b"progress: 42% of the way to somewhere that nobody asked about\n";
    let _ = std::io::stdout().write_all(GARBAGE);
    for entry in std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        let socket =
            std::fs::read_link(entry.path()).is_ok_and(|link| link.to_string_lossy().starts_with("socket:"));
        let number = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        if let (true, Some(number)) = (socket, number) {
            write_to_foreign(number, GARBAGE);
        }
    }
}

fn write_to_foreign(number: i32, bytes: &[u8]) {
    use std::os::fd::FromRawFd;
    // SAFETY: the descriptor is open, and it is not closed here; that it is somebody else's is the purpose.
    let mut file = std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(number) });
    let _ = file.write_all(bytes);
}

/// Crashes if `CONVWISE_MOCK` says `crash=constructor`. Called while the library is loaded.
pub fn crash_in_constructor_if_told() {
    let told = std::env::var("CONVWISE_MOCK").unwrap_or_default();
    if told.split(';').any(|option| option == "crash=constructor") {
        segfault();
    }
}
