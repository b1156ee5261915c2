//! Where text goes: results to standard output, everything else to standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use convwise_types::Diagnostic;
use serde::Serialize;

use crate::error::CliError;

/// Emphasis of headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// Names that the user can type.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
/// What is fine.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What is not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What deserves a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What is secondary.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Text in a style; the terminal layer strips it where it does not belong.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The two output streams of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Nothing but results and errors.
    pub(crate) quiet: bool,
}

impl Screen {
    /// Writes a result to standard output.
    pub(crate) fn result(self, text: &str) -> Result<(), CliError> {
        let mut out = anstream::stdout().lock();
        let ended = if text.ends_with('\n') { "" } else { "\n" };
        finish(write!(out, "{text}{ended}").and_then(|()| out.flush()))
    }

    /// Writes one JSON document to standard output.
    pub(crate) fn json(self, document: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(document).map_err(CliError::failed)?;
        let mut out = io::stdout().lock();
        finish(writeln!(out, "{text}").and_then(|()| out.flush()))
    }

    /// Says something in passing on standard error, unless quiet.
    pub(crate) fn remark(self, text: impl Display) {
        if !self.quiet {
            say(text);
        }
    }

    /// Warns on standard error, unless quiet.
    pub(crate) fn warning(self, text: impl Display) {
        self.remark(format!("{}: {text}", styled(WARN, "warning")));
    }

    /// Shows diagnostics on standard error.
    pub(crate) fn diagnostics(self, found: &[Diagnostic]) {
        for diagnostic in found {
            say(diagnostic.render(true));
            say("");
        }
    }

    /// Says why the command failed.
    pub(crate) fn error(self, error: &CliError) {
        match error {
            CliError::Failed(text) | CliError::Invalid(text) => {
                say(format!("{}: {text}", styled(BAD, "error")))
            }
            CliError::Source(found) => self.diagnostics(found),
            CliError::NothingFits | CliError::Reported(_) => {}
        }
    }
}

/// Columns of the terminal; a generous line where there is none, so that piped tables are not cut.
pub(crate) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let terminal = io::stdout().is_terminal().then(terminal_columns).flatten();
    columns.or(terminal).unwrap_or(160).clamp(40, 400)
}

/// Whether characters beyond ASCII can be expected to be shown: unless the locale says that they cannot.
pub(crate) fn draws_unicode() -> bool {
    let stated = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    let locale = stated.into_iter().find(|locale| !locale.is_empty());
    !locale.is_some_and(|locale| matches!(locale.as_str(), "C" | "POSIX"))
}

fn terminal_columns() -> Option<usize> {
    terminal_size::terminal_size().map(|(w, _)| usize::from(w.0))
}

/// A reader that went away (`convwise ... | head`) is no failure.
fn finish(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(e) => Err(CliError::failed(format!("cannot write to standard output: {e}"))),
        Ok(()) => Ok(()),
    }
}

fn say(text: impl Display) {
    // Nothing sensible can be done when standard error itself is gone.
    let _ = writeln!(anstream::stderr(), "{text}");
}
