//! Names of ARM cores by implementer and part number (the MIDR register; Linux `arch/arm64/include/asm/cputype.h`).

/// The core's name, or its numbers where we do not know it.
pub(super) fn name(implementer: &str, part: &str) -> String {
    let maker = MAKERS.iter().find(|(number, _)| *number == implementer).map(|(_, maker)| *maker);
    let core = CORES.iter().find(|(by, number, _)| *by == implementer && *number == part).map(|row| row.2);
    match (maker, core) {
        (Some(maker), Some(core)) => format!("{maker} {core}"),
        (Some(maker), None) => format!("{maker} part {part}"),
        _ => format!("implementer {implementer} part {part}"),
    }
}

const MAKERS: [(&str, &str); 7] = [
    ("0x41", "ARM"),
    ("0x46", "Fujitsu"),
    ("0x48", "HiSilicon"),
    ("0x4e", "NVIDIA"),
    ("0x51", "Qualcomm"),
    ("0x61", "Apple"),
    ("0xc0", "Ampere"),
];

const CORES: [(&str, &str, &str); 21] = [
    ("0x41", "0xd03", "Cortex-A53"),
    ("0x41", "0xd04", "Cortex-A35"),
    ("0x41", "0xd05", "Cortex-A55"),
    ("0x41", "0xd07", "Cortex-A57"),
    ("0x41", "0xd08", "Cortex-A72"),
    ("0x41", "0xd09", "Cortex-A73"),
    ("0x41", "0xd0a", "Cortex-A75"),
    ("0x41", "0xd0b", "Cortex-A76"),
    ("0x41", "0xd0c", "Neoverse-N1"),
    ("0x41", "0xd0d", "Cortex-A77"),
    ("0x41", "0xd40", "Neoverse-V1"),
    ("0x41", "0xd41", "Cortex-A78"),
    ("0x41", "0xd42", "Cortex-A78AE"),
    ("0x41", "0xd44", "Cortex-X1"),
    ("0x41", "0xd46", "Cortex-A510"),
    ("0x41", "0xd47", "Cortex-A710"),
    ("0x41", "0xd48", "Cortex-X2"),
    ("0x41", "0xd49", "Neoverse-N2"),
    ("0x41", "0xd4f", "Neoverse-V2"),
    ("0x46", "0x001", "A64FX"),
    ("0xc0", "0xac3", "AmpereOne"),
];

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn unknown_numbers_are_shown() {
        assert_eq!(name("0x41", "0xd4f"), "ARM Neoverse-V2");
        assert_eq!(name("0x41", "0xfff"), "ARM part 0xfff");
        assert_eq!(name("0x99", "0x1"), "implementer 0x99 part 0x1");
    }
}
