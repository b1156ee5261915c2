//! What scripts cannot do, and what they can.

#![expect(clippy::panic, reason = "tests fail by panicking")]

use convwise_script::{Budget, Closure, Library, compile, find_function, sandbox};
use rhai::{Dynamic, FnPtr};

fn eval(source: &str) -> Result<Dynamic, String> {
    let engine = sandbox(&Budget::default());
    let ast = compile(&engine, "a.rhai", source).map_err(|d| d.message)?;
    engine.eval_ast::<Dynamic>(&ast).map_err(|e| e.to_string())
}

fn check(source: &str, expect: &str) {
    match eval(source) {
        Ok(value) => assert_eq!(value.to_string(), expect, "{source}"),
        Err(error) => panic!("{source}: {error}"),
    }
}

#[test]
fn nothing_reaches_outside() {
    for source in [
        "sleep(1)",
        "timestamp()",
        "exit()",
        "parse_json(\"{}\")",
        "open_file(\"a\")",
        "eval(\"1\")",
        "blob(10)",
        "import \"a\" as a;",
        "import \"./a.rhai\" as a;",
    ] {
        assert!(eval(source).is_err(), "{source} must not run");
    }
}

#[test]
fn printing_is_allowed_and_goes_nowhere() {
    check("print(\"x\"); debug(1); 1", "1");
}

#[test]
fn arithmetic_that_authors_expect() {
    check("sqrt(4)", "2.0");
    check("min(1, 2.5)", "1.0");
    check("max(3, 2)", "3");
    check("clamp(9, 1, 4)", "4");
    check("ceil(1.2)", "2.0");
    check("ceil(2)", "2");
    check("round_half_even(2.5)", "2.0");
    check("round_half_even(3.5)", "4.0");
    check("[1, 2, 3].sum()", "6");
    check("sum([1, 2.5])", "3.5");
}

#[test]
fn modules_may_be_called_anything() {
    for name in ["café", "a \"quoted\" one", "back\\slash", "two\nlines", "${x}"] {
        let mut engine = sandbox(&Budget::default());
        engine.set_module_resolver(Library::new([(name, "m.rhai", "fn one() { 1 }")]));
        let mut scope = rhai::Scope::new();
        scope.push("name", name.to_owned());
        let ast = engine.compile_with_scope(&scope, "import name as m; m::one()").unwrap();
        assert_eq!(engine.eval_ast_with_scope::<i64>(&mut scope, &ast).unwrap(), 1, "{name}");
    }
}

/// What each module's helper is called must not matter to the others, however often they are called.
#[test]
fn helpers_of_one_name_stay_in_their_modules() {
    let mut engine = sandbox(&Budget::default());
    let module = |answer: &str| {
        format!(
            "fn ask(n) {{ let said = []; for i in 0..n {{ said.push(help(i)); }} said }}\nfn help(i) {{ `{answer}${{i}}` }}"
        )
    };
    let outer = module("outer").replace("`outer", "one::ask(1)[0] + `outer");
    let outer = format!("import \"one\" as one;\n{outer}");
    engine.set_module_resolver(Library::new([
        ("one", "one.rhai", module("one").as_str()),
        ("two", "two.rhai", module("two").as_str()),
        ("outer", "outer.rhai", outer.as_str()),
    ]));
    let source = r#"
        import "one" as one;
        import "two" as two;
        import "outer" as outer;
        fn help(i) { `main${i}` }
        let said = [];
        for i in 0..3 {
            said += [help(i)] + one::ask(3) + two::ask(3) + outer::ask(3) + one::ask(3) + [help(i)];
        }
        said.reduce(|text, word| text + " " + word, "")
    "#;
    let ast = compile(&engine, "main.rhai", source).unwrap();
    let said = engine.eval_ast::<String>(&ast).unwrap();
    let once = |i: i32| {
        let one = "one0 one1 one2";
        format!(" main{i} {one} two0 two1 two2 one0outer0 one0outer1 one0outer2 {one} main{i}")
    };
    assert_eq!(said, (0..3).map(once).collect::<String>());
}

#[test]
fn modules_come_from_memory_and_see_each_other() {
    let mut engine = sandbox(&Budget::default());
    engine.set_module_resolver(Library::new([
        ("blocks/a", "a.rhai", "import \"blocks/b\" as b;\nfn f(x) { b::g(x) + 1 }"),
        ("blocks/b", "b.rhai", "fn g(x) { x * 10 }"),
    ]));
    let source = "import \"blocks/a\" as a;\nfn build(x) { helper(x) }\nfn helper(x) { a::f(x) }";
    let ast = compile(&engine, "net.rhai", source).unwrap();
    let mut scope = rhai::Scope::new();
    assert_eq!(engine.call_fn::<i64>(&mut scope, &ast, "build", (4_i64,)).unwrap(), 41);
}

#[test]
fn closures_are_bound_by_parameter_name() {
    let engine = sandbox(&Budget::default());
    let source = "let captured = 100; #{ a: |net| net, b: |need, net| need * net + captured, c: || 7 }";
    let ast = compile(&engine, "rules.rhai", source).unwrap();
    let map = engine.eval_ast::<rhai::Map>(&ast).unwrap();
    let call = |name: &str| {
        let closure = Closure::new(&ast, map[name].clone().cast::<FnPtr>());
        let value = |name: &str| match name {
            "net" => Some(Dynamic::from(3_i64)),
            "need" => Some(Dynamic::from(5_i64)),
            _ => None,
        };
        (closure.parameters().join(","), closure.call(&engine, &ast, value).unwrap().as_int().unwrap())
    };
    assert_eq!(call("a"), ("net".to_owned(), 3));
    assert_eq!(call("b"), ("need,net".to_owned(), 115));
    assert_eq!(call("c"), (String::new(), 7));
}

/// The deepest evaluation that the limits allow must fit the stack of an ordinary thread (2 MiB).
#[test]
fn the_deepest_script_fits_the_stack() {
    let nested = |depth| (0..depth).fold("f(n - 1)".to_owned(), |inner, _| format!("(1 + {inner})"));
    let script =
        |depth, calls| format!("fn f(n) {{ if n == 0 {{ 0 }} else {{ {} }} }}\nf({calls})", nested(depth));
    let engine = sandbox(&Budget::default());
    let deepest = (1..100_i32).rev().find(|d| compile(&engine, "a", &script(*d, 1)).is_ok()).unwrap();
    assert!(deepest > 15, "{deepest}");
    let calls = (1..100_i32).rev().find(|n| eval(&script(deepest, *n)).is_ok()).unwrap();
    assert!(calls > 15, "{calls}");
    assert!(eval(&script(deepest, 1_000_000)).is_err());
}

#[test]
fn brackets_without_end_are_refused() {
    for opening in ["(", "[", "#{ a: ", "{ ", "-", "!", "if true { ", "|x| ", "a.b(", "f(", "x[", "a."] {
        assert!(eval(&opening.repeat(100_000)).is_err(), "{opening}");
    }
}

#[test]
fn finds_functions_by_their_whole_name() {
    let source = "// build\nfn build_all() {}\nfn build(net) {}\n";
    assert_eq!(find_function(source, "build").map(|s| (s.line, s.column)), Some((3, 4)));
    assert_eq!(find_function(source, "missing"), None);
}
