//! The suite itself: runners that are in order meet every requirement, and for every requirement there is a defect that
//! breaks it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use convwise_conformance::{Outcome, Report, Requirement, Subject, examine, requirements};
use convwise_host::{Builtin, Deadlines, RunnerSource, WorkerSpec};

const BUILTINS: [Builtin; 2] = [
    Builtin { name: "mock", table: convwise_mock::table },
    Builtin { name: "rten", table: convwise_rten::table },
];

/// The program that workers run is this test's: then this test never returns.
#[test]
fn worker_entry() {
    if std::env::var_os("CONVWISE_WORKER_FD").is_some() {
        convwise_host::run_worker(&BUILTINS);
    }
}

fn subject(name: &str, runner: RunnerSource, options: &[(&str, &str)]) -> Subject {
    let mut spec = WorkerSpec::new(name, runner, std::env::current_exe().unwrap());
    spec.args = ["worker_entry", "--exact", "--nocapture"].map(OsString::from).to_vec();
    spec.deadlines = Deadlines::all(Duration::from_secs(60));
    let options: BTreeMap<_, _> =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Subject { spec, options, manifest: None }
}

fn builtin(name: &str, options: &[(&str, &str)]) -> Subject {
    subject(name, RunnerSource::Builtin { name: name.into() }, options)
}

/// The example runner, with the defect that breaks requirement `defect`; 0 is none.
fn in_c(folder: &Path, defect: usize) -> Subject {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.join(format!("defect{defect}{}", std::env::consts::DLL_SUFFIX));
    let compiled = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"])
        .args([format!("-DDEFECT={defect}"), format!("-I{}", here.join("../abi/include").display())])
        .arg(format!("-I{}", here.join("../../plugins/examples/plain_c").display()))
        .arg("-Wno-unused-function")
        .arg("-Wno-unused-const-variable")
        .arg("-o")
        .args([&library, &here.join("tests/c/defect.c")])
        .arg("-lm")
        .status()
        .expect("a C compiler named cc, or the one that CC names, is needed for this test");
    assert!(compiled.success(), "defect {defect} does not compile");
    let source = RunnerSource::Library { path: PathBuf::from(&library), digest: None };
    let mut subject = subject("plain-c", source, &[]);
    subject.manifest = Some(("plain-c".into(), "0.1.0".into()));
    subject
}

fn report(subject: &Subject, chosen: &[&Requirement]) -> Report {
    examine(subject, chosen, &mut |_| ())
}

#[track_caller]
fn check_in_order(subject: &Subject, not_examined: usize) -> Report {
    let report = report(subject, &requirements());
    let broken: Vec<_> = report.findings.iter().filter(|finding| !finding.ok).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(report.count(Outcome::NotExamined), not_examined, "{report:#?}");
    report
}

#[test]
fn the_built_in_runner_is_in_order() {
    // It has no entry to greet, and no clock of its own.
    let report = check_in_order(&builtin("rten", &[]), 4);
    let lacking = report.findings.iter().find(|finding| finding.found.contains("; not supported: "));
    assert!(lacking.is_none(), "{lacking:#?}");
}

#[test]
fn the_test_double_is_in_order_as_far_as_it_goes() {
    // Neither has it an entry; what it computes, and its times, are a pretence.
    check_in_order(&builtin("mock", &[("outputs", "N,10")]), 3 + 6);
}

#[test]
fn a_runner_in_c_is_in_order() {
    let folder = tempfile::tempdir().unwrap();
    check_in_order(&in_c(folder.path(), 0), 1);
}

#[test]
fn every_requirement_can_be_broken() {
    let folder = tempfile::tempdir().unwrap();
    for (index, requirement) in requirements().iter().enumerate() {
        let report = report(&in_c(folder.path(), index + 1), &[requirement]);
        let outcomes: Vec<_> = report.findings.iter().map(|finding| finding.outcome).collect();
        assert_eq!(outcomes, [Outcome::Broken], "{report:#?}");
    }
}

#[test]
fn what_was_found_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let all = requirements();
    let found = |defect: usize| {
        let report = report(&in_c(folder.path(), defect), &all[defect - 1..defect]);
        report.findings.into_iter().next().unwrap().found
    };
    assert!(found(4).contains("crashed while it was examined: SIGSEGV"));
    assert!(found(6).starts_with("it started 0 threads, opened 1 files"));
    assert_eq!(found(8), "libfast; try `get it`");
    assert!(found(12).starts_with("10000 errors left the process "));
    assert!(found(13).contains("a text: runner plain-c crashed while it loaded the model: SIGABRT"));
    assert_eq!(found(16), "it lists other f32 [1, 5], the model has output f32 [1, 5]");
    assert!(found(19).contains("relu: differs by "));
    assert_eq!(found(21), "run 2 gave other bits than the first run");
    assert!(found(23).ends_with(": the work is done there"));
    assert!(found(24).starts_with("it says that a run took 3600000.000 ms"));
    assert_eq!(found(26), "it closed or replaced descriptors [0]");
}
