//! Stored tensors: in the file itself, in any of the ways that the format has, or in a file beside it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use convwise_onnx::proto::{TensorProto, tensor_proto};
use convwise_sdk::RunnerError;
use tch::{Kind, Tensor};

use crate::convert::kind_of_onnx;
use crate::fault::Fault;

/// All stored tensors by name. Each message is dropped as soon as its tensor stands.
pub(super) fn read(protos: Vec<TensorProto>, folder: &Path) -> Result<Vec<(String, Tensor)>, RunnerError> {
    let mut names = HashSet::new();
    let mut tensors = Vec::with_capacity(protos.len());
    for proto in protos {
        let name = proto.name().to_owned();
        let read = tensor(&proto, folder).map_err(|fault| fault.at(&format!("tensor {name}")))?;
        if !names.insert(name.clone()) {
            return Err(RunnerError::model(format!("there are two stored tensors {name}")));
        }
        tensors.push((name, read));
    }
    Ok(tensors)
}

/// One stored tensor.
pub(crate) fn tensor(proto: &TensorProto, folder: &Path) -> Result<Tensor, Fault> {
    let kind = kind_of_onnx(proto.data_type())?;
    let expected = byte_count(&proto.dims, kind)?;
    let external = proto.data_location() == tensor_proto::DataLocation::External;
    let stored = match external {
        true => Some(beside(proto, folder, expected)?),
        false => None,
    };
    let bytes = match (&stored, &proto.raw_data) {
        (Some(bytes), _) => bytes.as_slice(),
        (None, Some(raw)) => raw.as_slice(),
        (None, None) => &typed(proto, kind)?,
    };
    if bytes.len() as u64 != expected {
        return Err(Fault::model(format!(
            "it holds {} bytes where its shape {:?} asks for {expected}",
            bytes.len(),
            proto.dims
        )));
    }
    Ok(Tensor::f_from_data_size(bytes, &proto.dims, kind)?)
}

fn byte_count(dims: &[i64], kind: Kind) -> Result<u64, Fault> {
    let size = kind.elt_size_in_bytes() as u64;
    let count = dims.iter().try_fold(size, |bytes, &dim| bytes.checked_mul(u64::try_from(dim).ok()?));
    count
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .ok_or_else(|| Fault::model(format!("there is no tensor of shape {dims:?}")))
}

/// The elements of the typed fields; narrow types are kept in wider ones there.
fn typed(proto: &TensorProto, kind: Kind) -> Result<Vec<u8>, Fault> {
    let narrow = |bytes: usize| {
        proto
            .int32_data
            .iter()
            .flat_map(|value| value.to_le_bytes().into_iter().take(bytes))
            .collect::<Vec<u8>>()
    };
    Ok(match kind {
        Kind::Float => proto.float_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Kind::Double => proto.double_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Kind::Int64 => proto.int64_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Kind::Int => narrow(4),
        Kind::Int16 | Kind::Half | Kind::BFloat16 => narrow(2),
        Kind::Uint8 | Kind::Int8 | Kind::Bool => narrow(1),
        _ => return Err(Fault::unsupported(format!("{kind:?} elements cannot be read"))),
    })
}

/// The elements that stand in another file (ONNX, "External Data").
fn beside(proto: &TensorProto, folder: &Path, expected: u64) -> Result<Vec<u8>, Fault> {
    let entry =
        |key: &str| proto.external_data.iter().find(|entry| entry.key() == key).map(|entry| entry.value());
    let path = sibling(folder, entry("location").unwrap_or_default())?;
    let number = |key: &str, default: u64| match entry(key) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Fault::model(format!("its {key} \"{text}\" is no number"))),
    };
    let (offset, length) = (number("offset", 0)?, number("length", expected)?);
    if length != expected {
        return Err(Fault::model(format!(
            "it claims {length} bytes of {} and needs {expected}",
            path.display()
        )));
    }
    section(&path, offset, length).map_err(|error| Fault::model(format!("{}: {error}", path.display())))
}

/// A file beside the model, and nowhere else.
fn sibling(folder: &Path, location: &str) -> Result<PathBuf, Fault> {
    let relative = Path::new(location);
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if location.is_empty() || !inside {
        return Err(Fault::model(format!(
            "its data is said to stand in \"{location}\", which is not beside the model"
        )));
    }
    Ok(folder.join(relative))
}

fn section(path: &Path, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if offset.checked_add(length).is_none_or(|end| end > size) {
        let reason = format!("bytes {offset} and {length} more are asked for, and it has {size}");
        return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, reason));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use convwise_onnx::proto::StringStringEntryProto;
    use tensor_proto::DataType;

    fn proto(kind: DataType, dims: &[i64]) -> TensorProto {
        TensorProto { data_type: Some(kind.into()), dims: dims.to_vec(), ..TensorProto::default() }
    }

    fn entry(key: &str, value: &str) -> StringStringEntryProto {
        StringStringEntryProto { key: Some(key.into()), value: Some(value.into()) }
    }

    fn values(proto: &TensorProto) -> Vec<f64> {
        let tensor = tensor(proto, Path::new(".")).unwrap().to_kind(Kind::Double).flatten(0, -1);
        Vec::try_from(&tensor).unwrap()
    }

    #[test]
    fn all_ways_of_storing_are_read() {
        let raw =
            TensorProto { raw_data: Some(1.5_f32.to_le_bytes().into()), ..proto(DataType::Float, &[1]) };
        assert_eq!(values(&raw), [1.5]);
        let floats = TensorProto { float_data: vec![1.0, -2.0], ..proto(DataType::Float, &[2]) };
        assert_eq!(values(&floats), [1.0, -2.0]);
        let bytes = TensorProto { int32_data: vec![-1, 3], ..proto(DataType::Int8, &[2, 1]) };
        assert_eq!(values(&bytes), [-1.0, 3.0]);
        let halves = TensorProto { int32_data: vec![0x3c00], ..proto(DataType::Float16, &[]) };
        assert_eq!(values(&halves), [1.0]);
        let whole = TensorProto { int64_data: vec![1 << 40], ..proto(DataType::Int64, &[1]) };
        assert_eq!(values(&whole), [(1_u64 << 40) as f64]);
    }

    #[test]
    fn data_beside_the_model_is_read_and_nothing_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = [9.0_f32, 1.0, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(folder.path().join("w.data"), bytes).unwrap();
        let external = |location: &str, offset: &str, length: &str| TensorProto {
            data_location: Some(tensor_proto::DataLocation::External.into()),
            external_data: vec![
                entry("location", location),
                entry("offset", offset),
                entry("length", length),
            ],
            ..proto(DataType::Float, &[2])
        };
        let read = tensor(&external("w.data", "4", "8"), folder.path()).unwrap();
        assert_eq!(Vec::<f32>::try_from(&read).unwrap(), [1.0, 2.0]);
        let refused = [
            ("w.data", "8", "8"),
            ("w.data", "4", "4"),
            ("../w.data", "4", "8"),
            ("/w.data", "4", "8"),
            ("w.data", "x", "8"),
            ("", "0", "8"),
            ("w.data", "18446744073709551615", "8"),
        ];
        for (location, offset, length) in refused {
            assert!(
                tensor(&external(location, offset, length), folder.path()).is_err(),
                "{location} {offset}"
            );
        }
    }

    #[test]
    fn impossible_tensors_are_refused() {
        let check = |proto: TensorProto| assert!(tensor(&proto, Path::new(".")).is_err(), "{proto:?}");
        check(proto(DataType::Float, &[-1]));
        check(proto(DataType::Float, &[1 << 40, 1 << 40]));
        check(proto(DataType::Float, &[2]));
        check(proto(DataType::String, &[0]));
        check(TensorProto { raw_data: Some(vec![0; 3]), ..proto(DataType::Float, &[1]) });
    }
}
