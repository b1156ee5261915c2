//! What the rules do over a corpus, and what of it nobody can have meant.

use std::collections::{BTreeMap, BTreeSet};

use convwise_types::{Diagnostic, RuleId};

use super::advice::conflict;
use super::watch::{Raised, Seen, Sighting};
use crate::cases;
use crate::clauses::RuleKind;
use crate::corpus::Corpus;
use crate::rule::Rule;
use crate::ruleset::RuleSet;

/// Fewest preferences that must apply together before one can outweigh the others.
const CROWD: usize = 3;

/// Lints that find nothing without a corpus.
pub(super) const WATCHED: [&str; 7] = [
    "always-fires",
    "contradictory-requires",
    "dominating-weight",
    "never-fires",
    "non-discriminating-preference",
    "shadowed-advice",
    "unguarded-field",
];

pub(super) fn check(rules: &RuleSet, corpus: &Corpus) -> Vec<Diagnostic> {
    let seen: Vec<Seen<'_>> = corpus.situations.iter().map(|one| Seen::of(rules, one)).collect();
    let failing: BTreeSet<&RuleId> = seen.iter().flat_map(|s| &s.raised).map(|raised| &raised.rule).collect();
    let sound = rules.rules.iter().filter(|rule| !failing.contains(&rule.id));
    let mut found: Vec<Diagnostic> =
        sound.filter_map(|rule| Record::of(rule, &seen)?.verdict(rules)).collect();
    found.extend(in_cases(rules).iter().map(|raised| failed(rules, raised)));
    found.extend(seen.iter().flat_map(|s| &s.raised).map(|raised| failed(rules, raised)));
    found.extend(seen.iter().flat_map(|s| &s.conflicts).filter_map(|error| conflict(rules, error)));
    found.extend(unguarded(rules, &seen));
    found.extend(shadowed(rules, &seen));
    found.extend(contradictory(rules, &seen));
    once_a_place(found)
}

/// Errors in the situations of cases that do not expect one.
fn in_cases(rules: &RuleSet) -> Vec<Raised> {
    let tried = cases::tried(rules).into_iter().filter(|case| !case.expects_error);
    let raised = tried.filter_map(|case| {
        let rule = rules.rule(&case.rule)?;
        let problem = rules.raised_by(rule, &case.scene)?;
        Some(Raised { rule: rule.id.clone(), clause: None, problem, on: format!("the case `{}`", case.name) })
    });
    raised.collect()
}

/// The first finding of a kind at a place: one rule fails in many situations for one reason.
fn once_a_place(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut places = BTreeSet::new();
    let place = |d: &Diagnostic| {
        let start = d.label.as_ref().map(|label| label.span.bytes.start);
        (d.code.clone(), d.file.clone(), start)
    };
    found.into_iter().filter(|d| places.insert(place(d))).collect()
}

/// All sightings of one rule.
struct Record<'a> {
    rule: &'a Rule,
    sightings: Vec<&'a Sighting>,
    seen: &'a [Seen<'a>],
}

impl<'a> Record<'a> {
    fn of(rule: &'a Rule, seen: &'a [Seen<'a>]) -> Option<Self> {
        let sightings: Vec<_> = seen.iter().filter_map(|s| s.sightings.get(&rule.id)).collect();
        (!sightings.is_empty()).then_some(Self { rule, sightings, seen })
    }

    fn count(&self, what: impl Fn(&Sighting) -> usize) -> usize {
        self.sightings.iter().map(|s| what(s)).sum()
    }

    fn verdict(&self, rules: &RuleSet) -> Option<Diagnostic> {
        let id = &self.rule.id;
        let requests = self.sightings.len();
        let (applied, absent) = (self.count(|s| s.applied), self.count(|s| s.absent));
        let rejected = self.count(|s| s.rejected.len());
        let require = self.rule.kind == RuleKind::Require;
        let (code, clause, message, help) = if applied == 0 {
            let message = format!("`{id}` applies to nothing in {requests} requests");
            ("never-fires", Some("when"), message, "look at `when`: is it what you meant?")
        } else if require && rejected == 0 {
            let message = format!("`{id}` rejects nothing in {requests} requests");
            ("never-fires", Some("holds"), message, "look at `holds`: can it ever be false?")
        } else if require && rejected == applied {
            let message = format!("`{id}` rejects every candidate that it applies to");
            ("always-fires", Some("holds"), message, "look at `holds`: can it ever be true?")
        } else if absent == 0 && self.rule.when.is_some() {
            let message = format!("`when` of `{id}` holds for every candidate of {requests} requests");
            ("always-fires", Some("when"), message, "take it out, or ask for less")
        } else if absent == 0 && self.rule.kind == RuleKind::Note {
            let message = format!("`{id}` remarks on every candidate of {requests} requests");
            ("always-fires", None, message, "add a `when:` that says which candidates it is about")
        } else if self.is_indifferent() {
            let message = format!("`{id}` scores every candidate alike");
            let help = "score by something in which the candidates differ";
            ("non-discriminating-preference", Some("score"), message, help)
        } else if self.outweighs() {
            let message =
                format!("`{id}` weighs more than all other preferences together wherever it applies");
            ("dominating-weight", Some("weight"), message, "lower it, or make it a `require`")
        } else {
            return None;
        };
        let problem = Diagnostic::error(code, "", message).with_help(help);
        Some(rules.at_rule(self.rule, clause, problem, "here"))
    }

    /// Whether it gives all candidates of a request one score, in every request with several.
    fn is_indifferent(&self) -> bool {
        let several = self.sightings.iter().filter_map(|s| s.scores).filter(|(_, _, count)| *count > 1);
        let mut several = several.peekable();
        several.peek().is_some() && several.all(|(low, high, _)| low == high)
    }

    fn outweighs(&self) -> bool {
        let crowded = self.seen.iter().filter_map(|seen| {
            let own = seen.sightings.get(&self.rule.id).filter(|s| s.scores.is_some())?;
            let all: Vec<f64> =
                seen.sightings.values().filter(|s| s.scores.is_some()).map(|s| s.weight).collect();
            (all.len() >= CROWD).then(|| own.weight > all.iter().sum::<f64>() - own.weight)
        });
        let mut crowded = crowded.peekable();
        crowded.peek().is_some() && crowded.all(|outweighs| outweighs)
    }
}

/// An error in a script, where it is, and what it was busy with.
fn failed(rules: &RuleSet, raised: &Raised) -> Diagnostic {
    let mut problem = (*raised.problem).clone();
    let on = format!("it was judging {}", raised.on);
    problem.help = Some(problem.help.map_or_else(|| on.clone(), |help| format!("{help}; {on}")));
    match rules.rule(raised.rule.as_str()) {
        Some(rule) if problem.label.is_none() => {
            problem.message = format!("`{}`: {}", rule.id, problem.message);
            let clause =
                raised.clause.unwrap_or(if rule.kind == RuleKind::Require { "holds" } else { "score" });
            rules.at_rule(rule, Some(clause), problem, "here")
        }
        _ => problem,
    }
}

/// Rules that end undecided because the request leaves a field out: a requirement then proves nothing, advice is
/// silently not given.
fn unguarded(rules: &RuleSet, seen: &[Seen<'_>]) -> Vec<Diagnostic> {
    let mut fields: BTreeMap<&RuleId, BTreeSet<&str>> = BTreeMap::new();
    for (id, sighting) in seen.iter().flat_map(|s| &s.sightings) {
        fields.entry(id).or_default().extend(sighting.unstated.iter().map(String::as_str));
    }
    let missed = fields.into_iter().flat_map(|(id, fields)| fields.into_iter().map(move |field| (id, field)));
    missed
        .filter_map(|(id, field)| {
            let rule = rules.rule(id.as_str())?;
            let message = format!("`{id}` is undecided where the request does not state `{field}`");
            let name = field.trim_start_matches("need.");
            let problem = Diagnostic::error("unguarded-field", "", message)
                .with_help(format!("ask first, in `when`: `need.has(\"{name}\")`"));
            Some(rules.at_first_mention(rule, field, problem, "may not be stated"))
        })
        .collect()
}

/// Advice that no plan ever shows.
fn shadowed(rules: &RuleSet, seen: &[Seen<'_>]) -> Vec<Diagnostic> {
    let planned: BTreeSet<&RuleId> = seen.iter().flat_map(|s| &s.planned).collect();
    let lost: BTreeSet<&RuleId> =
        seen.iter().flat_map(|s| &s.advised).filter(|id| !planned.contains(id)).collect();
    let rules_lost = lost.into_iter().filter_map(|id| rules.rule(id.as_str()));
    rules_lost
        .map(|rule| {
            let message = format!("`{}` advises, and no plan ever shows it: others come before it", rule.id);
            let problem = Diagnostic::error("shadowed-advice", "", message)
                .with_help("raise its `priority`, or narrow the `when` of the rules that set the same keys");
            rules.at_rule(rule, None, problem, "never shown")
        })
        .collect()
}

/// Pairs of requirements that leave nothing of a request together, although each alone leaves something.
fn contradictory(rules: &RuleSet, seen: &[Seen<'_>]) -> Vec<Diagnostic> {
    let mut pairs: BTreeMap<(&RuleId, &RuleId), &str> = BTreeMap::new();
    for one in seen {
        let all = one.situation.candidates.len();
        let partly: Vec<(&RuleId, &BTreeSet<usize>)> = one
            .sightings
            .iter()
            .map(|(id, s)| (*id, &s.rejected))
            .filter(|(_, rejected)| !rejected.is_empty() && rejected.len() < all)
            .collect();
        for (at, (first, a)) in partly.iter().enumerate() {
            for (second, _) in partly.iter().skip(at + 1).filter(|(_, b)| a.union(b).count() == all) {
                pairs.entry((first, second)).or_insert(&one.situation.name);
            }
        }
    }
    pairs
        .into_iter()
        .filter_map(|((first, second), request)| contradiction(rules, first, second, request))
        .collect()
}

fn contradiction(rules: &RuleSet, first: &RuleId, second: &RuleId, request: &str) -> Option<Diagnostic> {
    let (first, second) = (rules.rule(first.as_str())?, rules.rule(second.as_str())?);
    // Said where it can be mended: at the rule of the stronger layer.
    let (at, other) =
        if rules.strength(first) > rules.strength(second) { (first, second) } else { (second, first) };
    let message = format!("`{}` and `{}` leave nothing of the request `{request}`", at.id, other.id);
    let problem = Diagnostic::error("contradictory-requires", "", message)
        .with_help("each alone leaves some candidates; relax one of the two");
    Some(rules.at_rule(at, Some("holds"), problem, "contradicts the other"))
}
