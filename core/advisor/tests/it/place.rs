//! Which machine a request is aimed at.

use std::collections::BTreeSet;

use convwise_advisor::{KnownDevices, Place, UnknownDevice};
use convwise_types::{Bytes, Deploy, Device, DeviceKind, Request, ShippedDevice};

use crate::samples::{device, request};

pub fn board() -> ShippedDevice {
    ShippedDevice {
        id: "cortex-m7".into(),
        kind: DeviceKind::Mcu,
        title: "Cortex-M7 at 216 MHz".to_owned(),
        ram: Some(Bytes(320_000)),
        flash: Some(Bytes(1_000_000)),
        cores: None,
        macs_per_second: None,
        bytes_per_second: None,
        isa: BTreeSet::new(),
        source: "https://example.org/data-sheet".to_owned(),
    }
}

/// Aims a request, with or without a GPU here, where the board is described and a server was measured.
fn aim(request: &Request, gpu: bool) -> Result<Place, UnknownDevice> {
    let known = KnownDevices {
        here: &device("laptop-1"),
        here_has_gpu: gpu,
        measured: &[device("server-7")],
        described: &[board()],
    };
    Place::of(request, &known)
}

fn deployed(deploy: Deploy) -> Request {
    Request { deploy, ..request() }
}

fn named(id: &str) -> Request {
    Request { device: Some(id.into()), ..request() }
}

#[test]
fn this_machine_is_the_target_where_it_is_of_the_kind_that_is_asked_for() {
    let check = |deploy, gpu, here| {
        let place = aim(&deployed(deploy), gpu).unwrap();
        let expect = if here { Place::Here(device("laptop-1")) } else { Place::Unspecified(deploy) };
        assert_eq!(place, expect, "{deploy}, GPU {gpu}");
        assert_eq!(place.is_here(), here);
    };
    check(Deploy::CpuServer, false, true);
    check(Deploy::CpuServer, true, true);
    check(Deploy::GpuServer, true, true);
    check(Deploy::GpuServer, false, false);
    check(Deploy::Mobile, true, false);
    check(Deploy::Edge, true, false);
}

#[test]
fn here_makes_this_machine_the_target_of_any_deployment() {
    for &deploy in Deploy::ALL {
        let place = aim(&Request { here: true, ..deployed(deploy) }, false).unwrap();
        assert_eq!(place, Place::Here(device("laptop-1")), "{deploy}");
    }
}

#[test]
fn a_named_device_wins() {
    let check = |id: &str, expect: Place| {
        let place = aim(&Request { here: true, ..named(id) }, true).unwrap();
        assert_eq!(place, expect);
        assert_eq!(place.id().as_str(), id);
    };
    check("cortex-m7", Place::Described(board()));
    check("server-7", Place::Elsewhere(device("server-7")));
    check("laptop-1", Place::Here(device("laptop-1")));
}

#[test]
fn this_machine_is_here_by_name_also_when_records_mention_it() {
    let here = device("laptop-1");
    let known = KnownDevices {
        here: &here,
        here_has_gpu: false,
        measured: &[Device { cores: 1, ..device("laptop-1") }],
        described: &[],
    };
    assert_eq!(Place::of(&named("laptop-1"), &known), Ok(Place::Here(here.clone())));
}

#[test]
fn an_unknown_device_is_an_error_that_names_the_nearest() {
    let check = |id: &str, hint: &str| {
        let error = aim(&named(id), false).unwrap_err().to_string();
        let text = format!("there is no device `{id}` (`convwise device list` shows the known ones){hint}");
        assert_eq!(error, text);
    };
    check("cortex-m4", "; did you mean `cortex-m7`?");
    check("server7", "; did you mean `server-7`?");
    check("laptop-2", "; did you mean `laptop-1`?");
    check("abacus", "");
}

#[test]
fn faster_machines_are_believed_to_be_faster() {
    let cost = |isa: &[&str]| {
        let isa = isa.iter().map(|s| (*s).to_owned()).collect();
        Place::Here(Device { isa, ..device("x") }).prior().0.cost[0]
    };
    assert!(cost(&["avx2", "avx512f"]) < cost(&["avx2"]) && cost(&["avx2"]) < cost(&[]));

    let peak = |rate| Place::Described(ShippedDevice { macs_per_second: rate, ..board() }).prior();
    let (slow, basis) = peak(Some(1e9));
    assert_eq!(basis, "the data sheet of Cortex-M7 at 216 MHz");
    assert!((slow.cost[0] - 3000.0).abs() < 1e-6, "a third of the peak: {slow:?}");
    assert!((slow.cost[0] / peak(Some(4e9)).0.cost[0] - 4.0).abs() < 1e-9);
    let server = ShippedDevice { kind: DeviceKind::Cpu, macs_per_second: Some(64e9), ..board() };
    let shared = |cores| Place::Described(ShippedDevice { cores, ..server.clone() }).prior();
    assert!((shared(Some(64)).0.cost[0] - 3000.0).abs() < 1e-6, "one core of 64 has a 64th of the peak");
    assert!(shared(None).1.ends_with("gives no throughput)"), "a share of a peak needs the number of cores");
    for nonsense in [None, Some(0.0), Some(-1.0), Some(f64::NAN), Some(f64::INFINITY)] {
        let (prior, basis) = peak(nonsense);
        assert_eq!(basis, "Cortex-M7 at 216 MHz (its data sheet gives no throughput)", "{nonsense:?}");
        assert!(prior.cost.iter().all(|c| c.is_finite() && *c > 0.0), "{prior:?}");
    }
}
