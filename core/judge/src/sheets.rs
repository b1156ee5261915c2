//! Candidates as rules read them, laid out once for judging and for ranking.

use std::convert::Infallible;
use std::sync::Arc;

use convwise_types::Candidate;

use crate::row::Row;
use crate::shares::in_shares;

/// The fields of candidates, in their order.
#[derive(Clone, Debug)]
pub struct Sheets(pub(crate) Vec<Arc<Row>>);

impl Sheets {
    /// Lays candidates out.
    #[must_use]
    pub fn lay_out(candidates: &[Candidate]) -> Self {
        let each = |share: &[Candidate]| {
            Ok::<_, Infallible>(share.iter().map(|c| Arc::new(Row::candidate(c))).collect())
        };
        let Ok(rows) = in_shares(candidates, each);
        Self(rows)
    }

    /// Those at some positions, in the order of these.
    pub(crate) fn of(self, positions: impl Iterator<Item = usize>) -> Vec<Arc<Row>> {
        let mut rows: Vec<_> = self.0.into_iter().map(Some).collect();
        positions.filter_map(|at| rows.get_mut(at)?.take()).collect()
    }
}
