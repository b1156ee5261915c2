//! Where things are kept and looked for.

use std::env;
use std::path::{Path, PathBuf};

use convwise_host::elevated;
use convwise_judge::{Layer, RuleFolder};
use etcetera::BaseStrategy;

use crate::args::Global;
use crate::error::CliError;

/// Folder of a project that extends the shipped rules, architectures and facts.
const PROJECT: &str = "convwise";

/// Folder with rules, in the home and in the project.
const RULES: &str = "rules";

/// The home folder and the folders that come before the shipped defaults.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// Knowledge base and installed runners.
    pub(crate) home: PathBuf,
    /// Folders with rule files, most important first, each with its layer.
    pub(crate) rules: Vec<(PathBuf, Layer)>,
    /// Folders with `architectures/` and `kb/`, most important first.
    pub(crate) layers: Vec<PathBuf>,
    /// Folders with runner manifests. Runners are code: the working directory is not among them unless it is named, and
    /// with another user's rights none is.
    pub(crate) runners: Vec<PathBuf>,
    /// The project's folder with runner manifests, if it has one and nobody named it.
    pub(crate) closed: Option<PathBuf>,
}

impl Paths {
    /// Flags first, then the home folder, then the project's folder; a named folder must be there, or be the name of
    /// an example pack.
    pub(crate) fn new(global: &Global) -> Result<Self, CliError> {
        let home = home(global)?;
        let no_rules = |named: &&PathBuf| !named.is_dir() && example(named).is_none();
        let no_plugins = |named: &&PathBuf| !named.is_dir();
        let absent = global.rules.iter().find(no_rules);
        if let Some(named) = absent.or_else(|| global.plugins.iter().find(no_plugins)) {
            return Err(CliError::invalid(format!("there is no folder {}", named.display())));
        }
        let project = Path::new(PROJECT);
        let with = |named: &[PathBuf], rest: [PathBuf; 2]| -> Vec<PathBuf> {
            named.iter().cloned().chain(rest.into_iter().filter(|f| f.is_dir())).collect()
        };
        let runners = || global.plugins.iter().chain([&home]).map(|folder| folder.join("runners"));
        let runners: Vec<PathBuf> = if elevated() { Vec::new() } else { runners().collect() };
        Ok(Self {
            closed: unnamed(project.join("runners"), &runners),
            rules: rules(global, &home),
            layers: with(&global.plugins, [home.clone(), project.to_path_buf()]),
            runners,
            home,
        })
    }
}

/// The example pack that a name stands for.
pub(crate) fn example(named: &Path) -> Option<RuleFolder> {
    named.to_str().and_then(RuleFolder::example)
}

/// What was named, then the user's, then the project's.
fn rules(global: &Global, home: &Path) -> Vec<(PathBuf, Layer)> {
    let own = [(home.join(RULES), Layer::User), (Path::new(PROJECT).join(RULES), Layer::Project)];
    let named = global.rules.iter().map(|folder| (folder.clone(), Layer::Named));
    named.chain(own.into_iter().filter(|(folder, _)| folder.is_dir())).collect()
}

/// The folder, if it is there and none of `named`.
fn unnamed(folder: PathBuf, named: &[PathBuf]) -> Option<PathBuf> {
    let real = folder.canonicalize().ok()?;
    let is_named = named.iter().any(|one| one.canonicalize().is_ok_and(|one| one == real));
    (!is_named).then_some(folder)
}

fn home(global: &Global) -> Result<PathBuf, CliError> {
    if let Some(home) = &global.home {
        let absolute = std::path::absolute(home);
        return absolute.map_err(|e| CliError::invalid(format!("the home folder {}: {e}", home.display())));
    }
    etcetera::choose_base_strategy()
        .map(|base| base.data_dir().join("convwise"))
        .map_err(|_| CliError::invalid("no home folder is known; set CONVWISE_HOME or give --home DIR"))
}

/// This program, which is also the worker process.
pub(crate) fn program() -> Result<PathBuf, CliError> {
    env::current_exe().map_err(|e| CliError::failed(format!("this program cannot find itself: {e}")))
}
