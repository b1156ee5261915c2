//! Runners through their commands: found, shown, checked, and refused where they cannot be trusted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Answer, Home, fixture, mock_library, repository, with_onnxruntime};

/// The runner of this name in a list.
fn find<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
    list["runners"].as_array().unwrap().iter().find(|runner| runner["name"] == name)
}

/// What `doctor` says about one thing.
fn check_of<'a>(report: &'a Value, what: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["what"] == what).unwrap_or_else(|| panic!("{what} was not looked at"))
}

#[test]
fn the_list_says_what_is_usable_and_why_not() {
    let home = Home::new();
    let list = home.json("runner list --json");
    assert_eq!(list["schema"], "convwise.runners/1");
    let rten = find(&list, "rten").unwrap();
    assert_eq!(
        (&rten["usable"], &rten["path"], &rten["why_not"]),
        (&Value::from(true), &Value::Null, &Value::Null)
    );
    assert!(rten["version"].is_string());
    let broken = home.mock("");
    home.write(
        "plugins/runners/gone.toml",
        "schema = 1\nname = \"gone\"\nversion = \"1\"\nlibrary = \"nowhere\"\n",
    );
    let list = home.json(&format!("runner list --json --plugins {broken}"));
    let mock = find(&list, "mock").unwrap();
    assert_eq!((&mock["usable"], mock["path"].as_str()), (&Value::from(true), mock_library().to_str()));
    let gone = find(&list, "gone").unwrap();
    assert_eq!(gone["usable"], false);
    assert!(gone["why_not"].as_str().unwrap().contains("libnowhere.so"), "{gone}");
}

#[test]
fn show_names_options_and_devices() {
    let home = Home::new();
    let shown = home.json("runner show rten --json");
    assert_eq!(shown["description"]["name"], "rten");
    assert!(shown["description"]["options"].as_array().unwrap().iter().any(|o| o["name"] == "threads"));
    assert!(!shown["probe"]["devices"].as_array().unwrap().is_empty());
    let text = home.run("runner show rten").stdout;
    assert!(text.contains("precisions  fp32") && text.contains("option      threads"), "{text}");
    home.run("runner show rtenn").fails(3, &["did you mean `rten`"]);
}

#[test]
fn the_built_in_runner_and_a_good_plugin_pass_the_check() {
    let home = Home::new();
    let plugins = home.mock("outputs = \"N,10\"");
    for runner in ["rten", "mock", "plugins/runners/mock.toml"] {
        let report = home.json(&format!("runner check {runner} --json --plugins {plugins}"));
        assert_eq!(report["ok"], true, "{report}");
        let steps = report["steps"].as_array().unwrap();
        assert_eq!((steps.len(), &steps[0]["number"]), (27, &Value::from("C01")), "{report}");
    }
}

#[test]
fn a_bad_runner_fails_the_check_at_the_requirement_it_breaks() {
    for (options, number, found) in [
        ("crash = \"load\"", "C11", "SIGSEGV"),
        ("lie = \"dtype\"", "C17", "broke the contract"),
        ("crash = \"exit\"", "C27", "SIGSEGV"),
        ("garbage = \"run\"", "C21", "something that is no reply came from it"),
        ("missing = \"libfast\"", "C08", "libfast"),
        ("tims_ns = \"1\"", "C08", "there is no option tims_ns"),
    ] {
        let home = Home::new();
        let plugins = home.mock(options);
        let answer = home.run(&format!("runner check mock --only {number} --json --plugins {plugins}"));
        assert_eq!(answer.code, 1, "{options}: {}{}", answer.stdout, answer.stderr);
        let report = answer.json();
        let step = &report["steps"][0];
        assert_eq!(
            (&report["ok"], &step["ok"], &step["number"]),
            (&false.into(), &false.into(), &number.into())
        );
        assert!(step["found"].as_str().unwrap().contains(found), "{options}: {step}");
    }
    Home::new().run("runner check rten --only C99").fails(3, &["they are C01 to C27"]);
}

#[test]
fn a_runner_that_crashes_when_loaded_fails_the_check_in_plain_words() {
    let home = Home::new();
    let plugins = home.mock("");
    let line = format!("runner check mock --only C01 --plugins {plugins}");
    let output = home
        .command()
        .args(line.split_whitespace())
        .env("CONVWISE_MOCK", "crash=constructor")
        .output()
        .unwrap();
    let answer = Answer::of(&output);
    assert_eq!(answer.code, 1);
    assert!(answer.stdout.contains("crashed while its library was opened: SIGSEGV"), "{}", answer.stdout);
    assert!(!answer.stdout.contains("Failed("), "no type names: {}", answer.stdout);
}

#[test]
fn doctor_names_the_one_command_that_brings_onnx_runtime() {
    // Only to have the plugin built; its home is not the one that is looked at.
    let installed = with_onnxruntime();
    let home = Home::new();
    let report = home.json("doctor --json");
    assert_eq!(report["schema"], "convwise.doctor/1");
    assert_eq!(report["ok"], true, "what can be had is no fault: {report}");
    let missing = check_of(&report, "runner onnxruntime");
    assert_eq!((&missing["ok"], &missing["optional"]), (&false.into(), &true.into()));
    assert_eq!(missing["mend"], "convwise runner install onnxruntime");
    let line = "advise --task classify --deploy cpu-server --runner onnxruntime --measure";
    home.run(line).fails(1, &["runner onnxruntime cannot be used", "convwise runner install onnxruntime"]);
    home.run("bench resnet18 --runner onnxruntime --quick")
        .fails(1, &["convwise runner install onnxruntime"]);
    // Where that command was run, all is well.
    let report = Answer::of(&installed.command().args(["doctor", "--json"]).output().unwrap()).json();
    assert_eq!(check_of(&report, "runner onnxruntime")["ok"], true, "{report}");
    let check = installed.command().args(["runner", "check", "onnxruntime", "--json"]).output().unwrap();
    assert_eq!(Answer::of(&check).json()["ok"], true);
}

#[test]
fn doctor_finds_a_fresh_home_in_order() {
    let home = Home::new();
    let report = home.json("doctor --json");
    for what in ["home", "knowledge base", "rules", "architectures", "machine", "runner rten"] {
        assert_eq!(check_of(&report, what)["ok"], true, "{report}");
    }
    home.write("convwise/rules/mine.rhai", "require(#{\n");
    let report = home.json("doctor --json");
    assert_eq!(check_of(&report, "rules")["ok"], false);
    assert_eq!(check_of(&report, "rules")["mend"], "convwise rules check");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_every_user_may_change_is_not_loaded() {
    let home = Home::new();
    let plugins = home.mock("");
    let manifest = home.path().join("plugins/runners/mock.toml");
    set_mode(&manifest, 0o666);
    let answer = home.run(&format!("runner list --json --plugins {plugins}"));
    assert!(find(&answer.json(), "mock").is_none(), "{}", answer.stdout);
    assert!(answer.stderr.contains("every user may change the file"), "{}", answer.stderr);
    assert!(answer.stderr.contains("chmod o-w"), "{}", answer.stderr);
    let bench = format!("bench resnet18 --quick --plugins {plugins} --runner mock");
    home.run(&bench).fails(3, &["there is no runner `mock`"]);
    // The manifest is in order again, and its library is not.
    set_mode(&manifest, 0o644);
    let library = home.path().join("plugins/open.so");
    fs::copy(mock_library(), &library).unwrap();
    set_mode(&library, 0o777);
    home.write(
        "plugins/runners/mock.toml",
        "schema = 1\nname = \"mock\"\nversion = \"1\"\nlibrary = \"../open.so\"\n",
    );
    home.run(&bench).fails(1, &["its library is not trusted", "every user may change the file"]);
}

#[test]
fn a_library_that_is_not_the_pinned_one_is_not_loaded() {
    let home = Home::new();
    let library = mock_library().display();
    let digest = "0".repeat(64);
    home.write(
        "plugins/runners/mock.toml",
        format!(
            "schema = 1\nname = \"mock\"\nversion = \"1\"\nlibrary = \"{library}\"\nsha256 = \"{digest}\"\n"
        ),
    );
    let answer = home.run("bench resnet18 --quick --plugins plugins --runner mock");
    answer.fails(1, &["runner mock cannot be used", "digest"]);
}

#[test]
fn runners_are_not_taken_from_the_working_directory() {
    let home = Home::new();
    home.mock("");
    fs::rename(home.path().join("plugins"), home.path().join("convwise")).unwrap();
    let list = home.json("runner list --json");
    assert!(find(&list, "mock").is_none(), "{list}");
    assert_eq!(list["skipped"][0]["path"], "convwise/runners/mock.toml");
    let why = "in the working directory; name its folder with --plugins to use it";
    assert_eq!(list["skipped"][0]["why_not"], why);
    let text = home.run("runner list").stdout;
    assert!(text.contains(&format!("skipped convwise/runners/mock.toml: {why}")), "{text}");
    let doctor = home.json("doctor --json");
    assert_eq!(check_of(&doctor, "runner manifest")["ok"], true, "{doctor}");
    home.run("bench resnet18 --quick --runner mock").fails(3, &["there is no runner `mock`"]);
    // Named, it is trusted; and so is one in the home.
    let named = home.json("runner list --json --plugins convwise");
    assert!(find(&named, "mock").is_some());
    assert_eq!(named["skipped"], serde_json::json!([]));
    fs::create_dir_all(home.path().join("home")).unwrap();
    fs::rename(home.path().join("convwise/runners"), home.path().join("home/runners")).unwrap();
    assert!(find(&home.json("runner list --json"), "mock").is_some());
}

#[test]
fn the_list_names_library_and_digest() {
    let home = Home::new();
    let plugins = home.mock("");
    let mock = find(&home.json(&format!("runner list --json --plugins {plugins}")), "mock").unwrap().clone();
    let sum = Command::new("sha256sum").arg(mock_library()).output().unwrap();
    let sum = String::from_utf8_lossy(&sum.stdout).split_whitespace().next().unwrap().to_owned();
    assert_eq!((&mock["digest"], mock["digest"].as_str().unwrap().len()), (&Value::from(sum.clone()), 64));
    let text = home.run(&format!("runner list --plugins {plugins}")).stdout;
    assert!(text.contains(&sum[..12]) && !text.contains(&sum[..13]), "{text}");
}

#[test]
fn nothing_is_loaded_from_a_folder_that_every_user_may_change() {
    let home = Home::new();
    let plugins = home.mock("");
    set_mode(&home.path().join("plugins"), 0o777);
    let text = home.run(&format!("runner list --plugins {plugins}")).stdout;
    assert!(text.contains("skipped") && text.contains("every user may change the folder"), "{text}");
    let bench = format!("bench resnet18 --quick --plugins {plugins} --runner mock");
    home.run(&bench).fails(3, &["there is no runner `mock`"]);
}

/// Libraries in a folder of the home: a runner's that is linked to another, which only the loader finds.
fn linked_libraries(home: &Home) -> PathBuf {
    let folder = home.path().join("built");
    fs::create_dir_all(folder.join("lib")).unwrap();
    let cc = |arguments: &[&str]| {
        let output = Command::new("cc").args(arguments).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    home.write("built/thing.c", "int thing(void) { return 1; }\n");
    home.write("built/linked.c", "int thing(void);\nint linked(void) { return thing(); }\n");
    cc(&["-shared", "-fPIC", "-o", "lib/libthing.so", "thing.c"]);
    cc(&["-shared", "-fPIC", "-o", "liblinked.so", "linked.c", "-Llib", "-lthing"]);
    home.write(
        "plugins/runners/linked.toml",
        r#"schema = 1
name = "linked"
version = "1"
library = "../../built/linked"
[[requires]]
what = "libthing"
env = "THING"
folder = true
install = "thing"
file = "lib/libthing.so"
library_path = ["lib"]
"#,
    );
    folder
}

#[test]
fn a_native_library_that_is_linked_is_found_or_its_remedy_named() {
    let home = Home::new();
    let folder = linked_libraries(&home);
    let line = ["doctor", "--json", "--plugins", "plugins"];
    let looked = |variable: Option<&Path>| {
        let mut command = home.command();
        command.args(line).envs(variable.map(|path| ("THING", path)));
        check_of(&Answer::of(&command.output().unwrap()).json(), "runner linked").clone()
    };
    let missing = looked(None);
    let said = missing["found"].as_str().unwrap();
    assert!(said.contains("libthing.so: cannot open shared object file"), "{said}");
    assert!(said.ends_with("it needs libthing, which `convwise runner install thing` brings"), "{said}");
    assert_eq!(missing["mend"], "convwise runner install thing");
    // Found, the loader gets past it.
    let found = looked(Some(&folder));
    assert!(found["found"].as_str().unwrap().contains("is not a runner"), "{found}");
    assert_eq!(found["native"][0]["from"], serde_json::json!({"kind": "environment", "where": "THING"}));
    let wrong = looked(Some(Path::new("/nowhere")));
    assert!(
        wrong["found"].as_str().unwrap().contains("THING is set, but /nowhere/lib/libthing.so"),
        "{wrong}"
    );
    assert_eq!(wrong["mend"], "unset THING");
    // In the home it is as good.
    fs::create_dir_all(home.path().join("home/native")).unwrap();
    fs::rename(&folder, home.path().join("home/native/thing")).unwrap();
    std::os::unix::fs::symlink(home.path().join("home/native/thing"), &folder).unwrap();
    assert!(looked(None)["found"].as_str().unwrap().contains("is not a runner"));
}

#[test]
fn doctor_finds_the_library_of_an_installed_python_package() {
    let installed = with_onnxruntime();
    let home = Home::new();
    let site = home.path().join("venv/lib/python3.12/site-packages");
    fs::create_dir_all(site.join("onnxruntime/capi")).unwrap();
    fs::create_dir_all(site.join("onnxruntime-1.31.1.dist-info")).unwrap();
    let library = site.join("onnxruntime/capi/libonnxruntime.so.1.31.1");
    fs::copy(installed.home.join("native/onnxruntime/libonnxruntime.so"), &library).unwrap();
    let mut command = home.command();
    command
        .args(["doctor", "--json"])
        .env_remove("CONVWISE_PYTHON")
        .env("VIRTUAL_ENV", home.path().join("venv"));
    let report = Answer::of(&command.output().unwrap()).json();
    let runner = check_of(&report, "runner onnxruntime");
    assert_eq!(runner["ok"], true, "{runner}");
    let native = &runner["native"][0];
    assert_eq!((native["path"].as_str(), &native["version"]), (library.to_str(), &Value::from("1.31.1")));
    assert_eq!(native["from"]["kind"], "python");
}

#[test]
fn what_cannot_be_installed_says_what_to_do() {
    let home = Home::new();
    home.run("runner install tensorrt").fails(1, &["tensorrt-cu13-libs", "runner install onnxruntime-gpu"]);
    home.run("runner install libtorhc").fails(3, &["did you mean `libtorch`"]);
}

#[test]
fn a_broken_manifest_is_shown_and_hides_nobody() {
    let home = Home::new();
    let plugins = home.mock("");
    home.write("plugins/runners/broken.toml", "schema = 1\nname = \"broken\"\nlibary = \"x\"\n");
    let answer = home.run(&format!("runner list --json --plugins {plugins}"));
    assert!(
        answer.stderr.contains("broken.toml:3:1") && answer.stderr.contains("libary"),
        "{}",
        answer.stderr
    );
    assert!(find(&answer.json(), "mock").is_some() && find(&answer.json(), "rten").is_some());
    home.run("runner check plugins/runners/broken.toml").fails(3, &["broken.toml:3:1"]);
}

/// The example of `plugins/examples/plain_c`, built by its own Makefile in a folder of plugins of this home.
fn runner_in_c(home: &Home) -> PathBuf {
    let source = repository().join("plugins/examples/plain_c");
    let folder = home.path().join("plain_c");
    fs::create_dir_all(folder.join("runners")).unwrap();
    for file in ["plain.c", "Makefile", "runners/plain-c.toml"] {
        fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    let header = format!("HEADER={}", repository().join("runners/abi/include").display());
    let output = Command::new("make").arg(header).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// The network's fixture gives its outputs in a runner from this folder of plugins.
fn meets_the_reference(home: &Home, plugins: &str, runner: &str, id: &str) {
    let fixture = fixture(id);
    let fixture = fixture.to_str().unwrap();
    let line = ["--plugins", plugins, "arch", "verify", id, "--fixture", fixture, "--runner", runner];
    let answer = home.run_args(&line);
    assert_eq!(answer.code, 0, "{id}: {}{}", answer.stdout, answer.stderr);
}

#[test]
fn a_runner_in_c_meets_the_contract_and_the_references() {
    let home = Home::new();
    let folder = runner_in_c(&home);
    let plugins = folder.to_str().unwrap();
    let checked = home.run_args(&["--plugins", plugins, "runner", "check", "plain-c"]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    for id in ["resnet18", "mobilenet_v3_small"] {
        meets_the_reference(&home, plugins, "plain-c", id);
    }
}

#[test]
fn a_runner_names_the_operator_that_it_lacks() {
    let home = Home::new();
    let folder = runner_in_c(&home);
    let line = ["--plugins", folder.to_str().unwrap(), "bench", "shufflenet_v2_x0_5", "--runner", "plain-c"];
    home.run_args(&[&line[..], &["--threads", "1", "--quick"]].concat())
        .fails(1, &["this runner has no operator Concat, as at `concat:18`"]);
    let threads = ["--plugins", folder.to_str().unwrap(), "bench", "resnet18", "--runner", "plain-c"];
    home.run_args(&[&threads[..], &["--threads", "2", "--quick"]].concat()).fails(1, &["one thread"]);
}

/// The package that `runner new` writes, built with the versions that this workspace has.
fn runner_in_rust(home: &Home) -> PathBuf {
    assert_eq!(home.run("runner new my-engine").code, 0);
    let folder = home.path().join("my-engine");
    fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    // Its speed is not asked for.
    cargo.args(["build", "--release", "--offline"]).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    let output = cargo.env_remove("CARGO_TARGET_DIR").current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("warning"), "{said}");
    folder
}

#[test]
fn a_new_runner_in_rust_works_from_the_first_build() {
    let home = Home::new();
    let folder = runner_in_rust(&home);
    let checked = home.run("runner check my-engine/runners/my-engine.toml");
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    meets_the_reference(&home, folder.to_str().unwrap(), "my-engine", "mobilenet_v3_small");
}

#[test]
fn a_new_runner_takes_no_name_and_no_file_that_is_there() {
    let home = Home::new();
    home.run("runner new rten").fails(3, &["there is a runner `rten` already"]);
    home.run("runner new my_engine").fails(3, &["use `my-engine`"]);
    home.write("mine/src/value.rs", "mine");
    home.run("runner new mine").fails(3, &["mine/src/value.rs is there already"]);
    assert!(!home.path().join("mine/Cargo.toml").exists());
    assert_eq!(home.run("runner new other").code, 0);
    home.run("runner check other/runners/other.toml")
        .fails(1, &["runner other cannot be used", "libother_runner"]);
}
