//! One side of `kb diff`: a home, a file, or a moment of this knowledge base.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use convwise_advisor::changes::State;
use convwise_store::{OpenOptions, Store};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::context::Context;
use crate::error::CliError;

/// What was named.
pub(super) struct Side<'a> {
    /// In words.
    pub(super) title: String,
    held: Held<'a>,
    /// Where the records of a file stand for as long as they are needed.
    _folder: Option<TempDir>,
}

/// Where its records are.
enum Held<'a> {
    /// In this knowledge base, with the moment that was named.
    Here(&'a Store, Option<Timestamp>),
    /// In another one.
    Elsewhere(Box<Store>),
}

impl<'a> Side<'a> {
    fn here(title: String, store: &'a Store, moment: Option<Timestamp>) -> Self {
        Self { title, held: Held::Here(store, moment), _folder: None }
    }

    pub(super) fn state(&self) -> State<'_> {
        match &self.held {
            Held::Here(store, moment) => {
                State { store, until: moment.map(|m| u64::try_from(m.as_second()).unwrap_or_default()) }
            }
            Held::Elsewhere(store) => State { store, until: None },
        }
    }
}

/// Finds a side.
pub(super) fn read<'a>(context: &'a Context, typed: &str) -> Result<Side<'a>, CliError> {
    let path = Path::new(typed);
    if path.is_dir() {
        return home(path);
    }
    if path.is_file() {
        return file(path);
    }
    if typed == "now" {
        return Ok(Side::here("now".to_owned(), context.store()?, None));
    }
    let moment = moment(typed, Timestamp::now()).ok_or_else(|| {
        let usage = "a moment is 2026-11-01, 2026-11-01T12:00:00Z or 7d";
        CliError::invalid(format!(
            "`{typed}` is neither a home folder, nor an exported file, nor a moment ({usage})"
        ))
    })?;
    let title = moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Ok(Side::here(title, context.store()?, Some(moment)))
}

fn home(folder: &Path) -> Result<Side<'static>, CliError> {
    let title = folder.display().to_string();
    if !folder.join("kb/journal.jsonl").is_file() {
        return Err(CliError::invalid(format!(
            "{title} holds no knowledge base; name the folder in which kb/ is"
        )));
    }
    let store = Store::open(folder, &OpenOptions::default()).map_err(CliError::failed)?;
    Ok(Side { title, held: Held::Elsewhere(Box::new(store)), _folder: None })
}

/// An export, a backup or a journal: read as `kb merge` reads it, into a knowledge base that is thrown away.
fn file(path: &Path) -> Result<Side<'static>, CliError> {
    let title = path.display().to_string();
    let unreadable = |e: std::io::Error| CliError::invalid(format!("cannot read {title}: {e}"));
    let reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let folder = tempfile::tempdir().map_err(|e| CliError::failed(format!("cannot make a folder: {e}")))?;
    let store = Store::open(folder.path(), &OpenOptions::default()).map_err(CliError::failed)?;
    store.merge(reader).map_err(|e| CliError::invalid(format!("{title}: {e}")))?;
    Ok(Side { title, held: Held::Elsewhere(Box::new(store)), _folder: Some(folder) })
}

/// The moment that a text names.
fn moment(typed: &str, now: Timestamp) -> Option<Timestamp> {
    typed
        .parse::<Timestamp>()
        .ok()
        .or_else(|| Some(typed.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()))
        .or_else(|| now.checked_sub(ago(typed)?).ok())
}

/// `30m`, `12h`, `7d`, `4w`.
fn ago(typed: &str) -> Option<SignedDuration> {
    let unit = typed.chars().last()?;
    let count: i64 = typed.strip_suffix(unit)?.parse().ok().filter(|n| (0..1_000_000).contains(n))?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return None,
    };
    Some(SignedDuration::from_mins(count * minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, expect: Option<&str>) {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(moment(typed, now), expect.map(|text| text.parse().unwrap()), "{typed}");
    }

    #[test]
    fn moments_are_dates_times_and_how_long_ago() {
        check("2026-11-01", Some("2026-11-01T00:00:00Z"));
        check("2026-11-01T12:30:00+02:00", Some("2026-11-01T10:30:00Z"));
        check("7d", Some("2026-11-15T12:00:00Z"));
        check("90m", Some("2026-11-22T10:30:00Z"));
        check("2w", Some("2026-11-08T12:00:00Z"));
        for wrong in ["", "d", "-1d", "7y", "yesterday", "2026-13-01", "99999999999999d", "7dd"] {
            check(wrong, None);
        }
    }
}
