//! What the index holds about records: keys, entries, postings, and the meta entry that ties index to journal.
//!
//! One key space, told apart by its first byte: `m` meta, `r` record by id, `p` posting (field, value, id),
//! `d` device seen, `a` architecture, `c` cached value. Every value is sealed with a layout number and a CRC.

use std::collections::BTreeMap;

use convwise_types::{ArchitectureId, DeviceId, InputShape, Precision, RecordId, RunnerName, Subject};
use serde::{Deserialize, Serialize};

use crate::index::{Change, Fault, Key, Value};
use crate::journal::Place;
use crate::record::Record;

/// Layout of keys and values. Raised with every change to it; another number means rebuilding from the journal.
const LAYOUT: u8 = 1;

/// Key of the meta entry.
pub(crate) const META: &[u8] = b"m";
/// Keys of records.
pub(crate) const RECORDS: &[u8] = b"r";
/// Keys of seen devices.
pub(crate) const DEVICES: &[u8] = b"d";
/// Keys of architectures.
pub(crate) const ARCHITECTURES: &[u8] = b"a";
/// Keys of cached values.
pub(crate) const CACHE: &[u8] = b"c";

/// Wraps bytes with the layout number and a checksum.
pub(crate) fn sealed(bytes: &[u8]) -> Value {
    let mut value = Vec::with_capacity(bytes.len() + 5);
    value.push(LAYOUT);
    value.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    value.extend_from_slice(bytes);
    value
}

/// Unwraps what [`sealed`] wrapped.
pub(crate) fn opened(value: &[u8]) -> Result<&[u8], Fault> {
    let damaged = |why: &str| Fault::Damaged(why.to_owned());
    let (layout, rest) = value.split_first().ok_or_else(|| damaged("an entry is empty"))?;
    if *layout != LAYOUT {
        return Err(damaged("it has the layout of another version"));
    }
    let (crc, bytes) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("an entry is cut short"))?;
    if u32::from_le_bytes(*crc) != crc32fast::hash(bytes) {
        return Err(damaged("an entry fails its checksum"));
    }
    Ok(bytes)
}

/// What kind of record an entry points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Measurement,
    Result,
    Timing,
    Cost,
    Fact,
    Failure,
    /// Written by a newer program.
    Newer,
}

impl Kind {
    const ALL: [(Self, u64, &'static str); 7] = [
        (Self::Measurement, 1, "measurement"),
        (Self::Result, 2, "result"),
        (Self::Fact, 3, "fact"),
        (Self::Failure, 4, "failure"),
        (Self::Timing, 5, "timing"),
        (Self::Cost, 6, "cost"),
        (Self::Newer, 255, "newer"),
    ];

    pub fn of(record: Option<&Record>) -> Self {
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

    fn code(self) -> u64 {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or(255, |(_, code, _)| *code)
    }

    fn from_code(code: u64) -> Self {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map_or(Self::Newer, |(kind, ..)| *kind)
    }

    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("newer", |(.., word)| *word)
    }
}

/// Fields by which measurements and results can be found. Texts stand as 64-bit digests; 0 means absent. A match of
/// digests is confirmed on the record itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub architecture: u64,
    pub artifact: u64,
    pub graph: u64,
    pub device: u64,
    pub runner: u64,
    pub threads: u64,
    pub batch: u64,
    pub precision: u64,
    pub input: u64,
}

/// Digest of a text in a column.
pub(crate) fn digest(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let (front, _) = hash.as_bytes().split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    u64::from_le_bytes(*front).max(1)
}

/// Precision as it stands in a column.
pub(crate) fn precision_code(precision: Precision) -> u64 {
    digest(precision.as_str())
}

/// Input as it stands in a column.
pub(crate) fn input_code(input: InputShape) -> u64 {
    digest(&input.to_string())
}

impl Columns {
    fn of_run(subject: &Subject, runner: &RunnerName, device: &DeviceId, threads: u64) -> Self {
        Self {
            architecture: subject.architecture.as_ref().map_or(0, |a| digest(a.as_str())),
            artifact: digest(&subject.artifact),
            graph: subject.graph.as_deref().map_or(0, digest),
            device: digest(device.as_str()),
            runner: digest(runner.as_str()),
            threads,
            batch: subject.batch,
            precision: precision_code(subject.precision),
            input: input_code(subject.input),
        }
    }

    fn of_architecture(id: &ArchitectureId) -> Self {
        Self { architecture: digest(id.as_str()), ..Self::default() }
    }

    fn of(record: Option<&Record>) -> Self {
        match record {
            Some(Record::Measurement(m)) => Self::of_run(&m.subject, &m.runner.name, &m.device.id, m.threads),
            Some(Record::Failure(f)) => Self::of_run(&f.subject, &f.runner, &f.device, f.threads),
            Some(Record::Result(r)) => Self::of_architecture(&r.architecture),
            Some(Record::Timing(t)) => Self::of_architecture(&t.architecture),
            Some(Record::Cost(c)) => Self::of_architecture(&c.architecture),
            _ => Self::default(),
        }
    }

    fn words(&self) -> [u64; 9] {
        [
            self.architecture,
            self.artifact,
            self.graph,
            self.device,
            self.runner,
            self.threads,
            self.batch,
            self.precision,
            self.input,
        ]
    }

    fn from_words(words: [u64; 9]) -> Self {
        let [architecture, artifact, graph, device, runner, threads, batch, precision, input] = words;
        Self { architecture, artifact, graph, device, runner, threads, batch, precision, input }
    }
}

/// Fields that have postings, most selective first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Artifact,
    Graph,
    Architecture,
    Device,
}

impl Field {
    const ALL: [Self; 4] = [Self::Artifact, Self::Graph, Self::Architecture, Self::Device];

    fn code(self) -> u8 {
        match self {
            Self::Artifact => b'f',
            Self::Graph => b'g',
            Self::Architecture => b'a',
            Self::Device => b'd',
        }
    }

    fn value(self, columns: &Columns) -> u64 {
        match self {
            Self::Artifact => columns.artifact,
            Self::Graph => columns.graph,
            Self::Architecture => columns.architecture,
            Self::Device => columns.device,
        }
    }

    /// Beginning of all postings of a value.
    pub fn prefix(self, value: u64) -> Key {
        let mut key = vec![b'p', self.code()];
        key.extend_from_slice(&value.to_be_bytes());
        key
    }
}

/// Where a record stands and by what it can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub kind: Kind,
    pub place: Place,
    pub columns: Columns,
}

impl Entry {
    pub fn of(record: Option<&Record>, place: Place) -> Self {
        Self { kind: Kind::of(record), place, columns: Columns::of(record) }
    }

    pub fn encode(&self) -> Value {
        let head = [self.kind.code(), self.place.offset, self.place.length];
        let words = head.into_iter().chain(self.columns.words());
        sealed(&words.flat_map(u64::to_le_bytes).collect::<Vec<u8>>())
    }

    pub fn decode(value: &[u8]) -> Result<Self, Fault> {
        let bytes = opened(value)?;
        let mut words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let mut next = || words.next().ok_or_else(|| Fault::Damaged("an entry is cut short".to_owned()));
        let (kind, offset, length) = (Kind::from_code(next()?), next()?, next()?);
        let mut columns = [0; 9];
        for word in &mut columns {
            *word = next()?;
        }
        Ok(Self { kind, place: Place { offset, length }, columns: Columns::from_words(columns) })
    }
}

/// Key of a record.
pub(crate) fn record_key(id: &RecordId) -> Key {
    let mut key = RECORDS.to_vec();
    let digits = id.as_str().as_bytes().as_chunks::<2>().0;
    key.extend(digits.iter().map(|[high, low]| nibble(*high) << 4 | nibble(*low)));
    key
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => 0,
    }
}

/// The id at the end of a record's or posting's key.
pub(crate) fn id_of_key(key: &[u8]) -> RecordId {
    let start = key.len().saturating_sub(16);
    let digits = key.get(start..).unwrap_or_default().iter().map(|byte| format!("{byte:02x}"));
    RecordId::from(digits.collect::<String>())
}

/// The index's changes for one new record.
pub(crate) fn changes_for(id: &RecordId, record: Option<&Record>, place: Place) -> Vec<Change> {
    let entry = Entry::of(record, place);
    let key = record_key(id);
    let mut changes = Vec::with_capacity(6);
    if entry.kind != Kind::Newer {
        for field in Field::ALL {
            let value = field.value(&entry.columns);
            if value != 0 {
                let mut posting = field.prefix(value);
                posting.extend_from_slice(key.get(1..).unwrap_or_default());
                changes.push((posting, Some(Vec::new())));
            }
        }
    }
    if entry.kind == Kind::Measurement {
        let mut device = DEVICES.to_vec();
        device.extend_from_slice(&entry.columns.device.to_be_bytes());
        changes.push((device, Some(entry.encode())));
    }
    changes.push((key, Some(entry.encode())));
    changes
}

/// The last piece of the journal that the index covers, to notice a journal that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub offset: u64,
    pub length: u64,
    pub crc: u32,
}

/// How far the index has come, and figures that would otherwise need a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// Bytes of the journal that the index covers.
    pub covered: u64,
    /// The last piece of them.
    pub anchor: Option<Anchor>,
    /// Records of each kind.
    pub counts: BTreeMap<String, u64>,
    /// Sum of all ids, modulo 2^128, in hexadecimal digits: the same whatever the order of arrival.
    pub sum: String,
}

impl Meta {
    pub fn change(&self) -> Change {
        let text = serde_json::to_vec(self).unwrap_or_default();
        (META.to_vec(), Some(sealed(&text)))
    }

    pub fn decode(value: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(opened(value)?).map_err(|error| Fault::Damaged(error.to_string()))
    }

    /// Counts a new record.
    pub fn add(&mut self, id: &RecordId, kind: Kind) {
        *self.counts.entry(kind.word().to_owned()).or_default() += 1;
        let old = u128::from_str_radix(&self.sum, 16).unwrap_or(0);
        let id = u128::from_str_radix(id.as_str(), 16).unwrap_or(0);
        self.sum = format!("{:032x}", old.wrapping_add(id));
    }

    /// Records of all kinds.
    pub fn records(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Version of the content: the same for the same set of records.
    pub fn version(&self) -> String {
        let hash = blake3::hash(format!("{} {}", self.records(), self.sum).as_bytes());
        hash.to_hex().as_str().get(..16).unwrap_or_default().to_owned()
    }
}
