//! What is judged against: the request and what is known of the target device.

use std::collections::BTreeSet;

use convwise_types::{Bytes, ComparisonSet, Deploy, Device, DeviceKind, Request, ShippedDevice};
use serde::{Deserialize, Serialize};

/// A request with its target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inquiry {
    /// What was asked for.
    pub request: Request,
    /// Where it will run.
    pub target: Target,
}

impl Inquiry {
    /// The same with accuracies compared on a set.
    #[must_use]
    pub fn compared_on(&self, set: ComparisonSet) -> Self {
        let request = Request { comparison: Some(set), ..self.request.clone() };
        Self { request, target: self.target.clone() }
    }
}

/// The target device as far as it is known. `None` means that nobody knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Kind of machine.
    pub kind: DeviceKind,
    /// Its name, as people write it.
    pub title: String,
    /// Instruction sets that matter for inference.
    pub isa: Option<BTreeSet<String>>,
    /// Working memory.
    pub ram: Option<Bytes>,
    /// Program memory.
    pub flash: Option<Bytes>,
    /// Processors that may be used.
    pub cores: Option<u64>,
    /// Name of the GPU, if it has one.
    pub gpu: Option<String>,
}

impl Target {
    /// A target of which only the kind of deployment is known.
    #[must_use]
    pub fn undescribed(deploy: Deploy) -> Self {
        let (kind, title) = match deploy {
            Deploy::GpuServer => (DeviceKind::Gpu, "a GPU server"),
            Deploy::CpuServer => (DeviceKind::Cpu, "a CPU server"),
            Deploy::Mobile => (DeviceKind::Cpu, "a mobile device"),
            Deploy::Edge => (DeviceKind::Mcu, "an edge device"),
        };
        Self { kind, title: title.to_owned(), isa: None, ram: None, flash: None, cores: None, gpu: None }
    }

    /// Whether it has an NVIDIA GPU; `None` if that is not known.
    #[must_use]
    pub fn nvidia(&self) -> Option<bool> {
        match (&self.gpu, self.kind) {
            (Some(name), _) => Some(is_nvidia(name)),
            (None, DeviceKind::Gpu) => None,
            (None, _) => Some(false),
        }
    }
}

/// NVIDIA's driver reports names that begin with the maker's; data sheets use the product lines.
fn is_nvidia(name: &str) -> bool {
    ["NVIDIA", "GeForce", "Tesla", "Quadro", "Jetson"].iter().any(|word| name.contains(word))
}

impl From<&Device> for Target {
    fn from(device: &Device) -> Self {
        Self {
            kind: device.kind,
            title: device.gpu.clone().unwrap_or_else(|| device.cpu.clone()),
            isa: Some(device.isa.clone()),
            ram: Some(device.ram),
            flash: None,
            cores: Some(device.cores),
            gpu: device.gpu.clone(),
        }
    }
}

impl From<&ShippedDevice> for Target {
    fn from(device: &ShippedDevice) -> Self {
        let isa = (!device.isa.is_empty()).then(|| device.isa.clone());
        let gpu = (device.kind == DeviceKind::Gpu).then(|| device.title.clone());
        Self {
            kind: device.kind,
            title: device.title.clone(),
            isa,
            ram: device.ram,
            flash: device.flash,
            cores: None,
            gpu,
        }
    }
}
