//! Quantities with their units in the type, how people write them and how they are printed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A quantity that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing but white space.
    #[error("{what} is empty; write for example {example}")]
    Empty {
        /// What was being read.
        what: &'static str,
        /// A correct way to write it.
        example: &'static str,
    },
    /// No number at the beginning.
    #[error("`{text}` is not {what}; write for example {example}")]
    NotANumber {
        /// The user's text.
        text: String,
        /// What was being read.
        what: &'static str,
        /// A correct way to write it.
        example: &'static str,
    },
    /// A number without its unit.
    #[error("`{text}` has no unit; write for example {example}")]
    NoUnit {
        /// The user's text.
        text: String,
        /// A correct way to write it.
        example: String,
    },
    /// A unit that this quantity does not have.
    #[error("`{unit}` is not a unit of {what}; use one of {units}")]
    UnknownUnit {
        /// The user's unit.
        unit: String,
        /// What was being read.
        what: &'static str,
        /// The units that exist.
        units: String,
    },
    /// Zero, negative, not finite or beyond what can exist.
    #[error("`{text}` is out of range for {what}; it must be more than 0 and at most {max}")]
    OutOfRange {
        /// The user's text.
        text: String,
        /// What was being read.
        what: &'static str,
        /// The largest accepted value.
        max: &'static str,
    },
}

/// How one quantity is written: its units with factors, and its sane range.
struct Notation {
    what: &'static str,
    example: &'static str,
    /// Unit and factor to the base unit. An empty unit means that the bare number is accepted.
    units: &'static [(&'static str, f64)],
    min: f64,
    max: f64,
    max_text: &'static str,
}

impl Notation {
    fn parse(&self, text: &str) -> Result<f64, UnitError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(UnitError::Empty { what: self.what, example: self.example });
        }
        let (number, unit) = split_number(trimmed);
        let Ok(number) = number.replace('_', "").parse::<f64>() else {
            return Err(UnitError::NotANumber {
                text: trimmed.to_owned(),
                what: self.what,
                example: self.example,
            });
        };
        let value = number * self.factor(trimmed, unit)?;
        if value.is_finite() && value > 0.0 && value >= self.min && value <= self.max {
            Ok(value)
        } else {
            Err(UnitError::OutOfRange { text: trimmed.to_owned(), what: self.what, max: self.max_text })
        }
    }

    fn factor(&self, text: &str, unit: &str) -> Result<f64, UnitError> {
        if let Some((_, factor)) = self.units.iter().find(|(name, _)| *name == unit) {
            return Ok(*factor);
        }
        let names: Vec<_> = self.units.iter().map(|(n, _)| *n).filter(|n| !n.is_empty()).collect();
        if unit.is_empty() {
            let example =
                names.iter().take(2).map(|n| format!("`{text}{n}`")).collect::<Vec<_>>().join(" or ");
            return Err(UnitError::NoUnit { text: text.to_owned(), example });
        }
        Err(UnitError::UnknownUnit { unit: unit.to_owned(), what: self.what, units: names.join(", ") })
    }
}

/// Splits `20.5ms` into `20.5` and `ms`. An `e` belongs to the number only in front of digits (`1e6`).
fn split_number(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let exponent = |i: usize| {
        let next = bytes.get(i + 1).copied().unwrap_or(b' ');
        let digit_after_sign = bytes.get(i + 2).is_some_and(u8::is_ascii_digit);
        i > 0 && (next.is_ascii_digit() || (matches!(next, b'+' | b'-') && digit_after_sign))
    };
    let mut end = 0;
    for (i, &b) in bytes.iter().enumerate() {
        let sign_of_exponent =
            matches!(b, b'+' | b'-') && (i == 0 || matches!(bytes.get(i - 1), Some(b'e' | b'E')));
        let part = b.is_ascii_digit()
            || matches!(b, b'.' | b'_')
            || sign_of_exponent
            || (matches!(b, b'e' | b'E') && exponent(i));
        if !part {
            break;
        }
        end = i + 1;
    }
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

const DURATION: Notation = Notation {
    what: "a duration",
    example: "`20ms`",
    units: &[
        ("ms", 1.0),
        ("s", 1e3),
        ("us", 1e-3),
        ("µs", 1e-3),
        ("ns", 1e-6),
        ("min", 6e4),
        ("m", 6e4),
        ("h", 3.6e6),
    ],
    // A nanosecond: the grain of the clock.
    min: 1e-6,
    max: 8.64e8,
    max_text: "10 days",
};

const SIZE: Notation = Notation {
    what: "a size",
    example: "`20MB`",
    units: &[
        ("MB", 1e6),
        ("kB", 1e3),
        ("KB", 1e3),
        ("GB", 1e9),
        ("TB", 1e12),
        ("B", 1.0),
        ("KiB", 1024.0),
        ("kiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
    ],
    min: 1.0,
    max: 1e15,
    max_text: "1000 TB",
};

const COUNT: Notation = Notation {
    what: "a number of parameters",
    example: "`10M`",
    units: &[("", 1.0), ("k", 1e3), ("K", 1e3), ("M", 1e6), ("B", 1e9), ("G", 1e9)],
    min: 1.0,
    max: 1e13,
    max_text: "10000B",
};

const RATE: Notation = Notation {
    what: "a rate",
    example: "`100/s`",
    units: &[("/s", 1.0), ("/min", 1.0 / 60.0), ("fps", 1.0), ("/h", 1.0 / 3600.0)],
    min: 1e-9,
    max: 1e9,
    max_text: "1000000000/s",
};

const PERCENT: Notation = Notation {
    what: "a percentage",
    example: "`75` or `75%`",
    units: &[("", 1.0), ("%", 1.0)],
    min: 0.0,
    max: 100.0,
    max_text: "100 %",
};

macro_rules! real_unit {
    ($(#[$doc:meta])* $name:ident, $notation:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl FromStr for $name {
            type Err = UnitError;
            fn from_str(text: &str) -> Result<Self, UnitError> {
                $notation.parse(text).map(Self)
            }
        }
    };
}

macro_rules! whole_unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);
    };
}

real_unit! {
    /// A duration in milliseconds.
    Millis, DURATION
}
real_unit! {
    /// Events per second.
    PerSecond, RATE
}
real_unit! {
    /// A percentage, 0 to 100. Accuracies (top-1, mIoU, box AP) are percentages.
    Percent, PERCENT
}
whole_unit! {
    /// A number of bytes.
    Bytes
}
whole_unit! {
    /// Multiply-accumulate operations of one inference at batch 1 (convolution, linear, matrix product).
    Macs
}
whole_unit! {
    /// Trained parameters; buffers do not count.
    Params
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the notation bounds the value")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

impl FromStr for Bytes {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        SIZE.parse(text).map(|v| Self(whole(v)))
    }
}

impl FromStr for Params {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        COUNT.parse(text).map(|v| Self(whole(v)))
    }
}

/// Three significant digits, without a trailing `.0` beyond 100.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 99.95 {
        format!("{value:.0}")
    } else if magnitude >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn scaled(f: &mut fmt::Formatter<'_>, value: f64, steps: &[(f64, &str)]) -> fmt::Result {
    let step = steps.iter().find(|(s, _)| value.abs() >= *s * 0.9995).or(steps.last());
    let Some((factor, unit)) = step else { return write!(f, "{value}") };
    if *factor <= 1.0 && value.fract() == 0.0 {
        return write!(f, "{value:.0}{unit}");
    }
    write!(f, "{}{unit}", short(value / factor))
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = [(3.6e6, " h"), (6e4, " min"), (1e3, " s"), (1.0, " ms"), (1e-3, " µs")];
        let step = steps.iter().find(|(s, _)| self.0.abs() >= *s * 0.9995);
        match step {
            Some((factor, unit)) => write!(f, "{}{unit}", short(self.0 / factor)),
            None => write!(f, "{} ms", short(self.0)),
        }
    }
}

impl fmt::Display for PerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", short(self.0))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} %", self.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "printed with three digits")]
fn real(value: u64) -> f64 {
    value as f64
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, real(self.0), &[(1e12, " TB"), (1e9, " GB"), (1e6, " MB"), (1e3, " kB"), (1.0, " B")])
    }
}

impl fmt::Display for Macs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, real(self.0), &[(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")])
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, real(self.0), &[(1e9, " B"), (1e6, " M"), (1e3, " k"), (1.0, "")])
    }
}

impl Bytes {
    /// The value as a real number, for ratios and printing.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        real(self.0)
    }
}

impl Macs {
    /// The value as a real number, for models of latency.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        real(self.0)
    }
}

impl Params {
    /// The value as a real number, for ratios and printing.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        real(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr<Err = UnitError> + fmt::Display>(text: &str, expect: &str) {
        let got = match text.parse::<T>() {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect, "reading {text:?}");
    }

    #[test]
    fn durations() {
        check::<Millis>("20ms", "20.0 ms");
        check::<Millis>("1.5 s", "1.50 s");
        check::<Millis>("5m", "5.00 min");
        check::<Millis>("250us", "250 µs");
        check::<Millis>("20", "`20` has no unit; write for example `20ms` or `20s`");
        check::<Millis>(
            "-3ms",
            "`-3ms` is out of range for a duration; it must be more than 0 and at most 10 days",
        );
        check::<Millis>(
            "0ms",
            "`0ms` is out of range for a duration; it must be more than 0 and at most 10 days",
        );
        check::<Millis>(
            "1e-30ms",
            "`1e-30ms` is out of range for a duration; it must be more than 0 and at most 10 days",
        );
        check::<Millis>("", "a duration is empty; write for example `20ms`");
        check::<Millis>("fast", "`fast` is not a duration; write for example `20ms`");
        check::<Millis>(
            "20 parsecs",
            "`parsecs` is not a unit of a duration; use one of ms, s, us, µs, ns, min, m, h",
        );
        check::<Millis>(
            "1e400ms",
            "`1e400ms` is out of range for a duration; it must be more than 0 and at most 10 days",
        );
        check::<Millis>("NaNms", "`NaNms` is not a duration; write for example `20ms`");
    }

    #[test]
    fn sizes_and_counts() {
        check::<Bytes>("320kB", "320 kB");
        check::<Bytes>("1MiB", "1.05 MB");
        check::<Bytes>("12B", "12 B");
        check::<Bytes>("20", "`20` has no unit; write for example `20MB` or `20kB`");
        check::<Params>("10M", "10.0 M");
        check::<Params>("25_557_032", "25.6 M");
        check::<Params>("1e6", "1.00 M");
        check::<PerSecond>("100/s", "100/s");
        check::<PerSecond>("30fps", "30.0/s");
        check::<Percent>("75", "75.0 %");
        check::<Percent>(
            "101",
            "`101` is out of range for a percentage; it must be more than 0 and at most 100 %",
        );
    }
}
