//! Kinds of records and their columns.

use std::sync::LazyLock;

use convwise_types::listing::{
    COST_FIELDS, FACT_FIELDS, FAILURE_FIELDS, FieldInfo, Item, ListField, ListKind, MEASUREMENT_FIELDS,
    RESULT_FIELDS, TIMING_FIELDS, infos,
};
use convwise_types::{AddedCost, AddedFact, AddedResult, AddedTiming, canonical};

use super::digest;
use crate::record::Record;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A benchmark.
    Measurement,
    /// A published accuracy.
    Result,
    /// A published timing.
    Timing,
    /// A published count of parameters and work.
    Cost,
    /// A single fact.
    Fact,
    /// A benchmark that a runner did not survive.
    Failure,
    /// Written by a newer program, and known by its id alone.
    Newer,
}

/// Columns that a published figure has beside those that can be asked for: the digest of what it says, and of what it says it
/// about. Two records with one figure are repetitions, two of one subject with different figures a conflict.
pub(crate) const FIGURE: &str = "#figure";
/// See [`FIGURE`].
pub(crate) const ABOUT: &str = "#about";

/// Column of every kind that says when a record arrived here, in seconds since 1970. That of records from before arrivals were
/// written down is unknown.
pub const ARRIVED: &str = "#arrived";

/// The fields of each kind; those whose names begin with `#` are no fields of the record itself.
static FIELDS: LazyLock<[Vec<FieldInfo>; 7]> = LazyLock::new(|| {
    let hidden = |name| FieldInfo { name, kind: ListKind::Whole, ..BLANK };
    let arriving = |infos: Vec<FieldInfo>| infos.into_iter().chain([hidden(ARRIVED)]).collect::<Vec<_>>();
    let published =
        |infos: Vec<FieldInfo>| arriving(infos.into_iter().chain([FIGURE, ABOUT].map(hidden)).collect());
    [
        arriving(infos(MEASUREMENT_FIELDS)),
        published(infos(RESULT_FIELDS)),
        published(infos(TIMING_FIELDS)),
        published(infos(COST_FIELDS)),
        published(infos(FACT_FIELDS)),
        arriving(infos(FAILURE_FIELDS)),
        Vec::new(),
    ]
});

const BLANK: FieldInfo = FieldInfo {
    name: "",
    kind: ListKind::Flag,
    unit: "",
    doc: "",
    better: convwise_types::listing::Better::Neither,
    lack: "",
};

impl Kind {
    /// Every kind that this program can read.
    pub const READABLE: [Self; 6] =
        [Self::Measurement, Self::Result, Self::Timing, Self::Cost, Self::Fact, Self::Failure];

    const ALL: [(Self, u8, &'static str); 7] = [
        (Self::Measurement, 1, "measurement"),
        (Self::Result, 2, "result"),
        (Self::Fact, 3, "fact"),
        (Self::Failure, 4, "failure"),
        (Self::Timing, 5, "timing"),
        (Self::Cost, 6, "cost"),
        (Self::Newer, 255, "newer"),
    ];

    pub(crate) fn of(record: Option<&Record>) -> Self {
        match record {
            Some(Record::Measurement(_)) => Self::Measurement,
            Some(Record::Result(_)) => Self::Result,
            Some(Record::Timing(_)) => Self::Timing,
            Some(Record::Cost(_)) => Self::Cost,
            Some(Record::Fact(_)) => Self::Fact,
            Some(Record::Failure(_)) => Self::Failure,
            None => Self::Newer,
        }
    }

    pub(crate) fn code(self) -> u8 {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or(u8::MAX, |(_, code, _)| *code)
    }

    pub(crate) fn from_code(code: u8) -> Self {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map_or(Self::Newer, |(kind, ..)| *kind)
    }

    /// The word that is written: `measurement`.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("newer", |(.., word)| *word)
    }

    /// Every column, with those that are for the index alone.
    pub(crate) fn columns(self) -> &'static [FieldInfo] {
        FIELDS.get(self as usize).map_or(&[], Vec::as_slice)
    }

    /// What can be asked of records of this kind.
    #[must_use]
    pub fn fields(self) -> &'static [FieldInfo] {
        let all = self.columns();
        let end = all.iter().position(|field| field.name.starts_with('#')).unwrap_or(all.len());
        all.get(..end).unwrap_or_default()
    }

    /// Digest of the names and types of all columns: another one means that the index must be made again.
    pub(crate) fn fingerprint() -> String {
        static DIGEST: LazyLock<String> = LazyLock::new(|| {
            let all = Kind::READABLE.iter().flat_map(|kind| kind.columns());
            let text = all.map(|f| format!("{} {}\n", f.name, shape(f.kind))).collect::<String>();
            format!("{:016x}", digest(&text))
        });
        DIGEST.clone()
    }
}

/// How values of a type are kept.
fn shape(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Name | ListKind::Word(_) | ListKind::Words => "name",
        ListKind::Text => "text",
        ListKind::Whole => "whole",
        ListKind::Real => "real",
        ListKind::Flag => "flag",
    }
}

/// The values of every column of a record that arrived at a time, in the order of [`Kind::columns`].
pub(crate) fn items_of(record: &Record, arrived: Option<u64>) -> Vec<Item> {
    fn all<T>(fields: &[ListField<T>], record: &T) -> Vec<Item> {
        fields.iter().map(|field| (field.read)(record)).collect()
    }
    let mut items = match record {
        Record::Measurement(m) => all(MEASUREMENT_FIELDS, m),
        Record::Failure(f) => all(FAILURE_FIELDS, f),
        Record::Result(r) => all(RESULT_FIELDS, r),
        Record::Timing(t) => all(TIMING_FIELDS, t),
        Record::Cost(c) => all(COST_FIELDS, c),
        Record::Fact(f) => all(FACT_FIELDS, f),
    };
    if let Some((figure, about)) = figure_of(record) {
        items.extend([Item::Whole(figure), Item::Whole(about)]);
    }
    items.push(arrived.into());
    items
}

/// Digests of what a published record says, whoever says it, and of what it says it about; a measurement says nothing that
/// another one could repeat.
pub(crate) fn figure_of(record: &Record) -> Option<(i64, i64)> {
    let (subject, value) = match record {
        Record::Result(r) => of_result(r),
        Record::Timing(t) => of_timing(t),
        Record::Cost(c) => of_cost(c),
        Record::Fact(f) => of_fact(f),
        Record::Measurement(_) | Record::Failure(_) => return None,
    };
    let about = digest(&subject);
    Some((digest(&format!("{about} {value}")), about))
}

/// Texts of a record, none of which can be mistaken for another one's beginning or end.
macro_rules! told {
    ($word:literal, $($part:expr),+) => {
        { let mut text = String::from($word); $( text.push('\u{1f}'); text.push_str(&$part.to_string()); )+ text }
    };
}

fn word<T: ToString>(value: Option<&T>) -> String {
    value.map(T::to_string).unwrap_or_default()
}

fn of_result(r: &AddedResult) -> (String, String) {
    let p = &r.result;
    let subject = told!(
        "result",
        word(r.package.as_ref()),
        r.architecture,
        word(r.weights.as_ref()),
        p.dataset,
        p.metric,
        p.input_size,
        p.precision
    );
    (subject, p.value.0.to_string())
}

fn of_timing(t: &AddedTiming) -> (String, String) {
    let subject = told!(
        "timing",
        word(t.package.as_ref()),
        t.architecture,
        word(t.weights.as_ref()),
        t.workload,
        t.device,
        t.runtime,
        word(t.options.as_ref()),
        t.precision,
        word(t.layout.as_ref()),
        word(t.threads.as_ref()),
        t.batch,
        t.input
    );
    let figures = [t.latency.map(|l| l.0), t.throughput.map(|r| r.0)];
    (subject, figures.map(|figure| word(figure.as_ref())).join(" "))
}

fn of_cost(c: &AddedCost) -> (String, String) {
    let input = c.cost.macs.map(|macs| macs.input);
    let subject = told!("cost", word(c.package.as_ref()), c.architecture, c.task, word(input.as_ref()));
    let macs = c.cost.macs.map(|macs| macs.count.0);
    let params = c.cost.params.map(|params| params.0);
    (subject, [params, macs].map(|figure| word(figure.as_ref())).join(" "))
}

fn of_fact(f: &AddedFact) -> (String, String) {
    (told!("fact", f.about, f.name), format!("{} {}", canonical(&f.value), word(f.unit.as_ref())))
}
