//! Imports from memory: a script may import the modules it was given by name, and nothing else.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope};

use crate::compile::parse;
use crate::diagnose::Complaint;
use crate::facade::{BARE, FORGETTING, facade, forgetting};

/// The modules that scripts may import, each compiled on first use and then kept.
#[derive(Clone, Debug, Default)]
pub struct Library {
    texts: Arc<BTreeMap<String, ModuleText>>,
    state: Arc<Mutex<State>>,
    forgetting: Forgetting,
}

/// See [`crate::facade`].
#[derive(Clone, Debug)]
struct Forgetting(Arc<Module>);

impl Default for Forgetting {
    fn default() -> Self {
        Self(forgetting())
    }
}

/// One importable module.
#[derive(Clone, Debug)]
struct ModuleText {
    file: String,
    source: Arc<str>,
}

#[derive(Debug, Default)]
struct State {
    ready: BTreeMap<String, Arc<Module>>,
    /// Modules that are being loaded, by the thread that does so; to meet one again is a cycle.
    underway: HashSet<(String, ThreadId)>,
}

impl Library {
    /// A library of (name as imported, file as the user knows it, source).
    pub fn new<N, F, S>(modules: impl IntoIterator<Item = (N, F, S)>) -> Self
    where
        N: Into<String>,
        F: Into<String>,
        S: Into<Arc<str>>,
    {
        let texts = modules
            .into_iter()
            .map(|(name, file, source)| {
                (name.into(), ModuleText { file: file.into(), source: source.into() })
            })
            .collect();
        Self { texts: Arc::new(texts), ..Self::default() }
    }

    /// Names that can be imported.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Source of a module.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(|text| text.source.as_ref())
    }

    /// (file, source) of every module.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Arc<str>)> {
        self.texts.values().map(|t| (t.file.as_str(), &t.source))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The module as its author wrote it, or its facade.
    fn load(&self, engine: &Engine, path: &str, text: &ModuleText) -> Result<Module, Box<EvalAltResult>> {
        let mut ast = parse(engine, &text.file, &text.source)?;
        let bare = path.starts_with(BARE);
        if !bare {
            ast = parse(engine, &text.file, &facade(path, &ast))?;
        }
        Module::eval_ast_as_new(Scope::new(), &ast, engine).map(|mut module| {
            module.set_id(text.file.as_str());
            module.build_index();
            module
        })
    }
}

impl ModuleResolver for Library {
    fn resolve(
        &self,
        engine: &Engine,
        _importer: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Arc<Module>, Box<EvalAltResult>> {
        if path == FORGETTING {
            return Ok(Arc::clone(&self.forgetting.0));
        }
        if let Some(module) = self.state().ready.get(path) {
            return Ok(Arc::clone(module));
        }
        let Some(text) = self.texts.get(path.strip_prefix(BARE).unwrap_or(path)) else {
            return Err(EvalAltResult::ErrorModuleNotFound(path.to_owned(), position).into());
        };
        let key = (path.to_owned(), thread::current().id());
        if !self.state().underway.insert(key.clone()) {
            return Err(Complaint::new(
                "import-cycle",
                format!("`{}` imports itself", path.trim_start_matches(BARE)),
            )
            .at(position));
        }
        let loaded = self.load(engine, path, text).map(Arc::new);
        self.state().underway.remove(&key);
        match loaded {
            Ok(module) => {
                self.state().ready.insert(path.to_owned(), Arc::clone(&module));
                Ok(module)
            }
            // The facade itself cannot fail: what went wrong is the module's, and was said of it.
            Err(error) if matches!(*error, EvalAltResult::ErrorInModule(..)) && !path.starts_with(BARE) => {
                Err(error)
            }
            Err(error) => Err(EvalAltResult::ErrorInModule(text.file.clone(), error, position).into()),
        }
    }
}
