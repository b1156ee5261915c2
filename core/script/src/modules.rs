//! Imports from memory: a script may import the modules it was given by name, and nothing else.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope};

use crate::compile::parse;
use crate::diagnose::Complaint;

/// The modules that scripts may import, each compiled on first use and then kept.
#[derive(Clone, Debug, Default)]
pub struct Library {
    texts: Arc<BTreeMap<String, ModuleText>>,
    state: Arc<Mutex<State>>,
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
        Self { texts: Arc::new(texts), state: Arc::default() }
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

    fn load(
        &self,
        engine: &Engine,
        name: &str,
        text: &ModuleText,
    ) -> Result<Arc<Module>, Box<EvalAltResult>> {
        let ast = parse(engine, &text.file, &text.source)?;
        Module::eval_ast_as_new(Scope::new(), &ast, engine).map(|mut module| {
            module.set_id(text.file.as_str());
            module.build_index();
            let module = Arc::new(module);
            self.state().ready.insert(name.to_owned(), Arc::clone(&module));
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
        if let Some(module) = self.state().ready.get(path) {
            return Ok(Arc::clone(module));
        }
        let Some(text) = self.texts.get(path) else {
            return Err(EvalAltResult::ErrorModuleNotFound(path.to_owned(), position).into());
        };
        let key = (path.to_owned(), thread::current().id());
        if !self.state().underway.insert(key.clone()) {
            return Err(Complaint::new("import-cycle", format!("`{path}` imports itself")).at(position));
        }
        let loaded = self.load(engine, path, text);
        self.state().underway.remove(&key);
        loaded.map_err(|error| EvalAltResult::ErrorInModule(text.file.clone(), error, position).into())
    }
}
