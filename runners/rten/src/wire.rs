//! A look at a model file before rten reads it: rten 0.27 reads a number that does not end for ever, and a graph nested
//! thousandfold to the end of its stack, and answers wrongly for one operator. Tensors' data is passed over, so that it costs next to nothing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::path::Path;

use convwise_sdk::{ErrorCode, RunnerError};

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

/// Refuses what rten would not survive.
pub(crate) fn check(model: &Path) -> Result<(), RunnerError> {
    let problem = |why: &str| RunnerError::model(format!("{}: {why}", model.display()));
    let unreadable = |error: io::Error| problem(&error.to_string());
    let file = File::open(model).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut wire = Wire { from: BufReader::new(file), at: 0 };
    wire.message(Message::Model, length, 0).map_err(|fault| match fault {
        Fault::Io(error) => unreadable(error),
        Fault::Wrong(why) => problem(why),
        Fault::Unsupported(why) => {
            RunnerError::new(ErrorCode::Unsupported, format!("{}: {why}", model.display()))
        }
    })
}

enum Fault {
    Io(io::Error),
    Wrong(&'static str),
    Unsupported(&'static str),
}

/// rten 0.27 divides the intersection of two boxes by the rectangle around both, where ONNX has their union, and looks at
/// boxes in the order they come in: it keeps others than the definition does.
const SUPPRESSION: (&[u8], &str) = (
    b"NonMaxSuppression",
    "rten's NonMaxSuppression keeps other boxes than ONNX defines; use a runner that has this operator, or export the \
     network without it",
);

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
}

impl<R: BufRead + Seek> Wire<R> {
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
            Content::Operator if length == SUPPRESSION.0.len() as u64 => {
                let mut name = vec![0; SUPPRESSION.0.len()];
                io::Read::read_exact(&mut self.from, &mut name)?;
                self.at = own_end;
                if name == SUPPRESSION.0 { Err(Fault::Unsupported(SUPPRESSION.1)) } else { Ok(()) }
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
        let mut wire = Wire { from: io::Cursor::new(bytes), at: 0 };
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
    fn an_operator_that_answers_wrongly_is_refused() {
        let model = |name: &[u8]| field(7, &field(1, &field(4, name)));
        let fault = |bytes: &[u8]| {
            Wire { from: io::Cursor::new(bytes), at: 0 }.message(Message::Model, bytes.len() as u64, 0)
        };
        assert!(matches!(fault(&model(b"NonMaxSuppression")), Err(Fault::Unsupported(_))));
        assert!(fault(&model(b"NonMaxSuppressioN")).is_ok() && fault(&model(b"Relu")).is_ok());
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
