//! NAME as a convwise runner. The engine is rten until another one takes its place.

mod error;
mod session;
mod value;
mod wire;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use convwise_sdk::{Description, OptionDoc, Options, Probe, Runner, RunnerError, Session};
use rten::{ModelOptions, RunOptions, ThreadPool};

use session::RtenSession;

/// The one option; `expect_known` refuses every other, so that a misspelt one is not overlooked.
const THREADS: &str = "threads";

/// Made once in the process that runs it.
struct Engine;

impl Runner for Engine {
    /// Starts nothing: what needs a library or a device belongs into `probe`.
    fn describe(&self) -> Description {
        Description {
            backend: Some("rten".into()),
            formats: vec!["onnx".into()],
            precisions: vec!["fp32".into()],
            options: vec![OptionDoc::new(THREADS, "1", "threads of compute in one run")],
            concurrent: true,
            deterministic: true,
            ..Description::new("NAME", env!("CARGO_PKG_VERSION"))
        }
    }

    /// Where something is missing, `Probe::missing("the library", "how to get it")` is the answer, not an error.
    fn probe(&self, options: &Options) -> Result<Probe, RunnerError> {
        threads(options).map(|_| Probe::cpu())
    }

    /// Everything that can be done once is done here.
    fn load(&self, model: &Path, options: &Options) -> Result<Box<dyn Session>, RunnerError> {
        let pool = Arc::new(ThreadPool::with_num_threads(threads(options)?.get()));
        if wire::check(model)?.suppression {
            let why = format!("{} suppresses boxes, which rten does otherwise than ONNX", model.display());
            return Err(RunnerError::unsupported(why));
        }
        let loaded = pool.run(|| ModelOptions::with_all_ops().prepack_weights(true).load_file(model));
        let loaded = loaded.map_err(|error| error::loading(model, &error))?;
        let run_options = RunOptions::default().with_thread_pool(Some(pool));
        Ok(Box::new(RtenSession::new(loaded, run_options)?))
    }
}

fn threads(options: &Options) -> Result<NonZeroUsize, RunnerError> {
    options.expect_known(&[THREADS])?;
    options.parse(THREADS, NonZeroUsize::MIN)
}

convwise_sdk::export_runner!(Engine);
