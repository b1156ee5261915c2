//! Source text -> syntax tree, or the place where it is wrong.

use convwise_types::{Diagnostic, Span, did_you_mean};
use rhai::{AST, Engine, EvalAltResult, LexError, ParseErrorType, Position};

use crate::diagnose::Complaint;
use crate::sources::names_in;

/// Longest script that is read, 1 MB.
pub const MAX_SOURCE_BYTES: usize = 1_000_000;

/// Compiles a script; `file` is the name under which problems in it will be reported.
///
/// # Errors
/// A syntax error, an undefined variable, or a text that is too long, each with its place.
#[expect(clippy::result_large_err, reason = "a script that does not compile ends the work on it")]
pub fn compile(engine: &Engine, file: &str, source: &str) -> Result<AST, Diagnostic> {
    parse(engine, file, source).map_err(|error| match *error {
        EvalAltResult::ErrorParsing(kind, position) => syntax(&kind, position, file, source),
        EvalAltResult::ErrorRuntime(value, _) => {
            let complaint = value.try_cast::<Complaint>().unwrap_or_else(Complaint::unexplained);
            let bare = Diagnostic::error(&complaint.code, file, complaint.message);
            bare.with_help("split the script, or generate less")
        }
        other => Diagnostic::error("syntax", file, other.to_string()),
    })
}

/// The same, with the engine's own errors.
pub(crate) fn parse(engine: &Engine, file: &str, source: &str) -> Result<AST, Box<EvalAltResult>> {
    if source.len() > MAX_SOURCE_BYTES {
        let (found, most) = (source.len(), MAX_SOURCE_BYTES);
        return Err(Complaint::new(
            "limit",
            format!("the script has {found} bytes; at most {most} are read"),
        )
        .into());
    }
    let mut ast = engine.compile(source)?;
    ast.set_source(file);
    Ok(ast)
}

/// A syntax error as a diagnostic.
pub(crate) fn syntax(kind: &ParseErrorType, position: Position, file: &str, source: &str) -> Diagnostic {
    let Wording { code, message, help } = word(kind, source);
    let mut diagnostic = Diagnostic::error(code, file, message);
    diagnostic = match (position.line(), position.position()) {
        (Some(line), column) => {
            diagnostic.at(source, Span::of_word(source, line, column.unwrap_or(1)), "here")
        }
        _ => diagnostic.at(source, end_of(source), "the text ends here"),
    };
    match help {
        Some(help) => diagnostic.with_help(help),
        None => diagnostic,
    }
}

fn end_of(source: &str) -> Span {
    let end = source.trim_end().len();
    Span::of_bytes(source, end.saturating_sub(1)..end)
}

struct Wording {
    code: &'static str,
    message: String,
    help: Option<String>,
}

fn wording(code: &'static str, message: impl Into<String>) -> Wording {
    Wording { code, message: message.into(), help: None }
}

impl Wording {
    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

fn word(kind: &ParseErrorType, source: &str) -> Wording {
    use ParseErrorType as P;
    match kind {
        P::UnexpectedEOF => {
            wording("syntax", "the script ends too early").help("a bracket or a brace is not closed")
        }
        P::BadInput(lexical) => lexical_error(lexical),
        P::UnknownOperator(op) => wording("syntax", format!("`{op}` is not an operator")),
        P::MissingToken(token, what) => {
            wording("syntax", plain(&format!("expected `{token}` {what}")).trim_end())
        }
        P::MissingSymbol(what) => wording("syntax", format!("a symbol is missing: {}", plain(what))),
        P::VariableUndefined(name) => unknown_variable(name, source),
        P::ModuleUndefined(name) => wording("unknown-module", format!("no module is imported as `{name}`"))
            .help(format!("write for example `import \"blocks/{name}\" as {name};` at the top")),
        P::DuplicatedProperty(name) => wording("syntax", format!("`{name}` is given twice")),
        P::DuplicatedVariable(name) | P::VariableExists(name) => {
            wording("syntax", format!("there is already a variable `{name}`"))
        }
        P::Reserved(word) => reserved(word),
        P::ForbiddenVariable(name) => {
            wording("reserved-name", format!("no variable can be called `{name}` here"))
                .help("choose another name")
        }
        P::ExprTooDeep => {
            wording("limit", "the expression is nested too deeply").help("split it into several")
        }
        P::TooManyFunctions => wording("limit", "the script defines too many functions"),
        P::LiteralTooLarge(what, most) => {
            wording("limit", format!("{what} is more than {most}").to_lowercase())
        }
        P::MismatchedType(wanted, found) => {
            wording("wrong-type", plain(&format!("expected {wanted}, found {found}")))
        }
        P::FnDuplicatedDefinition(name, count) => {
            wording("syntax", format!("the function `{name}` of {count} parameters is defined twice"))
        }
        P::AssignmentToConstant(name) => wording("syntax", format!("`{name}` is a constant")),
        other => wording("syntax", plain(&lower_first(&other.to_string()))),
    }
}

/// The engine's words for things, in ours.
fn plain(text: &str) -> String {
    text.replace("a boolean expression", "true or false")
        .replace("an iterable value", "a list or a range")
        .replace("this object map literal", "this map")
        .replace("this array literal", "this list")
        .replace("parameters list", "list of parameters")
        .replace('\'', "`")
}

fn lexical_error(error: &LexError) -> Wording {
    match error {
        LexError::UnterminatedString => {
            wording("syntax", "the text is not closed").help("add the closing quotation mark")
        }
        LexError::StringTooLong(most) => wording("limit", format!("the text is longer than {most} bytes")),
        LexError::ImproperSymbol(word, _) if word == "eval" => {
            wording("not-allowed", "scripts cannot use `eval`").help("write the expression itself")
        }
        other => wording("syntax", plain(&lower_first(&other.to_string()))),
    }
}

fn reserved(word: &str) -> Wording {
    wording("syntax", format!("`{word}` is a reserved word")).help("choose another name")
}

/// An unknown variable, with the nearest name that the script uses.
pub(crate) fn unknown_variable_text(name: &str, source: &str) -> (String, Option<String>) {
    let near = did_you_mean(name, names_in(source).filter(|w| *w != name));
    let help = near.strip_prefix("; ").map(str::to_owned);
    (format!("there is no variable `{name}`"), help)
}

fn unknown_variable(name: &str, source: &str) -> Wording {
    let (message, help) = unknown_variable_text(name, source);
    Wording { code: "unknown-variable", message, help }
}

pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    first + chars.as_str().trim_end_matches('.')
}
