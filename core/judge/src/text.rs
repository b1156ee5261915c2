//! Places in the text of a rule file: where a declaration ends, where a clause stands.

use std::ops::Range;

use convwise_types::Span;

/// The bytes of the declaration that starts at a line and column, up to its closing bracket.
pub(crate) fn declaration(source: &str, line: usize, column: usize) -> Range<usize> {
    let start = Span::of_word(source, line, column).bytes.start;
    let length = source.get(start..).map_or(0, closing_bracket);
    let end = start + length;
    let semicolon = source.get(end..).is_some_and(|rest| rest.starts_with(';'));
    start..end + usize::from(semicolon)
}

/// Length of a call up to the bracket that closes the first one; texts and comments do not count.
fn closing_bracket(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let step = skip_length(rest).unwrap_or_else(|| c.len_utf8());
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        rest = rest.get(step..).unwrap_or_default();
        if c == ')' && depth == 0 {
            break;
        }
    }
    text.len() - rest.len()
}

/// Length of the comment or text that begins here, if one does.
pub(crate) fn skip_length(text: &str) -> Option<usize> {
    let until = |from: usize, end: &str| {
        let tail = text.get(from..)?;
        Some(from + tail.find(end).map_or(tail.len(), |at| at + end.len()))
    };
    if text.starts_with("//") {
        return until(2, "\n");
    }
    if text.starts_with("/*") {
        return until(2, "*/");
    }
    if text.starts_with('`') {
        return until(1, "`");
    }
    text.starts_with('"').then(|| quoted_length(text))
}

/// Length of a text in double quotes, with its escapes.
fn quoted_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where a clause stands in a declaration.
pub(crate) fn clause(source: &str, within: &Range<usize>, name: &str) -> Option<Span> {
    let text = source.get(within.clone())?;
    let word = |at: usize| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + name.len()..).unwrap_or_default().trim_start();
        after.starts_with(':') && !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    let at = text.match_indices(name).map(|(at, _)| at).find(|at| word(*at))?;
    let start = within.start + at;
    Some(Span::of_bytes(source, start..start + name.len()))
}

/// Where a declaration first writes a dotted path, not as the beginning of a longer word.
pub(crate) fn mention(source: &str, within: &Range<usize>, path: &str) -> Option<Span> {
    let text = source.get(within.clone())?;
    let ends = |at: usize| {
        let after = text.get(at + path.len()..).and_then(|rest| rest.chars().next());
        !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    let at = text.match_indices(path).map(|(at, _)| at).find(|at| ends(*at))?;
    let start = within.start + at;
    Some(Span::of_bytes(source, start..start + path.len()))
}

/// The bytes of the comments that run to the end of their line and begin with `mark`, outside texts.
pub(crate) fn line_comments(source: &str, mark: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().map_or(1, char::len_utf8);
        if rest.starts_with(mark) {
            let length = rest.find('\n').unwrap_or(rest.len());
            found.push(at..at + length);
            at += length;
        } else {
            at += skip_length(rest).unwrap_or(first);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_in_texts_are_none() {
        let check = |source: &str, mark: &str, expect: &[&str]| {
            let found: Vec<&str> = line_comments(source, mark).into_iter().map(|b| &source[b]).collect();
            assert_eq!(found, expect);
        };
        check("a(\"// no\"); // yes\n`// no ${b}` /* // no */ c // end", "//", &["// yes", "// end"]);
        check("name = \"# no\" # yes\n# whole\n", "#", &["# yes", "# whole"]);
        check("", "//", &[]);
    }

    #[test]
    fn a_declaration_ends_at_its_own_bracket() {
        let source =
            "// x\nrequire(#{\n  id: \"a)\", // )\n  doc: `)`,\n  holds: |net| f(net.id),\n});\nnote(#{});";
        let range = declaration(source, 2, 1);
        assert!(source[range.clone()].starts_with("require("));
        assert!(source[range.clone()].ends_with("f(net.id),\n});"), "{}", &source[range.clone()]);
        let span = clause(source, &range, "doc").unwrap();
        assert_eq!((span.line, span.column), (4, 3));
        assert_eq!(clause(source, &range, "hold"), None);
    }
}
