//! Packs: what they say about themselves, how they build on each other, what they switch off.

use std::fs;
use std::path::Path;

use crate::support::{self, budget, resnet50, shown};
use convwise_judge::{Layer, RuleFolder, RuleSet};
use convwise_types::{Diagnostic, RuleId, Verdict};

const VETO: &str =
    "require(#{ id: \"too-large\", doc: \"d\", source: \"s\", holds: |net| net.params < 1e6 });";

fn pack(folder: &str, manifest: &str, rules: &str) -> RuleFolder {
    RuleFolder::of_texts(folder, [("pack.toml", manifest), ("a.rhai", rules)])
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// What is wrong, with the temporary folder written as `mine`.
fn said(folder: &Path, problems: &[Diagnostic]) -> String {
    shown(problems).replace(&folder.display().to_string(), "mine")
}

fn verdict(rules: &RuleSet) -> Verdict {
    rules.judge(&budget(60.0), &[resnet50().candidate()])[0].verdict
}

#[test]
fn a_pack_that_must_not_be_used_is_refused_and_nothing_is_proven_without_it() {
    let bad = [
        "name = \"house\"\nversion = \"1.0.0\"\nschema = 2\nfuture = 1\n",
        "name = \"house\"\nversion = \"1.0.0\"\nschema = 1\ndigest = \"00\"\n",
        "name = \"house\"\nversion = \"one\"\nschema = 1\n",
        "name = \"House Policy\"\nversion = \"1\"\nschema = 1\n",
        "name = \"house\"\nversion = \"1\"\nschema = 1\ndisables = []\n",
        "name = \"house\"\nversion = \"1\"\n",
        "name = \"house\"\nversion = \"1\"\nschema = 1\nextends = { convwise = \"99.0\" }\n",
        "name = \"house\"\nversion = \"1\"\nschema = 1\nextends = { convwize = \"0.1\" }\n",
        "name = \"house\"\nversion = \"1\"\nschema = 1\nextends = { house = \"1\" }\n",
    ];
    let mut all = String::new();
    for manifest in bad {
        let (rules, problems) = RuleSet::load(&[pack("mine", manifest, VETO)]);
        assert_eq!(problems.len(), 1, "{manifest}");
        assert_eq!(verdict(&rules), Verdict::Unproven, "{manifest}");
        assert!(rules.show("too-large").is_err(), "{manifest}");
        all += &format!("{}\n\n", problems[0]);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_sound_pack_is_named_in_the_decision_record() {
    let manifest = "name = \"house\"\nversion = \"1.2\"\nschema = 1\nextends = { convwise = \"0.1\" }\n";
    let folder = pack("mine", manifest, VETO);
    let stated = format!("{manifest}digest = \"{}\"\n", folder.digest());
    let (rules, problems) =
        RuleSet::load(&[pack("mine", &stated.replace("\nextends", "\ndescription = \"d\"\nextends"), VETO)]);
    assert_eq!(problems, []);
    assert_eq!(verdict(&rules), Verdict::Rejected);
    let packs = rules.stamp().packs;
    assert_eq!(
        (packs[0].name.as_str(), packs[0].version.as_str(), packs[0].layer.as_str()),
        ("house", "1.2", "named")
    );
}

#[test]
fn what_a_pack_disables_is_gone_and_shown() {
    let manifest = "name = \"house\"\nversion = \"1\"\nschema = 1\ndisable = [\"latency-over-budget\", \"quick-baseline\", \"latency-over-bugdet\"]\n";
    let (rules, problems) = RuleSet::load(&[pack("mine", manifest, "")]);
    insta::assert_snapshot!(shown(&problems));
    assert!(rules.show("latency-over-budget").is_err());
    assert_eq!(rules.judge(&budget(1.0), &[resnet50().candidate()])[0].verdict, Verdict::Proven);
    let stamp = rules.stamp();
    assert_eq!(stamp.disabled, [RuleId::from("latency-over-budget"), RuleId::from("quick-baseline")]);
    let off: Vec<_> = rules.disabled().into_iter().map(|r| (r.id, r.disabled_by)).collect();
    assert_eq!(off[0], ("latency-over-budget".to_owned(), Some("mine/pack.toml".to_owned())));
    assert!(
        stamp.overrides[0].starts_with(
            "mine/pack.toml disables the requirement `latency-over-budget` of rules/deployment.rhai:"
        ),
        "{stamp:#?}"
    );
    assert!(stamp.overrides[0].ends_with(": nothing is rejected or left unproven for it"));
    assert_ne!(stamp.fingerprint, support::shipped().stamp().fingerprint);
    assert!(rules.test(None).is_success(), "cases of what is switched off do not count");
}

#[test]
fn a_stronger_layer_can_bring_back_what_a_weaker_one_disables() {
    let off =
        pack("off", "name = \"off\"\nversion = \"1\"\nschema = 1\ndisable = [\"latency-over-budget\"]\n", "");
    let on = RuleFolder::of_texts(
        "on",
        [("b.rhai", "require(#{ extends: \"latency-over-budget\", proof: [\"estimated\"] });")],
    );
    let (rules, problems) = RuleSet::load(&[on.clone(), off.clone()]);
    assert_eq!(problems, []);
    assert_eq!(rules.judge(&budget(1.0), &[resnet50().candidate()])[0].verdict, Verdict::Rejected);
    assert!(rules.stamp().disabled.is_empty() && rules.disabled().is_empty());
    assert!(
        RuleSet::load(&[off, on]).0.show("latency-over-budget").is_err(),
        "the other way round it stays off"
    );
}

#[test]
fn a_rule_inherits_what_it_does_not_say() {
    let text = "prefer(#{ extends: \"small-network-for-cpu-server\", weight: 9.0 });
prefer(#{ extends: \"small-network-for-cpu-server\", id: \"again\", because: |net| `${net.title} again` });";
    let (rules, problems) = support::with_file("mine.rhai", text);
    assert_eq!(problems, []);
    assert_eq!(rules.len(), support::shipped().len() + 1);
    let explained = rules.explain(&budget(60.0), &resnet50().candidate());
    let of = |id: &str| explained.findings.iter().find(|f| f.rule.as_str() == id).unwrap();
    let mine = of("small-network-for-cpu-server");
    assert_eq!((mine.file.as_str(), mine.line), ("mine/mine.rhai", 1));
    assert!(mine.reason.contains("25.6 M parameters"), "{}", mine.reason);
    assert!(format!("{:?}", mine.kind).contains("weight: 9.0"), "{:?}", mine.kind);
    assert!(format!("{:?}", of("again").kind).contains("weight: 2.0"));
    assert_eq!(of("again").reason, "resnet50 again");
    assert!(
        rules.overrides()[0].contains("extends `small-network-for-cpu-server` of rules/deployment.rhai"),
        "{:?}",
        rules.overrides()
    );
    let report = rules.test(Some("small-network-for-cpu-server"));
    assert!(
        report.passed() > 0 && report.is_success(),
        "the cases of what it builds on are its own: {report:#?}"
    );
    assert!(
        support::checked(&rules).iter().all(|d| !d.message.contains("no case tries `small-network")),
        "{:#?}",
        support::checked(&rules)
    );
}

#[test]
fn layers_inherit_through_one_another() {
    let weak = RuleFolder::of_texts(
        "weak",
        [("a.rhai", "prefer(#{ extends: \"small-network-for-cpu-server\", weight: 3.0 });")],
    );
    let strong = RuleFolder::of_texts(
        "strong",
        [("a.rhai", "prefer(#{ extends: \"small-network-for-cpu-server\", doc: \"Mine.\" });")],
    );
    let (rules, problems) = RuleSet::load(&[strong, weak]);
    assert_eq!(problems, []);
    let explained = rules.explain(&budget(60.0), &resnet50().candidate());
    let found =
        explained.findings.iter().find(|f| f.rule.as_str() == "small-network-for-cpu-server").unwrap();
    assert!(format!("{:?}", found.kind).contains("weight: 3.0") && found.file == "strong/a.rhai");
    assert_eq!(rules.show("small-network-for-cpu-server").unwrap().replaces.len(), 1);
}

#[test]
fn what_is_wrong_with_extends_is_shown_at_its_place() {
    let text = "require(#{ extends: \"latency-over-bugdet\" });
prefer(#{ extends: \"latency-over-budget\" });
note(#{ extends: 3 });
note(#{ id: \"base\", because: \"b\" });
note(#{ id: \"upon\", extends: \"base\" });
prefer(#{ extends: \"quick-baseline\", wieght: 2.0 });";
    let (rules, problems) = support::with_file("mine.rhai", text);
    insta::assert_snapshot!(shown(&problems));
    assert_eq!(verdict(&rules), Verdict::Unproven, "a requirement was lost");
}

#[test]
fn packs_of_a_folder_stand_below_its_own_rules_and_in_the_order_they_ask_for() {
    let folder = tempfile::tempdir().unwrap();
    let rule =
        |says: &str| format!("note(#{{ id: \"same\", doc: \"{says}\", source: \"s\", because: \"b\" }});");
    write(
        folder.path(),
        &[
            ("own.rhai", "note(#{ extends: \"same\", source: \"own\" });"),
            ("zeta/pack.toml", "name = \"zeta\"\nversion = \"1\"\nschema = 1\n"),
            ("zeta/a.rhai", &rule("zeta")),
            (
                "alpha/pack.toml",
                "name = \"alpha\"\nversion = \"1\"\nschema = 1\nextends = { zeta = \"1\" }\n",
            ),
            ("alpha/a.rhai", &rule("alpha")),
            ("no-pack/a.rhai", "this is not read"),
        ],
    );
    let (rules, problems) = RuleSet::load(&[RuleFolder::read(folder.path(), Layer::Project)]);
    assert_eq!(said(folder.path(), &problems), "");
    let same = rules.show("same").unwrap();
    assert_eq!((same.doc.as_str(), same.source.as_str(), same.layer), ("alpha", "own", Layer::Project));
    let names: Vec<_> = rules.packs().iter().map(|p| (p.title(), p.strength)).collect();
    let expect = [("convwise 0.1.0", 0), ("zeta 1", 1), ("alpha 1", 2), ("project", 3)];
    assert_eq!(names, expect.map(|(name, strength)| (name.to_owned(), strength)));
}

#[test]
fn packs_that_do_not_build_on_each_other_do_not_override_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        write(
            &folder.path().join(name),
            &[("pack.toml", &format!("name = \"{name}\"\nversion = \"1\"\nschema = 1\n")), ("a.rhai", VETO)],
        );
    }
    let (_, problems) = RuleSet::load(&[RuleFolder::read(folder.path(), Layer::Project)]);
    assert_eq!(problems.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["duplicate-id"]);
}

#[test]
fn packs_that_build_on_each_other_in_a_circle_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, other) in [("one", "two"), ("two", "one"), ("three", "two"), ("four", "mine")] {
        let manifest =
            format!("name = \"{name}\"\nversion = \"1\"\nschema = 1\nextends = {{ {other} = \"1\" }}\n");
        write(
            &folder.path().join(name),
            &[("pack.toml", &manifest), ("a.rhai", &VETO.replace("too-large", name))],
        );
    }
    write(folder.path(), &[("pack.toml", "name = \"mine\"\nversion = \"1\"\nschema = 1\n")]);
    let (rules, problems) = RuleSet::load(&[RuleFolder::read(folder.path(), Layer::Project)]);
    insta::assert_snapshot!(said(folder.path(), &problems));
    assert_eq!(verdict(&rules), Verdict::Unproven);
}

#[test]
fn files_that_cannot_be_read_are_named_and_the_rest_loads() {
    let outside = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path();
    write(outside.path(), &[("x.rhai", VETO), ("pack.toml", "name = \"x\"\nversion = \"1\"\nschema = 1\n")]);
    write(
        mine,
        &[("good.rhai", VETO), ("long.rhai", &"/".repeat(1_000_001)), ("convwise.d.rhai", "module static;")],
    );
    fs::write(mine.join("latin.cases.toml"), b"name = \"\xe9\"").unwrap();
    fs::create_dir(mine.join("folder.rhai")).unwrap();
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, mine.join(name)).unwrap();
    link(&outside.path().join("x.rhai"), "leads-out.rhai");
    link(&mine.join("absent"), "broken.rhai");
    link(&mine.join("good.rhai"), "again.rhai");
    link(outside.path(), "pack");
    let (rules, problems) = RuleSet::load(&[RuleFolder::read(mine, Layer::User)]);
    let said = said(mine, &problems)
        .replace(&outside.path().canonicalize().unwrap().display().to_string(), "outside");
    insta::assert_snapshot!(said);
    assert!(rules.show("too-large").is_ok());
    assert_eq!(rules.stamp().packs, []);
    let judged =
        rules.judge(&budget(60.0), &[support::Made { params: 900_000, ..resnet50() }.candidate()]).remove(0);
    assert_eq!(judged.verdict, Verdict::Unproven, "what was not read may have held requirements");
}

#[test]
fn too_many_files_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..502 {
        fs::write(folder.path().join(format!("{number:03}.rhai")), "").unwrap();
    }
    let read = RuleFolder::read(folder.path(), Layer::User);
    assert_eq!((read.files.len(), read.problems.len()), (500, 2));
    assert_eq!(read.problems[0].message, "it is not read: only 500 files of a folder are read");
}
