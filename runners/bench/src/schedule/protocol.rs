//! How long to warm up, how much to sample, how often to start afresh: the figures of the method, in one place.

use std::time::Duration;

/// How thorough a measurement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effort {
    /// One process: good enough to choose what to measure properly.
    Screening,
    /// At least three fresh processes.
    Full,
}

impl Effort {
    /// The fewest launches.
    #[must_use]
    pub const fn launches(self) -> usize {
        match self {
            Self::Screening => 1,
            Self::Full => 3,
        }
    }

    /// The most launches: two more where three of them disagree. Student's factor falls from 4.3 to 2.8 with them.
    #[must_use]
    pub const fn most_launches(self) -> usize {
        match self {
            Self::Screening => 1,
            Self::Full => 5,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Screening => "screening",
            Self::Full => "full",
        }
    }
}

/// The figures of one launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    /// Time that one batch of runs should take: long enough that asking for it costs nothing, short enough to stop.
    pub chunk: Duration,
    /// The most runs in one batch.
    pub max_chunk: u64,
    /// Windows of the warm-up whose medians must agree.
    pub windows: usize,
    /// How closely: 0.05 is within 5 % of the smallest.
    pub agreement: f64,
    /// The most time spent warming up.
    pub max_warmup: Duration,
    /// The most runs spent warming up.
    pub max_warmup_runs: u64,
    /// How narrow the 95 % interval of the median must become: half its width as a share of the median.
    pub target: f64,
    /// The fewest samples.
    pub min_samples: u64,
    /// The least time spent sampling.
    pub min_time: Duration,
    /// The most samples.
    pub max_samples: u64,
    /// The most time spent sampling.
    pub max_time: Duration,
}

impl Protocol {
    /// The figures for one of `launches` launches that may take `max_time` together.
    ///
    /// A launch samples until its own interval is half as wide as the record's must be, because the launches'
    /// disagreement is added to it. A fifth of the time is for warming up. 50 samples support a 90th percentile.
    #[must_use]
    pub fn for_launch(effort: Effort, max_time: Duration) -> Self {
        let share = max_time / u32::try_from(effort.launches()).unwrap_or(1);
        let max_warmup = (share / 5).min(Duration::from_secs(5));
        Self {
            chunk: Duration::from_millis(150).min(share / 10).max(Duration::from_millis(1)),
            max_chunk: 5_000,
            windows: 3,
            agreement: 0.05,
            max_warmup,
            max_warmup_runs: 20_000,
            target: TARGET / 2.0,
            min_samples: 50,
            min_time: Duration::from_millis(500).min(share / 4),
            max_samples: 10_000,
            max_time: share - max_warmup,
        }
    }
}

/// The interval of a record's median is to lie within 2 %.
pub(crate) const TARGET: f64 = 0.02;
