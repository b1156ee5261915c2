//! Calls the user's pip and understands what it says.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::error::InstallError;
use crate::pins::Wheel;
use crate::unfinished::Unfinished;
use crate::wheel::Watch;

/// The variable with a command for pip, when the usual ones will not do.
const VARIABLE: &str = "CONVWISE_PIP";

/// The first version of pip that goes on where a broken connection left a download.
const RESUMES: (u32, u32) = (25, 1);

/// How often to look how far it is.
const POLL: Duration = Duration::from_millis(50);

/// A command that starts pip: program and first arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    words: Vec<OsString>,
}

/// A pip that answered.
#[derive(Clone, Debug)]
pub(crate) struct Pip {
    client: Client,
    version: (u32, u32),
}

impl Client {
    /// A command of blank-separated words.
    pub(crate) fn of(command: &str) -> Self {
        Self { words: command.split_whitespace().map(OsString::from).collect() }
    }

    /// Commands to try: the user's, else the usual ones.
    pub(crate) fn usual() -> Vec<Self> {
        match std::env::var(VARIABLE) {
            Ok(command) if !command.trim().is_empty() => vec![Self::of(&command)],
            _ => ["python3 -m pip", "pip3", "python -m pip", "pip"].map(Self::of).to_vec(),
        }
    }

    /// The first of `candidates` that answers.
    pub(crate) fn find(candidates: &[Self]) -> Result<Pip, InstallError> {
        let answer = |client: &Self| Some(Pip { version: client.version()?, client: client.clone() });
        candidates.iter().find_map(answer).ok_or_else(|| InstallError::NoClient {
            tried: candidates
                .iter()
                .map(|client| format!("`{}`", client.text()))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    fn text(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    fn command(&self) -> Option<Command> {
        let (program, first) = self.words.split_first()?;
        let mut command = Command::new(program);
        command.args(first).stdin(Stdio::null());
        Some(command)
    }

    /// Its version, if it answers: `pip 25.1 from ...`.
    fn version(&self) -> Option<(u32, u32)> {
        let output = self.command()?.arg("--version").stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = text.split_whitespace().nth(1).unwrap_or_default().split('.');
        let mut number = || numbers.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        output.status.success().then(|| (number(), number()))
    }
}

impl Pip {
    /// Downloads exactly this wheel into the folder for packages. The index is the one that the user has configured.
    /// `watch` is told how much there is so far.
    pub(crate) fn download(
        &self,
        wheel: &Wheel,
        unfinished: &Unfinished<'_>,
        watch: Watch<'_>,
    ) -> Result<(), InstallError> {
        let failed = |status: String| InstallError::Client { status, said: String::new() };
        let mut command = self.client.command().ok_or_else(|| failed("no command".into()))?;
        let log = unfinished.packages().join("pip.log");
        let opened = File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (said, complained) = opened.map_err(|error| InstallError::io(&log, error))?;
        command.args(self.arguments(wheel)).arg("--dest").arg(unfinished.packages());
        command.arg(format!("{}=={}", wheel.package, wheel.version));
        command.env("TMPDIR", unfinished.temporary()).stdout(said).stderr(complained);
        let mut running = Running::start(&mut command).map_err(|error| failed(error.to_string()))?;
        let status = loop {
            if let Some(status) = running.ended().map_err(|error| failed(error.to_string()))? {
                break status;
            }
            watch(size_of(&unfinished.temporary()).min(wheel.bytes))?;
            thread::sleep(POLL);
        };
        if status.success() {
            return Ok(());
        }
        let said = fs::read(&log).unwrap_or_default();
        let wanted = format!("{} {} ({})", wheel.package, wheel.version, wheel.name);
        Err(explain(&String::from_utf8_lossy(&said), &wanted, status.to_string(), unfinished.packages()))
    }

    fn arguments(&self, wheel: &Wheel) -> Vec<String> {
        const FIXED: [&str; 5] =
            ["download", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"];
        let mut arguments: Vec<String> = FIXED.map(Into::into).to_vec();
        if self.version >= RESUMES {
            arguments.extend(["--resume-retries", "5"].map(Into::into));
        }
        let Some(tags) = wheel.tags() else { return arguments };
        let mut pair = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
        tags.platforms.iter().for_each(|platform| pair("--platform", platform));
        // A wheel for every Python 3 is found under any.
        pair(
            "--python-version",
            &tags.python.strip_prefix("cp3").map_or("3.12".into(), |n| format!("3.{n}")),
        );
        pair("--implementation", "cp");
        pair("--abi", tags.abi);
        arguments
    }
}

/// A process with everything that it starts, and whether all that has ended; ended when dropped.
struct Running(Child, bool);

impl Running {
    /// In a group of its own, so that all of it can be ended, and Ctrl-C comes to us alone.
    fn start(command: &mut Command) -> io::Result<Self> {
        command.process_group(0).spawn().map(|child| Self(child, false))
    }

    /// How it ended, if it has.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let Some(pid) = self.pid() else { return self.0.try_wait() };
        let looking = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if waitid(WaitId::Pid(pid), looking)?.is_none() {
            return Ok(None);
        }
        self.end().map(Some)
    }

    /// Ends it and all that is left of what it started. It is not waited for before, so that the group's number is still
    /// its own.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(group) = self.pid().filter(|_| !self.1) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.1 = true;
        self.0.wait()
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.0.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Bytes of all files below a folder that others write to.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => size_of(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// What pip's words mean. It reports an index that cannot be reached as a version that cannot be found, so the network
/// is looked for first.
fn explain(said: &str, wanted: &str, status: String, folder: &Path) -> InstallError {
    const NETWORK: [&str; 7] = [
        "NewConnectionError",
        "ConnectTimeout",
        "ReadTimeout",
        "Temporary failure in name resolution",
        "Name or service not known",
        "Max retries exceeded",
        "Connection refused",
    ];
    let mentions = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let tail = tail(said);
    if mentions(&["No space left on device", "Disk quota exceeded"]) {
        InstallError::DiskFull { path: folder.to_owned() }
    } else if mentions(&NETWORK) {
        InstallError::NoNetwork { said: tail }
    } else if mentions(&["No matching distribution", "Could not find a version"]) {
        InstallError::NotOffered { wanted: wanted.to_owned(), said: tail }
    } else {
        InstallError::Client { status, said: tail }
    }
}

/// The last lines that say something.
fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(4)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &str, expect: &str) {
        let error =
            explain(said, "thing 1.0 for linux/x86_64", "exit status: 1".into(), Path::new("/home/x"));
        assert_eq!(error.to_string(), expect);
    }

    #[test]
    fn what_pip_says_is_understood() {
        check(
            "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)'\n\
             ERROR: No matching distribution found for thing==1.0\n",
            "pip could not reach a package index; check the network and pip's own configuration (`pip config list`), \
             then run the same command again\n  \
             pip: WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)'\n  \
             pip: ERROR: No matching distribution found for thing==1.0",
        );
        check(
            "ERROR: No matching distribution found for thing==1.0\n",
            "the package index that pip uses has no thing 1.0 for linux/x86_64; `pip config list` shows which index that \
             is\n  pip: ERROR: No matching distribution found for thing==1.0",
        );
        check(
            "OSError: [Errno 28] No space left on device",
            "the disk of /home/x is full; free some room, or set CONVWISE_HOME to a folder on another disk",
        );
        check("boom\n\n", "pip failed (exit status: 1)\n  pip: boom");
    }

    #[test]
    fn without_pip_the_commands_tried_are_named() {
        let nothing = [Client::of("/nowhere/pip"), Client::of("")];
        assert_eq!(
            Client::find(&nothing).unwrap_err().to_string(),
            "no pip was found (tried `/nowhere/pip`, ``); install Python's pip, for example `apt-get install \
             python3-pip`, or set CONVWISE_PIP to the command that starts it"
        );
    }
}
