//! timm's tables (folder `results` of pytorch-image-models): accuracies of weights, timings of networks.

mod accuracy;
mod name;
mod timing;

use convwise_types::{
    AddedCost, ArchitectureId, InputShape, Macs, Params, StatedCost, StatedMacs, Task, WeightsTag,
};

use crate::desk::{Desk, Problem};
use crate::input::Input;
use crate::number::{self, Style, counted};
use crate::row::Row;
use crate::rows::{Rows, for_each};
use crate::{Entry, Place};

/// What a person says of a file; it comes before what the file's name says.
#[derive(Clone, Debug, Default)]
pub struct TimmOptions {
    /// Dataset of accuracies: `imagenet-1k/val`.
    pub dataset: Option<String>,
    /// Device of timings.
    pub device: Option<String>,
    /// Number format.
    pub precision: Option<String>,
    /// Order of the axes of tensors in memory.
    pub layout: Option<String>,
    /// Inference engine with its version.
    pub runtime: Option<String>,
    /// What else is known of the set-up.
    pub options: Option<String>,
    /// Ids of the devices that are described; names that mean one of them become its id.
    pub devices: Vec<String>,
}

/// Numbers of timm: `"1,013.01"`.
const STYLE: Style = Style { decimal: '.', thousands: Some(',') };

/// Whose names these tables use.
const PACKAGE: &str = "timm";

pub(crate) fn read(options: &TimmOptions, input: Input, desk: &mut Desk<'_, '_>) -> Result<(), Problem> {
    let file = input.name().to_owned();
    let mut rows = Rows::open(input, b',')?;
    refuse_without_figures(&rows)?;
    let name = rows.column("model").ok_or_else(|| rows.lacks(&["model"], "a table of timm"))?;
    let accuracies = accuracy::Columns::find(&rows, options, &file)?;
    let timings = timing::Columns::find(&rows, options, &file)?;
    if accuracies.is_none() && timings.is_empty() {
        let known =
            ["top1", "infer_samples_per_sec", "infer_step_time", "train_samples_per_sec", "train_step_time"];
        return Err(rows.lacks(&known, "a table of timm has one or more of"));
    }
    let work = Work::find(&rows);
    for_each(&mut rows, desk, |row, desk| {
        let read = Model::read(row, name).and_then(|model| {
            if let Some(columns) = &accuracies {
                columns.hand(row, &model, desk)?;
            }
            timings.iter().try_for_each(|columns| columns.hand(row, &model, desk))?;
            work.hand(row, &model, desk)
        });
        if let Err(problem) = read {
            desk.problem(problem);
        }
    })
}

/// timm's list of training data has a name of its own, since people see it among the tables.
fn refuse_without_figures(rows: &Rows) -> Result<(), Problem> {
    if rows.column("pretrain").is_some() && rows.columns.len() == 2 {
        let text = "is timm's list of what weights were trained on: it has no figures, nothing in it can be imported";
        return Err(Problem::of_file(text));
    }
    Ok(())
}

/// `resnet50.a1_in1k`: an architecture and the weights that fill it.
struct Model {
    architecture: ArchitectureId,
    weights: Option<WeightsTag>,
}

impl Model {
    fn read(row: Row<'_>, at: usize) -> Result<Self, Problem> {
        let text = row.text(at)?;
        let (architecture, weights) = match text.split_once('.') {
            Some((architecture, weights)) => (architecture, Some(weights)),
            None => (text, None),
        };
        if architecture.is_empty() || weights == Some("") || text.contains(char::is_whitespace) {
            return Err(row.wrong(at, format!("`{text}` is not the name of a model")));
        }
        Ok(Self { architecture: architecture.into(), weights: weights.map(WeightsTag::from) })
    }
}

/// The size of an image.
fn image(row: Row<'_>, at: usize) -> Result<InputShape, Problem> {
    number::image(row.text(at)?).map_err(|why| row.wrong(at, why))
}

/// What a network costs, in the columns that have it.
struct Work {
    params: Option<usize>,
    macs: Option<usize>,
    size: Option<usize>,
}

impl Work {
    fn find(rows: &Rows) -> Self {
        let macs = ["infer_gmacs", "train_gmacs"].into_iter().find_map(|name| rows.column(name));
        let size =
            ["img_size", "infer_img_size", "train_img_size"].into_iter().find_map(|name| rows.column(name));
        Self { params: rows.column("param_count"), macs, size }
    }

    fn hand(&self, row: Row<'_>, model: &Model, desk: &mut Desk<'_, '_>) -> Result<(), Problem> {
        let params = figure(row, self.params, 1e6)?.map(Params);
        let macs = match (figure(row, self.macs, 1e9)?, self.size) {
            (Some(count), Some(size)) => Some(StatedMacs { count: Macs(count), input: image(row, size)? }),
            _ => None,
        };
        let Some(column) = params.and(self.params).or(macs.and(self.macs)) else { return Ok(()) };
        let note = match macs {
            Some(_) => "parameters rounded to 10 thousand, work to 10 million",
            None => "parameters rounded to 10 thousand",
        };
        let source = desk.source_at(row.line);
        let cost = StatedCost { params, macs, source, note: Some(note.to_owned()) };
        let entry = AddedCost {
            package: Some(PACKAGE.to_owned()),
            architecture: model.architecture.clone(),
            task: Task::Classify,
            cost,
        };
        desk.hand(Entry::Cost(entry), place(row, column));
        Ok(())
    }
}

/// A figure in millions or thousands of millions; a network too small for the table's two digits has 0.00 there.
fn figure(row: Row<'_>, at: Option<usize>, unit: f64) -> Result<Option<u64>, Problem> {
    let Some(at) = at.filter(|at| row.filled(Some(*at)).is_some()) else { return Ok(None) };
    let number = row.real(at, STYLE)?;
    if number == 0.0 {
        return Ok(None);
    }
    let count = counted(number * unit).filter(|_| number > 0.0);
    count.map(Some).ok_or_else(|| row.wrong(at, format!("`{}` is no count", row.cell(at))))
}

fn place(row: Row<'_>, column: usize) -> Place<'_> {
    Place { line: Some(row.line), column: Some(row.name(column)), read: row.read }
}
