//! What is wrong with a manifest, and where.

use std::ops::Range;

use convwise_types::{Diagnostic, Span};
use toml::Spanned;

/// Something that the form alone cannot rule out.
pub(crate) struct Problem {
    place: Option<Range<usize>>,
    message: String,
    help: &'static str,
}

impl Problem {
    pub fn at<T>(place: &Spanned<T>, message: impl Into<String>, help: &'static str) -> Self {
        Self { place: Some(place.span()), message: message.into(), help }
    }

    pub fn nowhere(message: impl Into<String>, help: &'static str) -> Self {
        Self { place: None, message: message.into(), help }
    }

    pub fn show(self, file: &str, text: &str) -> Diagnostic {
        let bare = Diagnostic::error("family", file, self.message).with_help(self.help);
        match self.place {
            Some(bytes) => bare.at(text, Span::of_bytes(text, bytes), "here"),
            None => bare,
        }
    }
}
