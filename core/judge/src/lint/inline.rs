//! `// lint: allow(never-fires) why`: findings that an author has looked at and keeps.
//!
//! An allowance holds for its own line, or for the next line with code if it stands alone; and for everything in a
//! declaration whose first line that is. One that allows nothing, names no lint or gives no reason is itself a finding;
//! not so in shipped files beside rules of one's own, which may be why it allows nothing any more.

use std::collections::BTreeSet;
use std::ops::Range;

use convwise_types::{Diagnostic, Span, did_you_mean};

use super::behaviour::WATCHED;
use super::page::{LINTS, Lint};
use crate::layer::Layer;
use crate::ruleset::RuleSet;
use crate::text;

/// One name in one comment.
struct Allowance<'a> {
    file: &'a str,
    source: &'a str,
    /// Where the name stands.
    bytes: Range<usize>,
    name: &'a str,
    /// The line that it speaks of, from 1.
    line: usize,
    reasoned: bool,
    /// Whether the program brings it, so that its user cannot take it out.
    shipped: bool,
}

/// A file that may hold allowances.
struct Text<'a> {
    file: &'a str,
    source: &'a str,
    /// How a comment begins.
    mark: &'static str,
    shipped: bool,
    /// First line of each declaration, with its bytes.
    declarations: Vec<(usize, Range<usize>)>,
}

/// Takes out what is allowed, and adds what is wrong with the allowances.
///
/// What only a corpus shows cannot be missed where none was `watched`.
pub(super) fn settle(rules: &RuleSet, found: Vec<Diagnostic>, watched: bool) -> Vec<Diagnostic> {
    let texts = texts(rules);
    let allowances: Vec<Allowance<'_>> = texts.iter().flat_map(allowances).collect();
    let mut used = BTreeSet::new();
    let mut kept = Vec::new();
    for finding in found {
        let covering = allowances.iter().position(|a| covers(a, &finding, &texts));
        match covering {
            Some(at) => _ = used.insert(at),
            None => kept.push(finding),
        }
    }
    let is_missed =
        |a: &Allowance<'_>| (watched || !WATCHED.contains(&a.name)) && !(a.shipped && rules.is_changed());
    let idle = allowances.iter().enumerate().filter(|(at, a)| !used.contains(at) && is_missed(a));
    kept.extend(idle.map(|(_, allowance)| allowance.unused()));
    kept.extend(allowances.iter().filter(|a| !a.reasoned && Lint::find(a.name).is_ok()).map(Allowance::bare));
    kept
}

fn texts(rules: &RuleSet) -> Vec<Text<'_>> {
    let scripts = rules.files.iter().enumerate().map(|(index, file)| {
        let of_file = rules.rules.iter().filter(|r| r.file == index);
        let declarations =
            of_file.map(|r| (r.line, text::declaration(&file.text, r.line, r.column))).collect();
        Text {
            file: &file.shown,
            source: &file.text,
            mark: "//",
            shipped: rules.packs.get(file.pack).is_some_and(|pack| pack.layer == Layer::Shipped),
            declarations,
        }
    });
    let cases = rules.cases.iter().map(|case| Text {
        file: &case.shown,
        source: &case.text,
        mark: "#",
        shipped: rules
            .packs
            .iter()
            .any(|pack| pack.strength == case.strength && pack.layer == Layer::Shipped),
        declarations: Vec::new(),
    });
    scripts.chain(cases).collect()
}

fn covers(allowance: &Allowance<'_>, finding: &Diagnostic, texts: &[Text<'_>]) -> bool {
    let Some(label) = &finding.label else { return false };
    let is_fixed = Lint::find(allowance.name).is_ok_and(|lint| lint.fixed);
    if is_fixed || allowance.file != finding.file || allowance.name != finding.code {
        return false;
    }
    let text = texts.iter().find(|text| text.file == finding.file);
    let declarations = text.map(|text| text.declarations.as_slice()).unwrap_or_default();
    let inside = |bytes: &Range<usize>| bytes.contains(&label.span.bytes.start);
    allowance.line == label.span.line
        || declarations.iter().any(|(line, bytes)| *line == allowance.line && inside(bytes))
}

fn allowances<'a>(text: &Text<'a>) -> Vec<Allowance<'a>> {
    let comments = text::line_comments(text.source, text.mark);
    comments.into_iter().flat_map(|bytes| in_comment(text, bytes)).collect()
}

/// The names in one comment.
fn in_comment<'a>(text: &Text<'a>, comment: Range<usize>) -> Vec<Allowance<'a>> {
    let source = text.source;
    let words = source.get(comment.clone()).unwrap_or_default();
    let Some((before, rest)) = words.split_once("lint: allow(") else { return Vec::new() };
    let Some((list, reason)) = rest.split_once(')') else { return Vec::new() };
    if !before.trim_start_matches(text.mark).trim().is_empty() {
        return Vec::new();
    }
    let line = line_spoken_of(source, &comment, text.mark);
    let mut at = comment.end - rest.len();
    let names = list.split(',').map(|part| {
        let begin = at + part.len() - part.trim_start().len();
        at += part.len() + 1;
        let name = part.trim();
        let bytes = begin..begin + name.len();
        Allowance {
            file: text.file,
            source,
            bytes,
            name,
            line,
            reasoned: !reason.trim().is_empty(),
            shipped: text.shipped,
        }
    });
    names.collect()
}

/// The comment's own line if there is code before it, else the next line that is neither empty nor a comment.
fn line_spoken_of(source: &str, comment: &Range<usize>, mark: &str) -> usize {
    let before = source.get(..comment.start).unwrap_or_default();
    let own = before.matches('\n').count() + 1;
    if !before.rsplit('\n').next().unwrap_or_default().trim().is_empty() {
        return own;
    }
    let is_code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with(mark);
    let later = source.lines().enumerate().skip(own);
    later.filter(|(_, line)| is_code(line)).map(|(at, _)| at + 1).next().unwrap_or(own)
}

impl Allowance<'_> {
    fn finding(&self, code: &str, message: String, label: &str) -> Diagnostic {
        Diagnostic::error(code, self.file, message).at(
            self.source,
            Span::of_bytes(self.source, self.bytes.clone()),
            label,
        )
    }

    fn unused(&self) -> Diagnostic {
        let name = self.name;
        match Lint::find(name) {
            Err(_) => {
                let near = did_you_mean(name, LINTS.iter().map(|lint| lint.name));
                self.finding("unknown-lint", format!("there is no lint `{name}`{near}"), "not a lint")
                    .with_help("`convwise rules list --lints` shows them")
            }
            Ok(lint) if lint.fixed => self
                .finding("unused-allow", format!("`{name}` is always an error"), "cannot be allowed")
                .with_help("mend what it finds"),
            Ok(_) => self
                .finding("unused-allow", format!("nothing here is `{name}`"), "allows nothing")
                .with_help("take it out"),
        }
    }

    fn bare(&self) -> Diagnostic {
        let message = format!("`{}` is allowed without a reason", self.name);
        self.finding("allow-without-reason", message, "why?")
            .with_help(format!("write `lint: allow({}) the reason`", self.name))
    }
}
