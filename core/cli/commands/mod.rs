//! One file a command.

pub(crate) mod advise;
pub(crate) mod arch;
pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod device;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod kb;
pub(crate) mod profile;
pub(crate) mod rules;
pub(crate) mod runner;
pub(crate) mod runner_check;
pub(crate) mod verify;
pub(crate) mod worker;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use convwise_advisor::AdvisorError;
use convwise_advisor::draft::{Draft, Surroundings};
use convwise_store::KnownDevice;
use convwise_types::Request;
use convwise_zoo::ZooError;

use crate::args::RequestArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::request::complete;

impl From<AdvisorError> for CliError {
    fn from(error: AdvisorError) -> Self {
        match error {
            AdvisorError::Zoo(error) => Self::from(error),
            AdvisorError::Store(_)
            | AdvisorError::Rules(_)
            | AdvisorError::UnusableRunner { .. }
            | AdvisorError::Worker(_) => Self::failed(error),
            _ => Self::invalid(error),
        }
    }
}

impl From<ZooError> for CliError {
    fn from(error: ZooError) -> Self {
        match error {
            ZooError::Script(diagnostic) => Self::Source(vec![*diagnostic]),
            error => Self::invalid(error),
        }
    }
}

/// The request of a command, complete.
pub(crate) fn request(context: &Context, args: &RequestArgs) -> Result<Request, CliError> {
    let cores_of = |id: &str| cores_of(context, id);
    complete(args, &Surroundings { cores: context.here().cores, cores_of: &cores_of })
}

/// A request that was not typed as one, complete.
pub(crate) fn completed(context: &Context, draft: Draft) -> Result<Request, CliError> {
    let cores_of = |id: &str| cores_of(context, id);
    let around = Surroundings { cores: context.here().cores, cores_of: &cores_of };
    draft.complete(&around, BTreeMap::new()).map_err(CliError::invalid)
}

/// Processors of a device that was measured on or described; `None` where nobody counted them.
fn cores_of(context: &Context, id: &str) -> Option<u64> {
    if id == context.here().id.as_str() {
        return Some(context.here().cores);
    }
    let known = context.store().ok()?.devices().ok()?;
    known.iter().find(|d| d.id().as_str() == id).and_then(|device| match device {
        KnownDevice::Seen(device) => Some(device.cores),
        KnownDevice::Described(device) => device.cores,
    })
}

/// The command line as the user gave it, for records and for what to repeat.
pub(crate) fn command_line() -> String {
    std::iter::once("convwise".to_owned())
        .chain(std::env::args().skip(1).map(quoted))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Quotes an argument for a shell where it needs that.
fn quoted(argument: String) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

/// A flag that Ctrl-C sets: long work ends soon and keeps what it has. A second Ctrl-C ends the program.
pub(crate) fn interruptible() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    // Without a handler, Ctrl-C ends the program at once, which loses nothing acknowledged either.
    let _ = ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
    flag
}

/// Names of new files are plain: they become ids and file names.
pub(crate) fn plain_name(name: &str) -> Result<(), CliError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.is_empty()
        && name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
    {
        return Ok(());
    }
    Err(CliError::invalid(format!(
        "`{name}` is not a name; use small letters, digits, - and _, beginning with a letter"
    )))
}

/// Writes new files; one that is there already is left alone and named.
pub(crate) fn write_new(dir: &Path, files: &[(String, String)]) -> Result<(), CliError> {
    if let Some((taken, _)) = files.iter().find(|(name, _)| dir.join(name).exists()) {
        return Err(CliError::invalid(format!(
            "{} is there already; choose another name",
            dir.join(taken).display()
        )));
    }
    let problem = |e: std::io::Error| CliError::failed(format!("cannot write to {}: {e}", dir.display()));
    for (name, text) in files {
        let file = dir.join(name);
        fs::create_dir_all(file.parent().unwrap_or(dir)).map_err(problem)?;
        fs::write(file, text).map_err(problem)?;
    }
    Ok(())
}
