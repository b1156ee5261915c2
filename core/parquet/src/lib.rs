//! Records as an Apache Parquet table: one column for every field that can be asked of their kind, for DuckDB, pandas and
//! whatever else reads the format.
//!
//! Every column but the id may be null, which stands for "not known". What a field means and its unit stand in the
//! file's key-value metadata, under the field's name.

use std::io::Write;
use std::sync::Arc;

use convwise_types::RecordId;
use convwise_types::listing::{Columns, FieldInfo, Item, ListKind};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

/// The table could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the Parquet table cannot be written: {0}")]
pub struct TableError(#[from] ParquetError);

/// Writes a table, some rows at a time.
#[derive(Debug)]
pub struct TableWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    fields: Vec<FieldInfo>,
}

impl<W: Write + Send> TableWriter<W> {
    /// A table with an `id` and these fields.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn new(out: W, fields: Vec<FieldInfo>) -> Result<Self, TableError> {
        let properties = WriterProperties::builder().set_key_value_metadata(Some(meanings(&fields))).build();
        let writer = SerializedFileWriter::new(out, schema(&fields)?, Arc::new(properties))?;
        Ok(Self { writer, fields })
    }

    /// Adds rows as a group of their own: the ids, and the fields of the same records.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn write(&mut self, ids: &[RecordId], columns: &Columns) -> Result<(), TableError> {
        let mut group = self.writer.next_row_group()?;
        let id = |row: usize| ids.get(row).map(|id| ByteArray::from(id.as_str()));
        column::<ByteArrayType, _>(&mut group, ids.len(), Presence::Always, id)?;
        for field in &self.fields {
            let item = |row: usize| columns.item(field.name, row);
            match field.kind {
                ListKind::Name | ListKind::Text | ListKind::Word(_) | ListKind::Words => {
                    column::<ByteArrayType, _>(&mut group, ids.len(), Presence::Maybe, |row| {
                        match item(row) {
                            Item::Text(text) => Some(ByteArray::from(text.as_str())),
                            _ => None,
                        }
                    })
                }
                ListKind::Whole => column::<Int64Type, _>(&mut group, ids.len(), Presence::Maybe, |row| {
                    if let Item::Whole(value) = item(row) { Some(value) } else { None }
                }),
                ListKind::Real => column::<DoubleType, _>(&mut group, ids.len(), Presence::Maybe, |row| {
                    if let Item::Real(value) = item(row) { Some(value) } else { None }
                }),
                ListKind::Flag => column::<BoolType, _>(&mut group, ids.len(), Presence::Maybe, |row| {
                    if let Item::Flag(value) = item(row) { Some(value) } else { None }
                }),
            }?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes the end of the file, without which nobody can read it.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn finish(self) -> Result<(), TableError> {
        self.writer.close()?;
        Ok(())
    }
}

/// Whether every row has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Always,
    Maybe,
}

/// Writes the next column of a group.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: usize,
    presence: Presence,
    value: impl Fn(usize) -> Option<T::T>,
) -> Result<(), TableError> {
    let values: Vec<Option<T::T>> = (0..rows).map(value).collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let levels = (presence == Presence::Maybe).then_some(levels.as_slice());
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(&values, levels, None)?;
    column.close()?;
    Ok(())
}

fn schema(fields: &[FieldInfo]) -> Result<TypePtr, TableError> {
    let mut columns = vec![text("id", Repetition::REQUIRED)?];
    for field in fields {
        columns.push(match field.kind {
            ListKind::Whole => plain(field.name, Physical::INT64)?,
            ListKind::Real => plain(field.name, Physical::DOUBLE)?,
            ListKind::Flag => plain(field.name, Physical::BOOLEAN)?,
            _ => text(field.name, Repetition::OPTIONAL)?,
        });
    }
    Ok(Arc::new(Type::group_type_builder("records").with_fields(columns).build()?))
}

fn text(name: &str, repetition: Repetition) -> Result<TypePtr, TableError> {
    let builder = Type::primitive_type_builder(name, Physical::BYTE_ARRAY);
    Ok(Arc::new(builder.with_repetition(repetition).with_logical_type(Some(LogicalType::String)).build()?))
}

fn plain(name: &str, physical: Physical) -> Result<TypePtr, TableError> {
    let builder = Type::primitive_type_builder(name, physical);
    Ok(Arc::new(builder.with_repetition(Repetition::OPTIONAL).build()?))
}

fn meanings(fields: &[FieldInfo]) -> Vec<KeyValue> {
    let meaning = |field: &FieldInfo| match field.unit {
        "" => field.doc.to_owned(),
        unit => format!("{} ({unit})", field.doc),
    };
    fields.iter().map(|field| KeyValue::new(field.name.to_owned(), meaning(field))).collect()
}

#[cfg(test)]
mod tests {
    use convwise_types::AddedFact;
    use convwise_types::listing::{FACT_FIELDS, infos};
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    fn fact(value: u64, unit: Option<&str>) -> AddedFact {
        AddedFact {
            about: "device:x".to_owned(),
            name: "ram".to_owned(),
            value: value.into(),
            unit: unit.map(str::to_owned),
            source: "https://example.org/".to_owned(),
        }
    }

    #[test]
    fn rows_read_back_with_what_is_not_known() {
        let mut bytes = Vec::new();
        let mut table = TableWriter::new(&mut bytes, infos(FACT_FIELDS)).unwrap();
        table.write(&["a".into()], &Columns::of(FACT_FIELDS, &[fact(1, Some("bytes"))])).unwrap();
        table.write(&["b".into()], &Columns::of(FACT_FIELDS, &[fact(2, None)])).unwrap();
        table.finish().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let rows: Vec<String> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(
            rows,
            [
                "{id: \"a\", about: \"device:x\", name: \"ram\", value: \"1\", unit: \"bytes\", source: \"https://example.org/\"}",
                "{id: \"b\", about: \"device:x\", name: \"ram\", value: \"2\", unit: null, source: \"https://example.org/\"}",
            ]
        );
        let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap();
        assert!(metadata.iter().any(|m| m.key == "unit" && m.value.as_deref() == Some("Unit of a number.")));
    }
}
