//! A problem in a text file, shown with its line underlined.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not do what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// A range of bytes in the source, with the line and column (both from 1) of its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the source.
    pub bytes: Range<usize>,
}

impl Span {
    /// The span of the word that starts at a line and column (both from 1).
    #[must_use]
    pub fn of_word(source: &str, line: usize, column: usize) -> Self {
        let line_start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let text = source.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        let offset = text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(i, _)| i);
        let rest = text.get(offset..).unwrap_or_default();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word: usize = rest.chars().take_while(|c| is_word(*c)).map(char::len_utf8).sum();
        let length = if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) };
        let start = line_start + offset;
        Self { line, column, bytes: start..start + length }
    }

    /// The span of a byte range.
    #[must_use]
    pub fn of_bytes(source: &str, bytes: Range<usize>) -> Self {
        let start = floor_boundary(source, bytes.start);
        let before = source.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line, column, bytes: start..floor_boundary(source, bytes.end).max(start) }
    }
}

fn floor_boundary(source: &str, mut at: usize) -> usize {
    at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What is said at the underlined place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What.
    pub text: String,
}

/// A problem in a text file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// Name of the check, e.g. `unknown-field`.
    pub code: String,
    /// What happened: lower case, no final stop.
    pub message: String,
    /// File as the user knows it.
    pub file: String,
    /// Where, when the place is known.
    pub label: Option<Label>,
    /// What to try.
    pub help: Option<String>,
    /// The file's text, to show the line. Not part of the JSON form.
    #[serde(skip)]
    pub source: String,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &str, file: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.into(),
            file: file.to_owned(),
            label: None,
            help: None,
            source: String::new(),
        }
    }

    /// The same at another severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, source: &str, span: Span, text: impl Into<String>) -> Self {
        source.clone_into(&mut self.source);
        self.label = Some(Label { span, text: text.into() });
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Line from 1, if the place is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.label.as_ref().map(|l| l.span.line)
    }

    /// The text a person reads: message, file, line, column, the line underlined, what to try.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let title = level.primary_title(self.message.as_str()).id(self.code.as_str());
        let mut group = match &self.label {
            Some(label) => {
                let place = AnnotationKind::Primary.span(label.span.bytes.clone()).label(label.text.as_str());
                let snippet =
                    Snippet::source(self.source.as_str()).path(self.file.as_str()).annotation(place);
                title.element(snippet)
            }
            None => Group::with_title(title).element(annotate_snippets::Origin::path(self.file.as_str())),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group]).to_string()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_line_underlined() {
        let source = "let a = 1;\nlet b = net.lateny;\n";
        let span = Span::of_word(source, 2, 13);
        let shown = Diagnostic::error("unknown-field", "rules/x.rhai", "there is no field `lateny`")
            .at(source, span, "not a field of `net`")
            .with_help("did you mean `latency`?");
        assert_eq!(
            shown.to_string(),
            "error[unknown-field]: there is no field `lateny`\n \
             --> rules/x.rhai:2:13\n  |\n2 | let b = net.lateny;\n  |             ^^^^^^ not a field of `net`\n  |\n  \
             = help: did you mean `latency`?"
        );
    }
}
