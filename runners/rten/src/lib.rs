//! The built-in runner: ONNX models on the CPU through rten, pure Rust, nothing to install.
//!
//! Owns the translation between rten's model and the runner traits. Linked into the program through the same table of
//! functions as every other runner.

mod error;
mod session;
mod suppression;
mod value;
mod wire;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use convwise_sdk::{Description, OptionDoc, Options, Probe, Runner, RunnerError, Session};
use rten::{ModelOptions, RunOptions, ThreadPool};

use session::RtenSession;

/// The engine and its version, as the lock file has it (a test compares).
const BACKEND: &str = "rten 0.27.0";
const THREADS: &str = "threads";
const PREPACK: &str = "prepack";

/// The runner.
#[derive(Clone, Copy, Debug, Default)]
pub struct RtenRunner;

impl Runner for RtenRunner {
    fn describe(&self) -> Description {
        Description {
            backend: Some(BACKEND.into()),
            formats: vec!["onnx".into()],
            precisions: vec!["fp32".into(), "int8".into()],
            options: vec![
                OptionDoc::new(THREADS, "all processors", "threads of compute in one run"),
                OptionDoc::new(
                    PREPACK,
                    "1",
                    "1: lay out the weights of matrix products for speed while loading; costs as much memory as they take",
                ),
            ],
            concurrent: true,
            deterministic: true,
            ..Description::new("rten", env!("CARGO_PKG_VERSION"))
        }
    }

    fn probe(&self, options: &Options) -> Result<Probe, RunnerError> {
        Settings::read(options)?;
        Ok(Probe { backend: Some(BACKEND.into()), ..Probe::cpu() })
    }

    fn load(&self, model: &Path, options: &Options) -> Result<Box<dyn Session>, RunnerError> {
        let settings = Settings::read(options)?;
        let found = wire::check(model)?;
        let rewritten = found.suppression.then(|| suppression::replaced(model)).transpose()?;
        let pool = Arc::new(ThreadPool::with_num_threads(settings.threads.get()));
        let loaded = pool.run(|| {
            let mut options = ModelOptions::with_all_ops();
            options.prepack_weights(settings.prepack);
            match rewritten {
                Some(bytes) => options.load(bytes),
                None => options.load_file(model),
            }
        });
        let loaded = loaded.map_err(|error| error::loading(model, &error))?;
        let run_options = RunOptions::default().with_thread_pool(Some(pool));
        Ok(Box::new(RtenSession::new(loaded, run_options)?))
    }
}

/// What the options say.
struct Settings {
    threads: NonZeroUsize,
    prepack: bool,
}

impl Settings {
    fn read(options: &Options) -> Result<Self, RunnerError> {
        options.expect_known(&[THREADS, PREPACK])?;
        let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let prepack = match options.get(PREPACK) {
            None | Some("1") => true,
            Some("0") => false,
            Some(other) => {
                return Err(RunnerError::invalid(format!(
                    "option {PREPACK}: \"{other}\" is neither 0 nor 1"
                )));
            }
        };
        Ok(Self { threads: options.parse(THREADS, processors)?, prepack })
    }
}

convwise_sdk::runner_table!(RtenRunner);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backend_version_is_the_locked_one() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
        let (name, version) = BACKEND.split_once(' ').unwrap();
        assert!(
            lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")),
            "{BACKEND} is not locked"
        );
    }

    #[test]
    fn options_are_checked() {
        let read = |key: &str, value: &str| Settings::read(&[(key, value)].into_iter().collect());
        assert_eq!(read("threads", "3").unwrap().threads.get(), 3);
        assert!(!read("prepack", "0").unwrap().prepack);
        for (key, value) in [("threads", "0"), ("threads", "many"), ("prepack", "yes"), ("thread", "1")] {
            assert!(read(key, value).is_err(), "{key}={value}");
        }
    }
}
