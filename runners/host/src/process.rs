//! Starting and ending a worker process: its socket, its group, its limits.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal};

use crate::error::Exit;
use crate::protocol::CHANNEL_VARIABLE;
use crate::spec::WorkerSpec;

/// Variables from which thread pools take their size when they start.
const THREAD_VARIABLES: [&str; 6] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
    "RTEN_NUM_THREADS",
];
/// Time between the request to end and the end by force.
const GRACE: Duration = Duration::from_millis(500);

/// Starts the program of `spec` with one end of a socket and returns the other.
pub(crate) fn start(spec: &WorkerSpec) -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.args)
        .envs(&spec.env)
        .env(CHANNEL_VARIABLE, theirs.as_raw_fd().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(threads) = spec.threads {
        command.envs(THREAD_VARIABLES.map(|name| (name, threads.to_string())));
    }
    prepare_child(&mut command, theirs.into(), spec)?;
    Ok((spawn_from_lasting_thread(command)?, ours))
}

/// Sets what must hold in the child before the program starts: nothing of this allocates or locks.
fn prepare_child(command: &mut Command, socket: OwnedFd, spec: &WorkerSpec) -> io::Result<()> {
    let limit = spec.memory_limit;
    let cpus = cpu_set(&spec.affinity)?;
    let parent = rustix::process::getpid();
    let prepare = move || {
        die_with(parent)?;
        rustix::process::setrlimit(Resource::Core, both(0))?;
        if let Some(bytes) = limit {
            rustix::process::setrlimit(Resource::Data, both(bytes))?;
        }
        pin(&cpus)?;
        // Every descriptor is closed on exec; only this one, only in this child, is not.
        rustix::io::fcntl_setfd(socket.as_fd(), rustix::io::FdFlags::empty())?;
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls on values made before: no allocation, no lock.
    #[expect(unsafe_code, reason = "limits must hold before the program starts")]
    unsafe {
        command.pre_exec(prepare);
    }
    Ok(())
}

fn both(limit: u64) -> Rlimit {
    Rlimit { current: Some(limit), maximum: Some(limit) }
}

/// A host that is killed takes its workers along.
#[cfg(target_os = "linux")]
fn die_with(parent: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before the line above; then we have another parent by now.
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_: Pid) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
type CpuSet = Option<rustix::thread::CpuSet>;

#[cfg(target_os = "linux")]
fn cpu_set(cpus: &[usize]) -> io::Result<CpuSet> {
    if cpus.is_empty() {
        return Ok(None);
    }
    let mut set = rustix::thread::CpuSet::new();
    for &cpu in cpus {
        if cpu >= rustix::thread::CpuSet::MAX_CPU {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("there is no CPU {cpu}")));
        }
        set.set(cpu);
    }
    Ok(Some(set))
}

#[cfg(target_os = "linux")]
fn pin(cpus: &CpuSet) -> io::Result<()> {
    match cpus {
        Some(set) => Ok(rustix::thread::sched_setaffinity(None, set)?),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
type CpuSet = ();

#[cfg(not(target_os = "linux"))]
fn cpu_set(cpus: &[usize]) -> io::Result<CpuSet> {
    if cpus.is_empty() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system cannot bind a process to CPUs"))
}

#[cfg(not(target_os = "linux"))]
fn pin((): &CpuSet) -> io::Result<()> {
    Ok(())
}

type SpawnRequest = (Command, Sender<io::Result<Child>>);

/// Spawns from one thread that lives as long as the process: the signal at a parent's death is in truth one at the
/// death of the thread that spawned, and callers may use short-lived threads.
fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<SpawnRequest>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, incoming) = mpsc::channel::<SpawnRequest>();
        std::thread::spawn(move || {
            for (mut command, answer) in incoming {
                let _ = answer.send(command.spawn());
            }
        });
        requests
    });
    let gone = || io::Error::other("the thread that starts workers has ended");
    let (answer, answered) = mpsc::channel();
    spawner.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}

/// Ends the process and everything in its group: asks first, then insists.
pub(crate) fn end(child: &mut Child) {
    signal_group(child, Signal::TERM);
    if wait_until(child, GRACE).is_none() {
        signal_group(child, Signal::KILL);
        let _ = child.wait();
    } else {
        // Its children may be left.
        signal_group(child, Signal::KILL);
    }
}

/// Waits for the process to end by itself.
pub(crate) fn wait_until(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < patience => std::thread::sleep(Duration::from_millis(2)),
            Ok(None) | Err(_) => return None,
        }
    }
}

fn signal_group(child: &Child, signal: Signal) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // A group that is gone already is what we want.
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// How a process ended.
pub(crate) fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    }
}

/// How many processes the kernel has killed for want of memory since it started; 0 where it does not say.
pub(crate) fn kernel_kills() -> u64 {
    let counters = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let count = counters.lines().find_map(|line| line.strip_prefix("oom_kill "));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}
