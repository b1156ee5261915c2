//! The figures of a request that can be turned: how they are written, in which direction they loosen, and what a turn
//! changes.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use convwise_types::{Bytes, Millis, Params, PerSecond, Percent, Request, did_you_mean};

use crate::draft::{BATCHES, CLASSES, Draft, IMAGES, OBJECT_SIZES, OBJECTS, THREADS, within};

/// A numeric field of a request.
#[derive(Debug)]
pub struct Knob {
    /// The name of its flag.
    pub name: &'static str,
    /// The unit of its value.
    pub unit: &'static str,
    /// Whether equal ratios are equal steps.
    pub logarithmic: bool,
    pub(crate) looser: Looser,
    pub(crate) changes: Changes,
    pub(crate) get: fn(&Request) -> Option<f64>,
    pub(crate) set: fn(&mut Request, f64),
    read: fn(&str) -> Result<f64, String>,
    show: fn(f64) -> String,
    write: fn(f64) -> String,
}

/// In which direction a limit loosens, and how far at the most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Looser {
    Above(f64),
    Below(f64),
    /// It is no limit.
    Neither,
}

/// What must be done again when it is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    /// Only what the rules say.
    Rules,
    /// Latencies and what follows from them.
    Latencies,
    /// The networks themselves.
    Networks,
}

impl PartialEq for Knob {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

macro_rules! limit {
    ($name:literal, $unit:literal, $field:ident, $type:ty, $looser:expr, $write:expr) => {
        Knob {
            name: $name,
            unit: $unit,
            logarithmic: true,
            looser: $looser,
            changes: Changes::Rules,
            get: |request| request.limits.$field.map(|v| v.0),
            set: |request, value| request.limits.$field = Some(value.into_unit()),
            read: |text| read::<$type>(text).map(|v| v.0),
            show: |value| IntoUnit::<$type>::into_unit(value).to_string(),
            write: $write,
        }
    };
    (whole $name:literal, $unit:literal, $field:ident, $type:ty, $looser:expr, $write:expr) => {
        Knob {
            get: |request| request.limits.$field.map(|v| v.as_f64()),
            read: |text| read::<$type>(text).map(|v| v.as_f64()),
            ..limit!(@base $name, $unit, $field, $type, $looser, $write)
        }
    };
    (@base $name:literal, $unit:literal, $field:ident, $type:ty, $looser:expr, $write:expr) => {
        Knob {
            name: $name,
            unit: $unit,
            logarithmic: true,
            looser: $looser,
            changes: Changes::Rules,
            get: |_| None,
            set: |request, value| request.limits.$field = Some(value.into_unit()),
            read: |_| Err(String::new()),
            show: |value| IntoUnit::<$type>::into_unit(value).to_string(),
            write: $write,
        }
    };
}

macro_rules! count {
    ($name:literal, $unit:literal, $range:expr, $changes:expr, $get:expr, $set:expr) => {
        Knob {
            name: $name,
            unit: $unit,
            logarithmic: true,
            looser: Looser::Neither,
            changes: $changes,
            get: $get,
            set: $set,
            read: |text| whole_within(text, $range),
            show: |value| format!("{value:.0}"),
            write: |value| format!("{:.0}", rounded(value).max(1.0)),
        }
    };
}

/// Ten days: the longest duration that a request may state.
const LONGEST: f64 = 864e6;

/// Every figure of a request.
pub static KNOBS: [Knob; 13] = [
    limit!("latency", "milliseconds", latency, Millis, Looser::Above(LONGEST), |v| format!("{}ms", short(v))),
    limit!("throughput", "images a second", throughput, PerSecond, Looser::Below(1e-3), |v| format!(
        "{}/s",
        short(v)
    )),
    Knob {
        logarithmic: false,
        ..limit!("min-accuracy", "percent", min_accuracy, Percent, Looser::Below(0.1), |v| format!("{v:.1}"))
    },
    limit!(whole "max-size", "bytes", max_size, Bytes, Looser::Above(1e12), bytes),
    limit!(whole "max-params", "parameters", max_params, Params, Looser::Above(1e11), |v| scaled(v, &COUNTS)),
    limit!(whole "ram", "bytes", ram, Bytes, Looser::Above(1e12), bytes),
    limit!(whole "flash", "bytes", flash, Bytes, Looser::Above(1e12), bytes),
    count!("batch", "images", BATCHES, Changes::Latencies, |r| Some(real(r.batch)), |r, v| r.batch =
        whole(v)),
    count!("threads", "threads", THREADS, Changes::Latencies, |r| Some(real(r.threads)), |r, v| r.threads =
        whole(v)),
    count!(
        "train-images",
        "images",
        IMAGES,
        Changes::Rules,
        |r| r.situation.train_images.map(real),
        |r, v| r.situation.train_images = Some(whole(v))
    ),
    Knob {
        looser: Looser::Below(1.0),
        ..count!("objects", "objects", OBJECTS, Changes::Rules, |r| r.situation.objects.map(real), |r, v| r
            .situation
            .objects =
            Some(whole(v)))
    },
    Knob {
        looser: Looser::Above(8192.0),
        ..count!(
            "object-size",
            "pixels",
            OBJECT_SIZES,
            Changes::Rules,
            |r| r.situation.object_size.map(real),
            |r, v| r.situation.object_size = Some(whole(v))
        )
    },
    count!("classes", "classes", CLASSES, Changes::Networks, |r| r.situation.classes.map(real), |r, v| r
        .situation
        .classes =
        Some(whole(v))),
];

impl Knob {
    /// The figure of a name.
    ///
    /// # Errors
    /// There is none: what there is, and what may have been meant.
    pub fn named(name: &str) -> Result<&'static Self, String> {
        let wanted = name.replace('_', "-");
        KNOBS.iter().find(|k| k.name == wanted).ok_or_else(|| {
            let names = KNOBS.iter().map(|k| k.name);
            let known = names.clone().collect::<Vec<_>>().join(", ");
            match Draft::name_of(name) {
                Some(word) => {
                    format!("`{word}` is no figure, so it has no range; --sensitivity tries its other values (figures: {known})")
                }
                None => format!("a request has no figure `{name}` (figures: {known}){}", did_you_mean(&wanted, names)),
            }
        })
    }

    /// Reads a value in the words of the flag.
    ///
    /// # Errors
    /// It cannot be read, or is out of range: why.
    pub fn read(&self, text: &str) -> Result<f64, String> {
        (self.read)(text)
    }

    /// The value that the flag would have, to three digits.
    #[must_use]
    pub fn write(&self, value: f64) -> String {
        (self.write)(value)
    }

    /// A value as people read it.
    #[must_use]
    pub fn show(&self, value: f64) -> String {
        (self.show)(value)
    }

    /// The nearest value that the flag can state in three digits: what is printed is what is judged.
    pub(crate) fn snap(&self, value: f64) -> f64 {
        self.read(&self.write(value)).unwrap_or(value)
    }

    /// A value that can be printed and lies strictly between two, if there is one.
    pub(crate) fn between(&self, low: f64, high: f64) -> Option<f64> {
        let middle =
            if self.logarithmic && low > 0.0 { (low * high).sqrt() } else { f64::midpoint(low, high) };
        let strictly = |v: &f64| *v > low && *v < high;
        [middle, f64::midpoint(low, high)].map(|v| self.snap(v)).into_iter().find(strictly)
    }

    /// The request with another value.
    pub(crate) fn turned(&self, request: &Request, value: f64) -> Request {
        let mut turned = request.clone();
        (self.set)(&mut turned, value);
        turned
    }
}

/// A number as the quantity that a field holds.
trait IntoUnit<T> {
    fn into_unit(self) -> T;
}

macro_rules! into_unit {
    ($($real:ident)*; $($whole:ident)*) => {
        $(impl IntoUnit<$real> for f64 { fn into_unit(self) -> $real { $real(self) } })*
        $(impl IntoUnit<$whole> for f64 { fn into_unit(self) -> $whole { $whole(whole(self)) } })*
    };
}
into_unit!(Millis PerSecond Percent; Bytes Params);

fn read<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: Display,
{
    text.parse().map_err(|e: T::Err| e.to_string())
}

fn whole_within(text: &str, range: RangeInclusive<u64>) -> Result<f64, String> {
    within(text, range).map(real)
}

#[expect(clippy::cast_precision_loss, reason = "at most a million million")]
fn real(value: u64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is wanted"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// The place of the third digit: 0.1 for 42, 100 for 42,000.
fn step(value: f64) -> f64 {
    if value > 0.0 && value.is_finite() { 10_f64.powf(value.log10().floor() - 2.0) } else { 1.0 }
}

/// To three digits, for what has no fractions.
fn rounded(value: f64) -> f64 {
    let step = step(value).max(1.0);
    (value / step).round() * step
}

/// Three digits as text, without zeros that say nothing.
fn short(value: f64) -> String {
    let step = step(value);
    if step >= 1.0 {
        return format!("{:.0}", (value / step).round() * step);
    }
    let decimals = -step.log10().round();
    let text = format!("{value:.*}", usize::try_from(whole(decimals)).unwrap_or(3));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const COUNTS: [(f64, &str); 4] = [(1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, "")];

fn bytes(value: f64) -> String {
    scaled(value, &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")])
}

/// In the largest unit that fits.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fits = units.iter().find(|(factor, _)| value >= *factor * 0.9995).or(units.last());
    let (factor, unit) = fits.copied().unwrap_or((1.0, ""));
    if factor <= 1.0 {
        format!("{:.0}{unit}", value.max(1.0))
    } else {
        format!("{}{unit}", short(value / factor))
    }
}
