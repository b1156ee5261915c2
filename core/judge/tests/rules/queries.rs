//! Queries over rows: what matches, what is unknown, and what is wrong.

use std::sync::Arc;

use crate::support::{Made, mobilenet, resnet50};
use convwise_judge::{QueryRow, query};

fn rows() -> Vec<QueryRow> {
    let unknown = Made { id: "mystery".into(), top1: None, ..resnet50() };
    let published = [resnet50(), mobilenet(), unknown].map(|made| {
        let weights = made.weights();
        QueryRow::architecture(&Arc::new(made.architecture()), Some(&weights))
    });
    let mut rows = published.to_vec();
    rows.push(QueryRow::candidate(&resnet50().candidate()));
    rows
}

fn check(expression: &str, matched: &[usize], unknown: usize) {
    let answer = query(expression, &rows()).unwrap_or_else(|e| panic!("{expression}: {e}"));
    assert_eq!((answer.matched.as_slice(), answer.unknown), (matched, unknown), "{expression}");
}

#[test]
fn rows_match_by_their_fields() {
    check("task == \"classify\" && top1 >= 80 && params < 30e6", &[0, 3], 1);
    check("params < 6e6", &[1], 0);
    check("family in [\"MobileNetV3\", \"ShuffleNetV2\"]", &[1], 0);
    check("\"residual\" in tags && latency.ms < 40", &[3], 3);
    check("id == \"resnet50\" || top1 > 99", &[0, 3], 1);
    check("params == 5483032", &[1], 0);
    check("true", &[0, 1, 2, 3], 0);
}

#[test]
fn what_is_wrong_is_shown_at_its_place() {
    let wrong = [
        "top_1 > 80",
        "params > \"many\"",
        "params * 2 == \"many\"",
        "task == \"clasify\"",
        "median_ms < 3 && tags == 1",
        "latency.mss < 3",
        "ms < 3",
        "params",
        "params <",
        "let x = 3; x > params",
        "",
        "loop { }",
        "precision == 8",
        "eval(\"1\")",
        "nonsense_altogether == 1",
    ];
    let shown: Vec<String> = wrong
        .iter()
        .map(|expression| match query(expression, &rows()) {
            Ok(answer) => panic!("{expression}: {answer:?}"),
            Err(problem) => format!("{expression}\n{problem}"),
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn a_row_prints_every_field() {
    let json = rows()[3].to_json();
    assert_eq!(json["params"], 25_557_032);
    assert_eq!(json["latency"]["ms"], 36.8);
    assert_eq!(json["tags"][0], "residual");
    assert!(rows()[0].to_json()["latency"].is_null());
}
