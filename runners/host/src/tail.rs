//! The last lines that a worker wrote to standard error.

use std::collections::VecDeque;
use std::io::Read;
use std::process::ChildStderr;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes that are kept.
const KEPT: usize = 4096;

/// Collects in a thread of its own, so that the worker never blocks on a full pipe.
#[derive(Debug)]
pub(crate) struct StderrTail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    ended: Receiver<()>,
}

impl StderrTail {
    /// Starts collecting.
    pub(crate) fn follow(mut pipe: ChildStderr) -> Self {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let (end, ended) = mpsc::channel();
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                keep(&shared, buffer.get(..read).unwrap_or_default());
            }
            let _ = end.send(());
        });
        Self { kept, ended }
    }

    /// What was kept. Waits a moment for the pipe's end, since a crash's last words may still be in it.
    pub(crate) fn text(&self) -> String {
        let _ = self.ended.recv_timeout(Duration::from_millis(300));
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        // The first line is cut where older bytes were dropped.
        let whole =
            if bytes.len() < KEPT { &text } else { text.split_once('\n').map_or(&*text, |(_, rest)| rest) };
        whole.trim_end().to_owned()
    }
}

fn keep(shared: &Mutex<VecDeque<u8>>, bytes: &[u8]) {
    let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
    kept.extend(bytes);
    let excess = kept.len().saturating_sub(KEPT);
    kept.drain(..excess);
}
