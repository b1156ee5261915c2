//! A look at a model file before rten reads it: rten 0.27 reads a number that does not end for ever, and a graph nested
//! thousandfold to the end of its stack. Tensors' data is passed over, so that it costs next to nothing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::path::Path;

use convwise_sdk::RunnerError;

/// Messages of onnx.proto, as far as rten reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    /// Without messages or packed numbers in it.
    Flat,
}

/// What a field that has a length holds.
enum Content {
    /// A message.
    Message(Message),
    /// Numbers without anything between them.
    Numbers,
    /// The name of an operator.
    Operator,
    /// Text, data, or what rten passes over.
    Bytes,
}

/// Graphs within graphs that are read; what exporters write has two or three.
const DEEPEST: usize = 32;
/// Messages within messages: a graph adds three (graph, node, attribute).
const MOST_LEVELS: usize = 3 * DEEPEST + 8;

impl Message {
    /// What a field holds, by its number in onnx.proto.
    fn content(self, field: u64) -> Content {
        Content::Message(match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 8 | 14) | (Self::Tensor, 13) | (Self::Shape, 1) => Self::Flat,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::ValueInfo,
            (Self::Node, 5) => Self::Attribute,
            (Self::ValueInfo, 2) | (Self::Attribute, 14 | 15) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Attribute, 8) | (Self::Tensor, 1 | 5 | 7 | 11) => return Content::Numbers,
            (Self::Node, 4) => return Content::Operator,
            _ => return Content::Bytes,
        })
    }
}

/// The operator that rten 0.27 gets wrong: it divides the intersection of two boxes by the rectangle around both, where ONNX
/// has their union, and looks at boxes in the order in which they come.
pub(crate) const SUPPRESSION: &str = "NonMaxSuppression";

/// What was found in a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// A node of it may be called like the operator that rten gets wrong.
    pub(crate) suppression: bool,
}

/// Refuses what rten would not survive.
pub(crate) fn check(model: &Path) -> Result<Found, RunnerError> {
    let problem = |why: &str| RunnerError::model(format!("{}: {why}", model.display()));
    let unreadable = |error: io::Error| problem(&error.to_string());
    let file = File::open(model).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut wire = Wire::new(BufReader::new(file));
    match wire.message(Message::Model, length, 0) {
        Ok(()) => Ok(wire.found),
        Err(Fault::Io(error)) => Err(unreadable(error)),
        Err(Fault::Wrong(why)) => Err(problem(why)),
    }
}

enum Fault {
    Io(io::Error),
    Wrong(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Wrong("the file ends in the middle of something"),
            _ => Self::Io(error),
        }
    }
}

struct Wire<R> {
    from: R,
    /// Bytes passed.
    at: u64,
    found: Found,
}

impl<R: BufRead + Seek> Wire<R> {
    fn new(from: R) -> Self {
        Self { from, at: 0, found: Found::default() }
    }

    /// Passes the fields of a message that ends at `end`.
    fn message(&mut self, message: Message, end: u64, level: usize) -> Result<(), Fault> {
        if level > MOST_LEVELS {
            return Err(Fault::Wrong("its graphs are nested deeper than any network's"));
        }
        while self.at < end {
            let tag = self.number()?;
            match tag & 7 {
                0 => self.number().map(|_| ())?,
                1 => self.skip(8, end)?,
                2 => self.field(message.content(tag >> 3), end, level)?,
                5 => self.skip(4, end)?,
                _ => return Err(Fault::Wrong("this is no ONNX file, or a damaged one")),
            }
        }
        if self.at == end {
            Ok(())
        } else {
            Err(Fault::Wrong("a message in it is longer than what holds it"))
        }
    }

    fn field(&mut self, content: Content, end: u64, level: usize) -> Result<(), Fault> {
        let length = self.number()?;
        let own_end = self.at.checked_add(length).filter(|own| *own <= end);
        let own_end = own_end.ok_or(Fault::Wrong("a message in it is longer than what holds it"))?;
        match content {
            Content::Message(message) => self.message(message, own_end, level + 1),
            Content::Numbers => {
                while self.at < own_end {
                    self.number()?;
                }
                Ok(())
            }
            Content::Operator if length == SUPPRESSION.len() as u64 => {
                let mut name = [0; SUPPRESSION.len()];
                io::Read::read_exact(&mut self.from, &mut name)?;
                self.at = own_end;
                self.found.suppression |= name == SUPPRESSION.as_bytes();
                Ok(())
            }
            Content::Operator | Content::Bytes => self.skip(length, end),
        }
    }

    /// A number in groups of seven bits, of ten groups at most.
    fn number(&mut self) -> Result<u64, Fault> {
        let mut value = 0_u64;
        for group in 0..10 {
            let mut byte = [0];
            io::Read::read_exact(&mut self.from, &mut byte)?;
            self.at += 1;
            let [byte] = byte;
            value |= u64::from(byte & 0x7f).checked_shl(group * 7).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::Wrong("a number in it does not end"))
    }

    fn skip(&mut self, bytes: u64, end: u64) -> Result<(), Fault> {
        self.at = self.at.checked_add(bytes).filter(|at| *at <= end).ok_or(Fault::Wrong("it is cut off"))?;
        let distance = i64::try_from(bytes).map_err(|_| Fault::Wrong("it is cut off"))?;
        Ok(self.from.seek_relative(distance)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> Option<&'static str> {
        let mut wire = Wire::new(io::Cursor::new(bytes));
        match wire.message(Message::Model, bytes.len() as u64, 0) {
            Err(Fault::Wrong(why)) => Some(why),
            _ => None,
        }
    }

    /// A field with a length.
    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap();
        [&[tag << 3 | 2, (length & 0x7f) as u8 | 0x80, (length >> 7) as u8], content].concat()
    }

    #[test]
    fn a_model_in_order_is_passed() {
        let model = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/tiny.onnx")).unwrap();
        assert_eq!(refusal(&model), None);
        assert_eq!(refusal(&model[..model.len() / 2]), Some("a message in it is longer than what holds it"));
    }

    #[test]
    fn the_operator_that_rten_gets_wrong_is_found() {
        let found = |name: &[u8]| {
            let model = field(7, &field(1, &field(4, name)));
            let mut wire = Wire::new(io::Cursor::new(&model));
            assert!(wire.message(Message::Model, model.len() as u64, 0).is_ok());
            wire.found.suppression
        };
        assert!(found(b"NonMaxSuppression"));
        assert!(!found(b"NonMaxSuppressioN") && !found(b"Relu"));
    }

    #[test]
    fn numbers_end_wherever_they_are() {
        let endless = [0xff; 16];
        let dims = field(7, &field(5, &field(1, &endless)));
        for bytes in [&endless[..], &dims] {
            assert_eq!(refusal(bytes), Some("a number in it does not end"));
        }
    }

    #[test]
    fn graphs_are_nested_as_networks_are_and_no_deeper() {
        let nested = |depth| (0..depth).fold(Vec::new(), |inner, _| field(1, &field(5, &field(6, &inner))));
        assert_eq!(refusal(&field(7, &nested(8))), None);
        assert_eq!(refusal(&field(7, &nested(200))), Some("its graphs are nested deeper than any network's"));
    }
}
