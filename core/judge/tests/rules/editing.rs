//! Ejected rules, what is recorded of them, and what `rules diff` makes of it.

use std::fs;
use std::path::Path;

use crate::support::{self, shown};
use convwise_judge::{Layer, RuleFolder, RuleSet, State, eject};
use convwise_types::Diagnostic;

fn load(folder: &Path) -> (RuleSet, Vec<Diagnostic>) {
    RuleSet::load(&[RuleFolder::read(folder, Layer::Project)])
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from:?} is not in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn state(rules: &RuleSet, id: &str) -> Option<State> {
    rules.diff().into_iter().find(|one| one.id == id).map(|one| one.state)
}

#[test]
fn each_way_to_eject_judges_like_the_shipped_rules() {
    let shipped = support::shipped().stamp();
    for (what, files) in
        [(None, 10), (Some("deployment"), 2), (Some("ranking.rhai"), 2), (Some("slower-than-video"), 2)]
    {
        let folder = tempfile::tempdir().unwrap();
        let written = eject(folder.path(), what).unwrap().written;
        assert!(written.len() == files || what.is_none(), "{what:?}: {written:?}");
        let (rules, problems) = load(folder.path());
        assert_eq!(shown(&problems), "", "{what:?}");
        assert_eq!(rules.len() as u64, shipped.rules, "{what:?}");
        let states: Vec<_> = rules.diff().into_iter().map(|one| one.state).collect();
        assert!(
            !states.is_empty() && states.iter().all(|state| *state == State::Same),
            "{what:?}: {states:?}"
        );
        assert!(rules.overrides().iter().all(|said| said.contains(" repeats ")), "{:?}", rules.overrides());
        let report = rules.test(None);
        assert!(report.is_success() && report.results.len() == support::shipped().test(None).results.len());
        assert!(folder.path().join("convwise.d.rhai").exists());
    }
}

#[test]
fn nothing_is_overwritten_or_declared_twice() {
    let folder = tempfile::tempdir().unwrap();
    eject(folder.path(), Some("slower-than-video")).unwrap();
    let said = |what| eject(folder.path(), what).unwrap_err().to_string();
    assert!(
        said(Some("slower-than-video"))
            .ends_with("slower-than-video.cases.toml is already there; nothing was written")
    );
    let twice = said(Some("deployment"));
    assert!(twice.starts_with("`slower-than-video` is already declared at "), "{twice}");
    assert!(!folder.path().join("deployment.rhai").exists());
    assert!(said(Some("slower-than-vidoe")).contains("did you mean `slower-than-video`?"));
    eject(folder.path(), Some("ranking")).unwrap();
    let (rules, _) = load(folder.path());
    assert_eq!(state(&rules, "slower-than-video"), Some(State::Same), "what was recorded before is kept");
    assert_eq!(rules.diff().iter().filter(|one| one.ejected_from.is_some()).count(), 2);
}

/// As if a later program had other rules than those that were ejected.
fn pretend_it_was(folder: &Path, from: &str, to: &str) {
    edit(&folder.join("ejected.toml"), from, to);
}

#[test]
fn who_changed_what_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    eject(folder.path(), None).unwrap();
    let rules = folder.path().join("deployment.rhai");
    // By the user alone: a clause, and a constant that a rule needs.
    edit(&rules, "need.max_params - net.params", "need.max_params - net.params + 1");
    edit(&rules, "VIDEO_FRAMES = 30.0", "VIDEO_FRAMES = 25.0");
    // By the program alone: what was ejected and what lies here agree.
    pretend_it_was(folder.path(), "need.max_size_bytes - net.size_bytes", "1.0");
    edit(&rules, "need.max_size_bytes - net.size_bytes", "1.0");
    // By both.
    pretend_it_was(folder.path(), "need.ram_bytes - net.ram_bytes", "2.0");
    edit(&rules, "need.ram_bytes - net.ram_bytes", "3.0");
    let (set, problems) = load(folder.path());
    assert_eq!(shown(&problems), "");
    assert_eq!(state(&set, "too-many-parameters"), Some(State::UserChanged));
    assert_eq!(state(&set, "slower-than-video"), Some(State::UserChanged));
    assert_eq!(state(&set, "weights-over-size"), Some(State::ProgramChanged));
    assert_eq!(state(&set, "activations-over-ram"), Some(State::BothChanged));
    assert_eq!(state(&set, "latency-over-budget"), Some(State::Same));
    let changed: Vec<_> = set.diff().into_iter().filter(|one| one.state != State::Same).collect();
    let changed = serde_json::to_string_pretty(&changed).unwrap();
    insta::assert_snapshot!(changed.replace(&folder.path().display().to_string(), "mine"));
}

#[test]
fn rules_that_come_and_go_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path();
    eject(mine, None).unwrap();
    let shipped = support::shipped();
    let whole = |id: &str| shipped.show(id).unwrap().text;
    edit(&mine.join("deployment.rhai"), &whole("too-many-parameters"), "");
    // The program had no such rule when the file was ejected.
    let record = fs::read_to_string(mine.join("ejected.toml")).unwrap();
    let from = record.find("[rules.weights-over-flash]").unwrap();
    let next = record[from..].find("[rules.weights-over-size]").unwrap();
    let fewer = format!("{}{}", &record[..from], &record[from + next..]);
    fs::write(mine.join("ejected.toml"), fewer.replace("rules.latency-over-budget", "rules.dropped"))
        .unwrap();
    edit(&mine.join("deployment.rhai"), &whole("weights-over-flash"), "");
    fs::write(mine.join("own.rhai"), "note(#{ id: \"own\", doc: \"d\", source: \"s\", because: \"b\" });\nnote(#{ id: \"dropped\", doc: \"d\", source: \"s\", because: \"b\" });").unwrap();
    fs::write(
        mine.join("pack.toml"),
        "name = \"mine\"\nversion = \"1\"\nschema = 1\ndisable = [\"pretrained-weights-exist\"]\n",
    )
    .unwrap();
    let (set, problems) = load(mine);
    let problems = shown(&problems).replace(&mine.display().to_string(), "mine");
    insta::assert_snapshot!(problems);
    assert_eq!(state(&set, "too-many-parameters"), Some(State::DeletedHere));
    assert_eq!(state(&set, "weights-over-flash"), Some(State::NewInProgram));
    assert_eq!(state(&set, "own"), Some(State::Added));
    assert_eq!(state(&set, "dropped"), Some(State::GoneFromProgram));
    let said = set.overrides().join("\n");
    assert!(said.contains("`too-many-parameters` was ejected to"), "{said}");
}

#[test]
fn a_rule_that_is_switched_off_is_not_missed() {
    let folder = tempfile::tempdir().unwrap();
    eject(folder.path(), Some("too-many-parameters")).unwrap();
    fs::write(folder.path().join("too-many-parameters.rhai"), "").unwrap();
    assert_eq!(load(folder.path()).1.len(), 1);
    let manifest = "name = \"mine\"\nversion = \"1\"\nschema = 1\ndisable = [\"too-many-parameters\"]\n";
    fs::write(folder.path().join("pack.toml"), manifest).unwrap();
    let (set, problems) = load(folder.path());
    assert_eq!(shown(&problems), "");
    assert_eq!(state(&set, "too-many-parameters"), Some(State::Disabled));
    fs::remove_file(folder.path().join("pack.toml")).unwrap();
    fs::remove_file(folder.path().join("too-many-parameters.rhai")).unwrap();
    assert_eq!(shown(&load(folder.path()).1), "", "whoever deletes the file wants the shipped rule back");
}

#[test]
fn what_builds_on_a_shipped_rule_shows_what_it_says_anew() {
    let (set, problems) = support::with_file(
        "mine.rhai",
        "prefer(#{ extends: \"small-network-for-cpu-server\", weight: 3.0 });",
    );
    assert_eq!(problems, []);
    let diff = set.diff();
    assert_eq!((diff.len(), diff[0].state), (1, State::Extends));
    let weight = diff[0].by_user.iter().find(|change| change.part == "weight").unwrap();
    assert_eq!(weight.lines, ["- 2.0", "+ 3.0"]);
}

#[test]
fn a_damaged_record_costs_only_the_memory_of_who_changed_what() {
    let folder = tempfile::tempdir().unwrap();
    eject(folder.path(), Some("ranking")).unwrap();
    edit(&folder.path().join("ranking.rhai"), "doc: \"", "doc: \"Mine: ");
    assert_eq!(state(&load(folder.path()).0, "weighted-facts"), Some(State::UserChanged));
    fs::write(folder.path().join("ejected.toml"), "schema = 1\n[rules]\nweighted-facts = 3\n").unwrap();
    let (set, problems) = load(folder.path());
    assert_eq!((problems.len(), problems[0].code.as_str()), (1, "bad-ejected"));
    assert_eq!(state(&set, "weighted-facts"), Some(State::Differs));
}
