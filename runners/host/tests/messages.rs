//! What a person reads when a worker fails, word for word.

use std::io;
use std::time::Duration;

use convwise_host::{ErrorCode, Exit, LibraryError, Phase, WorkerError};

fn runner() -> String {
    "acme".into()
}

fn library(source: LibraryError) -> WorkerError {
    WorkerError::Library { runner: runner(), source }
}

fn failures() -> Vec<WorkerError> {
    let (phase, stderr_tail) = (Phase::Run, "loading kernels\nacme: no such kernel".to_owned());
    vec![
        WorkerError::Spawn {
            program: "/usr/bin/convwise".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        WorkerError::Crashed {
            runner: runner(),
            phase,
            exit: Exit::Signal(11),
            stderr_tail: stderr_tail.clone(),
        },
        WorkerError::Crashed {
            runner: runner(),
            phase: Phase::Load,
            exit: Exit::Code(3),
            stderr_tail: String::new(),
        },
        WorkerError::Hung {
            runner: runner(),
            phase,
            after: Duration::from_millis(1500),
            stderr_tail: String::new(),
        },
        WorkerError::OutOfMemory { runner: runner(), phase, limit: Some(512_000_000), stderr_tail },
        WorkerError::OutOfMemory {
            runner: runner(),
            phase: Phase::Load,
            limit: None,
            stderr_tail: String::new(),
        },
        WorkerError::Protocol {
            runner: runner(),
            phase: Phase::Output,
            what: "output 0 (y): it has no data".into(),
        },
        WorkerError::Refused {
            runner: runner(),
            phase: Phase::Load,
            code: ErrorCode::Unsupported,
            message: "operator GridSample (node \"head/sample\") is not implemented".into(),
        },
        WorkerError::DynamicShape { input: "image".into(), axis: 2, fixed: None },
        WorkerError::DynamicShape { input: "image".into(), axis: 0, fixed: Some(1) },
        WorkerError::Ended { runner: runner() },
    ]
}

fn library_failures() -> Vec<WorkerError> {
    let path = || "/opt/libacme.so".into();
    [
        LibraryError::Missing { path: path() },
        LibraryError::Untrusted {
            reason: "every user may change the file /opt/libacme.so; run `chmod o-w /opt/libacme.so`".into(),
        },
        LibraryError::Digest { path: path(), expected: "ab12".into(), found: "cd34".into() },
        LibraryError::Architecture { path: path(), wanted: "x86-64".into(), found: "aarch64".into() },
        LibraryError::Load { path: path(), reason: "libcudart.so.12: cannot open shared object file".into() },
        LibraryError::MissingSymbol { path: path() },
        LibraryError::AbiVersion { found: convwise_host::AbiMajor(Some(2)), wanted: 1 },
        LibraryError::AbiVersion { found: convwise_host::AbiMajor(None), wanted: 1 },
        LibraryError::ShortTable { found: 80, wanted: 96 },
        LibraryError::MissingFunction { function: "run".into() },
        LibraryError::UnknownBuiltin { name: "acme".into() },
    ]
    .map(library)
    .into()
}

fn texts(failures: &[WorkerError]) -> String {
    let text = |error: &WorkerError| format!("[{}] {error}", error.kind());
    failures.iter().map(text).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn failures_of_a_worker() {
    insta::assert_snapshot!(texts(&failures()));
}

#[test]
fn failures_of_a_library() {
    insta::assert_snapshot!(texts(&library_failures()));
}
