//! What commands work with, opened when it is first needed: a command pays only for what it uses.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

use convwise_advisor::World;
use convwise_host::{
    Builtin, Discovery, RunnerEntry, RunnerList, Shelf, Worker, WorkerSpec, discover, elevated, surroundings,
};
use convwise_judge::{Layer, RuleFolder, RuleSet};
use convwise_store::{Notice, OpenOptions, Session, Store, StoreError, shipped::Shipped};
use convwise_types::{Device, Diagnostic, Severity};
use convwise_zoo::{PluginFolder, Zoo};
use include_dir::{Dir, include_dir};

use crate::args::Global;
use crate::commands::worker::BUILTINS;
use crate::error::CliError;
use crate::paths::{Paths, example, program};
use crate::screen::Screen;

/// Manifests of the runners that ship beside the program.
static MANIFESTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/plugins/runners");

/// Version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The surroundings of one command.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) screen: Screen,
    pub(crate) paths: Paths,
    program: PathBuf,
    zoo: OnceCell<Zoo>,
    rules: OnceCell<RuleSet>,
    shipped: OnceCell<Shipped>,
    store: OnceCell<Store>,
    runners: OnceCell<RunnerList>,
    here: OnceCell<Device>,
}

impl Context {
    /// Nothing is opened yet.
    pub(crate) fn new(global: &Global) -> Result<Self, CliError> {
        Ok(Self {
            screen: Screen { quiet: global.quiet },
            paths: Paths::new(global)?,
            program: program()?,
            zoo: OnceCell::new(),
            rules: OnceCell::new(),
            shipped: OnceCell::new(),
            store: OnceCell::new(),
            runners: OnceCell::new(),
            here: OnceCell::new(),
        })
    }

    /// Architectures; what is wrong with a plugin is said once and the others are used.
    pub(crate) fn zoo(&self) -> &Zoo {
        self.zoo.get_or_init(|| {
            let folders: Vec<_> = self.paths.layers.iter().map(PluginFolder::optional).collect();
            let (zoo, found) = Zoo::load(&folders);
            self.warn(&found);
            zoo
        })
    }

    /// Rules; what is wrong with a file is said once and the others are used.
    pub(crate) fn rules(&self) -> Result<&RuleSet, CliError> {
        if let Some(rules) = self.rules.get() {
            return Ok(rules);
        }
        Ok(self.keep_rules(self.load_rules()))
    }

    fn keep_rules(&self, (rules, found): (RuleSet, Vec<Diagnostic>)) -> &RuleSet {
        let errors: Vec<_> = found.into_iter().filter(|d| d.severity == Severity::Error).collect();
        self.warn(&errors);
        self.rules.get_or_init(|| rules)
    }

    /// Reads architectures, rules and the knowledge base at once: each takes about as long as the others.
    fn read_together(&self) {
        let (paths, shipped) = (&self.paths, self.shipped().clone());
        let wants_store = self.store.get().is_none();
        let (rules, store) = thread::scope(|scope| {
            let rules = scope.spawn(|| read_rules(paths));
            let store = wants_store.then(|| scope.spawn(|| open_store(paths, shipped)));
            self.zoo();
            (joined(rules), store.map(joined))
        });
        self.keep_rules(rules);
        // What keeps it from being opened is said to whoever asks for it.
        if let Some(Ok(opened)) = store {
            self.keep_store(opened);
        }
    }

    /// Rules with everything that loading found.
    pub(crate) fn load_rules(&self) -> (RuleSet, Vec<Diagnostic>) {
        read_rules(&self.paths)
    }

    /// Devices and datasets.
    pub(crate) fn shipped(&self) -> &Shipped {
        self.shipped.get_or_init(|| {
            let layers: Vec<_> = self.paths.layers.iter().map(PathBuf::as_path).collect();
            let (shipped, found) = Shipped::load(&layers);
            self.warn(&found);
            shipped
        })
    }

    /// The knowledge base, created on first use.
    pub(crate) fn store(&self) -> Result<&Store, CliError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let opened = open_store(&self.paths, self.shipped().clone()).map_err(CliError::failed)?;
        Ok(self.keep_store(opened))
    }

    /// The knowledge base, kept open until the session is dropped, so that a command that only asks opens it once.
    pub(crate) fn session(&self) -> Result<Session<'_>, CliError> {
        if let Some(store) = self.store.get() {
            return store.session().map_err(CliError::failed);
        }
        let unread = at_home(&self.paths, self.shipped().clone()).map_err(CliError::failed)?;
        let store = self.store.get_or_init(|| unread);
        let session = store.session().map_err(CliError::failed)?;
        self.tell(store.take_notices());
        Ok(session)
    }

    fn keep_store(&self, (store, notices): (Store, Vec<Notice>)) -> &Store {
        self.tell(notices);
        self.store.get_or_init(|| store)
    }

    fn tell(&self, notices: Vec<Notice>) {
        for notice in notices {
            match notice {
                Notice::Migrated { .. } => self.screen.remark(notice),
                trouble => self.screen.warning(trouble),
            }
        }
    }

    /// Runners, usable or not.
    pub(crate) fn runners(&self) -> &RunnerList {
        self.runners.get_or_init(|| {
            let folders = self.paths.runners.iter().cloned().map(Shelf::Folder);
            let why = "in the working directory; name its folder with --plugins to use it".to_owned();
            let closed = self.paths.closed.clone().map(|folder| Shelf::Closed { folder, why });
            let embedded = MANIFESTS.files().filter_map(|file| {
                let name = file.path().file_name()?.to_str()?;
                name.ends_with(".toml").then(|| Some((name.to_owned(), file.contents_utf8()?.to_owned())))?
            });
            let embedded = Shelf::Embedded(embedded.collect());
            self.runners_on(folders.chain(closed).chain([embedded]).collect(), BUILTINS)
        })
    }

    /// This machine.
    pub(crate) fn here(&self) -> &Device {
        self.here.get_or_init(convwise_bench::device::here)
    }

    /// The runners of one folder, for a manifest that was named.
    pub(crate) fn runners_in(&self, folder: PathBuf) -> RunnerList {
        self.runners_on(vec![Shelf::Folder(folder)], &[])
    }

    fn runners_on(&self, shelves: Vec<Shelf>, builtins: &[Builtin]) -> RunnerList {
        discover(&Discovery {
            shelves,
            builtins,
            home: (!elevated()).then(|| self.paths.home.clone()),
            program_folder: self.program.parent().map(PathBuf::from),
            variables: surroundings(),
        })
    }

    /// A worker process for a runner.
    pub(crate) fn worker(&self, runner: &RunnerEntry) -> Result<Worker, CliError> {
        Worker::spawn(&self.worker_spec(runner)?).map_err(CliError::failed)
    }

    /// How a worker process for a runner is started.
    pub(crate) fn worker_spec(&self, runner: &RunnerEntry) -> Result<WorkerSpec, CliError> {
        runner.worker(self.program.clone()).ok_or_else(|| {
            let why = runner.why_not.as_deref().unwrap_or("its library is missing");
            CliError::failed(format!("runner {} cannot be used: {why}", runner.name))
        })
    }

    /// The running program, which is also what a worker runs.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Options of a runner as its manifest sets them.
    pub(crate) fn runner_options(runner: &RunnerEntry) -> BTreeMap<String, String> {
        runner.options(&BTreeMap::new())
    }

    /// Everything that an answer is drawn from.
    pub(crate) fn world(&self) -> Result<World<'_>, CliError> {
        if self.zoo.get().is_none() && self.rules.get().is_none() {
            self.read_together();
        }
        Ok(World {
            zoo: self.zoo(),
            rules: self.rules()?,
            store: self.store()?,
            runners: self.runners(),
            here: self.here(),
            here_has_gpu: self.here().gpu.is_some(),
            program: &self.program,
            version: VERSION,
        })
    }

    /// Says what is wrong with files that people wrote.
    pub(crate) fn warn(&self, found: &[Diagnostic]) {
        if !self.screen.quiet {
            self.screen.diagnostics(found);
        }
    }
}

fn read_rules(paths: &Paths) -> (RuleSet, Vec<Diagnostic>) {
    let folder = |(path, layer): &(PathBuf, Layer)| {
        let example = if path.is_dir() { None } else { example(path) };
        example.unwrap_or_else(|| RuleFolder::read(path, *layer))
    };
    let folders: Vec<_> = paths.rules.iter().map(folder).collect();
    RuleSet::load(&folders)
}

/// The knowledge base of the home folder, of which nothing was read yet.
fn at_home(paths: &Paths, shipped: Shipped) -> Result<Store, StoreError> {
    Store::open(&paths.home, &OpenOptions { shipped, ..OpenOptions::default() })
}

fn open_store(paths: &Paths, shipped: Shipped) -> Result<(Store, Vec<Notice>), StoreError> {
    let store = at_home(paths, shipped)?;
    let notices = store.take_notices();
    Ok((store, notices))
}

fn joined<T>(running: thread::ScopedJoinHandle<'_, T>) -> T {
    running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
