//! The texts of all scripts in play, so that a problem can be shown with its line.

use std::collections::BTreeMap;
use std::sync::Arc;

use convwise_types::Span;

/// File name -> text; how each function is used; which modules and fields there are.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<String, Arc<str>>,
    usage: BTreeMap<String, String>,
    modules: Vec<String>,
    fields: Vec<String>,
}

impl Sources {
    /// No texts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name that [`crate::compile()`] was given.
    pub fn add(&mut self, file: impl Into<String>, text: impl Into<Arc<str>>) -> &mut Self {
        self.files.insert(file.into(), text.into());
        self
    }

    /// Says how a function is called, for the help of an error: `x.conv(name, #{ out, kernel })`.
    pub fn add_usage(&mut self, function: impl Into<String>, example: impl Into<String>) -> &mut Self {
        self.usage.insert(function.into(), example.into());
        self
    }

    /// Names what can be imported, for the help of an error.
    pub fn add_modules<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.modules.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Names fields of maps that the program hands to the script, for the help of an error.
    pub fn add_fields<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.fields.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Text of a file.
    #[must_use]
    pub fn text(&self, file: &str) -> Option<&str> {
        self.files.get(file).map(AsRef::as_ref)
    }

    pub(crate) fn usage(&self, function: &str) -> Option<&str> {
        self.usage.get(function).map(String::as_str)
    }

    pub(crate) fn functions_with_usage(&self) -> impl Iterator<Item = &str> {
        self.usage.keys().map(String::as_str)
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(String::as_str)
    }

    pub(crate) fn modules(&self) -> &[String] {
        &self.modules
    }
}

/// Where `fn name` stands in a source; the place to show when an error has none of its own.
#[must_use]
pub fn find_function(source: &str, name: &str) -> Option<Span> {
    let definition = format!("fn {name}");
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let (start, _) = source
        .match_indices(&definition)
        .find(|(at, found)| source.get(at + found.len()..).is_some_and(|rest| !goes_on(rest)))?;
    let word = start + "fn ".len();
    Some(Span::of_bytes(source, word..word + name.len()))
}

/// Every word of a source that could be a name.
pub(crate) fn names_in(source: &str) -> impl Iterator<Item = &str> {
    source
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}
