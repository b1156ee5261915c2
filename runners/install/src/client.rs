//! Calls the user's pip and understands what it says.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{InstallError, ROOM};
use crate::pins::{Library, Wheel};

/// The variable with a command for pip, when the usual ones will not do.
const VARIABLE: &str = "CONVWISE_PIP";

/// A command that starts pip: program and first arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    words: Vec<OsString>,
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
    pub(crate) fn find(candidates: &[Self]) -> Result<&Self, InstallError> {
        candidates.iter().find(|client| client.answers()).ok_or_else(|| InstallError::NoClient {
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

    fn answers(&self) -> bool {
        let Some(mut command) = self.command() else { return false };
        let status = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Downloads exactly this wheel into `folder`. The index is the one that the user has configured.
    pub(crate) fn download(
        &self,
        library: &Library,
        wheel: &Wheel,
        folder: &Path,
    ) -> Result<(), InstallError> {
        let failed = |status: String, said: String| InstallError::Client { status, said };
        let mut command = self.command().ok_or_else(|| failed("no command".into(), String::new()))?;
        command.args([
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--no-input",
            "--disable-pip-version-check",
        ]);
        command.args(wheel.tags.iter().flat_map(|tag| ["--platform", tag]));
        command.args(["--python-version", &library.python.version]);
        command.args(["--implementation", &library.python.implementation, "--abi", &library.python.abi]);
        command.arg("--dest").arg(folder);
        command.arg(format!("{}=={}", library.package, library.version));
        let output = command.output().map_err(|error| failed(error.to_string(), String::new()))?;
        if output.status.success() {
            return Ok(());
        }
        let said =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        let wanted = format!("{} {} for {}", library.package, library.version, wheel.platform);
        Err(explain(&said, &wanted, output.status.to_string(), folder))
    }
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
        InstallError::DiskFull { path: folder.to_owned(), megabytes: ROOM }
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
            "the disk of /home/x is full; free about 60 MB and try again",
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
