//! Understands `/proc/cpuinfo` of Linux on x86-64 and 64-bit ARM.

use std::collections::BTreeSet;

use super::arm;

/// The kernel's name of a feature and ours; only what decides the speed of inference.
const FEATURES: [(&str, &str); 9] = [
    ("avx2", "avx2"),
    ("avx512f", "avx512f"),
    ("avx512_vnni", "avx512_vnni"),
    ("avx_vnni", "avx_vnni"),
    ("amx_int8", "amx_int8"),
    ("asimd", "neon"),
    ("asimddp", "dotprod"),
    ("i8mm", "i8mm"),
    ("sve", "sve"),
];

/// Instruction sets that every processor in the list has.
pub(super) fn isa(cpuinfo: &str) -> BTreeSet<String> {
    let mut processors = values(cpuinfo, "flags").chain(values(cpuinfo, "Features")).map(words);
    let Some(first) = processors.next() else { return BTreeSet::new() };
    let common = processors.fold(first, |common, own| &common & &own);
    let ours = FEATURES.iter().filter(|(kernel, _)| common.contains(kernel));
    ours.map(|(_, name)| (*name).to_owned()).collect()
}

fn words(line: &str) -> BTreeSet<&str> {
    line.split_whitespace().collect()
}

/// The processor's name: as x86 reports it, else by ARM's implementer and part numbers, fastest kind last as listed.
pub(super) fn name(cpuinfo: &str) -> Option<String> {
    let model = values(cpuinfo, "model name").next().filter(|name| !name.is_empty());
    model.map(squeezed).or_else(|| arm_name(cpuinfo))
}

/// Cores of several kinds (big.LITTLE) are all named, in the order of the list.
fn arm_name(cpuinfo: &str) -> Option<String> {
    let makers = values(cpuinfo, "CPU implementer");
    let mut names: Vec<String> =
        makers.zip(values(cpuinfo, "CPU part")).map(|(maker, part)| arm::name(maker, part)).collect();
    names.dedup();
    if names.is_empty() { None } else { Some(names.join(" + ")) }
}

/// Makers pad the name with runs of blanks.
fn squeezed(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a hypervisor reports itself to an x86 processor.
pub(super) fn hypervisor(cpuinfo: &str) -> bool {
    values(cpuinfo, "flags").any(|flags| words(flags).contains("hypervisor"))
}

/// The values of a key, one a processor.
fn values<'a>(cpuinfo: &'a str, key: &'static str) -> impl Iterator<Item = &'a str> {
    cpuinfo.lines().filter_map(move |line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == key).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_set_counts_if_all_processors_have_it() {
        let mixed = "Features : fp asimd asimddp i8mm\n\nFeatures : fp asimd asimddp\n";
        assert_eq!(isa(mixed), BTreeSet::from(["dotprod".to_owned(), "neon".to_owned()]));
        assert!(isa("").is_empty());
    }

    #[test]
    fn names_are_squeezed_and_kinds_joined() {
        assert_eq!(name("model name\t: Intel(R)   Xeon(R)  CPU\n").unwrap(), "Intel(R) Xeon(R) CPU");
        let big_little =
            "CPU implementer : 0x41\nCPU part : 0xd05\n\nCPU implementer : 0x41\nCPU part : 0xd0b\n";
        assert_eq!(name(big_little).unwrap(), "ARM Cortex-A55 + ARM Cortex-A76");
        assert_eq!(name("nothing here"), None);
    }
}
