//! Files to start from: a rule of each kind, and a pack.

use crate::clauses::RuleKind;
use crate::folder::SHIPPED_PACK;
use crate::manifest::RULES_SCHEMA;

/// A new rule with its case, to be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaffold {
    /// What goes into a `.rhai` file.
    pub rule: String,
    /// What goes into the `.cases.toml` file beside it.
    pub cases: String,
}

/// A rule of a kind with every clause that it needs, and a case that it passes.
#[must_use]
pub fn scaffold(kind: RuleKind, id: &str) -> Scaffold {
    let (body, expect) = match kind {
        RuleKind::Require => (
            "  when:    |need|      need.has(\"max_params\"),\n  holds:   |net, need| net.params <= need.max_params,\n  \
             margin:  |net, need| need.max_params - net.params,\n",
            "holds",
        ),
        RuleKind::Prefer => (
            "  score:   |net|       if net.params < 30e6 { 1.0 } else { 0.0 },\n  weight:  1.0,\n",
            "prefers",
        ),
        RuleKind::Train => ("  advise:  |need|      #{ epochs: 30 },\n  priority: 55,\n", "advises"),
        RuleKind::Optimise => {
            ("  steps:   |net|       [`say what to do with ${net.title}`],\n  priority: 50,\n", "advises")
        }
        RuleKind::Note => ("  when:    |net|       net.params > 80e6,\n", "notes"),
        RuleKind::Rank => ("  score:   |net|       net.preference,\n", "ranks"),
    };
    let because = "  because: |net|       `${net.title} has ${count(net.params)} parameters`,\n";
    let rule = format!(
        "// What is found, why it matters, where the figures come from.\n{kind}(#{{\n  id: \"{id}\",\n  \
         doc: \"Say what the rule finds.\",\n  source: \"say who says so\",\n{body}{because}}});\n"
    );
    let params = if kind == RuleKind::Note { 90_000_000 } else { 5_000_000 };
    let cases = format!(
        "[[case]]\nname = \"say which situation this is\"\nrule = \"{id}\"\nneed = {{ max_params = 10_000_000 }}\n\
         net = {{ title = \"Small\", params = {params}, preference = 0.5 }}\nexpect = \"{expect}\"\n"
    );
    Scaffold { rule, cases }
}

/// A pack with one remark and its case, which changes no answer until it is edited: files by name.
#[must_use]
pub fn scaffold_pack(name: &str) -> Vec<(String, String)> {
    let rule = scaffold(RuleKind::Note, &format!("{name}-condition"));
    let program = env!("CARGO_PKG_VERSION");
    let manifest = format!(
        "name = \"{name}\"\nversion = \"0.1.0\"\n# Version of the rules' language.\nschema = {RULES_SCHEMA}\n\
         description = \"Say what it is for.\"\n# Packs that it builds on, with the least version of each.\n\
         extends = {{ {SHIPPED_PACK} = \"{program}\" }}\n# Rules of weaker layers that it switches off, by id.\n\
         disable = []\n# `convwise rules digest FOLDER --write` states what the files are, so that a change is noticed.\n\n\
         # Levels of lints: allow, warn or deny.\n[lints]\n"
    );
    vec![
        ("pack.toml".to_owned(), manifest),
        (format!("{name}.rhai"), rule.rule),
        (format!("{name}.cases.toml"), rule.cases),
    ]
}
