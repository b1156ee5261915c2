//! What went wrong while a script ran, in plain words at its place.

use std::collections::BTreeSet;

use convwise_types::{Diagnostic, Span, did_you_mean};
use rhai::{Dynamic, Engine, EvalAltResult, Position};

use crate::compile::{lower_first, syntax, unknown_variable_text};
use crate::sources::{Sources, names_in};
use crate::words::{a_type_in_words, prose, split_signature};

/// An error that a function of ours raises in a script: already in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Name of the check, e.g. `unknown-option`.
    pub code: String,
    /// What happened: lower case, no final stop.
    pub message: String,
    /// What to try.
    pub help: Option<String>,
}

impl Complaint {
    /// A complaint without advice.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), help: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The error that carries it, at a place.
    #[must_use]
    pub fn at(self, position: Position) -> Box<EvalAltResult> {
        EvalAltResult::ErrorRuntime(Dynamic::from(self), position).into()
    }

    pub(crate) fn unexplained() -> Self {
        Self::new("script", "the script failed")
    }
}

impl From<Complaint> for Box<EvalAltResult> {
    fn from(complaint: Complaint) -> Self {
        complaint.at(Position::NONE)
    }
}

/// Explains a run-time error of the script `file`, following it into imported modules.
///
/// The engine is the one that ran the script: it knows the functions that exist and the limits. An
/// error without a place (a limit reached inside the function that the program called) has no label.
#[must_use]
pub fn diagnose(error: &EvalAltResult, file: &str, sources: &Sources, engine: &Engine) -> Diagnostic {
    let found = innermost(error, file, sources);
    let source = sources.text(&found.file).unwrap_or_default();
    if let EvalAltResult::ErrorParsing(kind, position) = found.error {
        return syntax(kind, *position, &found.file, source);
    }
    let complaint = Explain { source, sources, engine }.explain(found.error);
    let mut diagnostic = Diagnostic::error(&complaint.code, &found.file, complaint.message);
    if let Some(line) = found.position.line() {
        let span = Span::of_word(source, line, found.position.position().unwrap_or(1));
        diagnostic = diagnostic.at(source, span, "here");
    }
    diagnostic.help = found.with_caller(complaint.help);
    diagnostic
}

/// The error that started it, and the best known place.
struct Found<'e> {
    error: &'e EvalAltResult,
    file: String,
    position: Position,
    /// File and line of the call that led into another file.
    caller: Option<String>,
}

impl Found<'_> {
    /// Remembers the place in the script itself before the search moves on to a file it called.
    fn note_caller(&mut self, next: &str, start: &str) {
        if self.file == start && next != start {
            self.caller = self.position.line().map(|line| format!("{start}:{line}"));
        }
    }

    /// Advice, and how the script came to the place if that is in another file.
    fn with_caller(&self, help: Option<String>) -> Option<String> {
        let caller = self.caller.as_ref().map(|place| format!("called from {place}"));
        match (help, caller) {
            (Some(help), Some(caller)) => Some(format!("{help}; {caller}")),
            (help, caller) => help.or(caller),
        }
    }
}

fn innermost<'e>(error: &'e EvalAltResult, file: &str, sources: &Sources) -> Found<'e> {
    let mut found = Found { error, file: file.to_owned(), position: error.position(), caller: None };
    let mut inside = file.to_owned();
    loop {
        let inner = match found.error {
            EvalAltResult::ErrorInFunctionCall(_, origin, inner, _)
            | EvalAltResult::ErrorInModule(origin, inner, _) => {
                if sources.text(origin).is_some() {
                    inside.clone_from(origin);
                }
                inner
            }
            _ => return found,
        };
        found.error = inner;
        if !inner.position().is_none() {
            found.note_caller(&inside, file);
            found.position = inner.position();
            found.file.clone_from(&inside);
        }
    }
}

struct Explain<'a> {
    source: &'a str,
    sources: &'a Sources,
    engine: &'a Engine,
}

impl Explain<'_> {
    fn explain(&self, error: &EvalAltResult) -> Complaint {
        use EvalAltResult as E;
        match error {
            E::ErrorRuntime(value, _) => thrown(value),
            E::ErrorFunctionNotFound(signature, _) => self.unknown_function(signature),
            E::ErrorVariableNotFound(name, _) => {
                let (message, help) = unknown_variable_text(name, self.source);
                Complaint { help, ..Complaint::new("unknown-variable", message) }
            }
            E::ErrorPropertyNotFound(name, _) => self.unknown_field(name, None),
            E::ErrorDotExpr(text, _) => self.dot(text),
            E::ErrorModuleNotFound(name, _) => self.unknown_module(name),
            E::ErrorMismatchDataType(wanted, found, _) | E::ErrorMismatchOutputType(wanted, found, _) => {
                mismatch(wanted, found)
            }
            E::ErrorIndexingType(signature, _) => cannot_index(signature),
            E::ErrorFor(_) => Complaint::new("wrong-type", "a `for` loop runs over a list or a range")
                .with_help("write for example `for i in 0..n`"),
            E::ErrorArrayBounds(length, index, _) => {
                Complaint::new("out-of-range", format!("there is no element {index} in a list of {length}"))
            }
            E::ErrorStringBounds(length, index, _) => {
                Complaint::new("out-of-range", format!("there is no character {index} in a text of {length}"))
            }
            E::ErrorAssignmentToConstant(name, _) => {
                Complaint::new("constant", format!("`{name}` is a constant and cannot change"))
            }
            E::ErrorNonPureMethodCallOnConstant(name, _) => {
                Complaint::new("constant", format!("`{name}` would change a constant"))
                    .with_help("begin the variable with `let`")
            }
            E::ErrorArithmetic(text, _) => Complaint::new("arithmetic", lower_first(text)),
            limit => {
                self.limit(limit).unwrap_or_else(|| Complaint::new("script", lower_first(&limit.to_string())))
            }
        }
    }

    fn limit(&self, error: &EvalAltResult) -> Option<Complaint> {
        use EvalAltResult as E;
        let engine = self.engine;
        let (message, help) = match error {
            E::ErrorTooManyOperations(_) => {
                let text = format!("the script ran longer than {} operations", engine.max_operations());
                (text, "look for a loop that does not end")
            }
            E::ErrorTerminated(limit, _) => {
                (format!("the script ran longer than {limit}"), "look for a loop that does not end")
            }
            E::ErrorStackOverflow(_) => {
                let text = format!("functions call each other more than {} deep", engine.max_call_levels());
                (text, "look for a function that calls itself without end")
            }
            E::ErrorDataTooLarge(what, _) => (self.too_large(what), "build it from smaller parts"),
            E::ErrorTooManyVariables(_) => {
                (format!("more than {} variables at once", engine.max_variables()), "keep values in a list")
            }
            _ => return None,
        };
        Some(Complaint::new("limit", message).with_help(help))
    }

    fn too_large(&self, what: &str) -> String {
        let what = what.to_lowercase();
        if what.contains("string") {
            format!("a text grew past {} bytes", self.engine.max_string_size())
        } else if what.contains("map") {
            format!("a map grew past {} entries", self.engine.max_map_size())
        } else {
            format!("a list grew past {} elements", self.engine.max_array_size())
        }
    }

    fn unknown_function(&self, signature: &str) -> Complaint {
        let (name, types) = split_signature(signature);
        let known = self.functions();
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            let text = format!("`{name}` does not work between {}", prose(&types));
            return Complaint::new("wrong-type", text);
        }
        if known.contains(name) {
            let text = format!("`{name}` does not take {}", prose(&types));
            let complaint = Complaint::new("wrong-arguments", text);
            let usage = self.sources.usage(name).map(|usage| format!("write `{usage}`"));
            return Complaint { help: usage, ..complaint };
        }
        let near = did_you_mean(name, known.iter().map(String::as_str));
        let help = near.strip_prefix("; ").map(str::to_owned);
        Complaint { help, ..Complaint::new("unknown-function", format!("there is no function `{name}`")) }
    }

    fn dot(&self, text: &str) -> Complaint {
        let quoted: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
        match (text.starts_with("Unknown property"), quoted.as_slice()) {
            (true, [name, owner, ..]) => self.unknown_field(name, Some(owner)),
            (true, [name]) => self.unknown_field(name, None),
            _ => Complaint::new("script", lower_first(text)),
        }
    }

    fn unknown_field(&self, name: &str, owner: Option<&str>) -> Complaint {
        let of = owner.map(|o| format!(" of {}", a_type_in_words(o))).unwrap_or_default();
        let getters = self.engine.collect_fn_metadata(
            None,
            |f| f.metadata.name.strip_prefix("get$").map(str::to_owned),
            true,
        );
        let known = getters.iter().map(String::as_str).chain(self.sources.fields());
        let near = did_you_mean(name, known);
        let help = near.strip_prefix("; ").map(str::to_owned);
        Complaint { help, ..Complaint::new("unknown-field", format!("there is no field `{name}`{of}")) }
    }

    fn unknown_module(&self, name: &str) -> Complaint {
        let complaint = Complaint::new("unknown-module", format!("there is no module `{name}` to import"));
        let modules = self.sources.modules();
        if modules.is_empty() {
            return complaint.with_help("scripts cannot read files; nothing can be imported here");
        }
        let near = did_you_mean(name, modules.iter().map(String::as_str));
        let help = near.strip_prefix("; ").map(str::to_owned);
        complaint.with_help(help.unwrap_or_else(|| {
            format!("scripts cannot read files; what can be imported: {}", modules.join(", "))
        }))
    }

    /// Every function that a script could have meant.
    fn functions(&self) -> BTreeSet<String> {
        let plain = |name: &str| {
            let word = name.chars().all(|c| c.is_alphanumeric() || c == '_');
            word.then(|| name.to_owned())
        };
        let mut known: BTreeSet<String> =
            self.engine.collect_fn_metadata(None, |f| plain(&f.metadata.name), true).into_iter().collect();
        known.extend(self.sources.functions_with_usage().map(str::to_owned));
        known.extend(defined_functions(self.source).map(str::to_owned));
        known
    }
}

fn defined_functions(source: &str) -> impl Iterator<Item = &str> {
    source.split("fn ").skip(1).filter_map(|rest| names_in(rest).next().filter(|name| rest.starts_with(name)))
}

fn mismatch(wanted: &str, found: &str) -> Complaint {
    let wanted = a_type_in_words(wanted);
    let found = if found.is_empty() { String::new() } else { format!(", found {}", a_type_in_words(found)) };
    Complaint::new("wrong-type", format!("expected {wanted}{found}"))
}

fn cannot_index(signature: &str) -> Complaint {
    let owner = signature.split(['[', '(']).next().unwrap_or(signature);
    let text = format!("{} has no elements to pick with `[...]`", a_type_in_words(owner));
    Complaint::new("wrong-type", text)
}

/// What a script threw, or a function of ours.
fn thrown(value: &Dynamic) -> Complaint {
    if let Some(complaint) = value.read_lock::<Complaint>() {
        return complaint.clone();
    }
    let text = value.to_string();
    if value.is_unit() || text.is_empty() {
        return Complaint::unexplained();
    }
    Complaint::new("script", text)
}
