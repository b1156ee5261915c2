//! `convwise kb export --format parquet`: one kind of record as a table.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use convwise_parquet::{TableError, TableWriter};
use convwise_store::{ExportFilter, Exported, Record, Store, StoreError, replace_file};
use convwise_types::RecordId;
use convwise_types::listing::{
    COST_FIELDS, Columns, FACT_FIELDS, FAILURE_FIELDS, ListField, MEASUREMENT_FIELDS, RESULT_FIELDS,
    TIMING_FIELDS, infos,
};

/// Records held at a time; measurements have all their samples with them.
const GROUP: usize = 8192;

/// Writes the records of the filter's kind, or the measurements, as a table.
pub(super) fn table(store: &Store, filter: ExportFilter, path: &Path) -> Result<Exported, StoreError> {
    let kind = filter.kind.clone().unwrap_or_else(|| "measurement".to_owned());
    let job = Job { store, filter: ExportFilter { kind: Some(kind.clone()), ..filter }, path };
    match kind.as_str() {
        "result" => job.of(RESULT_FIELDS, |r| if let Record::Result(r) = r { Some(r) } else { None }),
        "timing" => job.of(TIMING_FIELDS, |r| if let Record::Timing(t) = r { Some(t) } else { None }),
        "cost" => job.of(COST_FIELDS, |r| if let Record::Cost(c) = r { Some(c) } else { None }),
        "fact" => job.of(FACT_FIELDS, |r| if let Record::Fact(f) = r { Some(f) } else { None }),
        "failure" => job.of(FAILURE_FIELDS, |r| if let Record::Failure(f) = r { Some(*f) } else { None }),
        _ => job.of(MEASUREMENT_FIELDS, |r| if let Record::Measurement(m) = r { Some(*m) } else { None }),
    }
}

struct Job<'a> {
    store: &'a Store,
    filter: ExportFilter,
    path: &'a Path,
}

impl Job<'_> {
    fn of<T>(
        &self,
        fields: &'static [ListField<T>],
        of_kind: fn(Record) -> Option<T>,
    ) -> Result<Exported, StoreError> {
        replace_file(self.path, |out| {
            let writer = TableWriter::new(out, infos(fields)).map_err(|e| self.failed(e))?;
            let mut rows = Rows { writer, fields, ids: Vec::new(), records: Vec::new() };
            let exported = self.store.each_record(&self.filter, |id, record| {
                of_kind(record).map_or(Ok(()), |record| rows.push(id, record)).map_err(|e| self.failed(e))
            })?;
            rows.finish().map_err(|e| self.failed(e))?;
            Ok(exported)
        })
    }

    fn failed(&self, error: TableError) -> StoreError {
        StoreError::Io { doing: "write", path: self.path.to_owned(), source: io::Error::other(error) }
    }
}

/// Rows of a table on their way.
struct Rows<'a, T: 'static> {
    writer: TableWriter<&'a mut BufWriter<File>>,
    fields: &'static [ListField<T>],
    ids: Vec<RecordId>,
    records: Vec<T>,
}

impl<T> Rows<'_, T> {
    fn push(&mut self, id: &RecordId, record: T) -> Result<(), TableError> {
        self.ids.push(id.clone());
        self.records.push(record);
        if self.ids.len() < GROUP { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), TableError> {
        if self.ids.is_empty() {
            return Ok(());
        }
        self.writer.write(&self.ids, &Columns::of(self.fields, &self.records))?;
        self.ids.clear();
        self.records.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), TableError> {
        self.flush()?;
        self.writer.finish()
    }
}
