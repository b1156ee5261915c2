//! Version numbers of native libraries, and which of them a runner can work with.

use std::cmp::Ordering;
use std::fmt;

use serde::Deserialize;

/// The versions that will do: `2.13` is every 2.13.x, `>=1.20, <2` is a range.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct VersionRange {
    text: String,
    bounds: Vec<(Bound, Vec<u64>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    /// These numbers, whatever comes after them.
    Begins,
    AtLeast,
    Below,
}

impl VersionRange {
    /// Whether a version is among them. Only the numbers in front count: `2.13.0+cpu` is `2.13.0`.
    #[must_use]
    pub fn contains(&self, version: &str) -> bool {
        let found = numbers(version);
        self.bounds.iter().all(|(bound, numbers)| match bound {
            Bound::Begins => {
                numbers.iter().enumerate().all(|(at, n)| found.get(at).copied().unwrap_or(0) == *n)
            }
            Bound::AtLeast => compare(&found, numbers) != Ordering::Less,
            Bound::Below => compare(&found, numbers) == Ordering::Less,
        })
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for VersionRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bounds: Option<Vec<_>> = text.split(',').map(|part| bound(part.trim())).collect();
        let wrong =
            || format!("\"{text}\" is no range of versions; write for example \"2.13\" or \">=1.20, <2\"");
        bounds.ok_or_else(wrong).map(|bounds| Self { text: text.clone(), bounds })
    }
}

fn bound(part: &str) -> Option<(Bound, Vec<u64>)> {
    let (bound, version) = match (part.strip_prefix(">="), part.strip_prefix('<')) {
        (Some(version), _) => (Bound::AtLeast, version),
        (_, Some(version)) => (Bound::Below, version),
        _ => (Bound::Begins, part),
    };
    let version = version.trim();
    let plain = version.split('.').all(|number| number.parse::<u64>().is_ok());
    plain.then(|| (bound, numbers(version)))
}

/// The numbers that a version begins with.
fn numbers(version: &str) -> Vec<u64> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version.get(..end).unwrap_or_default().split('.').map_while(|number| number.parse().ok()).collect()
}

/// Missing numbers are zeros.
fn compare(a: &[u64], b: &[u64]) -> Ordering {
    let at = |list: &[u64], index: usize| list.get(index).copied().unwrap_or(0);
    let unequal = |index: &usize| at(a, *index) != at(b, *index);
    let first = (0..a.len().max(b.len())).find(unequal);
    first.map_or(Ordering::Equal, |index| at(a, index).cmp(&at(b, index)))
}

#[cfg(test)]
mod tests {
    use super::VersionRange;

    fn check(range: &str, fits: &[&str], others: &[&str]) {
        let range = VersionRange::try_from(range.to_owned()).unwrap();
        fits.iter().for_each(|version| assert!(range.contains(version), "{version} in {range}"));
        others.iter().for_each(|version| assert!(!range.contains(version), "{version} not in {range}"));
    }

    #[test]
    fn ranges_contain_what_they_say() {
        check("2.13", &["2.13", "2.13.0", "2.13.1+cu130", "2.13.0a0+git"], &["2.12.9", "2.14", "3", "2.130"]);
        check("2.13.0", &["2.13.0+cpu", "2.13"], &["2.13.1"]);
        check(">=1.20", &["1.20.0", "1.31.1", "2"], &["1.19.9", "1.3", "0.9", ""]);
        check(">=10, <11", &["10.0.1", "10.16.1.11"], &["9.9", "11.0.0.114"]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for wrong in ["", "new", ">2", "=1.0", "1.x", "~1.0", ">=1.0,"] {
            assert!(VersionRange::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
