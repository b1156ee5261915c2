//! Where the network will run: this machine, a described one, or one that nobody named.

use convwise_types::{Deploy, Device, DeviceId, DeviceKind, Request, ShippedDevice};

use crate::predict::Prior;

/// The target of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// This machine: what is measured here is evidence.
    Here(Device),
    /// Another machine whose measurements were merged.
    Elsewhere(Device),
    /// A device known from its data sheet.
    Described(ShippedDevice),
    /// No device was named; only the kind of deployment is known.
    Unspecified(Deploy),
}

/// A device that nobody described or measured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no device `{id}` (`convwise device list` shows the known ones){hint}")]
pub struct UnknownDevice {
    /// What was asked for.
    pub id: String,
    /// "did you mean".
    pub hint: String,
}

/// What is known about machines when a request comes in.
#[derive(Clone, Debug)]
pub struct KnownDevices<'a> {
    /// This machine.
    pub here: &'a Device,
    /// Whether a runner of this machine reaches a GPU.
    pub here_has_gpu: bool,
    /// Devices that records mention.
    pub measured: &'a [Device],
    /// Devices that files describe.
    pub described: &'a [ShippedDevice],
}

impl Place {
    /// The target of a request. This machine is the target of a `cpu-server` deployment, of a
    /// `gpu-server` one when a runner reaches a GPU, and of any with `--here`; a named device wins.
    ///
    /// # Errors
    /// A device is named that nobody knows.
    pub fn of(request: &Request, known: &KnownDevices<'_>) -> Result<Self, UnknownDevice> {
        if let Some(id) = &request.device {
            return Self::named(id, known);
        }
        let here = match request.deploy {
            Deploy::CpuServer => true,
            Deploy::GpuServer => known.here_has_gpu,
            Deploy::Mobile | Deploy::Edge => false,
        };
        Ok(if here || request.here {
            Self::Here(known.here.clone())
        } else {
            Self::Unspecified(request.deploy)
        })
    }

    fn named(id: &DeviceId, known: &KnownDevices<'_>) -> Result<Self, UnknownDevice> {
        if *id == known.here.id {
            return Ok(Self::Here(known.here.clone()));
        }
        if let Some(device) = known.described.iter().find(|d| d.id == *id) {
            return Ok(Self::Described(device.clone()));
        }
        if let Some(device) = known.measured.iter().find(|d| d.id == *id) {
            return Ok(Self::Elsewhere(device.clone()));
        }
        let described = known.described.iter().map(|d| &d.id);
        let names = described.chain(known.measured.iter().map(|d| &d.id)).chain([&known.here.id]);
        let hint = convwise_types::did_you_mean(id.as_str(), names.map(DeviceId::as_str));
        Err(UnknownDevice { id: id.to_string(), hint })
    }

    /// Whether a measurement made on this machine is evidence for the target.
    #[must_use]
    pub fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// Name of the device in records and tables.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        match self {
            Self::Here(device) | Self::Elsewhere(device) => device.id.clone(),
            Self::Described(device) => device.id.clone(),
            Self::Unspecified(deploy) => DeviceId::from(format!("unspecified {deploy}")),
        }
    }

    /// As a person would name it.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Here(device) => format!("this machine ({})", device.cpu),
            Self::Elsewhere(device) => device.cpu.clone(),
            Self::Described(device) => device.title.clone(),
            Self::Unspecified(Deploy::GpuServer) => "some server with a GPU".to_owned(),
            Self::Unspecified(Deploy::CpuServer) => "some server".to_owned(),
            Self::Unspecified(Deploy::Mobile) => "some phone".to_owned(),
            Self::Unspecified(Deploy::Edge) => "some embedded device".to_owned(),
        }
    }

    /// What the machine is believed to cost before anything ran on it, and in words what that
    /// belief rests on. The figures are orders of magnitude with the spread stated beside them:
    /// they shape a wide interval, never a verdict on a close case.
    #[must_use]
    pub fn prior(&self) -> (Prior, String) {
        match self {
            Self::Here(device) | Self::Elsewhere(device) => processor(device),
            Self::Described(device) => described(device),
            Self::Unspecified(deploy) => {
                let kind = match deploy {
                    Deploy::GpuServer => DeviceKind::Gpu,
                    Deploy::CpuServer | Deploy::Mobile => DeviceKind::Cpu,
                    Deploy::Edge => DeviceKind::Mcu,
                };
                (of_kind(kind, *deploy == Deploy::Mobile), format!("an unspecified {deploy} device"))
            }
        }
    }
}

/// Server and desktop processors by their widest vector unit.
fn processor(device: &Device) -> (Prior, String) {
    let has = |isa: &str| device.isa.contains(isa);
    if device.gpu.is_some() {
        return (of_kind(DeviceKind::Gpu, false), "a GPU".to_owned());
    }
    let (speed, words) = if has("avx512f") {
        (1.0, "a processor with AVX-512")
    } else if has("avx2") {
        (1.6, "a processor with AVX2")
    } else {
        (3.0, "a processor without AVX2")
    };
    let cost = SERVER_CORE.map(|c| c * speed);
    (Prior { cost, machine: 0.5, term: 0.45 }, words.to_owned())
}

/// Milliseconds on one core of a 2020s server with AVX-512: a billion multiply-accumulates, a billion of them in
/// depthwise convolutions, a million activations written, and the dispatch of one operation. Two rented machines
/// took 12 and 28 ms for the first with the built-in runner; depthwise convolutions were ten times as slow.
const SERVER_CORE: [f64; 4] = [20.0, 250.0, 1.0, 0.015];

fn of_kind(kind: DeviceKind, phone: bool) -> Prior {
    match kind {
        DeviceKind::Cpu if phone => Prior { cost: SERVER_CORE.map(|c| c * 2.5), machine: 0.8, term: 0.5 },
        DeviceKind::Cpu => Prior { cost: SERVER_CORE.map(|c| c * 1.6), machine: 0.7, term: 0.5 },
        DeviceKind::Gpu => Prior { cost: [0.15, 1.0, 0.02, 0.008], machine: 0.8, term: 0.6 },
        DeviceKind::Npu => Prior { cost: [0.5, 3.0, 0.05, 0.01], machine: 1.0, term: 0.7 },
        // About a hundred million multiply-accumulates a second.
        DeviceKind::Mcu => Prior { cost: [10_000.0, 20_000.0, 50.0, 0.05], machine: 0.8, term: 0.6 },
    }
}

/// Multiply-accumulates a second that a run of one thread may use: one core's share of a processor, and
/// everything else whole.
fn peak_of_one(device: &ShippedDevice) -> Option<f64> {
    match device.kind {
        DeviceKind::Cpu => Some(device.macs_per_second? / f64::from(u32::try_from(device.cores?).ok()?)),
        DeviceKind::Gpu | DeviceKind::Mcu | DeviceKind::Npu => device.macs_per_second,
    }
}

/// A data sheet's peak is never reached: a third of it is a good network on a good runtime.
fn described(device: &ShippedDevice) -> (Prior, String) {
    let base = of_kind(device.kind, device.kind == DeviceKind::Cpu);
    let Some(peak) = peak_of_one(device).filter(|p| p.is_finite() && *p > 0.0) else {
        return (base, format!("{} (its data sheet gives no throughput)", device.title));
    };
    let dense = 3.0 * 1e9 / peak * 1e3;
    let [usual, ..] = base.cost;
    let prior = Prior { cost: base.cost.map(|c| c * dense / usual), machine: 0.6, term: 0.6 };
    (prior, format!("the data sheet of {}", device.title))
}
