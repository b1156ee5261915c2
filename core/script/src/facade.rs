//! What an importer sees of a module: its functions, each behind one of the same name.
//!
//! Rhai 1.27.0 remembers which function a name meant without asking in which module it was used: once two
//! modules have helpers of one name and one number of parameters, the second module may silently run the
//! first one's (`call_script_fn` adds a module's functions to those in reach, but keeps the memory). An import
//! that brings a function for everybody makes the engine forget. So whoever crosses into a module goes through
//! a function that begins with such an import; the module itself stays as its author wrote it.

use std::fmt::Write as _;
use std::sync::Arc;

use rhai::{AST, FnAccess, FnNamespace, FuncRegistration, Module};

/// Name of the module whose import makes the engine forget. No file can have it.
pub(crate) const FORGETTING: &str = "\u{1}";
/// What stands before the name of a module without its facade.
pub(crate) const BARE: char = '\u{2}';

/// The module that [`FORGETTING`] names: one function that nobody can call.
pub(crate) fn forgetting() -> Arc<Module> {
    let mut module = Module::new();
    FuncRegistration::new(FORGETTING).with_namespace(FnNamespace::Global).set_into_module(&mut module, || ());
    module.build_index();
    Arc::new(module)
}

/// The text between the quotes of a string; a module is called what its folder or file is called.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Source of the facade of a module.
pub(crate) fn facade(name: &str, module: &AST) -> String {
    let mut source = String::new();
    let _ = writeln!(source, "import \"{BARE}{}\" as bare;", escaped(name));
    // Closures are functions too, under names that no script can write; only their module calls them.
    let is_named = |name: &str| !name.contains('$');
    for function in module.iter_functions().filter(|f| f.access == FnAccess::Public && is_named(f.name)) {
        let (called, parameters) = (function.name, function.params.join(", "));
        let _ = writeln!(
            source,
            "fn {called}({parameters}) {{ import \"{FORGETTING}\"; bare::{called}({parameters}) }}"
        );
    }
    source
}
