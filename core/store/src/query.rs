//! Finding records: by id, by what was measured, by where.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use convwise_types::listing::{Column, Columns, Item};
use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, ArchitectureId, Device, DeviceId, InputShape,
    Measurement, Precision, Quality, RecordId, RunFailure, RunnerName, Scenario, ShippedDevice,
};

use crate::catalog::{Directory, Entry, Id, Kind, columns, id_bytes, id_text, ordinals, ordinals_at, places};
use crate::error::StoreError;
use crate::journal::Place;
use crate::line::Line;
use crate::record::Record;
use crate::section::{Section, Trouble};
use crate::shipped::Shipped;

/// Which measurements to find: all that agree with every field that is set. The default finds all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeasurementFilter {
    /// The variant.
    pub architecture: Option<ArchitectureId>,
    /// Digest of the model file.
    pub artifact: Option<String>,
    /// Digest of the layer graph.
    pub graph: Option<String>,
    /// Where it ran.
    pub device: Option<DeviceId>,
    /// With what it ran.
    pub runner: Option<RunnerName>,
    /// Threads.
    pub threads: Option<u64>,
    /// Images a batch.
    pub batch: Option<u64>,
    /// Number format.
    pub precision: Option<Precision>,
    /// Input.
    pub input: Option<InputShape>,
    /// How requests arrived.
    pub scenario: Option<Scenario>,
    /// Only what can be relied on: enough samples, from a clock.
    pub usable: bool,
}

impl MeasurementFilter {
    /// Whether a measurement agrees with every field that is set.
    #[must_use]
    pub fn matches(&self, m: &Measurement) -> bool {
        let s = &m.subject;
        agrees(self.architecture.as_ref(), s.architecture.as_ref())
            && agrees(self.artifact.as_ref(), Some(&s.artifact))
            && agrees(self.graph.as_ref(), s.graph.as_ref())
            && agrees(self.device.as_ref(), Some(&m.device.id))
            && agrees(self.runner.as_ref(), Some(&m.runner.name))
            && agrees(self.threads.as_ref(), Some(&m.threads))
            && agrees(self.batch.as_ref(), Some(&s.batch))
            && agrees(self.precision.as_ref(), Some(&s.precision))
            && agrees(self.input.as_ref(), Some(&s.input))
            && agrees(self.scenario.as_ref(), Some(&m.scenario))
            && (!self.usable || (m.verdict != Quality::Insufficient && !m.runner.simulated))
    }

    /// The same as values of columns.
    fn wanted(&self) -> Vec<(&'static str, Item)> {
        let text = |value: Option<&str>| value.map(Item::from);
        let size = |value: Option<u64>| value.map(Item::from);
        let input = self.input.map(|input| Item::Text(input.to_string()));
        let all = [
            ("artifact", text(self.artifact.as_deref())),
            ("graph", text(self.graph.as_deref())),
            ("architecture", text(self.architecture.as_ref().map(ArchitectureId::as_str))),
            ("device_id", text(self.device.as_ref().map(DeviceId::as_str))),
            ("runner", text(self.runner.as_ref().map(RunnerName::as_str))),
            ("threads", size(self.threads)),
            ("batch", size(self.batch)),
            ("precision", text(self.precision.map(Precision::as_str))),
            ("input", input),
            ("scenario", text(self.scenario.map(Scenario::as_str))),
            ("simulated", self.usable.then_some(Item::Flag(false))),
        ];
        all.into_iter().filter_map(|(name, item)| Some((name, item?))).collect()
    }
}

fn agrees<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
    wanted.is_none() || wanted == found
}

/// A device that the knowledge base knows something about.
#[derive(Clone, Debug, PartialEq)]
pub enum KnownDevice {
    /// Something was measured on it.
    Seen(Box<Device>),
    /// It was described in a file.
    Described(Box<ShippedDevice>),
}

impl KnownDevice {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &DeviceId {
        match self {
            Self::Seen(device) => &device.id,
            Self::Described(device) => &device.id,
        }
    }
}

/// Ids named in an "ambiguous" message.
const NAMED: usize = 6;

impl Section {
    /// Measurements that agree with a filter, in order of their ids.
    pub(crate) fn measurements(&self, filter: &MeasurementFilter) -> Result<Vec<Measurement>, Trouble> {
        let rows = self.matching(filter)?;
        self.measurements_at(&rows, filter)
    }

    /// Of the measurements that agree with a filter the newest of each graph, input and number format, in order of
    /// their ids.
    pub(crate) fn newest(&self, filter: &MeasurementFilter) -> Result<Vec<Measurement>, Trouble> {
        let rows = self.matching(filter)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let columns = self.columns(Kind::Measurement, &["graph", "input", "precision", "taken"])?;
        let key = |row: usize| ["graph", "input", "precision"].map(|name| columns.code(name, row));
        let mut newest: HashMap<[Option<u32>; 3], Vec<usize>> = HashMap::new();
        for row in rows {
            let best = newest.entry(key(row)).or_default();
            match best.first().map(|first| columns.text("taken", row).cmp(&columns.text("taken", *first))) {
                None | Some(std::cmp::Ordering::Equal) => best.push(row),
                Some(std::cmp::Ordering::Greater) => *best = vec![row],
                Some(std::cmp::Ordering::Less) => {}
            }
        }
        let mut rows: Vec<usize> = newest.into_values().flatten().collect();
        rows.sort_unstable();
        self.measurements_at(&rows, filter)
    }

    fn measurements_at(
        &self,
        rows: &[usize],
        filter: &MeasurementFilter,
    ) -> Result<Vec<Measurement>, Trouble> {
        let records = self.records_at(Kind::Measurement, rows)?.into_iter();
        let mut found: Vec<Measurement> = records
            .filter_map(|(_, record)| if let Record::Measurement(m) = record { Some(*m) } else { None })
            .filter(|m| filter.matches(m))
            .collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Rows of the columns of measurements that agree with a filter.
    pub(crate) fn matching(&self, filter: &MeasurementFilter) -> Result<Vec<usize>, Trouble> {
        let wanted = filter.wanted();
        let rows = self.agreeing(Kind::Measurement, &wanted)?;
        if !filter.usable || rows.is_empty() {
            return Ok(rows);
        }
        let columns = self.columns(Kind::Measurement, &["verdict"])?;
        let insufficient = Item::from(Quality::Insufficient.as_str());
        Ok(rows.into_iter().filter(|row| columns.item("verdict", *row) != insufficient).collect())
    }

    /// Rows of the columns of a kind that have these values.
    fn agreeing(&self, kind: Kind, wanted: &[(&'static str, Item)]) -> Result<Vec<usize>, Trouble> {
        let count = usize::try_from(self.meta.count(kind)).unwrap_or_default();
        let mut rows: Vec<usize> = (0..count).collect();
        for (name, item) in wanted {
            if rows.is_empty() {
                break;
            }
            let columns = self.columns(kind, &[name])?;
            if let Some(column) = columns.get(name) {
                retain(&mut rows, column, item);
            }
        }
        Ok(rows)
    }

    /// Some columns of all records of a kind, in the order of their arrival; `id` may be among them.
    pub(crate) fn columns(&self, kind: Kind, names: &[&str]) -> Result<Columns, Trouble> {
        let found = columns(self.index()?, &self.meta, self.tail()?, kind, names)?;
        if !names.contains(&"id") {
            return Ok(found);
        }
        let ids = ("id", Arc::new(self.id_column(kind)?));
        let all = names.iter().filter_map(|name| found.shared(name)).chain([ids]);
        Ok(Columns::new(found.rows(), all))
    }

    fn id_column(&self, kind: Kind) -> Result<Column, Trouble> {
        let numbers = ordinals(self.index()?, &self.meta, self.tail()?, kind)?;
        let mut ids: Vec<Id> = vec![Id::default(); usize::try_from(self.meta.records()).unwrap_or_default()];
        for (id, number) in self.directory().all(self.index()?, self.meta.folded, self.tail()?)? {
            if let Some(slot) = ids.get_mut(number as usize) {
                *slot = id;
            }
        }
        let text = |number: u32| ids.get(number as usize).map(id_text).unwrap_or_default();
        Ok(Column::of_texts(numbers.into_iter().map(text)))
    }

    /// The records behind rows of the columns of a kind, with their ids, in the order of the rows.
    pub(crate) fn records_at(&self, kind: Kind, rows: &[usize]) -> Result<Vec<(RecordId, Record)>, Trouble> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let numbers = ordinals_at(self.index()?, &self.meta, self.tail()?, kind, rows)?;
        let missing = || Trouble::OutOfStep("a row belongs to no record".to_owned());
        let numbers = numbers.into_iter().map(|number| number.ok_or_else(missing));
        let numbers = numbers.collect::<Result<Vec<u32>, Trouble>>()?;
        let entries = places(self.index()?, self.meta.folded, self.tail()?, &numbers)?;
        let records = entries.iter().map(|entry| self.read_at(entry.place));
        records.filter_map(Result::transpose).collect()
    }

    /// Records of a kind, of one architecture or all of them, in the order of their ids.
    pub(crate) fn records_of(
        &self,
        kind: Kind,
        architecture: Option<&ArchitectureId>,
    ) -> Result<Vec<Record>, Trouble> {
        let wanted: Vec<_> =
            architecture.iter().map(|id| ("architecture", Item::from(id.as_str()))).collect();
        let rows = self.agreeing(kind, &wanted)?;
        let mut records = self.records_at(kind, &rows)?;
        records.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(records.into_iter().map(|(_, record)| record).collect())
    }

    /// The record whose id starts with a prefix.
    pub(crate) fn find(&self, prefix: &str) -> Result<Record, Trouble> {
        let prefix = prefix.trim().to_lowercase();
        let hexadecimal = prefix.bytes().all(|b| b.is_ascii_hexdigit());
        if prefix.is_empty() || prefix.len() > 32 || !hexadecimal {
            return Err(StoreError::NotAnId { prefix }.into());
        }
        let padded =
            |with: &str| id_bytes(&RecordId::from(format!("{prefix}{}", with.repeat(32 - prefix.len()))));
        let (low, high) = (padded("0"), padded("f"));
        let ids = self.directory().between(
            self.index()?,
            self.meta.folded,
            self.tail()?,
            (&low, &high),
            NAMED + 1,
        )?;
        match ids.as_slice() {
            [] => Err(StoreError::NoRecord { prefix }.into()),
            [(id, number)] => {
                let entries = places(self.index()?, self.meta.folded, self.tail()?, &[*number])?;
                let id = RecordId::from(id_text(id));
                let place = entries.first().map(|entry| entry.place);
                let found = place.map(|place| self.read(&id, place)).transpose()?.flatten();
                found.ok_or_else(|| newer(&id)).map_err(Trouble::Store)
            }
            many => {
                let ids: Vec<_> = many.iter().map(|(id, _)| RecordId::from(id_text(id))).collect();
                let more = ids.len() > NAMED;
                let ids = ids.into_iter().take(NAMED).collect();
                Err(StoreError::Ambiguous { prefix, ids, more }.into())
            }
        }
    }

    /// Devices that something was measured on, in order of their ids.
    pub(crate) fn seen_devices(&self) -> Result<Vec<Device>, Trouble> {
        let columns = self.columns(Kind::Measurement, &["device_id"])?;
        let mut seen = BTreeSet::new();
        let first = (0..columns.rows()).filter(|row| seen.insert(columns.code("device_id", *row)));
        let rows: Vec<usize> = first.collect();
        let mut devices = BTreeMap::new();
        for (_, record) in self.records_at(Kind::Measurement, &rows)? {
            if let Record::Measurement(m) = record {
                devices.insert(m.device.id.clone(), m.device);
            }
        }
        Ok(devices.into_values().collect())
    }

    pub(crate) fn directory(&self) -> Directory {
        Directory { bits: self.meta.bits }
    }

    /// Which ids are known.
    pub(crate) fn known(&self, ids: &[Id]) -> Result<Vec<bool>, Trouble> {
        let found = self.directory().find(self.index()?, self.meta.folded, self.tail()?, ids)?;
        Ok(found.iter().map(Option::is_some).collect())
    }

    /// Every record's id and entry, in order of the ids.
    pub(crate) fn all_entries(&self) -> Result<Vec<(RecordId, Entry)>, Trouble> {
        let all = self.directory().all(self.index()?, self.meta.folded, self.tail()?)?;
        let numbers: Vec<u32> = all.iter().map(|(_, number)| *number).collect();
        let entries = places(self.index()?, self.meta.folded, self.tail()?, &numbers)?;
        let ids = all.iter().map(|(id, _)| RecordId::from(id_text(id)));
        Ok(ids.zip(entries).collect())
    }

    /// The record at a place, which must have this id.
    fn read(&self, id: &RecordId, place: Place) -> Result<Option<Record>, Trouble> {
        match self.read_at(place)? {
            Some((found, _)) if found != *id => Err(misplaced(place, "another record stands there")),
            found => Ok(found.map(|(_, record)| record)),
        }
    }

    fn read_at(&self, place: Place) -> Result<Option<(RecordId, Record)>, Trouble> {
        let bytes = self.line_at(place)?;
        let line = Line::decode(&bytes).map_err(|why| misplaced(place, &why))?;
        let record = line.record().map_err(|why| misplaced(place, &why))?;
        Ok(record.map(|record| (line.id, record)))
    }

    /// The bytes of a line, without the newline.
    pub(crate) fn line_at(&self, place: Place) -> Result<Vec<u8>, Trouble> {
        let journal = self.journal.as_ref().ok_or_else(|| misplaced(place, "there is no journal"))?;
        let mut bytes = journal.read_at(place).map_err(|error| self.unreadable(error))?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        Ok(bytes)
    }
}

/// Keeps the rows in which a column has a value.
fn retain(rows: &mut Vec<usize>, column: &Column, wanted: &Item) {
    match (column, wanted) {
        (Column::Names { codes, names }, Item::Text(text)) => {
            let code = names.iter().position(|name| **name == **text).and_then(|at| u32::try_from(at).ok());
            rows.retain(|row| code.is_some() && codes.get(*row).copied() == code);
        }
        _ => rows.retain(|row| column.item(*row) == *wanted),
    }
}

/// Seen devices first, then the described ones.
pub(crate) fn known_devices(seen: Vec<Device>, shipped: &Shipped) -> Vec<KnownDevice> {
    let described = shipped.devices.iter().map(|entry| KnownDevice::Described(Box::new(entry.value.clone())));
    seen.into_iter().map(|device| KnownDevice::Seen(Box::new(device))).chain(described).collect()
}

/// The published results among records.
pub(crate) fn only_results(records: Vec<Record>) -> Vec<AddedResult> {
    records.into_iter().filter_map(|r| if let Record::Result(r) = r { Some(r) } else { None }).collect()
}

/// The published timings among records.
pub(crate) fn only_timings(records: Vec<Record>) -> Vec<AddedTiming> {
    records.into_iter().filter_map(|r| if let Record::Timing(t) = r { Some(t) } else { None }).collect()
}

/// The published costs among records.
pub(crate) fn only_costs(records: Vec<Record>) -> Vec<AddedCost> {
    records.into_iter().filter_map(|r| if let Record::Cost(c) = r { Some(c) } else { None }).collect()
}

/// The failures among records.
pub(crate) fn only_failures(records: Vec<Record>) -> Vec<RunFailure> {
    records.into_iter().filter_map(|r| if let Record::Failure(f) = r { Some(*f) } else { None }).collect()
}

/// The facts among records.
pub(crate) fn only_facts(records: Vec<Record>) -> Vec<AddedFact> {
    records.into_iter().filter_map(|r| if let Record::Fact(f) = r { Some(f) } else { None }).collect()
}

fn misplaced(place: Place, why: &str) -> Trouble {
    Trouble::OutOfStep(format!("the line at byte {} of the journal does not fit ({why})", place.offset))
}

fn newer(id: &RecordId) -> StoreError {
    StoreError::Invalid {
        what: format!("record {id}"),
        why: "it was written by a newer convwise; update to read it".to_owned(),
    }
}
