//! How a set of tensors differs from what a graph needs: everything at once, sorted by name.

use std::fmt;

use convwise_graph::Shape;

/// A tensor that the graph needs and the source does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingTensor {
    /// Its name.
    pub name: String,
    /// Its extents in the graph.
    pub shape: Shape,
}

/// A tensor whose extents are not the graph's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MisshapedTensor {
    /// Its name.
    pub name: String,
    /// Its extents in the graph.
    pub expected: Shape,
    /// Its extents in the source.
    pub found: Shape,
}

/// A tensor of a number type that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableTensor {
    /// Its name.
    pub name: String,
    /// Its number type, as the source calls it.
    pub dtype: String,
}

/// Every difference between a weight source and a graph, each list sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightReport {
    /// Needed and absent.
    pub missing: Vec<MissingTensor>,
    /// Present and unknown to the graph.
    pub extra: Vec<String>,
    /// Present with other extents.
    pub misshaped: Vec<MisshapedTensor>,
    /// Present as something else than F32, F16 or BF16.
    pub unreadable: Vec<UnreadableTensor>,
}

impl WeightReport {
    /// Whether every tensor has its place and every place its tensor.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.missing.is_empty()
            && self.extra.is_empty()
            && self.misshaped.is_empty()
            && self.unreadable.is_empty()
    }

    pub(super) fn sort(&mut self) {
        self.missing.sort_by(|a, b| a.name.cmp(&b.name));
        self.extra.sort();
        self.misshaped.sort_by(|a, b| a.name.cmp(&b.name));
        self.unreadable.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// Lines of one kind before the rest is only counted.
const LINES: usize = 12;

/// One line a tensor, the first of each kind, and how many there are of all.
impl fmt::Display for WeightReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, "missing", &self.missing, |t| format!("{} {}", t.name, t.shape))?;
        list(f, "other shape", &self.misshaped, |t| {
            format!("{} is {}, the network has {}", t.name, t.found, t.expected)
        })?;
        list(f, "number type", &self.unreadable, |t| {
            format!("{} is {}, expected F32, F16 or BF16", t.name, t.dtype)
        })?;
        list(f, "not in the network", &self.extra, String::clone)?;
        let Self { missing, misshaped, unreadable, extra } = self;
        write!(
            f,
            "{} missing, {} of another shape, {} of another number type, {} not in the network",
            missing.len(),
            misshaped.len(),
            unreadable.len(),
            extra.len()
        )
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    tensors: &[T],
    words: impl Fn(&T) -> String,
) -> fmt::Result {
    tensors.iter().take(LINES).try_for_each(|t| writeln!(f, "  {what}: {}", words(t)))?;
    match tensors.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(f, "  {what}: {more} more"),
    }
}
