//! What of a request can be loosened, each as far as it goes.

use convwise_types::{Bytes, LicenceDemand, Request};

use crate::draft::real_time_budget;
use crate::knob::{KNOBS, Knob, Looser};
use crate::place::Place;

/// Something that a request demands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lever {
    /// A figure, and how far it can be loosened.
    Limit(&'static Knob, Looser),
    Licence,
    RealTime,
}

impl Lever {
    /// What a request demands of a network on its target.
    pub fn of(request: &Request, place: &Place) -> Vec<Self> {
        let stated = |k: &&Knob| k.looser != Looser::Neither && (k.get)(request).is_some();
        let limits = KNOBS.iter().filter(stated).map(|k| Self::Limit(k, reach_of(k, request, place)));
        let licence = (request.limits.licence != LicenceDemand::Any).then_some(Self::Licence);
        let real_time = request.limits.real_time.then_some(Self::RealTime);
        limits.chain(licence).chain(real_time).collect()
    }

    /// The request without this demand. A limit stays, at the end of its range: a rule may apply only while it is stated.
    pub fn loosened(self, request: &Request) -> Request {
        let mut loose = request.clone();
        match self {
            Self::Limit(knob, towards) => {
                if let Looser::Above(end) | Looser::Below(end) = towards {
                    (knob.set)(&mut loose, end);
                }
            }
            Self::Licence => loose.limits.licence = LicenceDemand::Any,
            Self::RealTime => loose.limits.real_time = false,
        }
        loose
    }
}

/// How far a limit can be loosened: no further than the device reaches, nor than real time leaves.
fn reach_of(knob: &Knob, request: &Request, place: &Place) -> Looser {
    let device = match place {
        Place::Described(device) => Some(device),
        _ => None,
    };
    let end = match knob.name {
        "ram" => device.and_then(|d| d.ram).map(Bytes::as_f64),
        "flash" => device.and_then(|d| d.flash).map(Bytes::as_f64),
        "latency" => real_time_budget(request).map(|ms| ms.0),
        _ => None,
    };
    match (knob.looser, end) {
        (Looser::Above(furthest), Some(end)) => Looser::Above(end.min(furthest)),
        (looser, _) => looser,
    }
}

/// The least turn of a figure in one direction, from its value in `request`, with which it `fits`; both sides of the
/// step were tried.
pub(super) fn least(
    knob: &'static Knob,
    towards: Looser,
    request: &Request,
    fits: &dyn Fn(&Request) -> bool,
) -> Option<f64> {
    let fits = |value: f64| fits(&knob.turned(request, value));
    let (mut outside, mut inside) = reach(knob, towards, (knob.get)(request)?, &fits)?;
    while let Some(middle) = knob.between(outside.min(inside), outside.max(inside)) {
        if fits(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    Some(inside)
}

/// By doubling or halving: the last value that is not enough, and the first that is.
fn reach(knob: &Knob, towards: Looser, from: f64, fits: &dyn Fn(f64) -> bool) -> Option<(f64, f64)> {
    let mut value = from;
    loop {
        let next = match towards {
            Looser::Above(end) if value < end => (value * 2.0).min(end),
            Looser::Below(end) if value > end => (value / 2.0).max(end),
            _ => return None,
        };
        let before = value;
        // An end that cannot be printed is not passed by rounding.
        let beyond = |v: &f64| matches!(towards, Looser::Above(end) if *v > end);
        let next = Some(knob.snap(next)).filter(|v| !beyond(v)).or_else(|| knob.between(before, next))?;
        if fits(next) {
            return Some((before, next));
        }
        value = if next == before { return None } else { next };
    }
}
