//! What an answer says against what a scenario expects, and for networks that came out otherwise what decided it.

use std::collections::BTreeSet;

use convwise_types::{Finding, Verdict};

use super::answered::{Answered, decides, first};
use super::read::{Expectations, Names};
use crate::report::finding_line;

/// One line each for what differs, with what decided it below.
pub(super) fn differences(expect: &Expectations, found: &Answered<'_>) -> Vec<String> {
    let mut lines = Lines { found, lines: Vec::new(), told: BTreeSet::new() };
    lines.picks(expect);
    lines.labels(expect);
    lines.verdicts(expect);
    lines.reasons(expect);
    lines.plan(expect);
    lines.lines
}

struct Lines<'a> {
    found: &'a Answered<'a>,
    lines: Vec<String>,
    /// Candidates whose verdict is explained.
    told: BTreeSet<usize>,
}

impl Lines<'_> {
    fn picks(&mut self, expect: &Expectations) {
        let found = self.found;
        let picked: Vec<&str> = found.picked().collect();
        if let Some(nothing) = expect.nothing_fits
            && nothing != picked.is_empty()
        {
            self.differs("nothing_fits", &nothing.to_string(), &picked.is_empty().to_string());
            picked.first().iter().for_each(|name| self.decided(name));
        }
        let wanted = named(expect.picks.as_ref());
        if !picked.starts_with(&wanted) {
            self.differs("picks", &wanted.join(", "), &picked.join(", "));
            let missing = wanted.iter().filter(|name| !picked.contains(name));
            missing.for_each(|name| self.decided(name));
        }
        for name in named(expect.among.as_ref()).iter().filter(|name| !picked.contains(name)) {
            self.differs("among", name, &picked.join(", "));
            self.decided(name);
        }
        for name in named(expect.not_among.as_ref()).iter().filter(|name| picked.contains(name)) {
            self.differs("not_among", &format!("no {name}"), &picked.join(", "));
            self.decided(name);
        }
    }

    fn labels(&mut self, expect: &Expectations) {
        let found = self.found;
        for (label, wanted) in &expect.labels {
            let holder = found.holder(*label);
            if holder != Some(wanted.get_ref()) {
                self.differs(&format!("labels.{label}"), wanted.get_ref(), holder.unwrap_or("nobody"));
                self.decided(wanted.get_ref());
            }
        }
    }

    fn verdicts(&mut self, expect: &Expectations) {
        for (network, rules) in &expect.rejected {
            self.verdict("rejected", network.get_ref(), rules, Verdict::Rejected);
        }
        for (network, rules) in &expect.unproven {
            self.verdict("unproven", network.get_ref(), rules, Verdict::Unproven);
        }
    }

    /// The best verdict of a network is the one that is expected, and the rules that are named are what decided it.
    fn verdict(&mut self, what: &str, network: &str, rules: &Names, wanted: Verdict) {
        let rules = named(Some(rules));
        let found = self.found;
        let actual = found.verdict(network);
        let decisive = found.decisive(network);
        let missing: Vec<_> = rules.iter().filter(|rule| !decisive.contains(**rule)).copied().collect();
        if actual == Some(wanted) && missing.is_empty() {
            return;
        }
        let said = |verdict: Option<Verdict>, rules: &[&str]| {
            let by = if rules.is_empty() { String::new() } else { format!(" by {}", rules.join(", ")) };
            verdict.map_or("no candidate".to_owned(), |verdict| format!("{}{by}", word(verdict)))
        };
        let actual = said(actual, &decisive.iter().copied().collect::<Vec<_>>());
        self.differs(&format!("{what}.{network}"), &said(Some(wanted), &rules), &actual);
        if let Some(at) = self.found.best(network) {
            self.tell(at, &missing);
        }
    }

    fn reasons(&mut self, expect: &Expectations) {
        let found = self.found;
        let first = first(&found.assessment, &found.advice);
        let (because, notes) = (found.reasons(), found.remarks());
        for (what, wanted, there) in [("because", &expect.because, because), ("notes", &expect.notes, notes)]
        {
            let missing = self.holds(what, wanted.as_ref(), &there);
            if let Some(first) = first.filter(|_| !missing.is_empty()) {
                self.tell(first, &missing);
            }
        }
        self.holds("overruled", expect.overruled.as_ref(), &found.overruled());
    }

    fn plan(&mut self, expect: &Expectations) {
        let found = self.found;
        let rules = found.advising();
        self.holds("steps", expect.steps.as_ref(), &rules);
        for rule in named(expect.no_steps.as_ref()).iter().filter(|rule| rules.contains(**rule)) {
            self.differs("no_steps", &format!("no {rule}"), &joined(&rules));
            self.lines.extend(found.plan().filter(|f| f.rule.as_str() == *rule).flat_map(written));
        }
        for (key, wanted) in &expect.settings {
            let set = found.setting(key);
            if set.is_none_or(|(_, value)| value != wanted) {
                self.differs(&format!("settings.{key}"), wanted, set.map_or("not set", |(_, value)| value));
                self.lines.extend(set.into_iter().flat_map(|(finding, _)| written(finding)));
            }
        }
    }

    /// Which of the expected rules are not there.
    fn holds<'e>(&mut self, what: &str, wanted: Option<&'e Names>, there: &BTreeSet<&str>) -> Vec<&'e str> {
        let missing: Vec<_> = named(wanted).into_iter().filter(|rule| !there.contains(rule)).collect();
        if !missing.is_empty() {
            self.differs(what, &missing.join(", "), &joined(there));
        }
        missing
    }

    fn differs(&mut self, what: &str, wanted: &str, actual: &str) {
        let actual = if actual.is_empty() { "none" } else { actual };
        self.lines.push(format!("{what}: expected `{wanted}`, found `{actual}`"));
    }

    /// What decided on the most hopeful candidate of a network.
    fn decided(&mut self, network: &str) {
        if let Some(at) = self.found.best(network) {
            self.tell(at, &[]);
        }
    }

    /// What decided on a candidate, unless that is said already, and what the named rules say of it.
    fn tell(&mut self, at: usize, rules: &[&str]) {
        let found = self.found;
        let Some((candidate, judgement)) = found.assessment.judged().nth(at) else { return };
        let explained = found.grounds.rules.explain(found.grounds.inquiry, candidate);
        let news = self.told.insert(at);
        let tells = |f: &&Finding| rules.contains(&f.rule.as_str()) || (news && decides(f, judgement));
        let lines: Vec<_> = explained.findings.iter().filter(tells).flat_map(written).collect();
        if !lines.is_empty() {
            self.lines.push(format!("  {} is {}:", candidate.key.architecture, word(judgement.verdict)));
            self.lines.extend(lines);
        }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proven => "proven",
        Verdict::Unproven => "unproven",
        Verdict::Rejected => "rejected",
    }
}

/// A finding with its place, and below it what it read.
fn written(finding: &Finding) -> Vec<String> {
    let line = finding_line(finding);
    let reason = if line.reason.is_empty() { String::new() } else { format!(": {}", line.reason) };
    let head = format!("    {} {}{reason} ({}:{})", line.rule, line.kind, line.file, line.line);
    let read = finding.observed.iter().map(|o| {
        let grade = o.grade.map(|grade| format!(" ({grade})")).unwrap_or_default();
        format!("      read: {} = {}{grade}", o.field, o.value)
    });
    std::iter::once(head).chain(read).collect()
}

fn named(names: Option<&Names>) -> Vec<&str> {
    named_if(names).unwrap_or_default()
}

/// The names, if they are stated.
pub(super) fn named_if(names: Option<&Names>) -> Option<Vec<&str>> {
    Some(names?.iter().map(|name| name.get_ref().as_str()).collect())
}

fn joined(rules: &BTreeSet<&str>) -> String {
    rules.iter().copied().collect::<Vec<_>>().join(", ")
}
