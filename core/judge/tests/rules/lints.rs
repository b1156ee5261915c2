//! Every lint finds what its page shows as bad, and not what it shows as good; levels and allowances.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use convwise_judge::{Corpus, ExampleFile, LINTS, Level, Levels, Lint, RuleFolder, RuleSet, Situation};
use convwise_types::{Deploy, Diagnostic, Limits, Params, Severity};

use crate::support::{Made, mobilenet, request, resnet50};

/// Requests that a reasonable person might have, with three networks each.
fn corpus() -> Corpus {
    let large = Made { id: "convnext_large".into(), params: 197_767_336, top1: Some(84.4), ..resnet50() };
    let candidates = vec![resnet50().candidate(), mobilenet().candidate(), large.candidate()];
    let plain = request(Limits::default());
    let mut edge = plain.clone();
    edge.request.deploy = Deploy::Edge;
    let limited = request(Limits { max_params: Some(Params(30_000_000)), ..Limits::default() });
    let situation = |(name, inquiry): (&str, _)| Situation {
        name: name.to_owned(),
        inquiry,
        candidates: candidates.clone(),
    };
    let requests = [("plain", plain), ("edge", edge), ("limited", limited)];
    Corpus { situations: requests.map(situation).into() }
}

/// What is found in the files of an example. Something must order the candidates, unless that is what it is about.
fn found(files: impl Iterator<Item = ExampleFile>, base: bool, levels: &Levels) -> Vec<Diagnostic> {
    let formula = "rank(#{ id: \"order\", doc: \"d\", source: \"s\", score: |net| net.preference });";
    let base = base.then(|| RuleFolder::of_texts("base", [("base.rhai", formula)]));
    let example = RuleFolder::of_texts("example", files.map(|f| (f.name, f.text)));
    let layers: Vec<RuleFolder> = base.into_iter().chain([example]).collect();
    let (rules, _) = RuleSet::load_layers(&layers);
    let found = rules.check(&corpus(), levels);
    found.into_iter().filter(|d| !d.file.starts_with("base/")).collect()
}

/// Lints about more than texts: files that cannot be read, scenarios, and versions of other packs.
const ELSEWHERE: [&str; 3] = ["bad-scenario", "unreadable", "old-pack"];

#[test]
fn every_page_shows_what_its_lint_finds_and_what_it_does_not() {
    assert!(LINTS.len() >= 50, "{}", LINTS.len());
    for lint in LINTS.iter().filter(|lint| !ELSEWHERE.contains(&lint.name)) {
        let base = lint.name != "no-rank-formula";
        let bad = found(lint.bad(), base, &Levels::default());
        let own = |d: &&Diagnostic| d.code == lint.name;
        let hit = bad.iter().find(own).unwrap_or_else(|| panic!("{} finds nothing: {bad:#?}", lint.name));
        let severity = if lint.level == Level::Error { Severity::Error } else { Severity::Warning };
        assert_eq!(hit.severity, severity, "{}", lint.name);
        assert!(hit.label.is_some() || lint.name == "no-rank-formula", "{} has no place", lint.name);
        let good = found(lint.good(), base, &Levels::default());
        assert_eq!(good.iter().find(own), None, "{}: the good example", lint.name);
        assert!(good.iter().all(|d| d.severity != Severity::Error), "{}: {good:#?}", lint.name);
    }
}

#[test]
fn every_page_is_named_and_filed_alike() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lints");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let names: BTreeSet<String> = LINTS.iter().map(|lint| format!("{}.md", lint.name)).collect();
    assert_eq!(files, names, "a page that cannot be read is no lint");
    for lint in LINTS.iter() {
        assert!(lint.page.lines().count() > 10 && !lint.summary.ends_with('.'), "{}", lint.name);
    }
}

/// The names of problems in the sources of this crate and of the script host: whatever a rule file can be told.
#[test]
fn every_problem_has_a_page() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = BTreeSet::new();
    for name in codes(&own.join("src")).into_iter().chain(codes(&own.join("../script/src"))) {
        // Problems of queries, of architecture scripts and of the note of what was ejected.
        let others = ["mixed-rows", "import-cycle", "unknown-option", "bad-ejected"];
        if !others.contains(&name.as_str()) && Lint::find(&name).is_err() {
            missing.insert(name);
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

/// The first texts of calls that make a problem.
fn codes(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(codes(&path));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("mod tests {").next().unwrap();
        for call in
            ["Diagnostic::error(", "Complaint::new(", "Flaw::new(", "Stop::error(", "wording(", "problem("]
        {
            let after = text.split(call).skip(1).map(str::trim_start);
            found
                .extend(after.filter_map(|rest| Some(rest.strip_prefix('"')?.split_once('"')?.0.to_owned())));
        }
    }
    found
}

const BARE: &str =
    "note(#{ id: \"large\", doc: \"d\", when: |net| net.params > 20000000, because: \"b\" });\n";

fn levels(of: &[(&str, Level)]) -> Levels {
    let mut levels = Levels::default();
    of.iter().for_each(|(lint, level)| levels.set(lint, *level).unwrap());
    levels
}

#[track_caller]
fn check(text: &str, levels: &Levels, expect: &[(&str, Severity)]) {
    let leaked: &'static str = text.to_owned().leak();
    let file = ExampleFile { name: "example.rhai", text: leaked };
    let found = found([file].into_iter(), true, levels);
    let seen: Vec<(&str, Severity)> = found.iter().map(|d| (d.code.as_str(), d.severity)).collect();
    assert_eq!(seen, expect, "{text}");
}

#[test]
fn levels_are_set_by_name() {
    use Severity::{Error, Warning};
    check(BARE, &Levels::default(), &[("missing-source", Warning), ("no-case", Warning)]);
    let stated = levels(&[("missing-source", Level::Allow), ("no-case", Level::Error)]);
    check(BARE, &stated, &[("no-case", Error)]);
    let mut denied = levels(&[("no-case", Level::Allow)]);
    denied.deny_warnings();
    check(BARE, &denied, &[("missing-source", Error)]);
    let error = Levels::default().set("no-cas", Level::Allow).unwrap_err().to_string();
    assert!(error.ends_with("did you mean `no-case`?"), "{error}");
    let error = Levels::default().set("syntax", Level::Warning).unwrap_err().to_string();
    assert!(error.starts_with("`syntax` is always an error"), "{error}");
    let error = Levels::default().set_word("no-case", "loud").unwrap_err().to_string();
    assert_eq!(error, "`loud` is no level for `no-case`; use allow, warn or deny");
}

#[test]
fn an_allowance_holds_for_its_line_and_for_the_declaration_below() {
    use Severity::Warning;
    let none = Levels::default();
    let allowed = format!("// lint: allow(missing-source, no-case) a note of our own\n// Why.\n{BARE}");
    check(&allowed, &none, &[]);
    let within = BARE.replace("when:", "\n// lint: allow(no-case) x\n when:");
    check(&within, &none, &[("missing-source", Warning), ("no-case", Warning), ("unused-allow", Warning)]);
    let same_line = BARE.replace('\n', " // lint: allow(no-case, missing-source) x\n");
    check(&same_line, &none, &[]);
    let in_text = BARE.replace("\"b\"", "\"// lint: allow(no-case) x\"");
    check(&in_text, &none, &[("missing-source", Warning), ("no-case", Warning)]);
    let always = format!("// lint: allow(unknown-clause) x\n{}", BARE.replace("when", "whn"));
    check(&always, &none, &[("unused-allow", Warning), ("unknown-clause", Severity::Error)]);
}

#[test]
fn a_pack_states_levels_and_the_command_line_has_the_last_word() {
    use Severity::{Error, Warning};
    let pack = |lints: &str| {
        let manifest = format!("name = \"house\"\nversion = \"1.0\"\nschema = 1\n[lints]\n{lints}\n");
        let text: &'static str = manifest.leak();
        [ExampleFile { name: "pack.toml", text }, ExampleFile { name: "example.rhai", text: BARE }]
    };
    let check = |lints: &str, levels: &Levels, expect: &[(&str, Severity)]| {
        let found = found(pack(lints).into_iter(), true, levels);
        let seen: Vec<(&str, Severity)> = found.iter().map(|d| (d.code.as_str(), d.severity)).collect();
        assert_eq!(seen, expect, "{lints}");
    };
    let stated = "no-case = \"error\"\nmissing-source = \"allow\"";
    check(stated, &Levels::default(), &[("no-case", Error)]);
    check(stated, &levels(&[("no-case", Level::Warning)]), &[("no-case", Warning)]);
    check(
        "no-case = \"deny\"\nmissing-source = \"warn\"",
        &Levels::default(),
        &[("missing-source", Warning), ("no-case", Error)],
    );
    check(
        "no-cse = \"error\"",
        &levels(&[("no-case", Level::Allow), ("missing-source", Level::Allow)]),
        &[("unknown-lint", Warning)],
    );
}
