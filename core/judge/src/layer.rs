//! The layers of rules, and what stands in each.

use std::fmt;

use serde::Serialize;

/// Where rules come from, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Inside the program.
    Shipped,
    /// The folder `convwise/rules` of the current project.
    Project,
    /// The folder `rules` in convwise's home.
    User,
    /// A folder that was named with `--rules`.
    Named,
}

impl Layer {
    /// Every layer.
    pub const ALL: [Self; 4] = [Self::Shipped, Self::Project, Self::User, Self::Named];

    /// The word in lists.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Project => "project",
            Self::User => "user",
            Self::Named => "named",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
