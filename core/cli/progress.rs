//! Progress of long work on standard error: a bar with an estimate on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::screen::Screen;

/// A bar that shows how much of the work is done.
pub(crate) struct Progress {
    bar: ProgressBar,
}

/// Steps of a bar, for fractions.
const STEPS: u64 = 1000;

impl Progress {
    /// A bar for work of known size. Hidden when quiet or not on a terminal.
    pub(crate) fn new(screen: Screen) -> Self {
        let target = if screen.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(STEPS), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}") {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self { bar }
    }

    /// Shows what is going on and how much is done, 0 to 1, with the time that is left where it is known.
    pub(crate) fn show(&self, done: f64, what: &str, left: Option<Duration>) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of a thousand"
        )]
        let position = (done.clamp(0.0, 1.0) * 1000.0) as u64;
        let left = left.map(|d| format!(", {} left", convwise_types::Millis(d.as_secs_f64() * 1000.0)));
        self.bar.set_message(format!("{what}{}", left.unwrap_or_default()));
        self.bar.set_position(position);
    }

    /// A line that stays, above the bar.
    pub(crate) fn line(&self, screen: Screen, text: &str) {
        self.bar.suspend(|| screen.remark(text));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
