//! Closures whose arguments are bound by the names of their parameters, so that a rule may take
//! `|net|`, `|need|` or both in any order.

use rhai::{AST, Dynamic, Engine, EvalAltResult, FnPtr};

/// Names of the parameters that a caller must supply, in order. Captured values come first in the
/// definition and are not among them.
#[must_use]
pub fn parameters(ast: &AST, pointer: &FnPtr) -> Vec<String> {
    let captured = pointer.curry().len();
    ast.iter_functions()
        .find(|f| f.name == pointer.fn_name() && f.params.len() >= captured)
        .map(|f| f.params.iter().skip(captured).map(|p| (*p).to_owned()).collect())
        .unwrap_or_default()
}

/// A closure with the names of its parameters.
#[derive(Clone, Debug)]
pub struct Closure {
    pointer: FnPtr,
    parameters: Vec<String>,
}

impl Closure {
    /// A closure that was defined in `ast`. What it captured is its own from now on: a script that changes it in a
    /// call changes nothing for later ones.
    #[must_use]
    pub fn new(ast: &AST, mut pointer: FnPtr) -> Self {
        pointer.iter_curry_mut().for_each(|captured| *captured = captured.flatten_clone());
        let parameters = parameters(ast, &pointer);
        Self { pointer, parameters }
    }

    /// Names of the parameters, in order.
    #[must_use]
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// Calls it; `value` supplies each argument by the name of its parameter. A name it does not know
    /// becomes `()`, so check [`Self::parameters`] beforehand.
    ///
    /// # Errors
    /// What the script raised, or the limit it ran into.
    pub fn call(
        &self,
        engine: &Engine,
        ast: &AST,
        value: impl Fn(&str) -> Option<Dynamic>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        let arguments: Vec<Dynamic> =
            self.parameters.iter().map(|name| value(name).unwrap_or(Dynamic::UNIT)).collect();
        self.pointer.call(engine, ast, arguments)
    }
}
