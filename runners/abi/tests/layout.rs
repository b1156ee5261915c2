//! The header and its Rust mirror describe the same bytes and the same calls: a C program that is generated from the Rust
//! types includes the header, fails to compile where a declaration differs, and prints every number.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails is a test that fails")]
use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

use convwise_abi::{
    AbiError, AbiOption, AbiSession, AbiStr, AbiTensor, ClockTable, HostServices, ProfileTable, RunnerTable,
    dtype, error_code, log_level,
};

/// A type as C declares it.
trait InC {
    /// The declaration of `name` with this type.
    fn declare(name: &str) -> String;
}

macro_rules! named {
    ($($rust:ty => $c:literal),* $(,)?) => {
        $(impl InC for $rust {
            fn declare(name: &str) -> String {
                format!("{} {name}", $c)
            }
        })*
    };
}

named! {
    c_char => "char", c_void => "void", u32 => "uint32_t", u64 => "uint64_t", i64 => "int64_t", usize => "size_t",
    AbiStr => "cw_str", AbiOption => "cw_option", AbiTensor => "cw_tensor", AbiError => "cw_error",
    AbiSession => "cw_session", () => "void",
}

impl<T: InC> InC for *const T {
    fn declare(name: &str) -> String {
        format!("const {}", T::declare(&format!("*{name}")))
    }
}

impl<T: InC> InC for *mut T {
    fn declare(name: &str) -> String {
        T::declare(&format!("*{name}"))
    }
}

/// A field that holds a function.
macro_rules! functions {
    ($(($($argument:ident),*))*) => {
        $(impl<R: InC, $($argument: InC),*> InC for Option<unsafe extern "C" fn($($argument),*) -> R> {
            fn declare(name: &str) -> String {
                let arguments: Vec<String> = vec![$($argument::declare("")),*];
                R::declare(&format!("(*{name})({})", arguments.join(", ")))
            }
        })*
    };
}

functions! { (A) (A, B) (A, B, C) (A, B, C, D) }

/// The declaration of what `field` reads.
fn declared<S, T: InC>(_: fn(&S) -> &T) -> String {
    T::declare("expected")
}

/// A field of a structure: where it is, and what C must say about it.
struct Field {
    structure: &'static str,
    name: &'static str,
    offset: usize,
    declaration: String,
}

/// Every size and every field that the Rust side has.
fn mirror() -> (BTreeMap<&'static str, usize>, Vec<Field>) {
    macro_rules! layout {
        ($($c:literal $rust:ident { $($field:ident),* }),* $(,)?) => {{
            let (mut sizes, mut fields) = (BTreeMap::new(), Vec::new());
            $(sizes.insert($c, size_of::<$rust>());
              // Fails to compile when the mirror has a field that is not listed here.
              let _: fn($rust) = |$rust { $($field: _),* }| {};
              $(fields.push(Field {
                  structure: $c,
                  name: stringify!($field),
                  offset: offset_of!($rust, $field),
                  declaration: declared(|all: &$rust| &all.$field),
              });)*)*
            (sizes, fields)
        }};
    }
    layout! {
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
        "cw_profile" ProfileTable { struct_size, profile },
    }
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

/// Every number of the ABI, under the expression that gives it in C.
fn numbers() -> BTreeMap<String, usize> {
    let (sizes, fields) = mirror();
    let sizes = sizes.into_iter().map(|(name, size)| (format!("sizeof({name})"), size));
    let offsets =
        fields.iter().map(|field| (format!("offsetof({}, {})", field.structure, field.name), field.offset));
    let constants = constants().map(|(name, value)| (name.to_owned(), value as usize));
    sizes.chain(offsets).chain(constants).collect()
}

/// For every field a function that compiles only if the header declares it with the type of the mirror.
fn type_checks() -> String {
    let check = |(number, field): (usize, &Field)| {
        let Field { structure, name, declaration, .. } = field;
        let same = format!("_Generic(&((const {structure} *)all)->{name}, __typeof__(expected) const *: 1)");
        format!(
            "static int field_{number}(const void *all) {{ {declaration}; (void)expected; return {same}; }}\n"
        )
    };
    mirror().1.iter().enumerate().map(check).collect()
}

fn c_program() -> String {
    let uses: String = (0..mirror().1.len()).map(|number| format!("  (void)field_{number}(0);\n")).collect();
    let lines: String = numbers()
        .keys()
        .map(|expr| format!("  printf(\"%s=%zu\\n\", \"{expr}\", (size_t)({expr}));\n"))
        .collect();
    format!(
        "#include \"runner.h\"\n#include <stdio.h>\n#include <string.h>\n{}int main(void) {{\n{uses}{lines}\
         \x20 printf(\"entry=%s\\nclock=%s\\nprofile=%s\\n\", CW_ENTRY_SYMBOL, CW_EXT_CLOCK, CW_EXT_PROFILE);\n\
         \x20 return 0;\n}}\n",
        type_checks()
    )
}

/// Compiles `source` strictly as `language`: the path of the program, or what the compiler says.
fn compile(name: &str, source: &str, language: &str, standard: &str) -> Result<std::path::PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("layout-{name}.src"));
    let program = folder.join(format!("layout-{name}"));
    std::fs::write(&file, source).unwrap();
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
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"))
        .arg("-o")
        .arg(&program)
        .arg(&file)
        .output()
        .expect("a C compiler named cc, or the one that CC names, is needed for this test");
    match compiled.status.success() {
        true => Ok(program),
        false => Err(String::from_utf8_lossy(&compiled.stderr).into_owned()),
    }
}

#[test]
fn header_and_mirror_agree() {
    let program = compile("agree", &c_program(), "c", "c11").unwrap();
    let printed = String::from_utf8(Command::new(program).output().unwrap().stdout).unwrap();
    let c: BTreeMap<&str, &str> = printed.lines().filter_map(|line| line.split_once('=')).collect();
    for (expr, value) in &numbers() {
        assert_eq!(c.get(expr.as_str()).copied(), Some(value.to_string().as_str()), "{expr}");
    }
    assert_eq!(c["entry"], convwise_abi::ENTRY_SYMBOL);
    assert_eq!(c["clock"], convwise_abi::EXT_CLOCK);
    assert_eq!(c["profile"], convwise_abi::EXT_PROFILE);
}

#[test]
fn a_changed_declaration_is_found() {
    let program = c_program();
    let changed = program.replace("cw_error *(*expected)(cw_session *)", "int (*expected)(cw_session *)");
    assert_ne!(program, changed);
    assert!(compile("changed", &changed, "c", "c11").unwrap_err().contains("_Generic"));
}

#[test]
fn header_compiles_as_c99() {
    compile("c99", "#include \"runner.h\"\nint main(void) { return 0; }\n", "c", "c99").unwrap();
}
