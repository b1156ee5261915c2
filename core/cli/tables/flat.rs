//! Flat names of grouped fields in expressions.

use super::{FieldLine, Fields};

impl Fields {
    /// An expression with the flat names of grouped fields replaced by their paths. Both are equally long, so that every
    /// place in it stays where it was; what stands in quotes is left alone.
    pub(crate) fn with_paths(&self, expression: &str) -> String {
        let mut out = String::with_capacity(expression.len());
        let mut rest = expression;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' | '\'' | '`' => quoted(rest, first),
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            let grouped = |f: &&FieldLine| f.name == token && f.path != f.name;
            let known = self.lines.iter().any(|f| f.path == token);
            let path = self.lines.iter().find(grouped).filter(|_| !known && !out.ends_with('.'));
            out.push_str(path.map_or(token, |f| &f.path));
            rest = after;
        }
        out
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Bytes of the quoted text at the beginning, its quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::asking::Table;

    fn check(expression: &str, expect: &str) {
        assert_eq!(Fields::of(Table::Architectures).with_paths(expression), expect);
    }

    #[test]
    fn flat_names_become_paths_outside_of_quotes() {
        check("latency_ms < 20 && top1 > 3", "latency.ms < 20 && top1 > 3");
        check(
            "id == \"latency_ms\" || latency_grade == \"measured\"",
            "id == \"latency_ms\" || latency.grade == \"measured\"",
        );
        check("id == \"\\\"latency_ms\" && accuracy_value>1", "id == \"\\\"latency_ms\" && accuracy.value>1");
        check("weights_licence == \"MIT\"", "weights_licence == \"MIT\"");
        check("xlatency_ms + latency.low_ms", "xlatency_ms + latency.low_ms");
        check("\"ü\" == id && latency_ms", "\"ü\" == id && latency.ms");
        check("\"open", "\"open");
    }
}
