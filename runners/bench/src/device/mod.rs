//! The fingerprint of the machine at hand: what decides how fast it runs a network, and nothing that names its owner.
//!
//! Reading the machine (files of the kernel, commands of the system) is apart from understanding what was read, which is
//! pure and tested on the texts of machines we do not have.

mod arm;
mod cpuinfo;
mod read;

use std::collections::BTreeSet;

use convwise_types::{Bytes, Device, DeviceId, DeviceKind};

/// What was read about a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readings {
    /// The kernel's list of processors, in Linux's form.
    pub cpuinfo: String,
    /// Name of the processor, where the system gives it otherwise.
    pub cpu_name: Option<String>,
    /// Processors this program may use.
    pub cores: u64,
    /// Bytes of memory.
    pub ram: u64,
    /// Operating system and processor family.
    pub platform: String,
    /// Instruction sets found by asking the processor.
    pub isa: BTreeSet<String>,
    /// Maker and product as the firmware reports them.
    pub product: String,
}

/// The machine at hand. A fact that the system does not tell is left out or zero, never guessed.
#[must_use]
pub fn here() -> Device {
    fingerprint(&read::readings())
}

fn fingerprint(readings: &Readings) -> Device {
    let mut isa = cpuinfo::isa(&readings.cpuinfo);
    isa.extend(readings.isa.iter().cloned());
    let named = readings.cpu_name.clone().or_else(|| cpuinfo::name(&readings.cpuinfo));
    let device = Device {
        id: DeviceId::from(""),
        kind: DeviceKind::Cpu,
        cpu: named.unwrap_or_else(|| "unknown processor".to_owned()),
        gpu: None,
        cores: readings.cores,
        isa,
        ram: Bytes(rounded(readings.ram)),
        platform: readings.platform.clone(),
        virtual_machine: cpuinfo::hypervisor(&readings.cpuinfo) || virtual_product(&readings.product),
    };
    Device { id: digest(&device), ..device }
}

/// The kernel keeps a little memory for itself, and how much changes with its version: the figure is rounded to
/// 256 MiB, so that an update does not make another machine of this one.
fn rounded(bytes: u64) -> u64 {
    const STEP: u64 = 256 << 20;
    (bytes + STEP / 2) / STEP * STEP
}

/// Products of hypervisors, for machines whose processor does not report one.
fn virtual_product(product: &str) -> bool {
    let product = product.to_lowercase();
    ["kvm", "qemu", "vmware", "virtualbox", "virtual machine", "xen", "bochs", "firecracker", "openstack"]
        .iter()
        .any(|name| product.contains(name))
}

/// Sixteen hexadecimal digits over all the other fields.
fn digest(device: &Device) -> DeviceId {
    let isa: Vec<&str> = device.isa.iter().map(String::as_str).collect();
    let text = format!(
        "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
        device.kind,
        device.cpu,
        device.gpu.as_deref().unwrap_or_default(),
        device.cores,
        isa.join(" "),
        device.ram.0,
        device.platform,
        device.virtual_machine
    );
    let hex = blake3::hash(text.as_bytes()).to_hex();
    DeviceId::from(hex.get(..16).unwrap_or(&hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Readings {
        Readings {
            cpuinfo: include_str!("../../tests/data/cpuinfo-epyc-vm.txt").into(),
            cores: 2,
            ram: 25_202_339_840,
            platform: "linux/x86_64".into(),
            ..Readings::default()
        }
    }

    #[test]
    fn a_virtual_server() {
        let device = fingerprint(&server());
        assert_eq!(device.cpu, "AMD EPYC");
        let isa: Vec<&str> = device.isa.iter().map(String::as_str).collect();
        assert_eq!(isa, ["avx2", "avx512_vnni", "avx512f"]);
        assert!(device.virtual_machine);
        assert_eq!(device.ram.0 % (256 << 20), 0);
        assert_eq!(device.id.as_str().len(), 16);
    }

    #[test]
    fn an_arm_board_is_named_by_its_part_number() {
        let readings = Readings {
            cpuinfo: include_str!("../../tests/data/cpuinfo-cortex-a76.txt").into(),
            cores: 4,
            platform: "linux/aarch64".into(),
            ..Readings::default()
        };
        let device = fingerprint(&readings);
        assert_eq!(device.cpu, "ARM Cortex-A76");
        let isa: Vec<&str> = device.isa.iter().map(String::as_str).collect();
        assert_eq!(isa, ["dotprod", "neon"]);
        assert!(!device.virtual_machine);
    }

    #[test]
    fn the_id_follows_what_matters_and_nothing_else() {
        let id = |change: fn(&mut Readings)| {
            let mut readings = server();
            change(&mut readings);
            fingerprint(&readings).id
        };
        let same = id(|_| ());
        assert_eq!(same, id(|r| r.ram += 1 << 20), "a little memory");
        assert_eq!(
            same,
            id(|r| r.cpuinfo = r.cpuinfo.replace("cpu MHz\t\t: 2", "cpu MHz\t\t: 3")),
            "the clock"
        );
        assert_ne!(same, id(|r| r.cores = 4));
        assert_ne!(same, id(|r| r.cpu_name = Some("Other".into())));
        assert_ne!(same, id(|r| r.ram *= 2));
    }

    #[test]
    fn a_machine_that_tells_nothing_is_not_guessed() {
        let device = fingerprint(&Readings::default());
        assert_eq!((device.cpu.as_str(), device.isa.len()), ("unknown processor", 0));
        assert!(!device.virtual_machine);
    }

    #[test]
    fn products_of_hypervisors() {
        assert!(virtual_product("QEMU Standard PC"));
        assert!(virtual_product("Microsoft Corporation Virtual Machine"));
        assert!(!virtual_product("Dell Inc. PowerEdge R750"));
    }

    #[test]
    fn this_machine_has_a_stable_fingerprint() {
        let device = here();
        assert_eq!(device, here());
        assert!(device.cores > 0);
    }
}
