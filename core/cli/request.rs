//! From what was typed and what stands in a request file to a complete [`Request`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use convwise_advisor::draft::{Draft, Surroundings};
use convwise_advisor::request_file;
use convwise_types::Request;

use crate::args::RequestArgs;
use crate::error::CliError;

/// Largest request file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

impl From<&RequestArgs> for Draft {
    fn from(flags: &RequestArgs) -> Self {
        let RequestArgs {
            task,
            deploy,
            latency,
            throughput,
            min_accuracy,
            max_size,
            max_params,
            memory_model,
            ram,
            flash,
            device,
            here,
            batch,
            threads,
            train_images,
            classes,
            domain,
            real_time,
            effort,
            priority,
            licence,
            objects,
            object_size,
            postprocess,
            dataset,
            precision,
            runner,
            request: _,
        } = flags.clone();
        Self {
            task,
            deploy,
            latency,
            throughput,
            min_accuracy,
            max_size,
            max_params,
            memory_model,
            ram,
            flash,
            device,
            here,
            batch,
            threads,
            train_images,
            classes,
            domain,
            real_time,
            effort,
            priority,
            licence,
            objects,
            object_size,
            postprocess,
            dataset,
            precision,
            runner,
        }
    }
}

/// Merges flags with the request file, fills in defaults and refuses contradictions.
pub(crate) fn complete(flags: &RequestArgs, around: &Surroundings<'_>) -> Result<Request, CliError> {
    let typed = Draft::from(flags);
    let mut origins = BTreeMap::new();
    let mut stated = Draft::default();
    if let Some(path) = &flags.request {
        stated = read_file(path)?;
        let file = path.display().to_string();
        origins.extend(stated.stated().map(|name| (name.to_owned(), file.clone())));
    }
    origins.extend(typed.stated().map(|name| (name.to_owned(), "flag".to_owned())));
    typed.over(&stated).complete(around, origins).map_err(CliError::invalid)
}

fn read_file(path: &Path) -> Result<Draft, CliError> {
    let name = path.display().to_string();
    let problem = |e: std::io::Error| CliError::invalid(format!("cannot read the request file {name}: {e}"));
    let size = fs::metadata(path).map_err(problem)?.len();
    if size > MAX_FILE_BYTES {
        return Err(CliError::invalid(format!(
            "the request file {name} has {size} bytes; at most {MAX_FILE_BYTES} are read"
        )));
    }
    let source = fs::read_to_string(path).map_err(problem)?;
    request_file::parse(&name, &source).map_err(|d| CliError::Source(vec![*d]))
}
