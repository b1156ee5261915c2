//! Finding records: by id, by what was measured, by where.

use std::collections::BTreeMap;

use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, ArchitectureId, Device, DeviceId, InputShape,
    Measurement, Precision, RecordId, RunFailure, RunnerName, ShippedDevice,
};

use crate::catalog::{
    Columns, DEVICES, Entry, Field, Kind, RECORDS, digest, id_of_key, input_code, precision_code, record_key,
};
use crate::error::StoreError;
use crate::index::{Span, for_each};
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
    }

    /// The same on the columns of the index, before the record is read.
    fn admits(&self, c: &Columns) -> bool {
        let word = |text: &str| digest(text);
        agrees(self.architecture.as_ref().map(|a| word(a.as_str())).as_ref(), Some(&c.architecture))
            && agrees(self.artifact.as_deref().map(word).as_ref(), Some(&c.artifact))
            && agrees(self.graph.as_deref().map(word).as_ref(), Some(&c.graph))
            && agrees(self.device.as_ref().map(|d| word(d.as_str())).as_ref(), Some(&c.device))
            && agrees(self.runner.as_ref().map(|r| word(r.as_str())).as_ref(), Some(&c.runner))
            && agrees(self.threads.as_ref(), Some(&c.threads))
            && agrees(self.batch.as_ref(), Some(&c.batch))
            && agrees(self.precision.map(precision_code).as_ref(), Some(&c.precision))
            && agrees(self.input.map(input_code).as_ref(), Some(&c.input))
    }

    /// The most selective posting that answers a part of the question.
    fn posting(&self) -> Option<Vec<u8>> {
        let artifact = self.artifact.as_deref().map(|a| Field::Artifact.prefix(digest(a)));
        let graph = || self.graph.as_deref().map(|g| Field::Graph.prefix(digest(g)));
        let architecture =
            || self.architecture.as_ref().map(|a| Field::Architecture.prefix(digest(a.as_str())));
        let device = || self.device.as_ref().map(|d| Field::Device.prefix(digest(d.as_str())));
        artifact.or_else(graph).or_else(architecture).or_else(device)
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
        let mut found = Vec::new();
        for (id, entry) in self.entries(filter)? {
            if let Some(Record::Measurement(m)) = self.read(&id, entry.place)?
                && filter.matches(&m)
            {
                found.push(*m);
            }
        }
        Ok(found)
    }

    /// Records of a kind that is found by architecture, or all of the kind.
    pub(crate) fn records_of(
        &self,
        kind: Kind,
        architecture: Option<&ArchitectureId>,
    ) -> Result<Vec<Record>, Trouble> {
        if self.meta.counts.get(kind.word()).copied().unwrap_or(0) == 0 {
            return Ok(Vec::new());
        }
        let entries = match architecture {
            Some(id) => self.posted(&Field::Architecture.prefix(digest(id.as_str())))?,
            None => self.all_entries()?,
        };
        let of_kind = entries.into_iter().filter(|(_, entry)| entry.kind == kind);
        let records = of_kind.map(|(id, entry)| self.read(&id, entry.place));
        records.filter_map(Result::transpose).collect()
    }

    /// The record whose id starts with a prefix.
    pub(crate) fn find(&self, prefix: &str) -> Result<Record, Trouble> {
        let prefix = prefix.trim().to_lowercase();
        let hexadecimal = prefix.bytes().all(|b| b.is_ascii_hexdigit());
        if prefix.is_empty() || prefix.len() > 32 || !hexadecimal {
            return Err(StoreError::NotAnId { prefix }.into());
        }
        let mut ids = self.ids_from(&prefix)?;
        match (ids.pop(), ids.is_empty()) {
            (Some((id, place)), true) => {
                self.read(&id, place)?.ok_or_else(|| newer(&id)).map_err(Trouble::Store)
            }
            (None, _) => Err(StoreError::NoRecord { prefix }.into()),
            (Some(last), false) => {
                ids.push(last);
                let more = ids.len() > NAMED;
                let ids = ids.into_iter().take(NAMED).map(|(id, _)| id).collect();
                Err(StoreError::Ambiguous { prefix, ids, more }.into())
            }
        }
    }

    /// A few ids that start with a prefix of hexadecimal digits.
    fn ids_from(&self, prefix: &str) -> Result<Vec<(RecordId, Place)>, Trouble> {
        let whole = prefix.get(..prefix.len() / 2 * 2).unwrap_or_default();
        let key = record_key(&RecordId::from(whole));
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.index()?.scan(Span { prefix: key.clone(), after, limit: 512 })?;
            for (key, value) in &page {
                let id = id_of_key(key);
                if id.as_str().starts_with(prefix) {
                    found.push((id, Entry::decode(value)?.place));
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == 512 && found.len() <= NAMED => after = Some(last.clone()),
                _ => return Ok(found),
            }
        }
    }

    /// Devices that something was measured on, in order of their ids.
    pub(crate) fn seen_devices(&self) -> Result<Vec<Device>, Trouble> {
        let mut places = Vec::new();
        for_each(self.index()?, DEVICES, |_, value| places.push(Entry::decode(value)))?;
        let mut devices = BTreeMap::new();
        for entry in places {
            if let Some(Record::Measurement(m)) = self.read_at(entry?.place)? {
                devices.insert(m.device.id.clone(), m.device);
            }
        }
        Ok(devices.into_values().collect())
    }

    /// Every record's id and entry, in order of the ids.
    pub(crate) fn all_entries(&self) -> Result<Vec<(RecordId, Entry)>, Trouble> {
        let mut found = Vec::new();
        for_each(self.index()?, RECORDS, |key, value| found.push((id_of_key(key), Entry::decode(value))))?;
        found.into_iter().map(|(id, entry)| Ok((id, entry?))).collect()
    }

    fn entries(&self, filter: &MeasurementFilter) -> Result<Vec<(RecordId, Entry)>, Trouble> {
        let mut entries = match filter.posting() {
            Some(prefix) => self.posted(&prefix)?,
            None => self.all_entries()?,
        };
        entries.retain(|(_, entry)| entry.kind == Kind::Measurement && filter.admits(&entry.columns));
        Ok(entries)
    }

    /// Entries behind the postings of one value.
    fn posted(&self, prefix: &[u8]) -> Result<Vec<(RecordId, Entry)>, Trouble> {
        let mut ids = Vec::new();
        for_each(self.index()?, prefix, |key, _| ids.push(id_of_key(key)))?;
        let values = self.index()?.get(ids.iter().map(record_key).collect())?;
        let missing = || Trouble::OutOfStep("a posting names a record that is not indexed".to_owned());
        let entry = |value: Option<Vec<u8>>| Ok::<_, Trouble>(Entry::decode(&value.ok_or_else(missing)?)?);
        ids.into_iter().zip(values).map(|(id, value)| Ok((id, entry(value)?))).collect()
    }

    /// The record at a place, which must have this id.
    fn read(&self, id: &RecordId, place: Place) -> Result<Option<Record>, Trouble> {
        let bytes = self.line_at(place)?;
        let line = Line::decode(&bytes).map_err(|why| misplaced(place, &why))?;
        if line.id != *id {
            return Err(misplaced(place, "another record stands there"));
        }
        line.record().map_err(|why| misplaced(place, &why))
    }

    fn read_at(&self, place: Place) -> Result<Option<Record>, Trouble> {
        let bytes = self.line_at(place)?;
        let line = Line::decode(&bytes).map_err(|why| misplaced(place, &why))?;
        line.record().map_err(|why| misplaced(place, &why))
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
