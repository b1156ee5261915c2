//! Machines: the one at hand and the ones that were described.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::DeviceId;
use crate::request::words;
use crate::units::Bytes;

words! {
    /// What kind of machine it is.
    pub enum DeviceKind, "kind of device" {
        /// A CPU.
        Cpu = "cpu",
        /// A GPU.
        Gpu = "gpu",
        /// A microcontroller.
        Mcu = "mcu",
        /// A neural accelerator.
        Npu = "npu",
    }
}

/// Fingerprint of a machine: what decides how fast it runs a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Digest of the other fields.
    pub id: DeviceId,
    /// Kind.
    pub kind: DeviceKind,
    /// Name of the processor as it reports itself.
    pub cpu: String,
    /// Name of the GPU, if the measurement ran there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<String>,
    /// Processors the program may use.
    pub cores: u64,
    /// Instruction sets that matter for inference: `avx2`, `avx512f`, `avx512_vnni`, `neon`, `dotprod`, `i8mm`.
    pub isa: BTreeSet<String>,
    /// Memory.
    pub ram: Bytes,
    /// Operating system and processor family: `linux/x86_64`.
    pub platform: String,
    /// Whether a hypervisor reports itself.
    pub virtual_machine: bool,
}

/// A device described in a file: what it offers, each figure from its data sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippedDevice {
    /// Short name, e.g. `stm32f746`.
    pub id: DeviceId,
    /// Kind.
    pub kind: DeviceKind,
    /// As people write it.
    pub title: String,
    /// Working memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ram: Option<Bytes>,
    /// Program memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flash: Option<Bytes>,
    /// Processors that its peak is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u64>,
    /// Peak multiply-accumulates a second at fp32, all processors together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macs_per_second: Option<f64>,
    /// Memory bandwidth in bytes a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<f64>,
    /// Instruction sets that matter for inference.
    #[serde(default)]
    pub isa: BTreeSet<String>,
    /// URL of the data sheet.
    pub source: String,
}
