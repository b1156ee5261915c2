//! The lock that several processes share: held for moments, waited for with patience, its holder named.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::StoreError;

/// How long another home is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(8);

/// A held lock; dropping it lets the next waiter in, and so does the death of the process.
#[derive(Debug)]
pub(crate) struct HomeLock {
    _file: File,
}

impl HomeLock {
    /// Waits for the lock until `patience` is over, then names the holder.
    pub fn exclusive(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| StoreError::io("open", path, error))?;
        wait(path, patience, || file.try_lock())?;
        name_holder(&file);
        Ok(Self { _file: file })
    }

    /// Waits for a lock that other readers may share; `None` where there is no lock file, hence no writer.
    pub fn shared(path: &Path, patience: Duration) -> Result<Option<Self>, StoreError> {
        let Ok(file) = File::open(path) else { return Ok(None) };
        wait(path, patience, || file.try_lock_shared())?;
        Ok(Some(Self { _file: file }))
    }
}

/// The process id is only for the message to waiters, so a failed write must not fail the command.
fn name_holder(mut file: &File) {
    let text = format!("{:<10}\n", std::process::id());
    let written = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(text.as_bytes()));
    drop(written);
}

fn wait(
    path: &Path,
    patience: Duration,
    mut attempt: impl FnMut() -> Result<(), TryLockError>,
) -> Result<(), StoreError> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(100);
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path, error)),
            Err(TryLockError::WouldBlock) if start.elapsed() >= patience => {
                return Err(StoreError::Busy {
                    path: path.to_owned(),
                    pid: holder(path),
                    waited: start.elapsed(),
                });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path).ok()?.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
