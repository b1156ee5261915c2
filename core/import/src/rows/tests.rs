use super::*;

/// Every row as `line: cells`, or the problem.
fn read(text: &[u8], separator: u8) -> Vec<String> {
    let input = match Input::of("x.csv", std::io::Cursor::new(text.to_vec())) {
        Ok(input) => input,
        Err(problem) => return vec![problem.to_string()],
    };
    let mut rows = match Rows::open(input, separator) {
        Ok(rows) => rows,
        Err(problem) => return vec![problem.to_string()],
    };
    let mut found = Vec::new();
    loop {
        match rows.next() {
            Ok(None) => return found,
            Ok(Some(Ok(row))) => {
                found.push(format!("{}: {}", row.line, row.cells().collect::<Vec<_>>().join("|")));
            }
            Ok(Some(Err(problem))) => found.push(problem.to_string()),
            Err(problem) => {
                found.push(problem.to_string());
                return found;
            }
        }
    }
}

fn check(text: &str, expect: &[&str]) {
    assert_eq!(read(text.as_bytes(), b','), expect, "{text:?}");
}

#[test]
fn rows_know_their_lines_however_lines_end() {
    check("a,b\n1,2\n3,4\n", &["2: 1|2", "3: 3|4"]);
    check("a,b\r\n1,2\r\n\r\n3,4", &["2: 1|2", "4: 3|4"]);
    check("a,b\r1,2\r3,4\r", &["2: 1|2", "3: 3|4"]);
    check("\u{feff}a,b\n\n\n1,2\n", &["4: 1|2"]);
    check("a,b\n\"1\n1\",2\n3,4\n", &["2: 1\n1|2", "4: 3|4"]);
    check("a,b\n\"1,013.01\",\"say \"\"x\"\"\"\n", &["2: 1,013.01|say \"x\""]);
}

#[test]
fn broken_rows_are_named_and_the_others_read() {
    check("a,b\n1\n3,4\n", &["line 2: the row has 1 cells, the header 2", "3: 3|4"]);
    check(
        "a,b\n1,2,3\n",
        &["line 2: the row has 3 cells, the header 2; a cell with `,` in it must be quoted"],
    );
    check(
        "a,b\n3,4\n5",
        &["2: 3|4", "line 3: the file ends after 1 of 2 cells of its last row; was it cut off?"],
    );
    check("a,a\n", &["line 1, column a: the header names this column twice"]);
    check("\n\n", &["has no header: it is blank"]);
    let late = format!("a,b\n1,{}\0\n", "x".repeat(80));
    check(&late, &["line 2, column b: the cell has a NUL byte"]);
    let latin1 = read(b"a,b\n1,caf\xe9\n", b',');
    assert!(latin1[0].starts_with("line 2, column b: is not UTF-8; convert"), "{latin1:?}");
    let split = read(b"a,b\n\xc3,\xa9\n", b',');
    assert!(split[0].starts_with("line 2, column a: is not UTF-8"), "{split:?}");
    let open = read(b"a,b\n1,\"2\n3,4\n5,6\n7", b',');
    assert_eq!(
        open,
        ["line 2: the row that begins here goes on to the end of the file; is a quote not closed?"]
    );
    let open = read(b"a,b\n\"1,2\n3,4\n5,6\n", b',');
    assert!(
        open[0].contains("has 1 cells of 2 and goes on to another line; is a quote not closed?"),
        "{open:?}"
    );
}

#[test]
fn huge_rows_and_cells_are_refused_at_their_column() {
    let cell = format!("a,b\n1,{}\n3,4\n", "x".repeat(70_000));
    check(&cell, &["line 2, column b: the cell has more than 65536 bytes", "3: 3|4"]);
    let row = format!("a,b\n1,\"{}\n3,4\n", "x".repeat(2 << 20));
    let found = read(row.as_bytes(), b',');
    assert!(found[0].starts_with("line 2, column b: a row has more than the 1048576 bytes"), "{found:?}");
    let many = format!("a,b\n{}\n", ",".repeat(10_000));
    check(&many, &["line 2: a row has more than 4096 cells"]);
}

#[test]
fn what_is_missing_is_said_with_what_the_file_looks_like() {
    let lacks = |text: &str, missing: &[&str]| {
        let input = Input::of("x.csv", std::io::Cursor::new(text.as_bytes().to_vec())).unwrap();
        Rows::open(input, b',').unwrap().lacks(missing, "such a table").text
    };
    assert_eq!(
        lacks("modle,top1\n", &["model"]),
        "such a table has the column `model`, which this header has not (modle, top1); did you mean `modle`?"
    );
    assert!(lacks("model;top1\n", &["model"]).ends_with("; its cells seem to be separated by `;`"));
    assert!(lacks("model\ttop1\n", &["model"]).ends_with("; its cells seem to be separated by tabs"));
    assert!(lacks("model,pretrain\n", &["top1"]).contains("what weights were trained on"));
}
