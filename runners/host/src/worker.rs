//! The host's side of a worker: one call at a time, each with a deadline; whatever goes wrong ends this worker only.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use convwise_sdk::{Description, Dim, ErrorCode, Io, Probe, Profile, RunnerError, Tensor, TensorView};

use crate::error::{Exit, Phase, WorkerError};
use crate::process;
use crate::protocol::{Answer, Failure, Loaded, OutputCheck, Reply, Request, RunTimes, receive, send};
use crate::spec::{Deadlines, WorkerSpec};
use crate::tail::StderrTail;
use crate::trial::{Greeting, Observation, StrangeHost, Trial};
use crate::usage::WorkerUsage;

/// How long a worker that closed its socket has to be gone.
const DYING: Duration = Duration::from_secs(2);

/// A runner in a process of its own. Dropping it ends the process.
///
/// After an error other than [`WorkerError::Refused`] and [`WorkerError::DynamicShape`] the process is gone, and every
/// later call returns [`WorkerError::Ended`].
#[derive(Debug)]
pub struct Worker {
    name: String,
    deadlines: Deadlines,
    memory_limit: Option<u64>,
    child: Child,
    channel: UnixStream,
    tail: StderrTail,
    ended: bool,
    io: Option<Io>,
    /// Processes that the kernel had killed for want of memory when this one started.
    kernel_kills: u64,
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.ended {
            process::end(&mut self.child);
        }
    }
}

impl Worker {
    /// Starts the process and opens the runner in it.
    ///
    /// # Errors
    /// [`WorkerError::Spawn`], [`WorkerError::Library`], and whatever a library's constructor can do.
    pub fn spawn(spec: &WorkerSpec) -> Result<Self, WorkerError> {
        let mut worker = Self::start(spec)?;
        let open = Request::Open { source: spec.runner.clone() };
        worker.call(Phase::Open, &open, spec.deadlines.open)?;
        Ok(worker)
    }

    /// Starts the process and lets its runner meet a host that is not this one. Nothing else can be asked of it.
    ///
    /// # Errors
    /// As [`Worker::spawn`].
    pub fn greeting(spec: &WorkerSpec, host: StrangeHost) -> Result<Greeting, WorkerError> {
        let mut worker = Self::start(spec)?;
        match worker.try_out(Trial::Greet { source: spec.runner.clone(), host })? {
            Observation::Greeting(greeting) => Ok(greeting),
            _ => Err(worker.wrong_answer(Phase::Trial)),
        }
    }

    fn start(spec: &WorkerSpec) -> Result<Self, WorkerError> {
        let failed = |source| WorkerError::Spawn { program: spec.program.clone(), source };
        let (mut child, channel) = process::start(spec).map_err(failed)?;
        let stderr = child.stderr.take().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self {
            name: spec.name.clone(),
            deadlines: spec.deadlines,
            memory_limit: spec.memory_limit,
            child,
            channel,
            tail: StderrTail::follow(stderr),
            ended: false,
            io: None,
            kernel_kills: process::kernel_kills(),
        })
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the runner is.
    ///
    /// # Errors
    /// Any [`WorkerError`]; likewise for every method below.
    pub fn describe(&mut self) -> Result<Description, WorkerError> {
        match self.call(Phase::Describe, &Request::Describe, self.deadlines.describe)? {
            (Answer::Description(description), _) => Ok(description),
            _ => Err(self.wrong_answer(Phase::Describe)),
        }
    }

    /// Can the runner run here, and if not, what is missing?
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn probe(&mut self, options: &BTreeMap<String, String>) -> Result<Probe, WorkerError> {
        let request = Request::Probe { options: options.clone() };
        match self.call(Phase::Probe, &request, self.deadlines.probe)? {
            (Answer::Probe(probe), _) => Ok(probe),
            _ => Err(self.wrong_answer(Phase::Probe)),
        }
    }

    /// Loads a model; an earlier one is released first. Memory used from here on is reported apart from loading.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn load(&mut self, model: &Path, options: &BTreeMap<String, String>) -> Result<Loaded, WorkerError> {
        let path = std::path::absolute(model).unwrap_or_else(|_| model.to_owned());
        let request = Request::Load { path, options: options.clone() };
        self.io = None;
        match self.call(Phase::Load, &request, self.deadlines.load)? {
            (Answer::Loaded(loaded), _) => {
                self.io = Some(loaded.io.clone());
                Ok(loaded)
            }
            _ => Err(self.wrong_answer(Phase::Load)),
        }
    }

    /// The loaded model's inputs and outputs.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn io(&mut self) -> Result<Io, WorkerError> {
        if let Some(io) = &self.io {
            return Ok(io.clone());
        }
        match self.call(Phase::Io, &Request::Io, self.deadlines.other)? {
            (Answer::Io(io), _) => Ok(io),
            _ => Err(self.wrong_answer(Phase::Io)),
        }
    }

    /// Sets one input.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn set_input(&mut self, index: usize, tensor: &TensorView<'_>) -> Result<(), WorkerError> {
        let request = Request::SetInput { index, dtype: tensor.dtype(), shape: tensor.shape() };
        self.exchange(Phase::SetInput, &request, tensor.data(), self.deadlines.other).map(|_| ())
    }

    /// Sets one input to the deterministic data of [`crate::fill_tensor`], made in the worker.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn fill_input(
        &mut self,
        index: usize,
        dtype: convwise_sdk::DType,
        shape: &[usize],
        seed: u64,
    ) -> Result<(), WorkerError> {
        let request = Request::FillInput { index, dtype, shape: shape.to_vec(), seed };
        self.call(Phase::SetInput, &request, self.deadlines.other).map(|_| ())
    }

    /// Sets every input to deterministic data, with `batch` as the first dimension.
    ///
    /// # Errors
    /// [`WorkerError::DynamicShape`] where the model fixes another batch or leaves another dimension open.
    pub fn fill_inputs(&mut self, batch: usize, seed: u64) -> Result<(), WorkerError> {
        for (index, input) in self.io()?.inputs.iter().enumerate() {
            let shape = input.shape_for_batch(batch).map_err(|axis| WorkerError::DynamicShape {
                input: input.name.clone(),
                axis,
                fixed: match input.shape.get(axis) {
                    Some(Dim::Fixed(size)) => Some(*size),
                    _ => None,
                },
            })?;
            self.fill_input(index, input.dtype, &shape, seed)?;
        }
        Ok(())
    }

    /// Runs the model `count` times on the inputs that are set and returns the nanoseconds of each run, taken in the
    /// worker right around the runner's call. All runs together have the deadline of `count` single runs.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn run(&mut self, count: usize) -> Result<RunTimes, WorkerError> {
        let runs = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        self.run_with(count, u64::MAX, self.deadlines.run.saturating_mul(runs))
    }

    /// As [`Worker::run`], but stops after the run with which the runs took `budget` together: at least one run, at most
    /// `count`.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn run_within(&mut self, count: usize, budget: Duration) -> Result<RunTimes, WorkerError> {
        let budget_ns = u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX);
        self.run_with(count, budget_ns, budget.saturating_add(self.deadlines.run))
    }

    fn run_with(
        &mut self,
        count: usize,
        budget_ns: u64,
        deadline: Duration,
    ) -> Result<RunTimes, WorkerError> {
        match self.call(Phase::Run, &Request::Run { count, budget_ns }, deadline)? {
            (Answer::Times { own_clock }, samples) if samples.len() % 8 == 0 => {
                let nanos =
                    samples.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
                Ok(RunTimes { nanos, own_clock })
            }
            _ => Err(self.wrong_answer(Phase::Run)),
        }
    }

    /// One output of the last run.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn output(&mut self, index: usize) -> Result<Tensor, WorkerError> {
        match self.call(Phase::Output, &Request::Output { index }, self.deadlines.other)? {
            (Answer::Tensor { dtype, shape }, data) => Tensor::new(dtype, shape, data)
                .map_err(|error| self.protocol_error(Phase::Output, error.to_string())),
            _ => Err(self.wrong_answer(Phase::Output)),
        }
    }

    /// Whether the outputs of the last run are numbers, and in what range.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn check_outputs(&mut self) -> Result<Vec<OutputCheck>, WorkerError> {
        match self.call(Phase::Output, &Request::CheckOutputs, self.deadlines.other)? {
            (Answer::Checks(checks), _) => Ok(checks),
            _ => Err(self.wrong_answer(Phase::Output)),
        }
    }

    /// Where the time of a run goes, as medians of `runs` runs under the engine's own profiler; these runs are never
    /// mixed with those of [`Worker::run`].
    ///
    /// # Errors
    /// As [`Worker::describe`]; [`WorkerError::Refused`] where the runner has no profiler.
    pub fn profile(&mut self, runs: u32) -> Result<Profile, WorkerError> {
        // Loads the model again before it runs.
        let deadline = self.deadlines.load.saturating_add(self.deadlines.run.saturating_mul(runs.max(1)));
        match self.call(Phase::Profile, &Request::Profile { runs }, deadline)? {
            (Answer::Profile(profile), _) => Ok(profile),
            _ => Err(self.wrong_answer(Phase::Profile)),
        }
    }

    /// What the process has used so far.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn usage(&mut self) -> Result<WorkerUsage, WorkerError> {
        match self.call(Phase::Usage, &Request::Usage, self.deadlines.other)? {
            (Answer::Usage(usage), _) => Ok(usage),
            _ => Err(self.wrong_answer(Phase::Usage)),
        }
    }

    /// Tries something out that only the worker can see; for the conformance suite.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn try_out(&mut self, trial: Trial) -> Result<Observation, WorkerError> {
        let deadline = self.deadlines.load.saturating_add(self.deadlines.run);
        match self.call(Phase::Trial, &Request::Try { trial }, deadline)? {
            (Answer::Observed(observation), _) => Ok(observation),
            _ => Err(self.wrong_answer(Phase::Trial)),
        }
    }

    /// Releases the loaded model; the worker stays and can load another.
    ///
    /// # Errors
    /// As [`Worker::describe`].
    pub fn release(&mut self) -> Result<(), WorkerError> {
        self.io = None;
        self.call(Phase::Release, &Request::Release, self.deadlines.other).map(|_| ())
    }

    /// Releases the model and ends the process in order.
    ///
    /// # Errors
    /// As [`Worker::describe`]: a runner may crash in its last function.
    pub fn close(mut self) -> Result<(), WorkerError> {
        self.call(Phase::Release, &Request::Close, self.deadlines.other)?;
        let status = process::wait_until(&mut self.child, DYING);
        // In every case: whatever it started goes with it.
        process::end(&mut self.child);
        self.ended = true;
        match status.map(process::exit_of) {
            Some(Exit::Code(0)) => Ok(()),
            Some(exit) => Err(self.crashed(Phase::Release, exit)),
            None => Err(self.hung(Phase::Release, DYING)),
        }
    }

    fn call(
        &mut self,
        phase: Phase,
        request: &Request,
        deadline: Duration,
    ) -> Result<(Answer, Vec<u8>), WorkerError> {
        self.exchange(phase, request, &[], deadline)
    }

    fn exchange(
        &mut self,
        phase: Phase,
        request: &Request,
        payload: &[u8],
        deadline: Duration,
    ) -> Result<(Answer, Vec<u8>), WorkerError> {
        if self.ended {
            return Err(WorkerError::Ended { runner: self.name.clone() });
        }
        let mut channel = Timed { channel: &self.channel, start: Instant::now(), limit: deadline };
        let answered = send(&mut channel, request, payload).and_then(|()| receive::<Reply>(&mut channel));
        match answered {
            Ok((Reply::Done(answer), payload)) => Ok((answer, payload)),
            Ok((Reply::Failed(Failure::Runner(error)), _)) => Err(self.refused(phase, error)),
            Ok((Reply::Failed(Failure::Library(source)), _)) => {
                self.end();
                Err(WorkerError::Library { runner: self.name.clone(), source })
            }
            Ok((Reply::Failed(Failure::Contract(what)), _)) => Err(self.protocol_error(phase, what)),
            Err(error) => Err(self.broken_off(phase, &error, deadline)),
        }
    }

    /// What it means that no reply came.
    fn broken_off(&mut self, phase: Phase, error: &io::Error, deadline: Duration) -> WorkerError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                self.end();
                self.hung(phase, deadline)
            }
            io::ErrorKind::InvalidData => {
                self.protocol_error(phase, format!("something that is no reply came from it: {error}"))
            }
            _ => {
                let status = process::wait_until(&mut self.child, DYING);
                self.end();
                match status {
                    Some(status) => self.crashed(phase, process::exit_of(status)),
                    None => self.protocol_error(phase, format!("it closed its socket: {error}")),
                }
            }
        }
    }

    fn end(&mut self) {
        if !self.ended {
            process::end(&mut self.child);
            self.ended = true;
        }
    }

    fn refused(&mut self, phase: Phase, error: RunnerError) -> WorkerError {
        let runner = self.name.clone();
        if error.code == ErrorCode::OutOfMemory {
            let limit = self.memory_limit;
            return WorkerError::OutOfMemory { runner, phase, limit, stderr_tail: error.message };
        }
        WorkerError::Refused { runner, phase, code: error.code, message: error.message }
    }

    fn hung(&self, phase: Phase, after: Duration) -> WorkerError {
        WorkerError::Hung { runner: self.name.clone(), phase, after, stderr_tail: self.tail.text() }
    }

    fn crashed(&self, phase: Phase, exit: Exit) -> WorkerError {
        let (runner, stderr_tail) = (self.name.clone(), self.tail.text());
        if died_of_memory(exit, &stderr_tail, process::kernel_kills() > self.kernel_kills) {
            return WorkerError::OutOfMemory { runner, phase, limit: self.memory_limit, stderr_tail };
        }
        WorkerError::Crashed { runner, phase, exit, stderr_tail }
    }

    fn wrong_answer(&mut self, phase: Phase) -> WorkerError {
        self.protocol_error(phase, "the reply does not belong to the request".into())
    }

    fn protocol_error(&mut self, phase: Phase, what: String) -> WorkerError {
        self.end();
        WorkerError::Protocol { runner: self.name.clone(), phase, what }
    }
}

/// Whether a process that ended unasked had no memory left: the kernel kills it outright and counts that, and language
/// runtimes abort with one of these sentences.
fn died_of_memory(exit: Exit, last_words: &str, kernel_has_killed: bool) -> bool {
    const SENTENCES: [&str; 4] =
        ["memory allocation of", "bad_alloc", "annot allocate memory", "out of memory"];
    match exit {
        Exit::Signal(libc::SIGKILL) => kernel_has_killed,
        Exit::Signal(_) => SENTENCES.iter().any(|sentence| last_words.contains(sentence)),
        Exit::Code(_) | Exit::Unknown => false,
    }
}

/// A socket on which all reading and writing together has a deadline.
struct Timed<'a> {
    channel: &'a UnixStream,
    start: Instant,
    limit: Duration,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.limit.checked_sub(self.start.elapsed()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.channel.set_read_timeout(self.left()?)?;
        self.channel.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.channel.set_write_timeout(self.left()?)?;
        self.channel.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.channel.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_memory_is_told_from_other_ends() {
        let killed = Exit::Signal(libc::SIGKILL);
        let aborted = Exit::Signal(libc::SIGABRT);
        assert!(died_of_memory(killed, "", true));
        assert!(!died_of_memory(killed, "", false), "somebody's kill -9");
        assert!(died_of_memory(aborted, "terminate called after throwing 'std::bad_alloc'", false));
        assert!(!died_of_memory(aborted, "assertion failed", true));
        assert!(!died_of_memory(Exit::Code(1), "out of memory", false));
    }
}
