//! What keeps a candidate from the first place, and the smallest change that would not.
//!
//! No change is named that was not tried: the changed request, or the changed network with facts of its own, was judged
//! by all rules, and every requirement held.

use convwise_judge::{Account, Margin};
use convwise_types::{InputShape, MemoryModel, Precision, Request, RunnerName, Verdict};
use serde::Serialize;

use super::Stage;
use super::gap::Gap;
use super::levers::{Lever, least};
use super::probe::Probe;
use crate::answer::{budget_of, expected_beyond};
use crate::knob::{Knob, Looser};
use crate::standing::Standing;

/// A requirement that does not hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Miss {
    /// The rule.
    pub rule: String,
    /// `fails`, `unknown` or `error`.
    pub verdict: &'static str,
    /// Why, in the rule's words.
    pub reason: String,
    /// By how much it is missed, where the rule says so.
    pub margin: Option<Margin>,
}

/// What a change is made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOf {
    /// To what is asked for.
    Request,
    /// To how the network is run.
    Setting,
    /// To the network.
    Network,
}

/// One change with which every requirement holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What is changed: `latency`, `input-size`, ...
    pub what: String,
    /// Request, setting or network.
    pub of: ChangeOf,
    /// What it is now.
    pub from: String,
    /// What it would be, as a flag has it.
    pub to: String,
    /// The flags that say so; `None` for what no flag of a request says.
    pub flag: Option<String>,
    /// The new value as a multiple of the old one, for figures.
    pub ratio: Option<f64>,
    /// Whether the candidate would then be proven or rest on evidence that cannot prove it.
    pub verdict: Verdict,
}

/// What keeps a candidate from the first place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhyNot {
    /// Requirements that do not hold, the nearest miss first.
    pub misses: Vec<Miss>,
    /// Single changes with which all of them hold, the smallest first.
    pub changes: Vec<Change>,
    /// Where no single change suffices: the fewest changes to the request that do together, each as small as can be.
    pub together: Vec<Change>,
    /// The distance to the first, for what is not rejected.
    pub gap: Option<Gap>,
    /// All of that in sentences.
    pub remarks: Vec<String>,
}

impl Stage<'_, '_> {
    pub(super) fn why_not(&self, standing: &Standing<'_>, accounts: &[Account]) -> Option<WhyNot> {
        if self.round.hopeful().next().is_some_and(|first| first.index == standing.index) {
            return None;
        }
        let misses = misses(accounts);
        let probe = Probe { records: self.records, candidate: standing.candidate };
        let request = &self.round.inquiry.request;
        let changes = if misses.is_empty() { Vec::new() } else { single_changes(&probe, request) };
        let together =
            if misses.is_empty() || !changes.is_empty() { Vec::new() } else { combined(&probe, request) };
        let beyond = standing.verdict != Verdict::Rejected && expected_beyond(standing, budget_of(request));
        let feasible = standing.verdict != Verdict::Rejected;
        let gap = if feasible { self.gap(standing, accounts, beyond) } else { None };
        let remarks = remarks(&misses, &changes, &together);
        Some(WhyNot { misses, changes, together, gap, remarks })
    }
}

/// What does not hold, by how far it is off its limit.
fn misses(accounts: &[Account]) -> Vec<Miss> {
    let missed = |a: &&Account| a.kind == "require" && ["fails", "unknown", "error"].contains(&a.verdict);
    let miss = |a: &Account| Miss {
        rule: a.rule.clone(),
        verdict: a.verdict,
        reason: a.reason.clone(),
        margin: a.margin.clone(),
    };
    let mut found: Vec<Miss> = accounts.iter().filter(missed).map(miss).collect();
    let off = |m: &Miss| m.margin.as_ref().and_then(|m| m.of_limit).map_or(f64::INFINITY, f64::abs);
    found.sort_by(|a, b| off(a).total_cmp(&off(b)).then_with(|| a.rule.cmp(&b.rule)));
    found
}

fn remarks(misses: &[Miss], changes: &[Change], together: &[Change]) -> Vec<String> {
    match (misses.is_empty(), changes.is_empty(), together.is_empty()) {
        (true, ..) | (_, false, _) => Vec::new(),
        (false, true, false) => vec!["no single change makes it fit".to_owned()],
        (false, true, true) => {
            vec!["no single change makes it fit, nor do all relaxations of the request together".to_owned()]
        }
    }
}

/// Everything that suffices alone, the smallest change first; what is no figure comes after the figures.
fn single_changes(probe: &Probe<'_, '_>, request: &Request) -> Vec<Change> {
    let mut found = relaxations(probe, request);
    found.extend(settings(probe, request));
    found.extend(networks(probe, request));
    let size = |c: &Change| c.ratio.map_or(f64::INFINITY, |r| r.ln().abs());
    found.sort_by(|a, b| size(a).total_cmp(&size(b)).then_with(|| (&a.what, &a.to).cmp(&(&b.what, &b.to))));
    found
}

fn relaxations(probe: &Probe<'_, '_>, request: &Request) -> Vec<Change> {
    let loosen = |lever: &Lever| match lever {
        Lever::Limit(knob, towards) => {
            let value = least(knob, *towards, request, &|r| probe.with(r).is_some())?;
            let verdict = probe.with(&knob.turned(request, value))?;
            Some(turned(knob, ChangeOf::Request, request, value, verdict))
        }
        lever => Some(Change { verdict: probe.with(&lever.loosened(request))?, ..named(*lever, request) }),
    };
    let models = MemoryModel::ALL.iter().filter(|m| **m != request.memory_model).filter_map(|model| {
        let changed = Request { memory_model: *model, ..request.clone() };
        let from = request.memory_model.to_string();
        worded("memory-model", ChangeOf::Setting, from, model.to_string(), probe.in_setting(&changed))
    });
    Lever::of(request, &probe.records.case.place).iter().filter_map(loosen).chain(models).collect()
}

/// A demand that is dropped.
fn named(lever: Lever, request: &Request) -> Change {
    let (what, from, to, flag) = match lever {
        Lever::Limit(knob, _) => (knob.name, String::new(), String::new(), None),
        Lever::Licence => (
            "licence",
            request.limits.licence.to_string(),
            "any".to_owned(),
            Some("--licence any".to_owned()),
        ),
        Lever::RealTime => ("real-time", "stated".to_owned(), "left out".to_owned(), None),
    };
    let (of, ratio, verdict) = (ChangeOf::Request, None, Verdict::Unproven);
    Change { what: what.to_owned(), of, from, to, flag, ratio, verdict }
}

fn turned(knob: &Knob, of: ChangeOf, request: &Request, value: f64, verdict: Verdict) -> Change {
    let now = (knob.get)(request);
    let to = knob.write(value);
    Change {
        what: knob.name.to_owned(),
        of,
        from: now.map(|v| knob.write(v)).unwrap_or_default(),
        flag: Some(format!("--{} {to}", knob.name)),
        to,
        ratio: now.map(|v| value / v),
        verdict,
    }
}

/// A change of something that is no figure, if it suffices.
fn worded(what: &str, of: ChangeOf, from: String, to: String, verdict: Option<Verdict>) -> Option<Change> {
    let flag = Some(format!("--{what} {to}"));
    Some(Change { what: what.to_owned(), of, from, to, flag, ratio: None, verdict: verdict? })
}

/// Batch, threads and runner.
fn settings(probe: &Probe<'_, '_>, request: &Request) -> Vec<Change> {
    let world = probe.records.case.world;
    let cores = probe.records.case.inquiry.target.cores.unwrap_or(request.threads);
    #[expect(clippy::cast_precision_loss, reason = "processors of one machine")]
    let cores = Looser::Above(cores as f64);
    let tried = [("batch", Looser::Below(1.0)), ("batch", Looser::Above(LARGEST_BATCH)), ("threads", cores)];
    let figures = tried.into_iter().filter_map(|(name, towards)| set_to(probe, request, name, towards));
    let others =
        world.runners.runners.iter().filter(|r| r.why_not.is_none() && r.name != request.runner.as_str());
    let runners = others.filter_map(|runner| {
        let changed = Request { runner: RunnerName::from(runner.name.as_str()), ..request.clone() };
        let (from, to) = (request.runner.to_string(), runner.name.clone());
        worded("runner", ChangeOf::Setting, from, to, probe.in_setting(&changed))
    });
    figures.chain(runners).collect()
}

/// Batches beyond this are no setting of a server that answers.
const LARGEST_BATCH: f64 = 256.0;

/// The nearest value of a figure in one direction that suffices.
fn set_to(probe: &Probe<'_, '_>, request: &Request, name: &str, towards: Looser) -> Option<Change> {
    let knob = Knob::named(name).ok()?;
    let value = least(knob, towards, request, &|r| probe.in_setting(r).is_some())?;
    let verdict = probe.in_setting(&knob.turned(request, value))?;
    Some(turned(knob, ChangeOf::Setting, request, value, verdict))
}

/// Smaller inputs and other number formats.
fn networks(probe: &Probe<'_, '_>, request: &Request) -> Vec<Change> {
    let key = &probe.candidate.key;
    let formats = Precision::ALL.iter().filter(|p| **p != key.precision).filter_map(|precision| {
        let verdict = probe.in_precision(request, *precision);
        worded("precision", ChangeOf::Network, key.precision.to_string(), precision.to_string(), verdict)
    });
    formats.chain(smaller_input(probe, request)).collect()
}

/// Networks take images whose sides are multiples of this, whatever they halve on the way.
const SIDE_STEP: u64 = 32;

/// The largest input below the present one that suffices, by bisection over multiples of 32.
fn smaller_input(probe: &Probe<'_, '_>, request: &Request) -> Option<Change> {
    let now = probe.candidate.key.input;
    let at = |steps: u64| -> InputShape { now.resized(steps * SIDE_STEP) };
    let (mut fits, mut fails) = (1, now.height.div_ceil(SIDE_STEP));
    let mut verdict = probe.at_input(request, at(fits)).filter(|_| fits < fails)?;
    while fits + 1 < fails {
        let middle = u64::midpoint(fits, fails);
        match probe.at_input(request, at(middle)) {
            Some(found) => (fits, verdict) = (middle, found),
            None => fails = middle,
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    let ratio = at(fits).height as f64 / now.height as f64;
    Some(Change {
        what: "input-size".to_owned(),
        of: ChangeOf::Network,
        from: now.height.to_string(),
        to: at(fits).height.to_string(),
        flag: None,
        ratio: Some(ratio),
        verdict,
    })
}

/// The fewest demands of the request that must be loosened together, each then as little as will do.
fn combined(probe: &Probe<'_, '_>, request: &Request) -> Vec<Change> {
    let levers = Lever::of(request, &probe.records.case.place);
    let loosened = |chosen: &[Lever]| chosen.iter().fold(request.clone(), |r, lever| lever.loosened(&r));
    let suffice = |chosen: &Vec<Lever>| probe.with(&loosened(chosen)).is_some();
    let fewest = (2..=levers.len()).find_map(|size| choices(&levers, size).into_iter().find(suffice));
    fewest.map(|chosen| tightened(probe, request, &chosen)).unwrap_or_default()
}

/// Every choice of so many of them, in order.
fn choices(levers: &[Lever], size: usize) -> Vec<Vec<Lever>> {
    match (size, levers.split_first()) {
        (0, _) => vec![Vec::new()],
        (_, None) => Vec::new(),
        (_, Some((first, rest))) => {
            let with = choices(rest, size - 1).into_iter().map(|mut chosen| {
                chosen.insert(0, *first);
                chosen
            });
            with.chain(choices(rest, size)).collect()
        }
    }
}

/// Brings each limit back as near to what was asked as the others allow. The last request was judged, and holds.
fn tightened(probe: &Probe<'_, '_>, request: &Request, chosen: &[Lever]) -> Vec<Change> {
    let mut loose = chosen.iter().fold(request.clone(), |r, lever| lever.loosened(&r));
    for lever in chosen {
        let Lever::Limit(knob, towards) = lever else { continue };
        let Some(asked) = (knob.get)(request) else { continue };
        let from = knob.turned(&loose, asked);
        if let Some(value) = least(knob, *towards, &from, &|r| probe.with(r).is_some()) {
            loose = knob.turned(&loose, value);
        }
    }
    let Some(verdict) = probe.with(&loose) else { return Vec::new() };
    let change = |lever: &Lever| match lever {
        Lever::Limit(knob, _) => Some(turned(knob, ChangeOf::Request, request, (knob.get)(&loose)?, verdict)),
        lever => Some(Change { verdict, ..named(*lever, request) }),
    };
    chosen.iter().filter_map(change).collect()
}
