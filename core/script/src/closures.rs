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

    /// The syntax tree of its body alone, out of the file that it was defined in.
    #[must_use]
    pub fn body(&self, ast: &AST) -> AST {
        // Cloning with a filter ignores the filter (rhai 1.27, `Module::merge_filtered` into an empty module).
        let mut body = ast.clone_functions_only();
        body.retain_functions(|_, _, name, _| name == self.pointer.fn_name());
        body
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_that_of_one_closure() {
        let engine = Engine::new();
        let ast = engine.compile("let a = |x| x + 1; let b = |x| { 2 }; a").unwrap();
        let pointer = engine.eval_ast::<FnPtr>(&ast).unwrap();
        assert_eq!(ast.iter_functions().count(), 2);
        let body = Closure::new(&ast, pointer.clone()).body(&ast);
        let names: Vec<_> = body.iter_functions().map(|f| f.name).collect();
        assert_eq!(names, [pointer.fn_name()]);
    }
}
