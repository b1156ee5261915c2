//! A rule as it is written: its clauses, and the constants and functions of its file that it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::text::{declaration, skip_length};

/// The text of a rule with everything that it needs from its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Constants and functions that it needs, in the order of the file.
    pub definitions: Vec<Definition>,
    /// The declaration.
    pub rule: String,
}

/// A constant or a function beside the rules of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    name: String,
    text: String,
}

impl Written {
    /// As a file of its own.
    pub fn file(&self) -> String {
        let definitions = self.definitions.iter().map(|d| d.text.as_str());
        definitions.chain([self.rule.as_str()]).collect::<Vec<_>>().join("\n\n") + "\n"
    }

    /// Its parts by name: each clause, and each constant or function that it needs.
    pub fn parts(&self) -> BTreeMap<String, String> {
        let definitions = self.definitions.iter().map(|d| (d.name.clone(), d.text.clone()));
        definitions.chain(clauses(&self.rule)).collect()
    }
}

impl RuleSet {
    /// A rule as its author wrote it.
    pub(crate) fn written(&self, rule: &Rule) -> Option<Written> {
        let source: &str = &self.file_of(rule)?.text;
        Some(written(source, declaration(source, rule.line, rule.column)))
    }
}

/// The declaration at a place of a source, with what it needs.
pub(crate) fn written(source: &str, at: Range<usize>) -> Written {
    let rule = source.get(at).unwrap_or_default().to_owned();
    let all = definitions(source);
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = vec![&rule];
    while let Some(text) = open.pop() {
        for word in words(text) {
            if let Some(found) = all.iter().find(|d| d.name == word).filter(|_| needed.insert(word)) {
                open.push(&found.text);
            }
        }
    }
    let definitions = all.iter().filter(|d| needed.contains(d.name.as_str())).cloned().collect();
    Written { definitions, rule }
}

/// Every word of a text that could be a name.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The constants and functions of a source, each with the comment that stands right above it.
fn definitions(source: &str) -> Vec<Definition> {
    let mut found = Vec::new();
    let mut comment = None;
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            // A comment to the end of its line takes the line break with it.
            let lines = rest.get(..blank).map_or(0, |space| space.matches('\n').count());
            let ends_paragraph = lines + usize::from(source.get(..at).is_some_and(|t| t.ends_with('\n'))) > 1;
            comment = comment.filter(|_| !ends_paragraph);
            at += blank;
        } else if is_comment(rest) {
            comment = comment.or(Some(at));
            at += skip_length(rest).unwrap_or(1);
        } else {
            let end = at + statement_length(rest);
            if let (Some(name), Some(text)) = (defined(rest), source.get(comment.unwrap_or(at)..end)) {
                found.push(Definition { name: name.to_owned(), text: text.trim_end().to_owned() });
            }
            comment = None;
            at = end;
        }
    }
    found
}

fn is_comment(text: &str) -> bool {
    text.starts_with("//") || text.starts_with("/*")
}

/// The name that a statement defines.
fn defined(statement: &str) -> Option<&str> {
    let statement = statement.strip_prefix("private ").unwrap_or(statement);
    let rest = ["const ", "let ", "fn "].iter().find_map(|word| statement.strip_prefix(word))?;
    words(rest).next()
}

/// Length of the statement that begins here: up to its semicolon, or for a function to the end of its body.
fn statement_length(text: &str) -> usize {
    let is_function = text.starts_with("fn ") || text.starts_with("private fn ");
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        at += skip_length(rest).unwrap_or_else(|| c.len_utf8());
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (c == ';' || (is_function && c == '}')) {
            break;
        }
    }
    at
}

/// The clauses of a declaration: name and text.
fn clauses(rule: &str) -> Vec<(String, String)> {
    let Some(open) = rule.find("#{") else { return Vec::new() };
    let inside = rule.get(open + 2..).unwrap_or_default();
    let pieces = split_at_commas(inside);
    pieces.into_iter().filter_map(clause).collect()
}

/// A piece between commas as name and text; a comment above it belongs to it.
fn clause(piece: &str) -> Option<(String, String)> {
    let mut code = piece.trim();
    while is_comment(code) {
        code = code.get(skip_length(code).unwrap_or(code.len())..).unwrap_or_default().trim_start();
    }
    let (name, text) = code.split_once(':')?;
    Some((name.trim().to_owned(), text.trim().to_owned()))
}

/// The pieces between the commas of a map, up to the bracket that closes it.
fn split_at_commas(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut depth, mut from, mut at) = (0_usize, 0, 0);
    let mut pipes = 0_usize;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let here = at;
        at += text.get(at..).and_then(skip_length).unwrap_or_else(|| c.len_utf8());
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => {
                pieces.push(text.get(from..here).unwrap_or_default());
                return pieces;
            }
            ')' | ']' | '}' => depth -= 1,
            // The parameters of a closure stand between two of these.
            '|' => pipes += 1,
            ',' if depth == 0 && pipes.is_multiple_of(2) => {
                pieces.push(text.get(from..here).unwrap_or_default());
                from = at;
                pipes = 0;
            }
            _ => {}
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"// The file.

// Why two.
const TWO = 2.0;
const MAP = #{ a: [1, 2], b: "; }" };

fn half(x) { if x > 0 { x / TWO } else { 0.0 } }

// About the first.
prefer(#{
  id: "a", // the name
  // why
  score: |net, need| if net.params > 1 || net.id in ["x", "y"] { half(net.top1) } else { 0.0 },
  weight: 2.0,
});

note(#{ id: "b", because: `of, ${TWO}` });
"#;

    fn rule(line: usize) -> Written {
        written(FILE, declaration(FILE, line, 1))
    }

    #[test]
    fn a_rule_brings_what_it_needs_and_no_more() {
        let names = |w: &Written| w.definitions.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&rule(10)), ["TWO", "half"]);
        assert_eq!(names(&rule(17)), ["TWO"]);
        assert_eq!(
            rule(17).file(),
            "// Why two.\nconst TWO = 2.0;\n\nnote(#{ id: \"b\", because: `of, ${TWO}` });\n"
        );
    }

    #[test]
    fn parts_are_clauses_and_definitions_by_name() {
        let parts = rule(10).parts();
        let names: Vec<_> = parts.keys().map(String::as_str).collect();
        assert_eq!(names, ["TWO", "half", "id", "score", "weight"]);
        assert_eq!(parts["weight"], "2.0");
        assert!(parts["score"].starts_with("|net, need| if") && parts["score"].ends_with("{ 0.0 }"));
        assert_eq!(rule(17).parts()["because"], "`of, ${TWO}`");
    }
}
