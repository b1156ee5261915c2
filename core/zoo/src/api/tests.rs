//! What the API refuses, and what it builds.

use std::fmt::Write as _;

use convwise_graph::{infer, text};
use convwise_script::{Sources, compile, diagnose};
use rhai::{Dynamic, Engine, EvalAltResult, Scope};

use super::{Net, document, engine};

fn run(engine: &Engine, source: &str, net: &Net, other: &Net) -> Result<Dynamic, Box<EvalAltResult>> {
    let mut scope = Scope::new();
    scope.push("net", net.clone()).push("other", other.clone());
    let ast = engine.compile_with_scope(&scope, source)?;
    engine.eval_ast_with_scope::<Dynamic>(&mut scope, &ast)
}

/// What is said about a script that must fail; it starts with an input `x` of 8x16x16.
fn said(line: &str) -> String {
    let source = format!("let x = net.input(\"input\", [8, 16, 16]);\n{line}");
    let engine = engine();
    let mut sources = Sources::new();
    sources.add("graph.rhai", source.as_str());
    document(&mut sources);
    match run(&engine, &source, &Net::new("a"), &Net::new("b")) {
        Ok(value) => panic!("{line:?} must fail, but gave {value}"),
        Err(error) => diagnose(&error, "graph.rhai", &sources, &engine).to_string(),
    }
}

fn all(lines: &[&str]) -> String {
    lines.iter().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{}\n", said(line));
        out
    })
}

#[test]
fn refusals() {
    insta::assert_snapshot!(all(&[
        "x.conv(\"c\", #{ out: 4, kernel: 3, strid: 2 })",
        "x.conv(\"c\", #{ kernel: 3 })",
        "x.conv(\"c\", #{ out: 4.0, kernel: 3 })",
        "x.conv(\"c\", #{ out: -4, kernel: 3 })",
        "x.conv(\"c\", #{ out: 4, kernel: [3] })",
        "x.conv(\"c\", #{ out: 4, kernel: 2, padding: \"same\" })",
        "x.conv(\"c\", #{ out: 4, kernel: 3, padding: \"valid\" })",
        "x.channel_affine([1.0], [0.0])",
        "x.adaptive_avg_pool(0, 3)",
        "x.conv(\"c\", #{ out: 4, kernel: 3, bias: 1 })",
        "x.conv(\"c\", #{ out: 4, kernel: 3, groups: 3 })",
        "x.conv(\"c\", #{ out: 4, kernel: 33 })",
        "x.conv(#{ out: 4, kernel: 3 })",
        "x.covn(\"c\", #{ out: 4, kernel: 3 })",
        "x.conv(\"\", #{ out: 4, kernel: 3 })",
        "x.bn(\"n\").bn(\"n\")",
        "x.act(\"rellu\")",
        "x.chanels",
        "x.flatten().height",
        "x + x.max_pool(#{ kernel: 2 })",
        "concat([x, 3], 1)",
        "concat([], 1)",
        "x.chunk(3)",
        "x.reshape([3, -1])",
        "x.resize(8, 8, #{ mode: \"cubic\" })",
        "net.output(\"y\", 3)",
        "let y = x + 1;",
        "make_divisible(3, 0)",
    ]));
}

#[test]
fn a_tensor_of_another_network_is_refused() {
    insta::assert_snapshot!(all(&[
        "let y = other.input(\"input\", [8, 16, 16]);\nx + y",
        "let y = other.input(\"input\", [8, 16, 16]);\nconcat([x, y], 1)",
        "let y = other.input(\"input\", [8, 16, 16]);\nnet.output(\"logits\", y)",
    ]));
}

#[test]
fn a_million_nodes_are_refused() {
    insta::assert_snapshot!(said("for i in 0..1000000 {\n  x = x.relu();\n}"));
}

#[test]
fn every_layer_has_its_text() {
    let source = r#"
        let x = net.input("input", [8, 16, 16]);
        let a = x.conv("c", #{ out: 8, kernel: [3, 5], stride: [1, 1], padding: "same", groups: 2, bias: false });
        a = a.bn("n", #{ eps: 0.001 }).relu6() + x * x;
        a = a.depthwise("d", #{ kernel: 3, padding: [1, 1], dilation: 1 }).act("none").gelu().tanh().silu();
        net.stage("c1", a);
        let u = x.conv("u", #{ out: 2, kernel: 4, stride: 3, padding: "same_upper" }).adaptive_avg_pool(5, 4);
        net.output("u", u.channel_affine([1, 0.5], [0, -1]).adaptive_avg_pool(5, 4).adaptive_avg_pool(1, 1));
        let halves = a.channel_shuffle(2).chunk(2);
        let b = concat([halves[1].sigmoid(), halves[0].hard_sigmoid().hard_swish()], 1);
        b = b.pad([0, 1, 0, 1], 1.0).avg_pool(#{ kernel: 2, count_include_pad: false });
        b = b.resize(4, 4, #{ mode: "bilinear" }).max_pool(#{ kernel: 3, stride: 2, padding: 1, ceil: true });
        let t = b.reshape([8, -1]).transpose([0, 2, 1]).layer_norm("ln").scale("gamma");
        t = t.matmul(t.transpose([0, 2, 1])).softmax(-1).slice(1, 0, 2).flatten().linear("fc", #{ out: 3 });
        net.output("logits", t);
        net.output("pooled", x.scale("s", [8, 1, 1]).global_avg_pool());
        [x.channels, x.height, x.width, x.shape.len()].sum()
    "#;
    let net = Net::new("sample");
    let sum = run(&engine(), source, &net, &net).unwrap();
    assert_eq!(sum.as_int(), Ok(8 + 16 + 16 + 4));
    let graph = net.finish().unwrap();
    insta::assert_snapshot!(text::print(&graph, &infer(&graph, 1).unwrap()));
}

#[test]
fn every_documented_example_parses() {
    for (function, example) in super::usage::USAGE {
        let parameters = "net, x, y, name, args, axis, start, end, top, left, bottom, right, height, width, channels, \
             places, points, boxes, scores";
        let script = format!("fn f({parameters}) {{ {example} }}");
        assert!(compile(&engine(), "usage", &script).is_ok(), "{function}: {example}");
    }
}
