//! Names that a rule file must not give to things of its own: a `net` that is not the candidate, or a `within` that is
//! not the program's, would be read as what everybody takes it for.

use convwise_script::find_function;
use convwise_types::Diagnostic;
use rhai::{AST, Engine};

use crate::clauses::RuleKind;
use crate::reference::FUNCTIONS;

/// What closures take.
const ARGUMENTS: [&str; 3] = ["net", "need", "pool"];

/// Makes an engine refuse variables that are called like what closures take.
#[expect(deprecated, reason = "marked so only because its form may change; the engine's version is pinned")]
pub(crate) fn keep(engine: &mut Engine) {
    engine.on_def_var(|_, variable, _| Ok(!ARGUMENTS.contains(&variable.name())));
}

/// The problem of a script that defines a function which the program has.
pub(crate) fn taken(ast: &AST, file: &str, source: &str) -> Option<Diagnostic> {
    let name = ast.iter_functions().map(|f| f.name).find(|name| is_taken(name))?;
    let problem = Diagnostic::error("reserved-name", file, format!("`{name}` is a function of the program"))
        .with_help("choose another name");
    Some(match find_function(source, name) {
        Some(span) => problem.at(source, span, "defined again"),
        None => problem,
    })
}

fn is_taken(name: &str) -> bool {
    let declares = RuleKind::ALL.iter().any(|kind| kind.as_str() == name);
    declares || FUNCTIONS.iter().any(|f| f.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_has_is_taken_and_nothing_else() {
        for name in ["has", "within", "at_least", "best", "ms", "flag_percent", "require", "rank"] {
            assert!(is_taken(name), "{name}");
        }
        for name in ["linear", "accuracy_part", "net"] {
            assert!(!is_taken(name), "{name}");
        }
    }
}
