//! Foreign tables, read row by row into the bodies of our records: timm's and torchvision's, anybody's CSV with a
//! mapping, and lines of JSON.
//!
//! A file of any length is read in bounded memory. Whatever it holds, reading it ends in entries or in problems, each
//! with line and column; nothing here decides whether entries are kept. This crate is the only one that knows what
//! foreign files look like. It must not know the knowledge base.

mod desk;
mod device;
mod input;
mod lines;
mod number;
mod row;
mod rows;
mod sniff;
mod table;
mod timm;
mod torchvision;

use convwise_types::{AddedCost, AddedFact, AddedResult, AddedTiming};

pub use desk::{Problem, Report};
pub use input::Input;
pub use table::{EXAMPLE, Mapping};
pub use timm::TimmOptions;
pub use torchvision::{SNIPPET, TorchvisionOptions};

/// What a row says, as the body of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// An accuracy.
    Result(AddedResult),
    /// A timing.
    Timing(AddedTiming),
    /// A count of parameters and work.
    Cost(AddedCost),
    /// A fact about an architecture or a device.
    Fact(AddedFact),
}

/// Where an entry stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Line, from 1; absent in a file that is one document.
    pub line: Option<u64>,
    /// Column of its figure.
    pub column: Option<&'a str>,
    /// Bytes of the file that were read so far.
    pub read: u64,
}

/// Takes entries one by one; a text says why one is refused.
pub type Sink<'a> = dyn FnMut(Entry, Place<'_>) -> Result<(), String> + 'a;

/// What a file is taken for.
#[derive(Clone, Debug)]
pub enum Format {
    /// A table of timm's `results` folder.
    Timm(TimmOptions),
    /// torchvision's table of weights.
    Torchvision(TorchvisionOptions),
    /// Anybody's table.
    Table(Mapping),
    /// One JSON object a line.
    Lines,
}

/// Reads a file and hands over what it says. `source` is what records name instead of the file.
pub fn import(format: &Format, input: Input, source: Option<&str>, sink: &mut Sink<'_>) -> Report {
    let mut desk = desk::Desk::new(input.name(), source, sink);
    let read = match format {
        Format::Timm(options) => timm::read(options, input, &mut desk),
        Format::Torchvision(options) => torchvision::read(options, input, &mut desk),
        Format::Table(mapping) => table::read(mapping, input, &mut desk),
        Format::Lines => lines::read(input, &mut desk),
    };
    if let Err(fatal) = read {
        desk.problem(fatal);
    }
    desk.report
}
