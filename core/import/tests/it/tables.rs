//! Anybody's tables and their mappings.

use convwise_import::{Format, Mapping};

use crate::support::{one_problem, read};

#[test]
fn a_mapping_reads_anybodys_table() {
    let text = "separator = \";\"\ndecimal = \",\"\n[[record]]\nkind = \"timing\"\narchitecture = { column = \"Netz\" }\n\
                workload = \"inference\"\ndevice = \"mine\"\nruntime = \"ort\"\nprecision = \"fp32\"\nbatch = 4\n\
                input_size = 224\nlatency = { column = \"Zeit\", unit = \"s\" }\nthreads = { column = \"Fäden\" }\n";
    let format = |text: &str| Format::Table(Mapping::parse("m.toml", text).unwrap());
    let table = "Netz;Zeit;Fäden;Rest\nresnet50;0,0125;2;x\nleer;;2;x\n";
    let (taken, report) = read(&format(text), "t.csv", table.as_bytes());
    assert_eq!(
        (report.rows, report.entries, report.blank, report.count_of_problems()),
        (2, 1, 1, 0),
        "{report:?}"
    );
    assert!(
        taken[0].contains("\"threads\":2,\"batch\":4,\"input\":[3,224,224],\"latency\":12.5,"),
        "{}",
        taken[0]
    );
    one_problem(
        &format(text),
        "t.csv",
        &table.replace("0,0125", "0.0125"),
        &["line 2, column Zeit", "`.` is not expected"],
    );
    one_problem(
        &format(text),
        "t.csv",
        &table.replace("0,0125", "-1"),
        &["line 2, column Zeit", "not above 0"],
    );
    one_problem(&format(text), "t.csv", &table.replace("0,0125;2", "0,0125;zwei"), &["line 2, column Fäden"]);
    one_problem(
        &format(text),
        "t.csv",
        &table.replace("Zeit;", "Zeitt;"),
        &["`Zeit`", "did you mean `Zeitt`"],
    );
    one_problem(&format(text), "t.csv", &table.replace(';', ","), &["separated by `,`"]);
}

#[test]
fn units_and_percentages() {
    let text = "[[record]]\nkind = \"result\"\narchitecture = { column = \"n\" }\ndataset = \"d\"\nmetric = \"top1\"\n\
                precision = \"fp32\"\ninput_size = 224\nvalue = { column = \"v\", unit = \"fraction\" }\n\
                [[record]]\nkind = \"cost\"\narchitecture = { column = \"n\" }\ntask = \"classify\"\n\
                params = { column = \"p\", unit = \"M\" }\n\
                [[record]]\nkind = \"timing\"\narchitecture = { column = \"n\" }\nworkload = \"training\"\ndevice = \"d\"\n\
                runtime = \"r\"\nprecision = \"amp\"\nbatch = 1\ninput_size = 224\n\
                latency = { column = \"t\", unit = \"us\" }\nthroughput = { column = \"f\", unit = \"/min\" }\n";
    let format = Format::Table(Mapping::parse("m.toml", text).unwrap());
    let (taken, report) = read(&format, "t.csv", b"n,v,p,t,f\nx,0.5,25.6,1500,120\n");
    assert_eq!((report.entries, report.count_of_problems()), (3, 0), "{report:?}");
    assert!(taken[0].contains("\"value\":50.0"), "{}", taken[0]);
    assert!(taken[1].contains("\"params\":25600000"), "{}", taken[1]);
    assert!(taken[2].contains("\"latency\":1.5,\"throughput\":2.0"), "{}", taken[2]);
    one_problem(
        &format,
        "t.csv",
        "n,v,p,t,f\nx,50,25.6,1500,120\n",
        &["line 2, column v", "outside 0 to 100"],
    );
}

#[test]
fn mistakes_of_a_mapping_are_shown_at_their_place() {
    let check = |text: &str, words: &[&str]| {
        let shown = Mapping::parse("m.toml", text).unwrap_err().to_string();
        for word in words {
            assert!(shown.contains(word), "no {word:?} in\n{shown}");
        }
    };
    let record = |line: &str| {
        format!(
            "[[record]]\nkind = \"cost\"\narchitecture = {{ column = \"n\" }}\ntask = \"classify\"\n{line}\n"
        )
    };
    check("[[record]\n", &["m.toml:1", "not valid TOML"]);
    check("", &["makes no records"]);
    check("separatr = 1\n", &["m.toml:1:1", "did you mean `separator`"]);
    check("separator = \"x\"\n", &["m.toml:1:13", "known are tab , ; |"]);
    check("[[record]]\n", &["has no `kind`"]);
    check("[[record]]\nkind = \"timings\"\n", &["m.toml:2:8", "did you mean `timing`"]);
    check(&record("parms = { column = \"p\" }"), &["m.toml:5:1", "did you mean `params`"]);
    check(&record("params = { column = \"p\" }"), &["m.toml:5:10", "does not say its unit", "M"]);
    check(&record("params = { column = \"p\", unit = \"m\" }"), &["m.toml:5:33", "there is no `m`"]);
    check(&record("params = 5"), &["m.toml:5:10", "a figure comes from a column"]);
    check(&record(""), &["no figure: params or macs"]);
    check(&record("macs = { column = \"p\", unit = \"G\" }"), &["`macs` hold for an `input_size`"]);
    check(&record("package = { colum = \"p\" }"), &["did you mean `column`"]);
    check("[[record]]\nkind = \"cost\"\ntask = \"clasify\"\n", &["m.toml:3:8", "did you mean `classify`"]);
    check(
        "decimal = \",\"\nthousands = \",\"\n[[record]]\nkind = \"cost\"\narchitecture = \"x\"\ntask = \"classify\"\nparams = { column = \"p\", unit = \"M\" }\n",
        &["same mark"],
    );
    check("[[record]]\nkind = \"result\"\n", &["does not say its `architecture`"]);
}

#[test]
fn the_example_is_a_mapping_that_works() {
    let format = Format::Table(Mapping::parse("example", convwise_import::EXAMPLE).unwrap());
    let table = "Model,Top-1,Size,Time,Params,GMACs\nresnet50,80.1,224,1.5,25.56,4.11\n";
    let (_, report) = read(&format, "t.csv", table.as_bytes());
    assert_eq!((report.entries, report.count_of_problems()), (3, 0), "{report:?}");
}
