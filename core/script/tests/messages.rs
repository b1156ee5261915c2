//! What a script's author reads when a script is wrong, word for word.

#![expect(clippy::panic, reason = "tests fail by panicking")]

use std::fmt::Write as _;
use std::time::Duration;

use convwise_script::{Budget, Complaint, Library, Sources, compile, diagnose, sandbox};
use rhai::{Dynamic, Engine, EvalAltResult};

fn small() -> Budget {
    Budget { operations: 20_000, list_items: 500, text_bytes: 500, ..Budget::default() }
}

fn engine() -> (Engine, Sources) {
    let mut engine = sandbox(&small());
    let library = Library::new([
        ("blocks/good", "blocks/good.rhai", "fn twice(x) { x * 2 }\nfn broken(x) { x.missing }\n"),
        ("blocks/bad", "blocks/bad.rhai", "fn f( { }\n"),
        ("blocks/round", "blocks/round.rhai", "import \"blocks/round\" as r;\n"),
    ]);
    let mut sources = Sources::new();
    for (file, text) in library.files() {
        sources.add(file, text.clone());
    }
    sources.add_modules(library.names()).add_usage("widen", "widen(channels, factor)");
    engine.set_module_resolver(library);
    engine.register_fn("widen", |c: i64, f: f64| c as f64 * f);
    engine.register_fn("complain", || -> Result<(), Box<EvalAltResult>> {
        Err(Complaint::new("own", "there is no option `strid`").with_help("did you mean `stride`?").into())
    });
    (engine, sources)
}

/// Runs a script that must fail, and returns what is said about it.
fn said(source: &str) -> String {
    let (engine, mut sources) = engine();
    sources.add("net.rhai", source);
    match compile(&engine, "net.rhai", source) {
        Err(diagnostic) => diagnostic.to_string(),
        Ok(ast) => match engine.eval_ast::<Dynamic>(&ast) {
            Ok(value) => panic!("{source:?} must fail, but gave {value}"),
            Err(error) => diagnose(&error, "net.rhai", &sources, &engine).to_string(),
        },
    }
}

fn all(cases: &[&str]) -> String {
    cases.iter().fold(String::new(), |mut out, case| {
        let _ = writeln!(out, "{}\n", said(case));
        out
    })
}

#[test]
fn syntax() {
    insta::assert_snapshot!(all(&[
        "let x = 1;\nlet y = #{ out: 64, kernel 3 };\n",
        "let x = [1, 2\n",
        "let text = \"open;\n",
        "let channels = 3;\nlet y = chanels * 2;\n",
        "let y = conv::make(1);\n",
        "let new = 1;\n",
        "eval(\"1 + 1\")",
        "let y = #{ a: 1, a: 2 };",
    ]));
}

#[test]
fn mistakes() {
    insta::assert_snapshot!(all(&[
        "let x = 1;\n  widden(x, 2.0);\n",
        "widen(\"many\", 2.0)",
        "\"a\" * 3",
        "let x = #{ channels: 3 };\nx.chanels",
        "let x = 3;\nx.channels",
        "let l = [1, 2];\nl[5]",
        "for i in 3 { }",
        "throw \"the width must be even\"",
        "complain()",
        "1 / 0",
        "const N = 1;\nN = 2;",
        "let x = 1.5; x[0]",
        "fn f(x) {\n  let y = x;\n  y.width\n}\nf(1)",
        "let f = |x| x.width;\nf.call(1)",
        "if 1 { 2 } else { 3 }",
    ]));
}

#[test]
fn imports() {
    insta::assert_snapshot!(all(&[
        "import \"../secret\" as s;\ns::f()",
        "import \"/etc/passwd\" as s;",
        "import \"blocks/goood\" as g;",
        "import \"blocks/bad\" as b;",
        "import \"blocks/round\" as r;",
        "import \"blocks/good\" as g;\ng::broken(1)",
        "import \"blocks/good\" as g;\ng::thrice(1)",
    ]));
}

#[test]
fn limits() {
    insta::assert_snapshot!(all(&[
        "loop { }",
        "fn f(n) { f(n + 1) }\nf(0)",
        "let s = \"x\";\nloop { s += s; }",
        "let l = [];\nloop { l.push(1); }",
        "let l = [];\nl.pad(1000000000, 0);",
        "let s = \"\";\ns.pad(1000000000, ' ');",
        "let l = [0]; loop { l = [l, l]; }",
    ]));
}

#[test]
fn a_script_of_ten_megabytes_is_not_read() {
    insta::assert_snapshot!(said(&"let x = 1;\n".repeat(1_000_000)), @r"
    error[limit]: the script has 11000000 bytes; at most 1000000 are read
    --> net.rhai
     = help: split the script, or generate less
    ");
}

#[test]
fn time_is_a_limit_of_its_own() {
    let budget = Budget { operations: u64::MAX, deadline: Duration::from_millis(20), ..Budget::default() };
    let engine = sandbox(&budget);
    let source = "loop { }";
    let ast = compile(&engine, "a.rhai", source).unwrap();
    let error = engine.eval_ast::<Dynamic>(&ast).unwrap_err();
    let mut sources = Sources::new();
    sources.add("a.rhai", source);
    insta::assert_snapshot!(diagnose(&error, "a.rhai", &sources, &engine), @r"
    error[limit]: the script ran longer than 0.02 s
     --> a.rhai:1:6
      |
    1 | loop { }
      |      ^ here
      |
      = help: look for a loop that does not end
    ");
}
