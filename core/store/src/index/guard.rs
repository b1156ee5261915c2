//! Keeps the program alive whatever the engine does: sled 0.34.7 panics or never returns on some damaged files, so
//! it lives on a thread of its own that can be caught or left behind.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::separated::SeparatedIndex;
use super::{Change, Fault, Index, Key, Span, Value};

/// Name of the thread, by which the panic hook knows that a panic is handled.
const THREAD: &str = "convwise-index";

/// What the engine is asked to do.
enum Question {
    Get(Vec<Key>),
    Scan(Span),
    Apply(Vec<Change>),
    Flush,
}

/// What it answers.
enum Answer {
    Values(Vec<Option<Value>>),
    Entries(Vec<(Key, Value)>),
    Done,
}

/// An index on disk behind a thread, a catch and a deadline.
pub(crate) struct GuardedIndex {
    questions: Option<Sender<Question>>,
    answers: Receiver<Result<Answer, Fault>>,
    thread: Option<JoinHandle<()>>,
    patience: Duration,
}

impl GuardedIndex {
    /// Opens the index in a folder; whatever takes longer than `patience` counts as hung.
    pub fn open(path: &Path, patience: Duration) -> Result<Self, Fault> {
        quiet_handled_panics();
        let (questions, inbox) = channel();
        let (outbox, answers) = channel();
        let path = path.to_owned();
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || serve(&path, &inbox, &outbox))
            .map_err(|error| Fault::Storage(error.to_string()))?;
        let guarded = Self { questions: Some(questions), answers, thread: Some(thread), patience };
        guarded.answer().map(|_| guarded)
    }

    /// Writes everything to disk and closes.
    pub fn close(mut self) -> Result<(), Fault> {
        let flushed = self.ask(Question::Flush).map(|_| ());
        self.questions = None;
        if flushed.is_ok() {
            // The thread announces when the database is closed; only then may another process open it.
            self.answer().map(|_| ())?;
            if let Some(thread) = self.thread.take() {
                drop(thread.join());
            }
        }
        flushed
    }

    fn ask(&self, question: Question) -> Result<Answer, Fault> {
        let gone = || Fault::Damaged("the index has stopped".to_owned());
        self.questions.as_ref().ok_or_else(gone)?.send(question).map_err(|_| gone())?;
        self.answer()
    }

    fn answer(&self) -> Result<Answer, Fault> {
        match self.answers.recv_timeout(self.patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                Err(Fault::Damaged(format!("it did not answer within {} s", self.patience.as_secs_f32())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Fault::Damaged("the index has stopped".to_owned())),
        }
    }
}

impl Index for GuardedIndex {
    fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Value>>, Fault> {
        match self.ask(Question::Get(keys))? {
            Answer::Values(values) => Ok(values),
            _ => Err(out_of_step()),
        }
    }

    fn scan(&self, span: Span) -> Result<Vec<(Key, Value)>, Fault> {
        match self.ask(Question::Scan(span))? {
            Answer::Entries(entries) => Ok(entries),
            _ => Err(out_of_step()),
        }
    }

    fn apply(&mut self, changes: Vec<Change>) -> Result<(), Fault> {
        self.ask(Question::Apply(changes)).map(|_| ())
    }
}

fn out_of_step() -> Fault {
    Fault::Damaged("the index gave the answer to another question".to_owned())
}

/// The thread: open, answer until nobody asks, close, say so.
fn serve(path: &Path, inbox: &Receiver<Question>, outbox: &Sender<Result<Answer, Fault>>) {
    let mut index = match caught(|| SeparatedIndex::open(path)) {
        Ok(index) => index,
        Err(fault) => return drop(outbox.send(Err(fault))),
    };
    drop(outbox.send(Ok(Answer::Done)));
    while let Ok(question) = inbox.recv() {
        let answer = caught(|| answer(&mut index, question));
        if outbox.send(answer).is_err() {
            break;
        }
    }
    let closed = caught(move || {
        drop(index);
        Ok(Answer::Done)
    });
    drop(outbox.send(closed));
}

fn answer(index: &mut SeparatedIndex, question: Question) -> Result<Answer, Fault> {
    match question {
        Question::Get(keys) => index.get(keys).map(Answer::Values),
        Question::Scan(span) => index.scan(span).map(Answer::Entries),
        Question::Apply(changes) => index.apply(changes).map(|()| Answer::Done),
        Question::Flush => index.flush().map(|()| Answer::Done),
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Fault::Damaged(said(panic.as_ref()))))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let line = text.and_then(|t| t.lines().next()).unwrap_or("no message");
    format!("the engine gave up: {}", line.chars().take(160).collect::<String>())
}

/// A panic of the engine is dealt with here, so its default message would only frighten. Every other panic goes to
/// the hook that was there before.
fn quiet_handled_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            if name != THREAD && !name.starts_with("sled-") {
                before(info);
            }
        }));
    });
}
