//! The engine's names of types and signatures, in words that a script's author knows.

/// A type as the author of a script calls it: `text`, `list`, `whole number`.
#[must_use]
pub fn type_in_words(name: &str) -> &str {
    let bare = name.trim().trim_start_matches('&').trim_start_matches("mut ");
    let first = bare.split(" | ").next().unwrap_or(bare);
    match first.rsplit("::").next().unwrap_or(first) {
        "i64" | "u64" | "usize" | "i32" | "u32" => "whole number",
        "f64" | "f32" => "number",
        "bool" => "true or false",
        "()" => "nothing",
        "char" => "character",
        "str" | "string" | "String" | "ImmutableString" => "text",
        "array" | "Array" => "list",
        "map" | "Map" => "map",
        "Fn" | "FnPtr" => "function",
        "range<i64>" | "range=<i64>" | "range" => "range",
        "?" | "Dynamic" => "anything",
        other => other,
    }
}

/// The same with its article: `a list`, `text`.
#[must_use]
pub fn a_type_in_words(name: &str) -> String {
    let word = type_in_words(name);
    match word {
        "nothing" | "anything" | "true or false" | "text" => word.to_owned(),
        vowel if vowel.starts_with(['a', 'e', 'i', 'o']) => format!("an {vowel}"),
        other => format!("a {other}"),
    }
}

/// The function's name and the types it was called with, of a signature such as `conv (tensor, map)`.
pub(crate) fn split_signature(signature: &str) -> (&str, Vec<String>) {
    let Some((name, rest)) = signature.split_once('(') else { return (signature.trim(), Vec::new()) };
    let inner = rest.trim_end().strip_suffix(')').unwrap_or(rest);
    let types = inner.split(", ").filter(|t| !t.is_empty()).map(a_type_in_words).collect();
    (name.trim().rsplit("::").next().unwrap_or(name), types)
}

/// A list as prose: `a`, `a and b`, `a, b and c`.
pub(crate) fn prose(words: &[impl AsRef<str>]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => only.as_ref().to_owned(),
        [init @ .., last] => {
            let init: Vec<&str> = init.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", init.join(", "), last.as_ref())
        }
    }
}
