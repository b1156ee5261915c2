//! The worker's side: reads requests, calls the runner, answers. One thread, one runner, at most one session.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use convwise_sdk::{RunnerError, RunnerTable, TensorView};

use crate::fill::fill_tensor;
use crate::library::{self, LibraryError};
use crate::protocol::{Answer, CHANNEL_VARIABLE, Failure, Loaded, Reply, Request, receive, send};
use crate::session::RunningSession;
use crate::spec::RunnerSource;
use crate::table::{CallError, Table};
use crate::trial::{self, Descriptors, Observation, Trial};
use crate::usage::UsageMeter;

/// A runner that is linked into the worker's program.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The runner's name.
    pub name: &'static str,
    /// Its table.
    pub table: fn() -> &'static RunnerTable,
}

/// Serves the host that started this process until it asks for the end or goes away, then ends the process without
/// running exit handlers: backends crash in theirs. Call it first thing in the hidden worker command.
pub fn run_worker(builtins: &[Builtin]) -> ! {
    let status = match take_channel() {
        Ok(channel) => {
            serve(channel, builtins);
            0
        }
        Err(error) => {
            let _ = io::Write::write_fmt(
                &mut io::stderr(),
                format_args!("this command is for convwise itself, which starts it with a socket: {error}\n"),
            );
            2
        }
    };
    // SAFETY: nothing of this process is needed any more; what was answered is in the socket.
    #[expect(unsafe_code, reason = "ending without exit handlers has no safe wrapper")]
    unsafe {
        libc::_exit(status)
    }
}

/// Takes the socket that the host passed and keeps it out of the runner's way: its number is not in the environment,
/// it is not inherited, and what is printed to standard output goes to standard error.
fn take_channel() -> io::Result<UnixStream> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("{CHANNEL_VARIABLE} is not set"));
    let number =
        std::env::var(CHANNEL_VARIABLE).ok().and_then(|text| text.parse().ok()).ok_or_else(missing)?;
    if number <= 2 {
        return Err(missing());
    }
    // SAFETY: the host passed this descriptor for us alone; if the number is wrong, the calls below fail. No other
    // thread reads the environment: this is the first thing the process does.
    #[expect(unsafe_code, reason = "a descriptor number is all that an exec can pass on")]
    let owned = unsafe {
        std::env::remove_var(CHANNEL_VARIABLE);
        OwnedFd::from_raw_fd(number)
    };
    rustix::io::fcntl_setfd(owned.as_fd(), rustix::io::FdFlags::CLOEXEC)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    let channel = UnixStream::from(owned);
    channel.peer_addr()?;
    Ok(channel)
}

fn serve(mut channel: UnixStream, builtins: &[Builtin]) {
    let descriptors = Descriptors::now(channel.as_raw_fd());
    let mut worker =
        State { builtins, descriptors, table: None, session: None, meter: UsageMeter::default() };
    // An end of file is the host's end: then there is nobody to tell.
    while let Ok((request, payload)) = receive::<Request>(&mut channel) {
        let last = matches!(request, Request::Close);
        let (reply, payload) = match worker.answer(request, &payload) {
            Ok((answer, payload)) => (Reply::Done(answer), payload),
            Err(failure) => (Reply::Failed(failure), Vec::new()),
        };
        if send(&mut channel, &reply, &payload).is_err() || last {
            return;
        }
    }
}

/// What the worker has.
struct State<'a> {
    builtins: &'a [Builtin],
    descriptors: Descriptors,
    table: Option<Table>,
    session: Option<RunningSession>,
    meter: UsageMeter,
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Runner(error) => Self::Runner(error),
            CallError::Contract(what) => Self::Contract(what),
        }
    }
}

impl From<LibraryError> for Failure {
    fn from(error: LibraryError) -> Self {
        Self::Library(error)
    }
}

type Answered = Result<(Answer, Vec<u8>), Failure>;

fn plain(answer: Answer) -> Answered {
    Ok((answer, Vec::new()))
}

impl State<'_> {
    fn answer(&mut self, request: Request, payload: &[u8]) -> Answered {
        match request {
            Request::Open { source } => self.open(&source),
            Request::Describe => plain(Answer::Description(self.table()?.describe()?)),
            Request::Probe { options } => plain(Answer::Probe(self.table()?.probe(&options)?)),
            Request::Load { path, options } => self.load(&path, &options),
            Request::Io => plain(Answer::Io(self.session()?.io()?)),
            Request::SetInput { index, dtype, shape } => {
                let tensor = TensorView::new(dtype, &shape, payload)
                    .map_err(|error| Failure::Runner(RunnerError::from(error)))?;
                self.session()?.set_input(index, &tensor)?;
                plain(Answer::Done)
            }
            Request::FillInput { index, dtype, shape, seed } => {
                let tensor = fill_tensor(dtype, &shape, seed)
                    .map_err(|error| Failure::Runner(RunnerError::from(error)))?;
                self.session()?.set_input(index, &tensor.view())?;
                plain(Answer::Done)
            }
            Request::Run { count, budget_ns } => self.run(count, budget_ns),
            Request::Output { index } => self.output(index),
            Request::CheckOutputs => plain(Answer::Checks(self.session()?.check_outputs()?)),
            Request::Profile { runs } => plain(Answer::Profile(self.session()?.profile(runs)?)),
            Request::Usage => plain(Answer::Usage(self.meter.read())),
            Request::Try { trial } => plain(Answer::Observed(self.try_out(trial)?)),
            Request::Release | Request::Close => {
                self.session = None;
                plain(Answer::Done)
            }
        }
    }

    fn open(&mut self, source: &RunnerSource) -> Answered {
        self.table = Some(match source {
            RunnerSource::Library { path, digest } => library::open(path, digest.as_deref())?,
            RunnerSource::Builtin { name } => {
                let builtin = self.builtins.iter().find(|builtin| builtin.name == name);
                let builtin = builtin.ok_or_else(|| LibraryError::UnknownBuiltin { name: name.clone() })?;
                Table::new((builtin.table)())?
            }
        });
        plain(Answer::Done)
    }

    fn load(
        &mut self,
        path: &std::path::Path,
        options: &std::collections::BTreeMap<String, String>,
    ) -> Answered {
        self.session = None;
        let table = *self.table()?;
        let before = Instant::now();
        let session = table.load(path, options)?;
        let elapsed = u64::try_from(before.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.meter.loading_is_done();
        let nanos = session.load_ns()?.unwrap_or(elapsed);
        let io = session.io()?;
        self.session = Some(session);
        plain(Answer::Loaded(Loaded { nanos, io }))
    }

    fn run(&mut self, count: usize, budget_ns: u64) -> Answered {
        let times = self.session()?.run(count, budget_ns)?;
        let payload = times.nanos.iter().flat_map(|ns| ns.to_le_bytes()).collect();
        Ok((Answer::Times { own_clock: times.own_clock }, payload))
    }

    fn output(&mut self, index: usize) -> Answered {
        let session = self.session()?;
        let io = session.io()?;
        let promised = io.outputs.get(index).ok_or_else(|| {
            Failure::Runner(RunnerError::invalid(format!(
                "there is no output {index}; the model has {}",
                io.outputs.len()
            )))
        })?;
        let view = session.output(index, promised)?;
        Ok((Answer::Tensor { dtype: view.dtype(), shape: view.shape() }, view.data().to_vec()))
    }

    fn try_out(&mut self, trial: Trial) -> Result<Observation, Failure> {
        Ok(match trial {
            Trial::Greet { source, host } => Observation::Greeting(trial::greet(&source, host)?),
            Trial::Describe => Observation::Started(trial::describe_quietly(self.table()?)?),
            Trial::Extensions => Observation::Extensions(self.table()?.try_extensions()?),
            Trial::Errors { missing, count } => self.provoke(&missing, count)?,
            Trial::Together { model, options, runs } => {
                Observation::Together(trial::together(self.table()?, &model, &options, runs)?)
            }
            Trial::Promptness { runs } => Observation::Promptness(self.session()?.promptness(runs)?),
            Trial::Descriptors => Observation::Descriptors(self.descriptors.changed()),
        })
    }

    /// Errors on purpose: every one is taken and given back.
    fn provoke(&mut self, missing: &std::path::Path, count: usize) -> Result<Observation, Failure> {
        let table = *self.table()?;
        table.give_back_nothing();
        let resident_after = |times: usize| {
            for _ in 0..times {
                if table.load(missing, &std::collections::BTreeMap::new()).is_ok() {
                    return Err(Failure::Contract("it loaded a file that is not there".into()));
                }
            }
            Ok(self.meter.read().rss_bytes)
        };
        Ok(Observation::Growth { before: resident_after(count / 10)?, after: resident_after(count)? })
    }

    fn table(&self) -> Result<&Table, Failure> {
        self.table
            .as_ref()
            .ok_or_else(|| Failure::Contract("the host asked before it opened a runner".into()))
    }

    fn session(&mut self) -> Result<&mut RunningSession, Failure> {
        self.session.as_mut().ok_or_else(|| Failure::Runner(RunnerError::state("load a model first")))
    }
}
