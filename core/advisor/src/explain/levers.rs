//! What of a request can be loosened, each as far as it goes.

use convwise_types::{LicenceDemand, Request};

use crate::knob::{KNOBS, Knob, Looser};

/// Something that a request demands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lever {
    Limit(&'static Knob),
    Licence,
    RealTime,
}

impl Lever {
    /// What a request demands.
    pub fn of(request: &Request) -> Vec<Self> {
        let stated = |k: &&Knob| k.looser != Looser::Neither && (k.get)(request).is_some();
        let limits = KNOBS.iter().filter(stated).map(Self::Limit);
        let licence = (request.limits.licence != LicenceDemand::Any).then_some(Self::Licence);
        let real_time = request.limits.real_time.then_some(Self::RealTime);
        limits.chain(licence).chain(real_time).collect()
    }

    /// The request without this demand. A limit stays, at the end of its range: a rule may apply only while it is stated.
    pub fn loosened(self, request: &Request) -> Request {
        let mut loose = request.clone();
        match self {
            Self::Limit(knob) => {
                if let Looser::Above(end) | Looser::Below(end) = knob.looser {
                    (knob.set)(&mut loose, end);
                }
            }
            Self::Licence => loose.limits.licence = LicenceDemand::Any,
            Self::RealTime => loose.limits.real_time = false,
        }
        loose
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
        let (before, next) = (value, knob.snap(next));
        if fits(next) {
            return Some((before, next));
        }
        value = if next == before { return None } else { next };
    }
}
