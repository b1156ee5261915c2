//! The header and its Rust mirror describe the same bytes: a C program that includes the header prints every number.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails is a test that fails")]
use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

use convwise_abi::{
    AbiError, AbiOption, AbiStr, AbiTensor, ClockTable, HostServices, RunnerTable, dtype, error_code,
    log_level,
};

/// What the Rust side says, under the expression that gives the same number in C.
fn rust_numbers() -> BTreeMap<&'static str, usize> {
    macro_rules! layout {
        ($($c:literal $rust:ident { $($field:ident),* }),* $(,)?) => {{
            let mut all = BTreeMap::new();
            $(all.insert(concat!("sizeof(", $c, ")"), size_of::<$rust>());
              $(all.insert(concat!("offsetof(", $c, ", ", stringify!($field), ")"), offset_of!($rust, $field));)*)*
            all
        }};
    }
    let mut all = layout! {
        "cw_str" AbiStr { ptr, len },
        "cw_option" AbiOption { key, value },
        "cw_tensor" AbiTensor { dtype, rank, shape, data, bytes },
        "cw_error" AbiError { code, message },
        "cw_host" HostServices { struct_size, major, minor, ctx, log },
        "cw_runner" RunnerTable {
            struct_size, major, minor, describe, probe, load, io, set_input, run, output, release, extension,
            error_free
        },
        "cw_clock" ClockTable { struct_size, last_run_ns, load_ns },
    };
    all.extend(constants().map(|(name, value)| (name, value as usize)));
    all
}

fn constants() -> [(&'static str, u32); 24] {
    [
        ("CW_ABI_MAJOR", convwise_abi::ABI_MAJOR),
        ("CW_ABI_MINOR", convwise_abi::ABI_MINOR),
        ("CW_ERR_INVALID", error_code::INVALID),
        ("CW_ERR_UNSUPPORTED", error_code::UNSUPPORTED),
        ("CW_ERR_MODEL", error_code::MODEL),
        ("CW_ERR_UNAVAILABLE", error_code::UNAVAILABLE),
        ("CW_ERR_OUT_OF_MEMORY", error_code::OUT_OF_MEMORY),
        ("CW_ERR_STATE", error_code::STATE),
        ("CW_ERR_INTERNAL", error_code::INTERNAL),
        ("CW_F32", dtype::F32),
        ("CW_U8", dtype::U8),
        ("CW_I8", dtype::I8),
        ("CW_U16", dtype::U16),
        ("CW_I16", dtype::I16),
        ("CW_I32", dtype::I32),
        ("CW_I64", dtype::I64),
        ("CW_BOOL", dtype::BOOL),
        ("CW_F16", dtype::F16),
        ("CW_F64", dtype::F64),
        ("CW_BF16", dtype::BF16),
        ("CW_LOG_ERROR", log_level::ERROR),
        ("CW_LOG_WARN", log_level::WARN),
        ("CW_LOG_INFO", log_level::INFO),
        ("CW_LOG_DEBUG", log_level::DEBUG),
    ]
}

fn c_program(expressions: &BTreeMap<&'static str, usize>) -> String {
    let lines: String = expressions
        .keys()
        .map(|expr| format!("  printf(\"%s=%zu\\n\", \"{expr}\", (size_t)({expr}));\n"))
        .collect();
    format!(
        "#include \"runner.h\"\n#include <stdio.h>\n#include <string.h>\nint main(void) {{\n{lines}\
         \x20 printf(\"entry=%s\\nclock=%s\\n\", CW_ENTRY_SYMBOL, CW_EXT_CLOCK);\n  return 0;\n}}\n"
    )
}

/// Compiles `source` strictly as `language` and returns what the program prints.
fn compile_and_run(source: &str, language: &str, standard: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("layout-{language}-{standard}.src"));
    let program = folder.join(format!("layout-{language}-{standard}"));
    std::fs::write(&file, source).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let compiled = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args([
            "-x",
            language,
            &format!("-std={standard}"),
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-I",
        ])
        .arg(include)
        .arg("-o")
        .arg(&program)
        .arg(&file)
        .output()
        .expect("a C compiler named cc, or the one that CC names, is needed for this test");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    String::from_utf8(Command::new(program).output().unwrap().stdout).unwrap()
}

#[test]
fn header_and_mirror_agree() {
    let rust = rust_numbers();
    let printed = compile_and_run(&c_program(&rust), "c", "c11");
    let c: BTreeMap<&str, &str> = printed.lines().filter_map(|line| line.split_once('=')).collect();
    for (expr, value) in &rust {
        assert_eq!(c.get(expr).copied(), Some(value.to_string().as_str()), "{expr}");
    }
    assert_eq!(c["entry"], convwise_abi::ENTRY_SYMBOL);
    assert_eq!(c["clock"], convwise_abi::EXT_CLOCK);
}

#[test]
fn header_compiles_as_c99() {
    compile_and_run("#include \"runner.h\"\nint main(void) { return 0; }\n", "c", "c99");
}
