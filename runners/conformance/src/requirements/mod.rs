//! The requirements, one file a subject. A number is given once and never again: reports are compared across versions.

mod description;
mod ending;
mod errors;
mod models;
mod opening;
mod options;
mod promptness;
mod resources;
mod results;
mod state;

use crate::report::{Finding, Outcome};
use crate::room::Room;
use crate::verdict::{Failing, Verdict};

/// One requirement.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    number: u32,
    /// What is required.
    pub title: &'static str,
    /// What it means, and why.
    pub meaning: &'static str,
    check: fn(&Room<'_>) -> Verdict,
}

impl Requirement {
    /// Its name in reports.
    #[must_use]
    pub fn number(&self) -> String {
        format!("C{:02}", self.number)
    }

    pub(crate) fn try_in(&self, room: &Room<'_>) -> Finding {
        let (outcome, found) = match (self.check)(room) {
            Ok(found) => (Outcome::Met, found),
            Err(Failing::Broken(how)) => (Outcome::Broken, how),
            Err(Failing::NotExamined(why)) => (Outcome::NotExamined, why),
        };
        Finding {
            number: self.number(),
            requirement: self.title,
            meaning: self.meaning,
            ok: outcome != Outcome::Broken,
            outcome,
            found,
        }
    }
}

/// All of them, in the order in which they are tried.
#[must_use]
pub fn requirements() -> Vec<&'static Requirement> {
    let groups: [&[Requirement]; 10] = [
        &opening::ALL,
        &description::ALL,
        &options::ALL,
        &errors::ALL,
        &models::ALL,
        &state::ALL,
        &results::ALL,
        &promptness::ALL,
        &resources::ALL,
        &ending::ALL,
    ];
    groups.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_run_from_one_without_a_gap() {
        let numbers: Vec<u32> = requirements().iter().map(|requirement| requirement.number).collect();
        assert_eq!(numbers, (1..=requirements().len() as u32).collect::<Vec<_>>());
    }
}
